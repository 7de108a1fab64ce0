"""Confidence intervals for one proportion or one mean."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.stats.libraries import Values, bca_bounds, normal_quantile, t_quantile, wilson_bounds

BOOTSTRAP_RESAMPLES = 9999
BOOTSTRAP_MIN_VALUES = 20
_COCHRAN_FACTOR = 25.0
_BATCH_NUMBERS = 2_000_000
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A two-sided confidence interval in the unit of what it is about.

    `confidence` is a proportion in (0, 1), such as 0.95, not a percentage.
    """

    low: float
    high: float
    confidence: float


def finite_values(values: Sequence[float], *, at_least: int) -> Values:
    """The values as one array, checked.

    Raises:
        ValueError: Fewer than `at_least` values, or one that is NaN or infinite.
    """
    data = np.array(values, dtype=np.float64)
    if data.ndim != 1 or len(data) < at_least:
        raise ValueError(f"too few values: {len(data)} given, at least {at_least} needed")
    if not bool(np.all(np.isfinite(data))):
        raise ValueError("a value is not finite; leave missing values out")
    return data


def two_sided_z(confidence: float) -> float:
    """The z of a two-sided interval: 1.96 at confidence 0.95.

    Raises:
        ValueError: `confidence` is not inside (0, 1).
    """
    _check_confidence(confidence)
    return normal_quantile(0.5 + confidence / 2)


def wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Wilson score interval for a proportion.

    Assumes independent trials with one common probability of success.

    Args:
        successes: Items answered correctly, 0 <= successes <= trials.
        trials: Items answered, at least 1.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds as proportions in [0, 1], not percentage points. Never of width zero.

    Raises:
        ValueError: `trials` is 0 (the proportion is undefined), or the counts contradict each other.

    Source: Wilson (1927); computed by statsmodels.
    """
    _check_confidence(confidence)
    if trials < 1:
        raise ValueError(f"trials is {trials}; a proportion needs at least 1")
    if not 0 <= successes <= trials:
        raise ValueError(f"successes is {successes}; allowed: 0 to {trials}")
    low, high = wilson_bounds(successes, trials, confidence)
    low = 0.0 if successes == 0 else low
    high = 1.0 if successes == trials else high
    return Interval(low=low, high=high, confidence=confidence)


def student_t_interval(values: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """Student t interval for a mean.

    Assumes independent values from one distribution whose mean is close to normal at this n: many values, or values
    without a long tail (`prefers_bootstrap` says when not).

    Args:
        values: At least 2 finite numbers that are not all equal.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds in the unit of `values`; they may lie beyond the range of a bounded metric.

    Raises:
        ValueError: Fewer than 2 values, a value that is not finite, or no variation (see `unvarying_interval`).

    Source: Student (1908); quantiles by scipy.
    """
    data = finite_values(values, at_least=2)
    _check_confidence(confidence)
    error = clustered_standard_error(values, range(len(values)))
    if error == 0:
        raise ValueError(f"all {len(values)} values are {values[0]}: without variation there is no t interval")
    return _t_interval(data, error, len(data) - 1, confidence)


def prefers_bootstrap(values: Sequence[float]) -> bool:
    """Whether `bca_interval` is to be preferred to `student_t_interval` for the mean of `values`.

    The rule is fixed beforehand, so that nobody picks the nicer interval: at least 20 values, and fewer than
    25 * skewness^2 of them (Cochran's rule for when a mean is close to normal, with the sample's own skewness). A
    sample is thus "small" in relation to its skewness. Under 20 values a bootstrap interval is too narrow, because it
    can only redraw the little it has seen, and the t interval is the safer of the two (Hesterberg 2015).

    Raises:
        ValueError: No value, or one that is not finite.

    Source: Cochran (1977), Sampling Techniques, section 2.15; Hesterberg (2015), The American Statistician 69:371.
    """
    data = finite_values(values, at_least=1)
    if len(data) < BOOTSTRAP_MIN_VALUES or clustered_standard_error(values, range(len(values))) == 0:
        return False
    deviations = data - np.mean(data)
    skewness = float(np.mean(deviations**3) / np.mean(deviations**2) ** 1.5)
    return len(data) < _COCHRAN_FACTOR * skewness**2


def bca_interval(values: Sequence[float], *, confidence: float = 0.95, seed: int = 0) -> Interval:
    """BCa (bias-corrected and accelerated) bootstrap interval for a mean, from 9,999 resamples.

    Assumes independent values from one distribution; needs no symmetry. For samples that `prefers_bootstrap` names.

    Args:
        values: At least 2 finite numbers that are not all equal.
        confidence: Two-sided, in (0, 1).
        seed: Of the resampling; the same values, order and seed give the same interval.

    Returns:
        Bounds in the unit of `values`, never beyond the smallest and largest of them.

    Raises:
        ValueError: Fewer than 2 values, a value that is not finite, or no variation.

    Source: Efron (1987); computed by scipy.
    """
    data = finite_values(values, at_least=2)
    _check_confidence(confidence)
    if clustered_standard_error(values, range(len(values))) == 0:
        raise ValueError(f"all {len(values)} values are {values[0]}: without variation there is no bootstrap interval")
    batch = max(1, _BATCH_NUMBERS // len(data))
    low, high = bca_bounds(data, confidence, resamples=BOOTSTRAP_RESAMPLES, batch=batch, seed=seed)
    return Interval(low=low, high=high, confidence=confidence)


def cluster_sums(values: Sequence[float], clusters: Sequence[Hashable]) -> list[float]:
    """The sum of `values` in each cluster, in order of first appearance.

    Raises:
        ValueError: `values` and `clusters` differ in length.
    """
    if len(values) != len(clusters):
        raise ValueError(f"{len(values)} values but {len(clusters)} cluster labels; each value needs one")
    members: dict[Hashable, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        members.setdefault(cluster, []).append(value)
    return [math.fsum(member) for member in members.values()]


def clustered_standard_error(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Cluster-robust standard error of a mean (CR1): sqrt(G / (G - 1) * sum of squared cluster residuals) / n.

    Assumes that clusters are independent of each other; within a cluster any dependence is allowed. With one value in
    each cluster it is the usual s / sqrt(n).

    Args:
        values: Finite numbers; each counts the same, so that large clusters weigh more.
        clusters: The cluster of each value.

    Returns:
        In the unit of `values`, at least 0; exactly 0 when the cluster residuals vanish up to rounding.

    Raises:
        ValueError: Fewer than 2 clusters, lengths that differ, or a value that is not finite.

    Source: Liang and Zeger (1986); Cameron and Miller (2015), Journal of Human Resources 50:317, section II.
    """
    data = finite_values(values, at_least=2)
    mean = math.fsum(values) / len(data)
    residuals = np.asarray(cluster_sums([value - mean for value in values], clusters))
    count = len(residuals)
    if count < 2:
        raise ValueError("all values stand in 1 cluster; a standard error needs at least 2")
    if float(np.max(np.abs(residuals))) <= _ROUNDING * float(np.sum(np.abs(data))):
        return 0.0
    return math.sqrt(count / (count - 1) * float(np.sum(residuals**2))) / len(data)


def clustered_mean_interval(
    values: Sequence[float], clusters: Sequence[Hashable], *, confidence: float = 0.95
) -> Interval:
    """Cluster-robust t interval for a mean, with G - 1 degrees of freedom for G clusters.

    Assumes independent clusters, about 20 or more of them and of similar size: with fewer the interval tends to be too
    narrow. With one value in each cluster it is the Student t interval.

    Args:
        values: Finite numbers; each counts the same.
        clusters: The cluster of each value (a document, a patient).
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds in the unit of `values`; they may lie beyond the range of a bounded metric.

    Raises:
        ValueError: Fewer than 2 clusters, lengths that differ, a value that is not finite, or no variation between
            clusters (see `unvarying_interval`).

    Source: as `clustered_standard_error`; degrees of freedom as in Cameron and Miller (2015), section VI.
    """
    _check_confidence(confidence)
    error = clustered_standard_error(values, clusters)
    if error == 0:
        raise ValueError("the clusters do not differ: without variation there is no cluster-robust interval")
    return _t_interval(finite_values(values, at_least=2), error, len(set(clusters)) - 1, confidence)


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
    if not (math.isfinite(minimum) and math.isfinite(maximum) and minimum < maximum):
        raise ValueError(f"bounds are {minimum} and {maximum}; they must be finite, the first under the second")
    if not minimum <= value <= maximum:
        raise ValueError(f"value is {value}; allowed: {minimum} to {maximum}")
    share = z2 / (n + z2)
    low = value - share * (value - minimum)
    high = value + share * (maximum - value)
    return Interval(low=low, high=high, confidence=confidence)


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; allowed: a proportion inside (0, 1), such as 0.95")


def _t_interval(data: Values, error: float, degrees_of_freedom: int, confidence: float) -> Interval:
    mean = math.fsum(data) / len(data)
    margin = t_quantile(0.5 + confidence / 2, degrees_of_freedom) * error
    return Interval(low=mean - margin, high=mean + margin, confidence=confidence)
