"""How numbers are written for people: percentages for pass/fail metrics, the metric's own unit otherwise."""

from harness.records.scores import MetricKind


def value_text(value: float, kind: MetricKind) -> str:
    """`18.1 %` for a proportion of 0.181; three decimals for other kinds."""
    return f"{100 * value:.1f} %" if kind == "binary" else f"{value:.3f}"


def difference_text(value: float, kind: MetricKind) -> str:
    """`+18.1 points` for a difference of proportions of 0.181; three decimals with the sign for other kinds."""
    return f"{100 * value:+.1f} points" if kind == "binary" else f"{value:+.3f}"


def interval_text(low: float | None, high: float | None, kind: MetricKind, *, signed: bool = False) -> str:
    """`7.5 to 29.4` in percent or points for proportions, with signs where it is of a difference."""
    if low is None or high is None:
        return "no interval"
    sign = "+" if signed else ""
    if kind == "binary":
        return f"{100 * low:{sign}.1f} to {100 * high:{sign}.1f}"
    return f"{low:{sign}.3f} to {high:{sign}.3f}"


def p_value_text(p_value: float | None) -> str:
    """`0.031`, or `<0.001`; empty where there is none."""
    if p_value is None:
        return ""
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"
