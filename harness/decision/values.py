"""From scores to one value per item, with what is missing and why."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import ComparisonError
from harness.records.scores import Metric, Score

_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemValue:
    """What one system reached on one item: the mean over the samples that have a value.

    Exactly one of `value` and `missing` is set. `samples` counts those averaged, `lost` those that have no value.
    """

    item_id: str
    item_hash: str
    group: str | None
    value: float | None
    missing: Literal["failed", "unreadable"] | None
    samples: int
    lost: int


def collect_values(metric: Metric, scores: Sequence[Score]) -> dict[str, ItemValue]:
    """One value per item, by item id, in the order of first appearance.

    Failed scores, and unparsed ones whose value is None, are missing: they are left out and never count as 0.

    Raises:
        ComparisonError: Scores of another metric, one (item, sample) scored twice, two versions of one item, or a
            value that the metric cannot take.
    """
    by_item: dict[str, list[Score]] = {}
    seen: set[tuple[str, int]] = set()
    for score in scores:
        _check(metric, score)
        key = (score.item_id, score.sample_index)
        if key in seen:
            raise ComparisonError(
                f"{metric.name}: item {score.item_id} has two scores for sample {score.sample_index}; "
                "give the scores of one run only."
            )
        seen.add(key)
        by_item.setdefault(score.item_id, []).append(score)
    return {item_id: _average(metric, item_scores) for item_id, item_scores in by_item.items()}


def count_missing(values: Mapping[str, ItemValue]) -> int:
    """Items that were asked and have no value."""
    return sum(item.value is None for item in values.values())


def _average(metric: Metric, scores: Sequence[Score]) -> ItemValue:
    first = scores[0]
    if len(scores) == 1 and first.value is not None:  # nearly always; and suites have tens of thousands of items
        return ItemValue(
            item_id=first.item_id,
            item_hash=first.item_hash,
            group=first.group,
            value=first.value,
            missing=None,
            samples=1,
            lost=0,
        )
    if len({score.item_hash for score in scores}) > 1:
        raise ComparisonError(
            f"{metric.name}: item {first.item_id} stands in two versions (hashes) within one run; "
            "give the scores of one run only."
        )
    found = [score.value for score in scores if score.value is not None]
    failed = any(score.status == "failed" for score in scores)
    return ItemValue(
        item_id=first.item_id,
        item_hash=first.item_hash,
        group=next((score.group for score in scores if score.group is not None), None),
        value=math.fsum(found) / len(found) if found else None,
        missing=None if found else "failed" if failed else "unreadable",
        samples=len(found),
        lost=len(scores) - len(found),
    )


def _check(metric: Metric, score: Score) -> None:
    if score.metric != metric.name:
        raise ComparisonError(
            f"{metric.name}: item {score.item_id} carries a score of {score.metric}; "
            "give the scores of one metric only."
        )
    if score.value is None:
        return
    if metric.kind == "binary" and score.value not in (0.0, 1.0):
        allowed = "0 or 1, as the metric is binary"
    elif not math.isfinite(score.value):
        allowed = "a finite number"
    elif not _is_within(metric, score.value):
        allowed = f"{_bound(metric.minimum)} to {_bound(metric.maximum)}"
    else:
        return
    raise ComparisonError(
        f"{metric.name}: item {score.item_id} has the value {score.value}; allowed: {allowed}. "
        "Correct the scorer or what it declares of its metric, then score again."
    )


def _is_within(metric: Metric, value: float) -> bool:
    slack = _TOLERANCE * max(1.0, abs(value))
    too_low = metric.minimum is not None and value < metric.minimum - slack
    too_high = metric.maximum is not None and value > metric.maximum + slack
    return not (too_low or too_high)


def _bound(value: float | None) -> str:
    return "unbounded" if value is None else f"{value:g}"
