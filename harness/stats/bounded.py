"""Score intervals for the mean of a bounded metric: Wilson's and Tango's idea, for any values between two ends."""

import math
from collections.abc import Hashable, Sequence

import numpy as np

from harness.stats.clusters import effective_items
from harness.stats.intervals import Interval, finite_values, two_sided_z
from harness.stats.libraries import Values, find_root

_TOLERANCE = 1e-6
_NEARLY_ONE = 1.0 - 1e-14


def bounded_mean_interval(
    values: Sequence[float],
    *,
    minimum: float,
    maximum: float,
    confidence: float = 0.95,
    clusters: Sequence[Hashable] | None = None,
) -> Interval:
    """Score interval for the mean of a bounded quantity, such as a rubric level or a difference of two F1 scores.

    All means that the score test does not reject, with the variance of the distribution that is likeliest under the
    mean tested among all distributions on the observed values and the two ends of the range. On 0 and 1 it is Wilson's
    interval, on -1, 0 and 1 Tango's, and without variation `unvarying_interval`. A t interval knows nothing of values
    that could have come and did not: where 57 of 60 differences are 0 it is far too narrow. This one allows for items
    at the ends of the range that were not seen, so it never ends nearer than z^2 / (n + z^2) of the way from the mean
    to the end of the range. That is its price where all values lie close together.

    Assumes independent values from one distribution on [minimum, maximum]; with `clusters`, independent clusters: then
    n is replaced by `effective_items`.

    Args:
        values: At least 1 finite number between the bounds.
        minimum: The least possible value (of a difference of values in [0, 1]: -1).
        maximum: The greatest possible value, above `minimum`.
        confidence: Two-sided, in (0, 1).
        clusters: The cluster of each value (a document, a patient); None: each value stands alone.

    Returns:
        Bounds in the unit of `values`, inside [minimum, maximum]. Never of width zero.

    Raises:
        ValueError: No value, one that is not finite or outside the bounds, or bounds out of order.

    Source: Wilson (1927) and Tango (1998), with the restricted likelihood of Owen (2001), Empirical Likelihood,
    section 2.3, on the observed values and the ends. Coverage by simulation: tests/benchmarks/README.md.
    """
    z2 = two_sided_z(confidence) ** 2
    data = finite_values(values, at_least=1)
    _check_bounds(minimum, maximum)
    slack = _TOLERANCE * (maximum - minimum)
    if float(np.min(data)) < minimum - slack or float(np.max(data)) > maximum + slack:
        raise ValueError(f"values reach from {np.min(data)} to {np.max(data)}; allowed: {minimum} to {maximum}")
    n = float(len(data)) if clusters is None else effective_items(values, clusters, confidence=confidence)
    levels, counts = np.unique(np.clip(data, minimum, maximum), return_counts=True)
    shares = counts / len(data)
    low = minimum + _nearest_distance(levels - minimum, shares, n / z2)
    high = maximum - _nearest_distance(maximum - levels, shares, n / z2)
    return Interval(low=low, high=high, confidence=confidence)


def unvarying_interval(value: float, n: int, *, minimum: float, maximum: float, confidence: float = 0.95) -> Interval:
    """Score-type interval for the mean of a bounded quantity of which all n observations were the same.

    That n observations agree bounds the share of the population that may differ: at most z^2 / (n + z^2), Wilson's
    upper limit for 0 of n. Whatever differs lies between `minimum` and `maximum`, which bounds the mean. For a
    proportion this is Wilson's interval at 0 of n and n of n; for a difference of paired proportions, with bounds -1
    and 1, it is Tango's interval without discordant pairs and with all pairs discordant one way.

    Assumes independent observations (for clusters, give the number of clusters as n).

    Args:
        value: What was observed each time, in [minimum, maximum].
        n: Independent observations, at least 1.
        minimum: The least possible value.
        maximum: The greatest possible value, above `minimum`.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds inside [minimum, maximum] that hold `value`; never of width zero.

    Raises:
        ValueError: `n` under 1, bounds out of order or not finite, or a value outside them.

    Source: the zero-count limits of Wilson (1927) and Tango (1998), carried over to any bounded mean.
    """
    z2 = two_sided_z(confidence) ** 2
    if n < 1:
        raise ValueError(f"n is {n}; an interval needs at least 1 observation")
    _check_bounds(minimum, maximum)
    if not minimum <= value <= maximum:
        raise ValueError(f"value is {value}; allowed: {minimum} to {maximum}")
    share = z2 / (n + z2)
    low = value - share * (value - minimum)
    high = value + share * (maximum - value)
    return Interval(low=low, high=high, confidence=confidence)


def _nearest_distance(distances: Values, shares: Values, weight: float) -> float:
    """How near to an end of the range the mean may lie, given the distances of the observed values from that end.

    With the restricted likelihood p = share / (1 + tilt * (value - mean)), the variance under a mean is
    (observed mean - mean) / tilt, so that the score equation n * (observed - mean)^2 = z^2 * variance becomes linear in
    the tilt: it gives the mean for each tilt, and one equation in the tilt is left. `pull` is the tilt as a share of
    the largest that keeps the end's own probability from being negative; at 1 the end takes the probability that is
    over, which is the answer where the equation has no root below 1. `weight` is n / z^2.
    """
    average = float(np.sum(shares * distances))
    if average == 0:
        return 0.0
    relative = distances / average

    def balance(pull: float) -> float:
        mean = weight * pull / (weight * pull + 1)
        return float(np.sum(shares * (mean - relative) / ((1 - pull) * mean + pull * relative)))

    pull = 1.0
    if float(np.min(relative)) == 0 or balance(1.0) > 0:
        pull = find_root(balance, 1e-12, _NEARLY_ONE)
    return average * weight * pull / (weight * pull + 1)


def _check_bounds(minimum: float, maximum: float) -> None:
    if not (math.isfinite(minimum) and math.isfinite(maximum) and minimum < maximum):
        raise ValueError(f"bounds are {minimum} and {maximum}; they must be finite, the first under the second")
