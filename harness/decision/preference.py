"""`rating/preference`: how often the answers of one system were chosen over those of another, side by side.

A run's scores against each other run stand under `rating/preference:<run id>`: 1 where its answer was chosen, 0.5 for a
tie or both bad, 0 where the other's was. Two systems held against each other have them as `rating/preference`, so that
their difference is the share of wins minus the share of losses, in [-1, 1].
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.decision.values import collect_values
from harness.records.estimates import Comparison
from harness.records.evidence import Evidence
from harness.records.scores import Metric, Score
from harness.stats.preference import Ranking, bradley_terry

PREFERENCE = "rating/preference"
T = TypeVar("T")
_SCORER = "preference"


@dataclass(frozen=True, kw_only=True, slots=True)
class WinRate:
    """A share of wins in [0, 1], a tie counting half, with the bounds of the comparison that it comes from."""

    value: float
    low: float | None
    high: float | None


def facing_metric(run_id: str) -> str:
    """The name under which a run's scores against another are stored."""
    return f"{PREFERENCE}:{run_id}"


def is_facing(metric: str) -> bool:
    """Whether a metric is about one other run, and so is shown in comparisons with that one only."""
    return metric.startswith(f"{PREFERENCE}:")


def face(ours: Evidence, theirs: Evidence) -> tuple[Evidence, Evidence]:
    """Both with `rating/preference` against each other, where their answers were judged side by side."""
    return _facing(ours, theirs), _facing(theirs, ours)


def win_rate_of(comparison: Comparison) -> WinRate:
    """The win rate behind a comparison on `rating/preference`: (1 + difference) / 2."""

    def share(difference: float | None) -> float | None:
        return None if difference is None else (1 + difference) / 2

    value = (1 + comparison.difference) / 2
    return WinRate(value=value, low=share(comparison.ci_low), high=share(comparison.ci_high))


def rank(runs: Mapping[str, Sequence[Score]], *, confidence: float = 0.95) -> Ranking | None:
    """Bradley-Terry strengths of several systems, from who was chosen over whom.

    Each item of a pair counts as one comparison, shared out as its raters chose: several raters of one item are not
    several items.

    Args:
        runs: Scores of one campaign by run id.
        confidence: Two-sided, in (0, 1).

    Returns:
        By run id; None for fewer than three runs that were compared, where the win rate says it all, or where no chain
        of comparisons connects them.
    """
    wins: dict[tuple[str, str], float] = {}
    for ours, scores in runs.items():
        for theirs in runs:
            about = [score for score in scores if score.metric == facing_metric(theirs)]
            values = collect_values(_metric(facing_metric(theirs)), about)
            if values:
                wins[ours, theirs] = sum(one.value for one in values.values() if one.value is not None)
    if len({run_id for pair in wins for run_id in pair}) < 3:
        return None
    try:
        return bradley_terry(wins, confidence=confidence)
    except ValueError:
        return None


def _facing(one: Evidence, other: Evidence) -> Evidence:
    stored = facing_metric(other.state.run.run_id)
    scores = one.scores.get(stored)
    if not scores:
        return one

    def renamed(by_metric: Mapping[str, T]) -> dict[str, T]:
        return {**by_metric, **({PREFERENCE: by_metric[stored]} if stored in by_metric else {})}

    return replace(
        one,
        metrics={**one.metrics, PREFERENCE: _metric(PREFERENCE)},
        scores={**one.scores, PREFERENCE: [replace(score, scorer=_SCORER) for score in scores]},
        notes=renamed(one.notes),
        evaluations=renamed(one.evaluations),
        asked=renamed(one.asked),
        overlapping=renamed(one.overlapping),
    )


def _metric(name: str) -> Metric:
    return Metric(name=name, kind="graded", description="chosen over the other answer: 1 yes, 0.5 a tie, 0 no")
