"""One system's value on a metric, with its interval."""

from collections.abc import Sequence

from harness.decision.choice import MethodName
from harness.decision.interval import choose_interval
from harness.decision.raters import widen_estimate
from harness.decision.sample import cluster_warnings, draw_sample, number_clusters
from harness.decision.values import collect_values, count_missing
from harness.errors import ComparisonError
from harness.records.estimates import Estimate
from harness.records.scores import Metric, Score


def estimate(
    metric: Metric,
    scores: Sequence[Score],
    *,
    confidence: float = 0.95,
    method: MethodName | None = None,
    seed: int = 0,
) -> Estimate:
    """One system's mean value on a metric over its items, with a two-sided interval.

    Several samples of an item are averaged first. Failed scores and values that are None are left out, never counted
    as 0; `note` then says how many items that concerns. Of ratings, raters are a sample too where there are five.

    Args:
        metric: What the scores measure.
        scores: Of one run; their order does not matter.
        confidence: Two-sided, in (0, 1).
        method: Of the interval, where a policy names it; None leaves it to `choice.choose`.
        seed: Of resampling, where the method resamples.

    Returns:
        Value and bounds in the metric's own unit and sign (a proportion in [0, 1] for binary).

    Raises:
        ComparisonError: No item has a value, the scores contradict each other or the metric, or `method` cannot be
            used on these values.
        ValueError: `confidence` is not inside (0, 1).
    """
    values = collect_values(metric, scores)
    items = sorted((item for item in values.values() if item.value is not None), key=lambda item: item.item_id)
    missing = count_missing(values)
    if not items:
        raise ComparisonError(
            f"{metric.name}: none of {len(values)} items has a value, so there is nothing to estimate. "
            "Look at the run with `harness show RUN`, then run the system again."
        )
    sample = draw_sample(metric, items, number_clusters([item.group for item in items]))
    chosen = choose_interval(sample, confidence=confidence, fixed=method, seed=seed)
    notes = [] if chosen.note is None else [chosen.note]
    if missing:
        verb = "have no value and are" if missing != 1 else "has no value and is"
        notes.append(f"{missing} of {len(values)} items {verb} left out.")
    notes += cluster_warnings(sample.clusters)
    low, high = chosen.bounds if chosen.bounds is not None else (None, None)
    found = Estimate(
        value=sample.mean, low=low, high=high, n=len(items), method=chosen.method, note=" ".join(notes) or None
    )
    return widen_estimate(metric, found, scores, confidence=confidence)
