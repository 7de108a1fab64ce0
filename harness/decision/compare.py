"""Paired comparison of two systems on one metric."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.decision.interval import NO_VARIATION, ChosenInterval, choose_interval, choose_mean_interval
from harness.decision.pairing import Pairs, Side, pair_items
from harness.decision.sample import Sample, cluster_warnings, draw_sample
from harness.decision.values import collect_values
from harness.records.estimates import Comparison
from harness.records.scores import Metric, Score
from harness.stats.paired import clustered_sign_flip_p, mcnemar_midp, sign_flip_p, tango_interval

FEW_DIFFERING = 5
_TIE_TOLERANCE = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class _Contrast:
    """What is said of the differences: their interval, the p-value beside it, and both by name."""

    interval: ChosenInterval
    p_value: float
    test: str


def compare(
    metric: Metric,
    candidate: Sequence[Score],
    baseline: Sequence[Score],
    *,
    candidate_name: str,
    baseline_name: str,
    confidence: float = 0.95,
) -> Comparison:
    """Candidate minus baseline on the items both have a value on, signed so that positive is better.

    Items pair by id and hash; what does not pair is counted in `n_missing` and said in `warnings`. Binary: Tango's
    score interval with the mid-p McNemar test. Graded and count: t interval with the sign-flip permutation test. Where
    items share a `group`: cluster-robust interval with flips of whole clusters. Several samples of an item are averaged
    first, which makes a binary metric graded. Random flips are seeded: the same scores give the same comparison.

    Args:
        metric: What the scores measure.
        candidate: Scores of one run; their order does not matter.
        baseline: Scores of the run held against it.
        candidate_name: Of the system, for the sentences.
        baseline_name: Of the system, for the sentences.
        confidence: Two-sided, in (0, 1).

    Returns:
        The comparison, with each system's value and interval on the paired items only. `kind` is that of the compared
        values. Its bounds are None only for a metric without bounds whose differences do not vary.

    Raises:
        ComparisonError: Nothing is left to compare, or scores contradict each other or the metric.
        ValueError: `confidence` is not inside (0, 1).
    """
    pairs = pair_items(
        metric.name,
        Side(name=candidate_name, values=collect_values(metric, candidate)),
        Side(name=baseline_name, values=collect_values(metric, baseline)),
    )
    ours = draw_sample(metric, pairs.candidate, pairs.clusters)
    theirs = draw_sample(metric, pairs.baseline, pairs.clusters)
    differences = _subtract(metric, ours, theirs)
    contrast = _contrast(differences, confidence)
    low, high = contrast.interval.bounds if contrast.interval.bounds is not None else (None, None)
    better = sum(value > 0 for value in differences.values)
    worse = sum(value < 0 for value in differences.values)
    return Comparison(
        metric=metric.name,
        kind=differences.kind,
        candidate=candidate_name,
        baseline=baseline_name,
        n=len(differences.values),
        n_clusters=differences.n_clusters,
        candidate_value=ours.mean,
        baseline_value=theirs.mean,
        candidate_interval=choose_interval(ours, confidence=confidence).bounds,
        baseline_interval=choose_interval(theirs, confidence=confidence).bounds,
        difference=differences.mean,
        ci_low=low,
        ci_high=high,
        confidence=confidence,
        p_value=contrast.p_value,
        test=contrast.test,
        better=better,
        worse=worse,
        same=len(differences.values) - better - worse,
        n_missing=pairs.n_missing,
        warnings=_collect_warnings(metric, pairs, differences, contrast.interval),
    )


def _subtract(metric: Metric, ours: Sample, theirs: Sample) -> Sample:
    """The differences, positive where the candidate is better; rounding of averages does not break a tie."""
    sign = 1.0 if metric.direction == "higher_is_better" else -1.0
    values = tuple(
        0.0 if math.isclose(our, their, rel_tol=_TIE_TOLERANCE, abs_tol=_TIE_TOLERANCE) else sign * (our - their)
        for our, their in zip(ours.values, theirs.values, strict=True)
    )
    width = None if ours.minimum is None or ours.maximum is None else ours.maximum - ours.minimum
    return Sample(
        values=values,
        clusters=ours.clusters,
        kind=ours.kind if ours.kind == theirs.kind else "graded",
        minimum=None if width is None else -width,
        maximum=width,
    )


def _contrast(differences: Sample, confidence: float) -> _Contrast:
    values, clusters = differences.values, differences.clusters
    what = "paired proportions" if differences.kind == "binary" else "paired means"
    tango = None
    if differences.kind == "binary":
        better, worse = values.count(1.0), values.count(-1.0)
        tango = tango_interval(better, worse, len(values), confidence=confidence)
        if not differences.is_clustered:
            interval = ChosenInterval(bounds=(tango.low, tango.high), method="Tango score interval")
            p_value = mcnemar_midp(better, worse)
            return _Contrast(interval=interval, p_value=p_value, test=f"{what}: {interval.method}, mid-p McNemar")
    interval = choose_mean_interval(differences, confidence=confidence, at_least=tango)
    if differences.is_clustered:
        p_value = clustered_sign_flip_p(values, clusters)
        test = f"{what} in clusters: {interval.method}, sign-flip permutation of clusters"
    else:
        p_value = sign_flip_p(values)
        test = f"{what}: {interval.method}, sign-flip permutation"
    return _Contrast(interval=interval, p_value=p_value, test=test)


def _collect_warnings(metric: Metric, pairs: Pairs, differences: Sample, interval: ChosenInterval) -> tuple[str, ...]:
    warnings = list(pairs.warnings)
    n = len(differences.values)
    if metric.kind != differences.kind:
        warnings.append("Several samples per item are averaged, so this pass/fail metric is compared as a graded one.")
    warnings += cluster_warnings(differences.n_clusters, n)
    differing = sum(value != 0 for value in differences.values)
    if differences.kind != "binary" and interval.method != NO_VARIATION and 0 < differing < min(FEW_DIFFERING, n):
        verb = "differs" if differing == 1 else "differ"
        warnings.append(f"Only {differing} of {n} items {verb}: a t interval from so few may be too narrow.")
    if interval.note is not None:
        warnings.append(interval.note)
    return tuple(warnings)
