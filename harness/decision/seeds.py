"""Paired comparison of systems that were trained with several seeds: seeds and items are both samples."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Unpack

from harness.decision.choice import DEFAULT_CONFIDENCE, IntervalOptions
from harness.decision.compare import compare
from harness.decision.values import ItemValue, collect_values
from harness.records.estimates import Comparison
from harness.records.scores import Metric, Score
from harness.stats.seeds import seed_interval

_STRIDE = 10_000  # more samples of one item than any run has


def merge_seeds(by_seed: Sequence[Sequence[Score]]) -> list[Score]:
    """The scores of several runs of one system as samples of one: averages over them are averages over seeds."""
    if len(by_seed) == 1:
        return list(by_seed[0])
    return [
        replace(score, sample_index=number * _STRIDE + score.sample_index)
        for number, scores in enumerate(by_seed)
        for score in scores
    ]


def compare_seeds(
    metric: Metric,
    candidate: Sequence[Sequence[Score]],
    baseline: Sequence[Sequence[Score]],
    *,
    candidate_name: str,
    baseline_name: str,
    **options: Unpack[IntervalOptions],
) -> Comparison:
    """Candidate minus baseline, averaged over seeds, with an interval that has their variance in it.

    Each item's values are averaged over seeds first, so better, worse and same count items. The interval is that of
    `seed_interval`, or wider where the comparison of the averages says so (clusters). There is no p-value: none of the
    tests beside the intervals knows of seeds. With one run on each side it is `compare`.

    Args:
        metric: What the scores measure.
        candidate: The scores of one run for each seed.
        baseline: The same; a system that no seed concerns has one run.
        candidate_name: Of the system, for the sentences.
        baseline_name: Of the system, for the sentences.
        options: As for `compare`.

    Raises:
        ComparisonError: As `compare`.
    """
    pooled = compare(
        metric,
        merge_seeds(candidate),
        merge_seeds(baseline),
        candidate_name=candidate_name,
        baseline_name=baseline_name,
        **options,
    )
    seeds = max(len(candidate), len(baseline))
    if seeds == 1:
        return pooled
    rows = _differences(metric, candidate, baseline)
    if len(rows[0]) < 2 or pooled.ci_low is None or pooled.ci_high is None:
        few = f"{seeds} seeds were run; their variance is not in the interval, as too few items are in all of them."
        return replace(pooled, p_value=None, warnings=(*pooled.warnings, few))
    width = None if metric.minimum is None or metric.maximum is None else metric.maximum - metric.minimum
    interval = seed_interval(
        rows,
        minimum=None if width is None else -width,
        maximum=width,
        confidence=options.get("confidence", DEFAULT_CONFIDENCE),
    )
    return replace(
        pooled,
        ci_low=min(pooled.ci_low, interval.low),
        ci_high=max(pooled.ci_high, interval.high),
        p_value=None,
        test=f"{pooled.test.partition(',')[0]}, with the variance of {seeds} training seeds",
    )


def _differences(
    metric: Metric, candidate: Sequence[Sequence[Score]], baseline: Sequence[Sequence[Score]]
) -> list[list[float]]:
    """For each seed the difference on each item that every run has a value on, positive where the candidate is better.

    Seeds of both sides are paired in order, as nothing links them; a side with one run stands against every seed, and
    of two sides with several the shorter says how many pairs there are.
    """
    sign = 1.0 if metric.direction == "higher_is_better" else -1.0
    ours = [collect_values(metric, scores) for scores in candidate]
    theirs = [collect_values(metric, scores) for scores in baseline]
    pairs = min(len(ours), len(theirs)) if len(ours) > 1 and len(theirs) > 1 else max(len(ours), len(theirs))
    shared = [item_id for item_id in ours[0] if _is_shared(item_id, [*ours, *theirs])]
    return [
        [
            sign * (_value(ours[pair % len(ours)], item_id) - _value(theirs[pair % len(theirs)], item_id))
            for item_id in shared
        ]
        for pair in range(pairs)
    ]


def _is_shared(item_id: str, runs: Sequence[Mapping[str, ItemValue]]) -> bool:
    found = [run.get(item_id) for run in runs]
    hashes = {item.item_hash for item in found if item is not None and item.value is not None}
    return len(hashes) == 1 and all(item is not None and item.value is not None for item in found)


def _value(run: Mapping[str, ItemValue], item_id: str) -> float:
    return run[item_id].value or 0.0
