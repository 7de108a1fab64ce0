"""Estimates and comparisons as the pages write them."""

from datetime import UTC, datetime
from typing import Literal

from harness.records.estimates import Comparison, Estimate
from harness.records.scores import Metric, MetricKind
from harness.report.numbers import difference_text, interval_text, value_text

Standing = Literal["better", "worse", "unclear"]

SIGNS: dict[Standing, str] = {"better": "▲", "worse": "▼", "unclear": "~"}


def standing(comparison: Comparison) -> Standing:
    """What the interval of a difference says: all of it above zero, all below, or neither."""
    if comparison.ci_low is not None and comparison.ci_low > 0:
        return "better"
    return "worse" if comparison.ci_high is not None and comparison.ci_high < 0 else "unclear"


def value(estimate: Estimate, kind: MetricKind) -> str:
    """`20.8 %`, or three decimals."""
    return value_text(estimate.value, kind)


def interval(estimate: Estimate, kind: MetricKind) -> str:
    """`13.1 to 31.6`, in the value's unit."""
    return interval_text(estimate.low, estimate.high, kind)


def difference(comparison: Comparison) -> str:
    """`▲ +20.8 points (+11.3 to +31.6)`: the sign says what the interval does."""
    bounds = interval_text(comparison.ci_low, comparison.ci_high, comparison.kind, signed=True)
    return f"{SIGNS[standing(comparison)]} {difference_text(comparison.difference, comparison.kind)} ({bounds})"


def direction(metric: Metric) -> str:
    """What is good, in words, where it is not the usual."""
    return "lower is better" if metric.direction == "lower_is_better" else ""


def moment(at: datetime | None) -> str:
    """`2026-11-21 12:17 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""


def duration(seconds: float) -> str:
    """`42 s`, `6 min 6 s` or `3 h 20 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: float) -> str:
    """Bytes as `18.7 MB` (powers of ten)."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
