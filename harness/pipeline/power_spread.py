"""How much systems disagree on a golden set: measured on runs of it where there are any, else assumed."""

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.decision.pairing import Side, pair_items
from harness.decision.sample import draw_sample, number_clusters
from harness.decision.values import collect_values
from harness.errors import ComparisonError
from harness.pipeline.golden_runs import experiment_called, golden_runs, ledger_there
from harness.pipeline.power_ratings import (
    RATING,
    RatedPair,
    RatingParts,
    Spread,
    SpreadKind,
    rated_pairs,
    rating_spreads,
)
from harness.records.items import GoldenSet
from harness.records.runs import RunState
from harness.records.scores import Metric, Score
from harness.stats.clusters import effective_items, equal_clusters
from harness.store.ledger import Ledger
from harness.store.scores import metrics, scores

DISCORDANCE = 0.3
TIES = 0.2
RUBRIC_WIDTH = 4.0
ITEM_SD = 0.8  # of the systems' true difference from item to item, in points of a rubric from 1 to 5
RATER_SD = 0.7  # of one rater's answer around what raters say on average, in points
WITHIN_GROUP = 0.2  # correlation of the differences of items that share a group
GOLDEN = "golden"


ASSUMED_RATING = RatingParts(items=ITEM_SD**2, raters=2 * RATER_SD**2)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pair:
    """What two runs show on one metric: the spread of their differences, and the share of items that count."""

    kind: SpreadKind
    value: float
    effective_share: float


def assumed_spreads(golden_set: GoldenSet, *, raters: int) -> list[Spread]:
    """What is assumed of pass/fail, a rubric from 1 to 5 and a preference, before anything was run.

    Items that share a group count as fewer by the design effect 1 + (m - 1) * 0.2, where m is how many items a group
    has, weighted by items (Kish 1965).

    Args:
        golden_set: For its groups.
        raters: Who answer the rubric for each answer, and are averaged.
    """
    clusters = number_clusters([item.group for item in golden_set.items])
    share = 1 / (1 + (len(clusters) / equal_clusters(clusters) - 1) * WITHIN_GROUP)
    sd = ASSUMED_RATING.sd(raters)
    plural = "s" if raters != 1 else ""
    assumed: list[tuple[SpreadKind, str, float, float, str]] = [
        ("binary", "pass/fail", DISCORDANCE, 1.0, f"two systems disagree on {100 * DISCORDANCE:.0f} % of the items"),
        ("graded", "rubric 1-5", sd, RUBRIC_WIDTH, f"sd {sd:.2f}, {raters} rater{plural}"),
        ("preference", "preference", TIES, 1.0, f"{100 * TIES:.0f} % ties, one choice for each item"),
    ]
    return [
        Spread(
            kind=kind,
            metric=metric,
            value=value,
            width=width,
            effective_share=share,
            basis=f"assumed: {basis}",
            is_measured=False,
            rating=ASSUMED_RATING if kind == "graded" else None,
        )
        for kind, metric, value, width, basis in assumed
    ]


def measured_spreads(golden_set: GoldenSet, home: Path, *, raters: int, experiment: str | None = None) -> list[Spread]:
    """What the finished runs of exactly this golden set show, by metric: the median over pairs of systems.

    Of each system of an experiment its latest run counts. A metric on which no two systems ever differ is left out:
    nothing can be planned from it.

    Args:
        golden_set: Runs of another version do not count.
        home: Where the ledger is; without one nothing is measured.
        raters: Who will answer the rubric for each answer, where raters did.
        experiment: Only runs of this experiment, given by name, file or folder.

    Raises:
        ConfigError: There is no such experiment.
        StoreError: There is a ledger that cannot be used.
    """
    ledger = ledger_there(home)
    if ledger is None:
        return []
    called = None if experiment is None else experiment_called(experiment, ledger)
    definitions = metrics(ledger)
    found: dict[str, list[_Pair]] = {}
    rated: list[RatedPair] = []
    for one, other in _pairs_of_runs(ledger, golden_set.sha256, called):
        ours, theirs = _by_metric(ledger, one, GOLDEN), _by_metric(ledger, other, GOLDEN)
        for name in sorted(ours.keys() & theirs.keys() & definitions.keys()):
            pair = _measure(definitions[name], ours[name], theirs[name])
            found.setdefault(name, []).extend([pair] if pair else [])
        rated += rated_pairs(
            (one.run.run_id, _by_metric(ledger, one, RATING)),
            (other.run.run_id, _by_metric(ledger, other, RATING)),
            definitions,
        )
    spreads = [spread for name, pairs in found.items() if (spread := _median(definitions[name], pairs))]
    share = assumed_spreads(golden_set, raters=raters)[0].effective_share
    return [*spreads, *rating_spreads(rated, definitions, share=share, raters=raters)]


def _pairs_of_runs(ledger: Ledger, sha256: str, experiment: str | None) -> list[tuple[RunState, RunState]]:
    latest = {
        (state.run.experiment, state.run.system): state  # the last one stays
        for state in golden_runs(ledger, sha256=sha256, experiment=experiment)
    }
    pairs = itertools.combinations(reversed(latest.values()), 2)
    return [(one, other) for one, other in pairs if one.run.experiment == other.run.experiment]


def _by_metric(ledger: Ledger, state: RunState, task: str) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    for score in scores(ledger, state.run.run_id, task=task):
        found.setdefault(score.metric, []).append(score)
    return found


def _measure(metric: Metric, ours: Sequence[Score], theirs: Sequence[Score]) -> _Pair | None:
    """None where the two have no item in common that both have a value on, or only one."""
    try:
        pairs = pair_items(
            metric.name,
            Side(name="one", values=collect_values(metric, ours)),
            Side(name="other", values=collect_values(metric, theirs)),
        )
    except ComparisonError:
        return None
    one, other = (draw_sample(metric, side, pairs.clusters) for side in (pairs.candidate, pairs.baseline))
    differences = [our - their for our, their in zip(one.values, other.values, strict=True)]
    if len(differences) < 2:
        return None
    is_binary = one.kind == other.kind == "binary"
    return _Pair(
        kind="binary" if is_binary else "graded",
        value=statistics.fmean(map(abs, differences)) if is_binary else statistics.stdev(differences),
        effective_share=effective_items(differences, pairs.clusters) / len(differences),
    )


def _median(metric: Metric, pairs: Sequence[_Pair]) -> Spread | None:
    value = statistics.median(pair.value for pair in pairs) if pairs else 0.0
    if value == 0:
        return None
    kind: SpreadKind = "binary" if all(pair.kind == "binary" for pair in pairs) else "graded"
    low, high = metric.minimum, metric.maximum
    said = f"disagree on {100 * value:.0f} % of the items" if kind == "binary" else f"differ with sd {value:.3g}"
    return Spread(
        kind=kind,
        metric=metric.name,
        value=value,
        width=None if low is None or high is None else high - low,
        effective_share=statistics.median(pair.effective_share for pair in pairs),
        basis=f"measured: two systems {said} (median of {len(pairs)} pair{'s' if len(pairs) != 1 else ''})",
        is_measured=True,
    )
