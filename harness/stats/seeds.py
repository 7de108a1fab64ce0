"""Several training seeds: a difference that holds for the recipe, not only for one lucky run of it."""

import math
from collections.abc import Sequence

import numpy as np

from harness.stats.bounded import bounded_mean_interval
from harness.stats.intervals import Interval, check_confidence, finite_values, t_interval


def seed_interval(
    differences: Sequence[Sequence[float]],
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Interval for a mean difference over seeds and items, both of which are samples.

    Every seed answers the same items (a crossed design). The variance of the mean is taken as that of the seeds' means
    over the number of seeds plus that of the items' means over the number of items. That counts the rest (what seed
    and item do together) twice, so the interval errs on the wide side. Degrees of freedom by Satterthwaite, from seeds
    - 1 and items - 1: with three seeds that differ much they come near 2, and the interval is wide. With two seeds they
    are 1, since two say too little of how seeds differ: run three.

    Assumes seeds drawn independently (not the best of many) and independent items.

    Args:
        differences: For each seed the candidate minus baseline on each item, items in the same order.
        minimum: The least possible difference, where the metric has bounds; the interval is then never narrower than
            `bounded_mean_interval` of the items' means over seeds, and is cut to the range.
        maximum: The greatest possible difference; given with `minimum` or not at all.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds in the unit of the differences, around the mean over everything.

    Raises:
        ValueError: Fewer than 2 seeds (with one seed nothing is known of the others; report that seed's own interval
            and say so), fewer than 2 items, rows of different lengths, or a value that is not finite.

    Source: Owen (2007), Annals of Applied Statistics 1:386, for the two-way variance; Satterthwaite (1946). Coverage by
    simulation: tests/benchmarks/README.md.
    """
    check_confidence(confidence)
    table = _check_table(differences)
    seed_means, item_means = table.mean(axis=1), table.mean(axis=0)
    of_seeds = float(seed_means.var(ddof=1)) / len(seed_means)
    of_items = float(item_means.var(ddof=1)) / len(item_means)
    mean, variance = float(table.mean()), of_seeds + of_items
    interval = Interval(low=mean, high=mean, confidence=confidence)
    if variance > 0:
        freedom = variance**2 / (of_seeds**2 / (len(seed_means) - 1) + of_items**2 / (len(item_means) - 1))
        interval = t_interval(mean, math.sqrt(variance), freedom if len(table) > 2 else 1, confidence)
    if minimum is None or maximum is None:
        if minimum is not maximum:
            raise ValueError(f"minimum is {minimum} and maximum is {maximum}; give both or neither")
        if variance == 0:
            raise ValueError("the differences do not vary and have no bounds, so no interval is defined")
        return interval
    items = bounded_mean_interval(list(item_means), minimum=minimum, maximum=maximum, confidence=confidence)
    low, high = min(interval.low, items.low), max(interval.high, items.high)
    return Interval(low=max(minimum, low), high=min(maximum, high), confidence=confidence)


def _check_table(differences: Sequence[Sequence[float]]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    if len(differences) < 2:
        raise ValueError(f"{len(differences)} seeds; at least 2 are needed to see how seeds differ")
    lengths = {len(row) for row in differences}
    if len(lengths) > 1:
        raise ValueError(f"seeds have {sorted(lengths)} items; each must answer the same items")
    return np.stack([finite_values(row, at_least=2) for row in differences])
