"""Ratings: raters are a sample beside the items where there are enough of them, and fixed, which is said, where not.

The scores of a rating metric carry the rater's number as `sample_index`; item means over raters are compared like any
other metric, and what raters add to the uncertainty is put on top here.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from harness.records.estimates import Comparison, Estimate
from harness.records.scores import Metric, Score
from harness.stats.intervals import Interval
from harness.stats.raters import FEWEST_RATERS, TwoWay, rater_interval, two_way

RATING = "rating/"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cell:
    """One rater's value on one item."""

    value: float
    item: str
    cluster: Hashable
    rater: int


def widen_comparison(
    metric: Metric, comparison: Comparison, candidate: Sequence[Score], baseline: Sequence[Score]
) -> Comparison:
    """A comparison of ratings with raters as a sample too: never narrower than that over items alone.

    With five raters or more there is no p-value, since the tests beside the intervals know of items only. With fewer,
    the comparison stays as it is and says that it is about these raters.
    """
    if not metric.name.startswith(RATING):
        return comparison
    sign = 1.0 if metric.direction == "higher_is_better" else -1.0
    theirs = {(one.item_id, one.item_hash, one.sample_index): one.value for one in baseline}
    cells: list[_Cell] = []
    for one in candidate:
        their = theirs.get((one.item_id, one.item_hash, one.sample_index))
        if one.value is not None and their is not None:
            cells.append(_cell(one, sign * (one.value - their)))
    parts = _two_way(cells)
    if parts is None:
        return replace(comparison, warnings=(*comparison.warnings, fixed_sentence(_count(cells))))
    if comparison.ci_low is None or comparison.ci_high is None:
        return comparison
    width = None if metric.minimum is None or metric.maximum is None else metric.maximum - metric.minimum
    bounds = (None, None) if width is None else (-width, width)
    low, high = _wider((comparison.ci_low, comparison.ci_high), parts, comparison.confidence, bounds)
    test = f"{comparison.test.partition(',')[0]}, with the variance of {_count(cells)} raters"
    return replace(comparison, ci_low=low, ci_high=high, p_value=None, test=test)


def widen_estimate(metric: Metric, found: Estimate, scores: Sequence[Score], *, confidence: float) -> Estimate:
    """One system's mean rating, with raters as a sample too where there are five or more; else it says that not."""
    if not metric.name.startswith(RATING):
        return found
    cells = [_cell(one, one.value) for one in scores if one.value is not None]
    parts = _two_way(cells)
    if parts is None or found.low is None or found.high is None:
        said = [found.note, fixed_sentence(_count(cells)) if parts is None else None]
        return replace(found, note=" ".join(one for one in said if one) or None)
    low, high = _wider((found.low, found.high), parts, confidence, (metric.minimum, metric.maximum))
    return replace(found, low=low, high=high, method=f"{found.method}, with the variance of {_count(cells)} raters")


def fixed_sentence(raters: int) -> str:
    """What is said where there are too few raters to be a sample."""
    who = f"Only {raters} raters: they are" if raters != 1 else "Only 1 rater: that one is"
    return (
        f"{who} taken as fixed, so the interval says nothing about other raters ({FEWEST_RATERS} or more are needed)."
    )


def _cell(score: Score, value: float) -> _Cell:
    cluster = ("item", score.item_id) if score.group is None else ("group", score.group)
    return _Cell(value=value, item=score.item_id, cluster=cluster, rater=score.sample_index)


def _count(cells: Sequence[_Cell]) -> int:
    return len({cell.rater for cell in cells})


def _two_way(cells: Sequence[_Cell]) -> TwoWay | None:
    """None where raters are too few, or items stand in one cluster."""
    if _count(cells) < FEWEST_RATERS or len({cell.cluster for cell in cells}) < 2:
        return None
    ordered = sorted(cells, key=lambda cell: (cell.item, cell.rater))  # sums to the last digit the same in any order
    return two_way(
        [cell.value for cell in ordered],
        [cell.item for cell in ordered],
        [cell.rater for cell in ordered],
        clusters=[cell.cluster for cell in ordered],
    )


def _wider(
    alone: tuple[float, float], parts: TwoWay, confidence: float, bounds: tuple[float | None, float | None]
) -> tuple[float, float]:
    """The interval over items and raters, or that over items alone where it reaches further, cut to the range."""
    both: Interval = rater_interval(parts, confidence=confidence)
    low, high = min(alone[0], both.low), max(alone[1], both.high)
    least, most = bounds
    return (low if least is None else max(low, least)), (high if most is None else min(high, most))
