"""Confidence intervals for the mean of independent numbers without known bounds."""

import math
from collections.abc import Sequence

import numpy as np

from harness.stats.clusters import clustered_standard_error
from harness.stats.intervals import Interval, check_confidence, finite_values, t_interval
from harness.stats.libraries import Values, bca_bounds

BOOTSTRAP_RESAMPLES = 9999
_COCHRAN_FACTOR = 25.0
_NO_SKEWNESS = 1e-9
_BATCH_NUMBERS = 2_000_000


def student_t_interval(values: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """Student t interval for a mean.

    Assumes independent values from one distribution whose mean is close to normal at this n: many values, or values
    without a long tail (`is_skewed` says when not).

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
    check_confidence(confidence)
    error = clustered_standard_error(values, range(len(values)))
    if error == 0:
        raise ValueError(f"all {len(values)} values are {values[0]}: without variation there is no t interval")
    return t_interval(math.fsum(data) / len(data), error, len(data) - 1, confidence)


def is_skewed(values: Sequence[float]) -> bool:
    """Whether the mean of `values` is too skewed for a t interval: then `skew_t_interval` is to be preferred.

    The rule is fixed beforehand, so that nobody picks the nicer interval: fewer than 25 * skewness^2 values (Cochran's
    rule for when a mean is close to normal, with the sample's own skewness).

    Raises:
        ValueError: No value, or one that is not finite.

    Source: Cochran (1977), Sampling Techniques, section 2.15.
    """
    data = finite_values(values, at_least=1)
    if len(data) < 2 or clustered_standard_error(values, range(len(values))) == 0:
        return False
    return len(data) < _COCHRAN_FACTOR * _skewness(data) ** 2


def skew_t_interval(values: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """Skewness-corrected t interval for a mean: Hall's cubic transformation of the t statistic, with t quantiles.

    Assumes independent values from one distribution with a third moment; it may have one long tail, towards which the
    interval reaches further. Without skewness it is the Student t interval. Needs no resampling.

    Args:
        values: At least 2 finite numbers that are not all equal.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds in the unit of `values`; they may lie beyond the range of a bounded metric.

    Raises:
        ValueError: Fewer than 2 values, a value that is not finite, or no variation.

    Source: Hall (1992), Journal of the Royal Statistical Society B 54:221, the third transformation.
    """
    plain = student_t_interval(values, confidence=confidence)
    data, n = np.array(values, dtype=np.float64), len(values)
    mean, third = math.fsum(values) / n, _skewness(data) / 3
    if abs(third) < _NO_SKEWNESS:
        return plain
    error = clustered_standard_error(values, range(n))

    def straightened(t: float) -> float:
        return math.sqrt(n) * (float(np.cbrt(1 + 3 * third * (t / math.sqrt(n) - third / (2 * n)))) - 1) / third

    t = (plain.high - mean) / error
    return Interval(low=mean - straightened(t) * error, high=mean - straightened(-t) * error, confidence=confidence)


def bca_interval(values: Sequence[float], *, confidence: float = 0.95, seed: int = 0) -> Interval:
    """BCa (bias-corrected and accelerated) bootstrap interval for a mean, from 9,999 resamples.

    Assumes independent values from one distribution; needs no symmetry. It can only redraw what it has seen, so with
    few values, or few that differ, it is too narrow (Hesterberg 2015); no decision uses it unless a policy asks.

    Args:
        values: At least 2 finite numbers that are not all equal.
        confidence: Two-sided, in (0, 1).
        seed: Of the resampling; the same values, order and seed give the same interval.

    Returns:
        Bounds in the unit of `values`, never beyond the smallest and largest of them.

    Raises:
        ValueError: Fewer than 2 values, a value that is not finite, or no variation.

    Source: Efron (1987); computed by scipy. Hesterberg (2015), The American Statistician 69:371.
    """
    data = finite_values(values, at_least=2)
    check_confidence(confidence)
    if clustered_standard_error(values, range(len(values))) == 0:
        raise ValueError(f"all {len(values)} values are {values[0]}: without variation there is no bootstrap interval")
    batch = max(1, _BATCH_NUMBERS // len(data))
    low, high = bca_bounds(data, confidence, resamples=BOOTSTRAP_RESAMPLES, batch=batch, seed=seed)
    return Interval(low=low, high=high, confidence=confidence)


def _skewness(data: Values) -> float:
    deviations = data - np.mean(data)
    return float(np.mean(deviations**3) / np.mean(deviations**2) ** 1.5)
