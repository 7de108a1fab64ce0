"""`augment.yaml`: an augmentation of a training set, step by step."""

from pathlib import Path
from typing import Literal, get_args

import pydantic

from harness.config.augment_steps import (
    Asked,
    BackTranslationStep,
    NegativeStep,
    ParaphraseStep,
    RefusalStep,
    TemplateStep,
)
from harness.config.validate import Strict, validate
from harness.config.yaml_file import read_yaml

Origin = Literal["template", "paraphrase", "back_translation", "negative", "refusal"]
KINDS: tuple[Origin, ...] = get_args(Origin)


class Step(Strict):
    """One step: its name, and what it does under exactly one of the five keys."""

    name: str = pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    template: TemplateStep | None = None
    paraphrase: ParaphraseStep | None = None
    back_translation: BackTranslationStep | None = None
    negative: NegativeStep | None = None
    refusal: RefusalStep | None = None

    @pydantic.model_validator(mode="after")
    def _does_one_thing(self) -> "Step":
        said = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(said) != 1:
            seen = " and ".join(said) or "none"
            raise ValueError(f'step "{self.name}" does {seen}; say exactly one of {", ".join(KINDS)}')
        return self

    @property
    def origin(self) -> Origin:
        """What it does, which is the mark of the records that it makes."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the records that it reads; none where it reads none, or all."""
        reads = self.paraphrase or self.back_translation or self.negative or self.refusal
        return reads.tags if reads is not None else ()

    @property
    def asks(self) -> Asked | NegativeStep | None:
        """What asks a model, where the step does."""
        if self.negative is not None:
            return self.negative if self.negative.by == "model" else None
        return self.paraphrase or self.back_translation


class Plan(Strict):
    """`augment.yaml` as written. Every step reads the training set as it is, not what another step made.

    `seed` decides what is drawn. A new question whose runs of three words are shared with another question to
    `near_duplicate_similarity` (Jaccard, in (0, 1]) or more is dropped.
    """

    name: str = pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    seed: int = pydantic.Field(default=17, ge=0)
    near_duplicate_similarity: float = pydantic.Field(default=0.8, gt=0, le=1)
    steps: tuple[Step, ...]

    @pydantic.model_validator(mode="after")
    def _fits_in_one_file(self) -> "Plan":
        if not self.steps:
            raise ValueError("steps is empty; write at least one, such as `- {name: reworded, paraphrase: {}}`")
        names = [step.name for step in self.steps]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)}: a step's name stands twice. Give each step its own")
        negatives = [step.name for step in self.steps if step.negative is not None]
        if negatives and len(negatives) < len(self.steps):
            raise ValueError(
                f"{', '.join(negatives)}: negatives are preference records, and a file has one format. Put them into a "
                "plan of their own, which may read what this one writes"
            )
        return self

    @property
    def makes_negatives(self) -> bool:
        """Whether all steps make preference records out of others."""
        return self.steps[0].negative is not None


def load_plan(path: Path) -> Plan:
    """Reads `augment.yaml`.

    Raises:
        ConfigError: With every problem of the file.
    """
    return validate(Plan, read_yaml(path))
