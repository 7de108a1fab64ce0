"""How consistently raters answered: Krippendorff's alpha and exact agreement, pooled over all systems of a campaign.

Pooled, because alpha falls where all answers are equally good: within one good system raters have little to agree on.
Hidden repeats and calibration items are left out.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from harness.rating.current import CRITICAL, OVERALL, Judgement, Rating
from harness.rating.scores import TASK
from harness.records.evidence import Agreement
from harness.records.items import Item
from harness.records.rubric import Rubric
from harness.stats.agreement import Level, krippendorff_alpha

PREFERENCE = f"{TASK}/preference"
CHOICES = {"left": 1.0, "right": -1.0, "tie": 0.0, "both_bad": 0.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class CriterionAgreement:
    """Agreement on one metric.

    `exact` is the share of pairs of raters of one answer who gave the same level, in [0, 1]; `pairs` counts them. None
    where no answer was rated by two. `note` says why there is no alpha, or no interval.
    """

    metric: str
    alpha: Agreement
    exact: float | None
    pairs: int
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """One thing rated: its ratings by rater, and its item or group, whose units stand together."""

    cluster: Hashable
    item_id: str
    by_rater: Mapping[str, float]


def rubric_agreement(
    ratings: Sequence[Rating], rubric: Rubric, items: Mapping[str, Item], *, seed: int
) -> tuple[CriterionAgreement, ...]:
    """Agreement on each criterion, on critical errors and on the weighted overall, in this order.

    Criteria with levels are ordinal, pass/fail and critical errors nominal, the overall in equal steps.

    Args:
        ratings: Those that count; of one rater and answer one at most.
        rubric: The campaign's.
        items: By id; items of one group are resampled together.
        seed: Of the resampling.
    """
    levels: dict[str, Level] = {
        one.criterion_id: "ordinal" if one.kind == "levels" else "nominal" for one in rubric.criteria
    }
    if rubric.critical_question is not None:
        levels[CRITICAL] = "nominal"
    levels[OVERALL] = "interval"
    found: list[CriterionAgreement] = []
    for criterion, level in levels.items():
        by_answer: dict[tuple[str, str], dict[str, float]] = {}
        for one in ratings:
            if one.criterion_id == criterion:
                by_answer.setdefault((one.run_id, one.item_id), {})[one.rater] = one.value
        units = [
            Unit(cluster=_cluster(items, item_id), item_id=item_id, by_rater=by_rater)
            for (_, item_id), by_rater in sorted(by_answer.items())
        ]
        found.append(agree(f"{TASK}/{criterion}", units, level, seed=seed))
    return tuple(found)


def preference_agreement(
    judgements: Iterable[Judgement], items: Mapping[str, Item], *, seed: int
) -> CriterionAgreement | None:
    """Agreement on which of two answers is better, ordinal: one, a tie, the other. None without pairwise screens.

    Which of two systems is the first is arbitrary, so each pair stands there both ways: chance is that of a coin, also
    where one system wins nearly always.
    """
    by_pair: dict[tuple[str, str, str], dict[str, float]] = {}
    for one in judgements:
        shown = one.assignment
        if shown.kind == "pairwise" and shown.purpose == "scored":
            first, second = sorted(shown.run_ids)
            turned = 1.0 if shown.run_ids[0] == first else -1.0
            value = turned * CHOICES[str(one.event.answer["choice"])]
            by_pair.setdefault((shown.item_id, first, second), {})[shown.rater] = value
    if not by_pair:
        return None
    units = [
        Unit(
            cluster=_cluster(items, key[0]),
            item_id=key[0],
            by_rater={rater: turn * value for rater, value in by_rater.items()},
        )
        for key, by_rater in sorted(by_pair.items())
        for turn in (1.0, -1.0)
    ]
    both_ways = agree(PREFERENCE, units, "ordinal", seed=seed)
    return replace(both_ways, pairs=both_ways.pairs // 2)


def agree(metric: str, units: Sequence[Unit], level: Level, *, seed: int) -> CriterionAgreement:
    """Alpha with its bootstrap interval over items, and exact agreement beside it."""
    alpha = krippendorff_alpha(
        [list(unit.by_rater.values()) for unit in units],
        level,
        clusters=[unit.cluster for unit in units],
        seed=seed,
    )
    pairs = [pair for unit in units for pair in combinations(unit.by_rater.values(), 2)]
    return CriterionAgreement(
        metric=metric,
        alpha=Agreement(
            raters=len({rater for unit in units for rater in unit.by_rater}),
            items=len({unit.item_id for unit in units if len(unit.by_rater) > 1}),
            alpha=alpha.value,
            low=alpha.low,
            high=alpha.high,
        ),
        exact=sum(one == other for one, other in pairs) / len(pairs) if pairs else None,
        pairs=len(pairs),
        note=alpha.note,
    )


def _cluster(items: Mapping[str, Item], item_id: str) -> Hashable:
    group = items[item_id].group
    return ("item", item_id) if group is None else ("group", group)
