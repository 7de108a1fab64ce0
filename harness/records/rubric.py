"""A rubric: the instrument that raters fill in, criterion by criterion, with anchored levels."""

from dataclasses import dataclass, field
from typing import Literal

from harness.hashing import canonical_json, content_hash

CriterionKind = Literal["levels", "pass_fail"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One answer to a criterion: an integer from 1, or `fail` or `pass`, and the words that anchor it."""

    value: int | Literal["fail", "pass"]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Criterion:
    """One question of a rubric. Its metric is `rating/<criterion_id>`.

    `levels` stand worst first: 1, 2, ... or fail, pass. `weight` is above 0 and counts relative to those of the other
    criteria. A criterion that is not `required` may be left open.
    """

    criterion_id: str
    question: str
    kind: CriterionKind
    levels: tuple[Level, ...]
    required: bool
    weight: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PairwiseForm:
    """How two answers are compared: the question, and whether the criteria are asked one by one too."""

    question: str
    by_criterion: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rubric:
    """What raters are asked, as one version of a golden set's `rubric.yaml` says it.

    `critical_question` is answered yes or no of every answer, None where it is not asked; `instructions` are shown to
    raters before they begin. `sha256` is that of `canonical`.
    """

    name: str
    version: int
    criteria: tuple[Criterion, ...]
    critical_question: str | None
    pairwise: PairwiseForm | None
    instructions: str | None
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", content_hash(self._content()))

    @property
    def canonical(self) -> str:
        """The rubric as canonical JSON, in the form of the file; `harness.config.rubric.read_rubric` reads it back."""
        return canonical_json(self._content())

    def _content(self) -> dict[str, object]:
        """What is not there is left out, so that a later kind of setting does not change the hash of today's files."""
        content: dict[str, object] = {
            "name": self.name,
            "version": self.version,
            "criteria": [_criterion_content(criterion) for criterion in self.criteria],
        }
        if self.critical_question is not None:
            content["critical_error"] = {"question": self.critical_question}
        if self.pairwise is not None:
            content["pairwise"] = {"question": self.pairwise.question, "criteria": self.pairwise.by_criterion}
        if self.instructions is not None:
            content["instructions"] = self.instructions
        return content


def _criterion_content(criterion: Criterion) -> dict[str, object]:
    return {
        "id": criterion.criterion_id,
        "question": criterion.question,
        "kind": criterion.kind,
        "levels": {str(level.value): level.text for level in criterion.levels},
        "required": criterion.required,
        "weight": criterion.weight,
    }
