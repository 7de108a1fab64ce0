"""Raters and items both as samples: how far a mean rating would move with other raters and other items."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.stats.clusters import cluster_sums
from harness.stats.intervals import Interval, check_confidence, finite_values, t_interval
from harness.stats.libraries import t_quantile

FEWEST_RATERS = 5  # under which nothing can be said about raters who were not asked


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoWay:
    """The variance of a mean over items of their mean ratings, taken apart, in the square of the ratings' unit.

    `of_items` falls with more items. `of_raters`, what raters add to it, falls with more raters only; it is at least
    0. `variance` is their sum, with `freedom` degrees of freedom. `raters` is how many raters of equal work theirs is
    worth, at most their number.
    """

    mean: float
    of_items: float
    of_raters: float
    freedom: float
    raters: float

    @property
    def variance(self) -> float:
        """Of the mean, over items and raters."""
        return self.of_items + self.of_raters


def two_way(
    values: Sequence[float],
    items: Sequence[Hashable],
    raters: Sequence[Hashable],
    *,
    clusters: Sequence[Hashable] | None = None,
) -> TwoWay:
    """Takes the variance of a mean rating apart into that of items and that of raters.

    The mean is that over items of each item's mean, so that an item with more ratings counts no more. Variance by
    two-way clustering: that of clusters of items, plus that of raters, minus that of single ratings, which both hold;
    never less than either of the two alone. Degrees of freedom by Satterthwaite, from clusters - 1 and from as many
    raters of equal work as theirs is worth - 1.

    Args:
        values: Ratings, or differences of two ratings by one rater of one item; each rater at most one of an item.
        items: Of each value.
        raters: Of each value.
        clusters: Of each value: what its item stands in with others; None: items are independent.

    Raises:
        ValueError: Fewer than 2 raters or 2 clusters of items, lengths that differ, or a value that is not finite.

    Source: Cameron, Gelbach and Miller (2011), Journal of Business and Economic Statistics 29:238; Owen (2007), Annals
    of Applied Statistics 1:386, on raters crossed with items; coverage by simulation: tests/benchmarks/README.md.
    """
    data = finite_values(values, at_least=2)
    stands_in = items if clusters is None else clusters
    found = {len(data), len(items), len(raters), len(stands_in)}
    n_raters, n_clusters = len(set(raters)), len(set(stands_in))
    if len(found) > 1 or min(n_raters, n_clusters) < 2:
        raise ValueError(
            f"{len(data)} values of {n_raters} raters on {n_clusters} independent items, lengths {sorted(found)}; "
            "allowed: equal lengths, at least 2 raters and 2 items"
        )
    ratings_of = dict(zip(dict.fromkeys(items), cluster_sums([1.0] * len(data), items), strict=True))
    weights = np.array([1.0 / (ratings_of[item] * len(ratings_of)) for item in items])
    mean = float(weights @ data)
    residuals = [float(one) for one in weights * (data - mean)]
    by_items = _squared_sums(residuals, stands_in)
    by_raters = _squared_sums(residuals, raters)
    single = _squared_sums(residuals, range(len(residuals)))
    work = np.array(cluster_sums([float(one) for one in weights], raters))
    worth = 1.0 / float(np.sum(work**2))
    variance = max(by_items + by_raters - single, by_items, by_raters)
    spread = by_items**2 / (n_clusters - 1) + by_raters**2 / (worth - 1)
    freedom = variance**2 / spread if spread > 0 else float(n_clusters - 1)
    return TwoWay(mean=mean, of_items=by_items, of_raters=variance - by_items, freedom=freedom, raters=worth)


def rater_interval(parts: TwoWay, *, confidence: float = 0.95) -> Interval:
    """The t interval around the mean, with items and raters both as samples.

    With 5 to 10 raters of unequal work and 20 to 100 items it covers 94 to 98 % (tests/benchmarks/README.md); with
    fewer raters, treat them as fixed and say so.
    """
    check_confidence(confidence)
    return t_interval(parts.mean, math.sqrt(parts.variance), parts.freedom, confidence)


def items_to_tell(parts: TwoWay, *, n: int, confidence: float = 0.95) -> int | None:
    """About how many items in total would tell the mean from 0, if the mean and the variances stayed as they are.

    Args:
        parts: Of differences; `of_raters` of 0 where raters are fixed.
        n: Items so far, at least 1.
        confidence: Two-sided, in (0, 1).

    Returns:
        Items, at least n; n where the mean can be told from 0 already. None where no number of items would do: the
        mean is 0, or what raters differ by is too much, and only more raters would help.
    """
    check_confidence(confidence)
    if n < 1:
        raise ValueError(f"n is {n}; allowed: 1 or more items")
    quantile = t_quantile(0.5 + confidence / 2, parts.freedom)
    left = (parts.mean / quantile) ** 2 - parts.of_raters
    if left <= 0:
        return None
    return max(n, math.floor(n * parts.of_items / left) + 1) if parts.of_items >= left else n


def _squared_sums(residuals: Sequence[float], clusters: Sequence[Hashable]) -> float:
    sums = cluster_sums(residuals, clusters)
    return len(sums) / (len(sums) - 1) * math.fsum(one**2 for one in sums)
