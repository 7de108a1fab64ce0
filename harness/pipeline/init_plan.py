"""What a new project will say, decided from the files and said with its reason."""

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigError
from harness.pipeline.init_choices import (
    SHOTS,
    ScorerChoice,
    can_validate,
    choose_max_new_tokens,
    choose_prompt,
    choose_scorers,
    power_note,
)
from harness.pipeline.init_sources import OwnFiles, Sources, path_from

GOLDEN_SETS = "golden_sets"
NO_LICENCE = "not stated; say it before you share this set"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What the user may say besides the files; None leaves it to the name of the folder."""

    name: str | None = None
    question: str | None = None
    licence: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Everything that the files of a project say.

    `prompted` is the name and the system text of a prompted system, where there is no few-shot one to hold against
    zero-shot. `shots` of 0: no few-shot system. `adapter` is a path as the experiment names it.
    """

    name: str
    question: str
    licence: str
    golden_file: str
    sources: Sources
    scorers: ScorerChoice
    max_new_tokens: int
    tokens_reason: str
    prompted: tuple[str, str] | None
    shots: int
    has_lora: bool
    adapter: str | None

    @property
    def has_regression(self) -> bool:
        """Whether weights differ from the base model's, so that something may have been forgotten."""
        return self.has_lora or self.adapter is not None

    @property
    def decisions(self) -> tuple[str, ...]:
        """What was decided and why, a sentence each."""
        said = [
            *self.sources.notes,
            f"scorers {', '.join(self.scorers.names)}: {self.scorers.reason}",
            f"max_new_tokens {self.max_new_tokens}: {self.tokens_reason}",
            f"base model {self.sources.base_model}: {self.sources.base_model_from}",
        ]
        if self.prompted:
            said.append(f"system {self.prompted[0]}: {self.prompted[1]}")
        if self.sources.training and not self.has_lora:
            said.append("no lora system: the training records cannot be parted into training and validation")
        if self.has_regression:
            said.append("regression quick: weights change, so MMLU and HellaSwag show what was forgotten")
        note = power_note(len(self.sources.golden.items))
        return (*said, note) if note else tuple(said)


def plan_project(files: OwnFiles, sources: Sources, wishes: Wishes, *, folder: Path) -> Plan:
    """Decides what the project says.

    Raises:
        ConfigError: A name that is not one.
    """
    name = wishes.name or _name_of(folder)
    if not _NAME.fullmatch(name) or name == GOLDEN_SETS:
        raise ConfigError(
            f'--name "{name}" is not a name; use letters, digits, _ . - and begin with a letter or digit '
            f'("{GOLDEN_SETS}" is a folder of every project).'
        )
    items = sources.golden.items
    scorers = choose_scorers(items)
    tokens, reason = choose_max_new_tokens(items)
    records = sources.training.training_set.records if sources.training else ()
    has_lora = can_validate(records) if records else False
    return Plan(
        name=name,
        question=wishes.question or _question(name, has_lora=has_lora, has_adapter=files.adapter is not None),
        licence=wishes.licence or NO_LICENCE,
        golden_file=files.golden.name,
        sources=sources,
        scorers=scorers,
        max_new_tokens=tokens,
        tokens_reason=reason,
        prompted=None if records else choose_prompt(items, scorers),
        shots=min(SHOTS, len(records)),
        has_lora=has_lora,
        adapter=path_from(folder, files.adapter) if files.adapter else None,
    )


def _name_of(folder: Path) -> str:
    """The folder's name, with a dash for each run of characters that a name cannot have."""
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", folder.resolve().name).strip("-_.")
    return "experiment" if name in {"", GOLDEN_SETS} else name


def _question(name: str, *, has_lora: bool, has_adapter: bool) -> str:
    if has_lora:
        return f"Does a fine-tuned adapter answer {name} better than prompting does?"
    if has_adapter:
        return f"Does the adapter answer {name} better than its base model does when prompted?"
    return f"Which way of asking the base model answers {name} best?"
