"""What a gate reads: a number with its interval, of the candidate alone or held against a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.config.policy import Method
from harness.decision.compare import compare
from harness.decision.estimate import estimate
from harness.errors import ComparisonError
from harness.records.estimates import Comparison
from harness.records.scores import Metric, Score


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """The scores that a gate is about. `theirs` and `baseline` are None where no baseline is asked for."""

    metric: Metric
    candidate: str
    ours: Sequence[Score]
    baseline: str | None = None
    theirs: Sequence[Score] | None = None

    @property
    def subject(self) -> str:
        """Whose number it is, such as `lora - rag`."""
        return self.candidate if self.baseline is None else f"{self.candidate} - {self.baseline}"

    def only(self, item_ids: set[str]) -> "Sides":
        """The same on some of the items."""
        return Sides(
            metric=self.metric,
            candidate=self.candidate,
            ours=[score for score in self.ours if score.item_id in item_ids],
            baseline=self.baseline,
            theirs=None if self.theirs is None else [score for score in self.theirs if score.item_id in item_ids],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A number in the metric's unit, with its interval.

    Of a difference, positive is better for the candidate. `low` and `high` are None where no interval is defined.
    `comparison` is there for a difference. `notes` are sentences to show with the number.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    test: str
    notes: tuple[str, ...] = ()
    comparison: Comparison | None = None


def read(sides: Sides, *, confidence: float, method: Method | None, seed: int = 0) -> Reading:
    """The number that a gate is about.

    Args:
        sides: The scores.
        confidence: Two-sided, in (0, 1).
        method: Of the interval, where the policy names it.
        seed: Of resampling.

    Raises:
        ComparisonError: There is nothing to estimate or compare, or `method` cannot be used on it.
    """
    if sides.baseline is None or sides.theirs is None:
        alone = estimate(sides.metric, sides.ours, confidence=confidence, method=method, seed=seed)
        return Reading(
            value=alone.value,
            low=alone.low,
            high=alone.high,
            n=alone.n,
            test=alone.method,
            notes=() if alone.note is None else (alone.note,),
        )
    found = compare(
        sides.metric,
        sides.ours,
        sides.theirs,
        candidate_name=sides.candidate,
        baseline_name=sides.baseline,
        confidence=confidence,
        method=method,
        seed=seed,
    )
    return Reading(
        value=found.difference,
        low=found.ci_low,
        high=found.ci_high,
        n=found.n,
        test=found.test,
        notes=found.warnings,
        comparison=found,
    )


def read_or_reason(sides: Sides, *, confidence: float, method: Method | None, seed: int = 0) -> Reading | str:
    """As `read`, with the sentence that says why there is nothing to read in place of the error."""
    try:
        return read(sides, confidence=confidence, method=method, seed=seed)
    except ComparisonError as nothing:
        return str(nothing)
