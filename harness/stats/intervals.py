"""What an interval is, and what every interval is made from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.stats.libraries import Values, normal_quantile, t_quantile


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


def check_confidence(confidence: float) -> None:
    """Checks that a confidence is a proportion inside (0, 1).

    Raises:
        ValueError: It is not.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; allowed: a proportion inside (0, 1), such as 0.95")


def two_sided_z(confidence: float) -> float:
    """The z of a two-sided interval: 1.96 at confidence 0.95.

    Raises:
        ValueError: `confidence` is not inside (0, 1).
    """
    check_confidence(confidence)
    return normal_quantile(0.5 + confidence / 2)


def t_interval(mean: float, error: float, degrees_of_freedom: float, confidence: float) -> Interval:
    """The interval mean -/+ t * error, where `error` is a standard error in the unit of `mean`."""
    margin = t_quantile(0.5 + confidence / 2, degrees_of_freedom) * error
    return Interval(low=mean - margin, high=mean + margin, confidence=confidence)
