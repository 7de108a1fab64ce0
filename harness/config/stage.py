"""Stages of a training: training sets learned from one after the other, by the same adapter."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pydantic

from harness.config.system import Finetune
from harness.config.validate import Strict


class StageSettings(Strict):
    """How one stage learns. What is not said is that of the system's `finetune`.

    Stages are learned from in the order in which they are written, each with an optimizer, a schedule and a validation
    split of its own; a stage begins with its predecessor's best epoch. Sets are not mixed, so that no set has a weight
    in a mixture: `share` is the part of the stage's own set that is used, and `replay` is what is mixed in of the
    stages before it.

    Attributes:
        share: Part of the set's records that is used, as a proportion in (0, 1]: drawn by the system's seed, groups
            kept whole, each label in proportion.
        replay: Records of earlier stages that this one learns from again, against forgetting: as a proportion of its
            own training records (0.1 is one for each ten), as far as there are so many. 0 in the first stage.
        epochs: Passes over the stage's records.
        learning_rate: Where the stage's schedule begins, after its warm-up.
    """

    share: float = pydantic.Field(default=1.0, gt=0, le=1)
    replay: float = pydantic.Field(default=0.0, ge=0, le=10)
    epochs: int | None = pydantic.Field(default=None, ge=1)
    learning_rate: float | None = pydantic.Field(default=None, gt=0)

    def over(self, settings: Finetune) -> Finetune:
        """A system's settings with what this stage says in their place."""
        said = {"epochs": self.epochs, "learning_rate": self.learning_rate}
        return settings.model_copy(update={name: value for name, value in said.items() if value is not None})

    @property
    def said(self) -> dict[str, object]:
        """What differs from a training set that is only named, for a hash."""
        return self.model_dump(mode="json", exclude={"path"}, exclude_defaults=True)


class StageEntry(StageSettings):
    """One entry under `training_set:`, with a path as written: a file, a folder, or a Hugging Face id."""

    path: str


class Stage(StageSettings):
    """A stage with its path absolute; a relative one is a Hugging Face id."""

    path: Path


def as_entries(written: object) -> object:
    """`training_set` as a list of entries: a path alone is one stage, and stands for an entry in a list too.

    Raises:
        ValueError: It is neither a path nor a list of stages, or an empty list.
    """
    if isinstance(written, str):
        return [{"path": written}]
    if not isinstance(written, list):
        raise ValueError(
            f"expected a file, a folder, a Hugging Face id, or a list of stages such as `- {{path: train.jsonl, "
            f"epochs: 3}}`; seen: {written!r}"
        )
    wrong = [entry for entry in cast("list[object]", written) if not isinstance(entry, str | dict)]
    if wrong:
        raise ValueError(
            f"a stage is a path, or settings such as {{path: train.jsonl, epochs: 3}}; seen: {wrong[0]!r}. Name the "
            "training set."
        )
    if not written:
        raise ValueError("the list of stages is empty. Name at least one training set, or leave training_set out.")
    return [{"path": entry} if isinstance(entry, str) else entry for entry in cast("list[object]", written)]


def is_one_path(stages: Sequence[StageSettings]) -> bool:
    """Whether there is one training set of which nothing is said but its path: the common form."""
    return len(stages) == 1 and not stages[0].said


def replay_problems(stages: Sequence[StageSettings]) -> list[str]:
    """What the stages ask of one another that cannot be."""
    if stages and stages[0].replay:
        return ["training_set.0.replay: no stage goes before the first. Replay in a later one."]
    return []
