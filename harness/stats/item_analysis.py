"""Whether an item tells good systems from bad ones: its correlation with the score on all other items."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_RUNS = 5
_ALMOST_ONE = 1 - 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Discrimination:
    """A correlation in [-1, 1] with its 95 % interval, from `runs` runs. Below 0, better runs do worse on the item."""

    value: float
    low: float
    high: float
    runs: int


def discrimination(rows: Sequence[Sequence[float | None]]) -> list[Discrimination | None]:
    """The corrected item-total correlation of each item.

    Point-biserial where the item is pass/fail: Pearson's correlation of the scores on the item with the mean over the
    run's other items, so that the item is not correlated with itself. The interval is Fisher's (z, 1 / sqrt(n - 3)).

    Args:
        rows: A run each, with its score on each item; None where it has none. All rows are of one length.

    Returns:
        One for each item; None where fewer than `FEWEST_RUNS` runs have a score on it and on another item, or where the
        scores on it, or the means over the others, do not vary.

    Source: Lord and Novick (1968), chapter 15, for the corrected correlation.
    """
    return [_of_item(rows, item) for item in range(len(rows[0]))] if rows else []


def _of_item(rows: Sequence[Sequence[float | None]], item: int) -> Discrimination | None:
    on_item: list[float] = []
    on_others: list[float] = []
    for row in rows:
        score = row[item]
        others = [one for place, one in enumerate(row) if place != item and one is not None]
        if score is not None and others:
            on_item.append(score)
            on_others.append(math.fsum(others) / len(others))
    if len(on_item) < FEWEST_RUNS or _is_constant(on_item) or _is_constant(on_others):
        return None
    value = max(-1.0, min(1.0, statistics.correlation(on_item, on_others)))
    centre = math.atanh(max(-_ALMOST_ONE, min(_ALMOST_ONE, value)))
    half = statistics.NormalDist().inv_cdf(0.975) / math.sqrt(len(on_item) - 3)
    return Discrimination(value=value, low=math.tanh(centre - half), high=math.tanh(centre + half), runs=len(on_item))


def _is_constant(values: Sequence[float]) -> bool:
    return max(values) - min(values) < 1e-12
