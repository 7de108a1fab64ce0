"""The choice of interval for the mean of a sample, by the rules of DESIGN.md section 9."""

from dataclasses import dataclass

from harness.decision.sample import Sample
from harness.stats.intervals import (
    Interval,
    bca_interval,
    clustered_mean_interval,
    clustered_standard_error,
    prefers_bootstrap,
    unvarying_interval,
    wilson_interval,
)

NO_VARIATION = "no variation: interval from the metric's range"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenInterval:
    """An interval with the name of its method; `bounds` is None where none is defined, and `note` then says why."""

    bounds: tuple[float, float] | None
    method: str
    note: str | None = None


def choose_interval(sample: Sample, *, confidence: float) -> ChosenInterval:
    """The interval for one system's value on a metric.

    Binary: Wilson. Graded and count: Student t, or BCa bootstrap where `prefers_bootstrap` says so. With clusters:
    cluster-robust. Without variation: from the metric's range, if it has one.
    """
    if sample.kind == "binary":
        wilson = wilson_interval(sum(map(int, sample.values)), len(sample.values), confidence=confidence)
        if not sample.is_clustered:
            return ChosenInterval(bounds=(wilson.low, wilson.high), method="Wilson score interval")
        return choose_mean_interval(sample, confidence=confidence, at_least=wilson)
    if not sample.is_clustered and prefers_bootstrap(sample.values):
        bootstrap = bca_interval(sample.values, confidence=confidence)
        return ChosenInterval(bounds=_within(sample, bootstrap), method="BCa bootstrap interval")
    return choose_mean_interval(sample, confidence=confidence)


def choose_mean_interval(sample: Sample, *, confidence: float, at_least: Interval | None = None) -> ChosenInterval:
    """The t interval for a mean, cluster-robust where there are clusters, inside the metric's range.

    Args:
        sample: At least one value.
        confidence: Two-sided, in (0, 1).
        at_least: For proportions in clusters, the interval that ignores clusters. The result covers it: with few
            successes or few discordant pairs a t interval is far too narrow, and clusters do not make n larger.
    """
    method = "cluster-robust t interval" if sample.is_clustered else "Student t interval"
    if sample.n_clusters > 1 and clustered_standard_error(sample.values, sample.clusters) > 0:
        interval = clustered_mean_interval(sample.values, sample.clusters, confidence=confidence)
    elif sample.minimum is None or sample.maximum is None:
        what = "only one independent observation" if sample.n_clusters == 1 else "no variation"
        note = f"There is {what} and the metric has no bounds, so no interval is defined."
        return ChosenInterval(bounds=None, method="no interval", note=note)
    else:
        method = NO_VARIATION
        interval = unvarying_interval(
            min(max(sample.mean, sample.minimum), sample.maximum),
            sample.n_clusters,
            minimum=sample.minimum,
            maximum=sample.maximum,
            confidence=confidence,
        )
    if at_least is not None:
        low, high = min(interval.low, at_least.low), max(interval.high, at_least.high)
        interval = Interval(low=low, high=high, confidence=confidence)
    return ChosenInterval(bounds=_within(sample, interval), method=method)


def _within(sample: Sample, interval: Interval) -> tuple[float, float]:
    """The bounds cut to the metric's range, which loses no coverage, and never past the sample's mean."""
    low, high = interval.low, interval.high
    if sample.minimum is not None and sample.maximum is not None:
        low, high = max(low, sample.minimum), min(high, sample.maximum)
    return min(low, sample.mean), max(high, sample.mean)
