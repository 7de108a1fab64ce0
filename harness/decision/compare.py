"""Paired comparison of two systems on one metric."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

from harness.decision.choice import DEFAULT_CONFIDENCE, IntervalOptions, MethodName
from harness.decision.interval import ChosenInterval, choose_interval
from harness.decision.pairing import Pairs, Side, pair_items
from harness.decision.raters import widen_comparison
from harness.decision.sample import Sample, cluster_warnings, draw_sample
from harness.decision.values import collect_values
from harness.records.estimates import Comparison
from harness.records.scores import Metric, Score
from harness.stats.paired import clustered_sign_flip_p, mcnemar_midp, sign_flip_p

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
    **options: Unpack[IntervalOptions],
) -> Comparison:
    """Candidate minus baseline on the items both have a value on, signed so that positive is better.

    Items pair by id and hash; what does not pair is counted in `n_missing` and said in `warnings`. Binary: Tango's
    score interval with the mid-p McNemar test. Graded and count: bounded-mean score interval (t where the metric has no
    bounds) with the sign-flip permutation test. Where items share a `group`: cluster-robust interval with flips of
    whole clusters. Several samples of an item are averaged first, which makes a binary metric graded. Of ratings,
    raters are a sample beside the items where there are five or more. Random flips are seeded: the same scores give
    the same comparison.

    Args:
        metric: What the scores measure.
        candidate: Scores of one run; their order does not matter.
        baseline: Scores of the run held against it.
        candidate_name: Of the system, for the sentences.
        baseline_name: Of the system, for the sentences.
        options: `confidence` of all intervals, 0.95 if not given; `method` of the difference's interval; `seed`.

    Returns:
        The comparison, with each system's value and interval on the paired items only. `kind` is that of the compared
        values. Its bounds are None only for a metric without bounds whose differences do not vary.

    Raises:
        ComparisonError: Nothing is left to compare, scores contradict each other or the metric, or `method` cannot be
            used on these differences.
        ValueError: `confidence` is not inside (0, 1).
    """
    confidence, seed = options.get("confidence", DEFAULT_CONFIDENCE), options.get("seed", 0)
    pairs = pair_items(
        metric.name,
        Side(name=candidate_name, values=collect_values(metric, candidate)),
        Side(name=baseline_name, values=collect_values(metric, baseline)),
    )
    ours = draw_sample(metric, pairs.candidate, pairs.clusters)
    theirs = draw_sample(metric, pairs.baseline, pairs.clusters)
    differences = _subtract(metric, ours, theirs)
    contrast = _contrast(differences, **options)
    low, high = contrast.interval.bounds if contrast.interval.bounds is not None else (None, None)
    better = sum(value > 0 for value in differences.values)
    worse = sum(value < 0 for value in differences.values)
    comparison = Comparison(
        metric=metric.name,
        kind=differences.kind,
        candidate=candidate_name,
        baseline=baseline_name,
        n=len(differences.values),
        n_clusters=differences.n_clusters,
        candidate_value=ours.mean,
        baseline_value=theirs.mean,
        candidate_interval=choose_interval(ours, confidence=confidence, seed=seed).bounds,
        baseline_interval=choose_interval(theirs, confidence=confidence, seed=seed).bounds,
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
    return widen_comparison(metric, comparison, candidate, baseline)


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


def _contrast(
    differences: Sample,
    *,
    confidence: float = DEFAULT_CONFIDENCE,
    method: MethodName | None = None,
    seed: int = 0,
) -> _Contrast:
    interval = choose_interval(differences, confidence=confidence, question="difference", fixed=method, seed=seed)
    values, clusters = differences.values, differences.clusters
    what = "paired proportions" if differences.kind == "binary" else "paired means"
    if differences.is_clustered:
        p_value, what = clustered_sign_flip_p(values, clusters, seed=seed), f"{what} in clusters"
        beside = "sign-flip permutation of clusters"
    elif differences.kind == "binary":
        p_value, beside = mcnemar_midp(values.count(1.0), values.count(-1.0)), "mid-p McNemar"
    else:
        p_value, beside = sign_flip_p(values, seed=seed), "sign-flip permutation"
    return _Contrast(interval=interval, p_value=p_value, test=f"{what}: {interval.method}, {beside}")


def _collect_warnings(metric: Metric, pairs: Pairs, differences: Sample, interval: ChosenInterval) -> tuple[str, ...]:
    warnings = list(pairs.warnings)
    n = len(differences.values)
    if metric.kind != differences.kind:
        warnings.append("Several samples per item are averaged, so this pass/fail metric is compared as a graded one.")
    warnings += cluster_warnings(differences.clusters)
    differing = sum(value != 0 for value in differences.values)
    if differences.kind != "binary" and 0 < differing < min(FEW_DIFFERING, n):
        verb = "differs" if differing == 1 else "differ"
        warnings.append(f"Only {differing} of {n} items {verb}{_describe_few(interval)}")
    if interval.note is not None:
        warnings.append(interval.note)
    return tuple(warnings)


def _describe_few(interval: ChosenInterval) -> str:
    if "score interval" in interval.method:
        return ": the interval allows for items at the ends of the metric's range that were not seen."
    return ": a t or bootstrap interval from so few may be too narrow."
