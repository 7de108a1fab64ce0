"""What experts said in a closed campaign, from the ledger alone: means, agreement, severity, preference; no model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from harness.decision.compare import compare
from harness.decision.estimate import estimate
from harness.decision.preference import PREFERENCE, facing_metric, is_facing, rank, win_rate_of
from harness.decision.raters import RATING
from harness.rating.current import Rating
from harness.rating.severity import adjusted_means, severities
from harness.records.evidence import Evidence
from harness.records.scores import Metric, Score
from harness.report.content import RatedSystem, RaterOffset, RatingSection, Win
from harness.stats.preference import Ranking
from harness.store.ledger import Ledger
from harness.store.rating_results import campaign_agreement, campaign_notes, campaign_scores, rated_by
from harness.store.runs import find_run
from harness.store.scores import metrics

Scores = Mapping[str, Sequence[Score]]


def rating_sections(ledger: Ledger, evidence: Evidence) -> tuple[RatingSection, ...]:
    """Of each campaign whose ratings the evidence holds, the one closed last first."""
    read = {key for metric, key in evidence.evaluations.items() if metric.startswith(RATING)}
    run_id = evidence.state.run.run_id
    found = [rating_section(ledger, key) for key in rated_by(ledger, run_id) if key in read]
    return tuple(one for one in found if one is not None)


def rating_section(ledger: Ledger, campaign_id: str) -> RatingSection | None:
    """What came out of a campaign; None where nothing was rated, or it is not closed."""
    scores = campaign_scores(ledger, campaign_id)
    if not scores:
        return None
    names = {run_id: find_run(ledger, run_id).run.system for run_id in scores}
    known = metrics(ledger)
    shown = sorted({one.metric for found in scores.values() for one in found if not is_facing(one.metric)})
    about = [known[name] for name in shown if name in known]
    strengths = rank(scores)
    return RatingSection(
        campaign_id=campaign_id,
        raters=len({one.sample_index for found in scores.values() for one in found if one.value is not None}),
        systems=tuple(row for metric in about for row in _systems(metric, scores, names)),
        agreement=campaign_agreement(ledger, campaign_id),
        offsets=tuple(row for metric in about for row in _offsets(metric, scores)),
        wins=tuple(_wins(scores, names)),
        strengths=_named(strengths, names) if strengths else None,
        notes=campaign_notes(ledger, campaign_id),
    )


def _systems(metric: Metric, scores: Scores, names: Mapping[str, str]) -> Iterator[RatedSystem]:
    adjusted = adjusted_means(_ratings(metric, scores), metric.name)
    for run_id, found in scores.items():
        of_metric = [one for one in found if one.metric == metric.name]
        if any(one.value is not None for one in of_metric):
            value = estimate(metric, of_metric)
            yield RatedSystem(
                metric=metric.name, system=names[run_id], estimate=value, adjusted=adjusted.get(run_id, value.value)
            )


def _offsets(metric: Metric, scores: Scores) -> list[RaterOffset]:
    found = severities(_ratings(metric, scores), metric.name)
    return [RaterOffset(rater=one.rater, metric=metric.name, offset=one.offset, n=one.n) for one in found]


def _ratings(metric: Metric, scores: Scores) -> list[Rating]:
    """The stored scores as ratings again; raters have numbers, not names."""
    return [
        Rating(
            criterion_id=metric.name,
            rater=f"rater {one.sample_index + 1}",
            run_id=run_id,
            item_id=one.item_id,
            value=one.value,
            assignment_id="",
            purpose="scored",
        )
        for run_id, found in scores.items()
        for one in found
        if one.metric == metric.name and one.value is not None
    ]


def _wins(scores: Scores, names: Mapping[str, str]) -> Iterator[Win]:
    metric = Metric(name=PREFERENCE, kind="graded")
    for ours, theirs in combinations(scores, 2):
        mine, others = _facing(scores, ours, theirs), _facing(scores, theirs, ours)
        if mine and others:
            found = compare(metric, mine, others, candidate_name=names[ours], baseline_name=names[theirs])
            rate = win_rate_of(found)
            yield Win(
                winner=names[ours], loser=names[theirs], share=rate.value, low=rate.low, high=rate.high, n=found.n
            )


def _facing(scores: Scores, ours: str, theirs: str) -> list[Score]:
    return [
        replace(one, scorer=PREFERENCE.partition("/")[2]) for one in scores[ours] if one.metric == facing_metric(theirs)
    ]


def _named(ranking: Ranking, names: Mapping[str, str]) -> Ranking:
    return replace(ranking, strengths=tuple(replace(one, name=names[one.name]) for one in ranking.strengths))
