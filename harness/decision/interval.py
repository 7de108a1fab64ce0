"""The interval for the mean of a sample, by the method that `choice` says or the policy names."""

from dataclasses import dataclass

from harness.decision.choice import Method, MethodName, Question, Values, choose
from harness.decision.sample import Sample
from harness.stats.bounded import bounded_mean_interval
from harness.stats.clusters import clustered_mean_interval, clustered_standard_error, effective_items
from harness.stats.intervals import Interval
from harness.stats.means import bca_interval, is_skewed, skew_t_interval
from harness.stats.paired import tango_interval
from harness.stats.proportions import clopper_pearson_interval, modified_wilson_interval, wilson_interval


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenInterval:
    """An interval with the method that gave it, in words.

    `bounds` is None where none is defined, and `note` then says why.
    """

    bounds: tuple[float, float] | None
    method: str
    note: str | None = None


def choose_interval(
    sample: Sample,
    *,
    confidence: float,
    question: Question = "value",
    fixed: MethodName | None = None,
    seed: int = 0,
) -> ChosenInterval:
    """The interval for a mean of values, or of paired differences.

    Args:
        sample: At least one value; of a difference, those of candidate minus baseline.
        confidence: Two-sided, in (0, 1).
        question: Whether the values are one system's or differences.
        fixed: The method that the policy names; None leaves the choice to `choice.choose`.
        seed: Of resampling, where the method resamples.

    Raises:
        ComparisonError: `fixed` cannot be used on these values.
    """
    bounded = sample.minimum is not None and sample.maximum is not None
    skewed = not bounded and not sample.is_clustered and is_skewed(sample.values)
    values = Values(question=question, kind=sample.kind, bounded=bounded, clustered=sample.is_clustered, skewed=skewed)
    method = choose(values, fixed=fixed)
    if method.name in ("student_t", "skew_t", "bca") and not _varies(sample):
        return _without_variation(sample, method, confidence)
    interval = _compute(sample, method.name, confidence, seed)
    return ChosenInterval(bounds=_within(sample, interval), method=_say(sample, method, confidence))


def _compute(sample: Sample, method: MethodName, confidence: float, seed: int) -> Interval:
    values, clusters = sample.values, sample.clusters
    match method:
        case "modified_wilson":
            return modified_wilson_interval(values.count(1.0), len(values), confidence=confidence)
        case "wilson":
            return wilson_interval(values.count(1.0), len(values), confidence=confidence)
        case "clopper_pearson":
            return clopper_pearson_interval(values.count(1.0), len(values), confidence=confidence)
        case "tango":
            return tango_interval(values.count(1.0), values.count(-1.0), len(values), confidence=confidence)
        case "bounded_score":
            return _bounded_score(sample, confidence)
        case "student_t":
            return clustered_mean_interval(values, clusters, confidence=confidence)
        case "skew_t":
            return skew_t_interval(values, confidence=confidence)
        case "bca":
            return bca_interval(values, confidence=confidence, seed=seed)


def _bounded_score(sample: Sample, confidence: float) -> Interval:
    if sample.minimum is None or sample.maximum is None:
        raise ValueError("a score interval needs a minimum and a maximum")
    values = [min(max(value, sample.minimum), sample.maximum) for value in sample.values]
    return bounded_mean_interval(
        values, minimum=sample.minimum, maximum=sample.maximum, confidence=confidence, clusters=sample.clusters
    )


def _varies(sample: Sample) -> bool:
    return sample.n_clusters > 1 and clustered_standard_error(sample.values, sample.clusters) > 0


def _without_variation(sample: Sample, method: Method, confidence: float) -> ChosenInterval:
    """What stands in for a t or bootstrap interval where the values do not vary, or are only one."""
    what = "only one independent observation" if sample.n_clusters == 1 else "no variation"
    if sample.minimum is None or sample.maximum is None:
        note = f"There is {what} and the metric has no bounds, so no interval is defined."
        return ChosenInterval(bounds=None, method="no interval", note=note)
    interval = _bounded_score(sample, confidence)
    note = f"There is {what}, so the interval comes from the metric's range."
    return ChosenInterval(bounds=_within(sample, interval), method=f"{method.words}, from the range", note=note)


def _say(sample: Sample, method: Method, confidence: float) -> str:
    """The method's words, with how many independent items the clustered ones count as."""
    if not sample.is_clustered or method.name != "bounded_score":
        return method.words
    worth = effective_items(sample.values, sample.clusters, confidence=confidence)
    return f"{method.words} ({len(sample.values)} items count as {worth:.1f})"


def _within(sample: Sample, interval: Interval) -> tuple[float, float]:
    """The bounds cut to the metric's range, which loses no coverage, and never past the sample's mean."""
    low, high = interval.low, interval.high
    if sample.minimum is not None and sample.maximum is not None:
        low, high = max(low, sample.minimum), min(high, sample.maximum)
    return min(low, sample.mean), max(high, sample.mean)
