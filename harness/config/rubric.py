"""A golden set's `rubric.yaml`: criteria with anchored levels, as a person writes them."""

import json
from pathlib import Path
from typing import Annotated, cast

import pydantic

from harness.config.validate import Strict, validate
from harness.config.yaml_file import YamlFile, read_yaml
from harness.errors import ConfigError
from harness.records.rubric import Criterion, CriterionKind, Level, PairwiseForm, Rubric

RUBRIC_NAME = "rubric.yaml"
RESERVED = ("overall", "critical_error", "preference")

_Text = Annotated[str, pydantic.StringConstraints(min_length=1, strip_whitespace=True)]


class _CriterionFile(Strict):
    id: Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z0-9_]+$")]
    question: _Text
    kind: CriterionKind = "levels"
    levels: dict[str, _Text]
    required: bool = True
    weight: float = pydantic.Field(default=1.0, gt=0, allow_inf_nan=False)

    @pydantic.field_validator("id")
    @classmethod
    def _id_is_free(cls, name: str) -> str:
        if name in RESERVED:
            raise ValueError(f'"{name}" is a metric that ratings have anyway. Choose another id')
        return name

    @pydantic.field_validator("levels", mode="before")
    @classmethod
    def _keys_are_text(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {str(key): text for key, text in cast("dict[object, object]", value).items()}

    @pydantic.model_validator(mode="after")
    def _levels_are_those_of_the_kind(self) -> "_CriterionFile":
        keys = list(self.levels)
        seen = ", ".join(keys)
        if self.kind == "pass_fail" and set(keys) != {"pass", "fail"}:
            raise ValueError(f"the levels are {seen}; a pass_fail criterion has `pass` and `fail`. Write both")
        if self.kind == "levels" and set(keys) == {"pass", "fail"}:
            raise ValueError("the levels are pass and fail, of a criterion with numbers. Add `kind: pass_fail`")
        if self.kind == "levels" and (len(keys) < 2 or set(keys) != {str(one + 1) for one in range(len(keys))}):
            raise ValueError(f"the levels are {seen}; allowed: 1, 2, ... without a gap, at least 2. Number them so")
        return self

    def record(self) -> Criterion:
        levels = (
            [Level(value=value, text=self.levels[value]) for value in ("fail", "pass")]
            if self.kind == "pass_fail"
            else [Level(value=value, text=self.levels[str(value)]) for value in range(1, len(self.levels) + 1)]
        )
        return Criterion(
            criterion_id=self.id,
            question=self.question,
            kind=self.kind,
            levels=tuple(levels),
            required=self.required,
            weight=self.weight,
        )


class _CriticalFile(Strict):
    question: _Text


class _PairwiseFile(Strict):
    question: _Text
    criteria: bool = False


class _RubricFile(Strict):
    name: _Text
    version: Annotated[int, pydantic.Field(ge=1, strict=True)]
    criteria: tuple[_CriterionFile, ...]
    critical_error: _CriticalFile | None = None
    pairwise: _PairwiseFile | None = None
    instructions: _Text | None = None

    @pydantic.field_validator("criteria")
    @classmethod
    def _there_are_some_and_ids_are_unique(cls, criteria: tuple[_CriterionFile, ...]) -> tuple[_CriterionFile, ...]:
        if not criteria:
            raise ValueError("the list is empty. Write at least one criterion")
        ids = [criterion.id for criterion in criteria]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"the id {', '.join(twice)} stands twice. Give each criterion its own")
        return criteria


def load_rubric(folder: Path) -> Rubric | None:
    """Reads `rubric.yaml` of a golden set; None where the folder has none.

    Raises:
        ConfigError: It is not valid: every problem at once.
    """
    path = folder / RUBRIC_NAME
    return _record(read_yaml(path)) if path.is_file() else None


def read_rubric(text: str, *, whence: str) -> Rubric:
    """The rubric of canonical JSON, as `Rubric.canonical` gives it.

    Args:
        text: The JSON.
        whence: What it was read from, for messages.

    Raises:
        ConfigError: It is not a rubric.
    """
    try:
        content = json.loads(text)
    except ValueError as problem:
        raise ConfigError(
            f"{whence}: the rubric is not JSON ({problem}). It was changed by hand; restore it."
        ) from None
    return _record(YamlFile(path=Path(whence), content=cast("dict[str, object]", content), lines={}))


def _record(source: YamlFile) -> Rubric:
    checked = validate(_RubricFile, source)
    return Rubric(
        name=checked.name,
        version=checked.version,
        criteria=tuple(criterion.record() for criterion in checked.criteria),
        critical_question=checked.critical_error.question if checked.critical_error else None,
        pairwise=PairwiseForm(question=checked.pairwise.question, by_criterion=checked.pairwise.criteria)
        if checked.pairwise
        else None,
        instructions=checked.instructions,
    )
