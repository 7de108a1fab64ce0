"""Ratings of a run, as decisions read them: of each metric those of one closed campaign, never a mix."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from harness.records.evidence import Agreement, Evidence
from harness.records.scores import Score
from harness.store.ledger import Ledger
from harness.store.rating_results import (
    campaign_agreement,
    campaign_items,
    campaign_notes,
    campaign_scores,
    rated_by,
)
from harness.store.scores import metrics

PREFERENCE = "rating/preference:"


def with_ratings(ledger: Ledger, evidence: Evidence, *, keys: Collection[str] | None = None) -> Evidence:
    """The same evidence with what experts said of the run's answers.

    Of each metric the campaign counts that was closed last. Evidence names it in `evaluations`, as it names the
    evaluation of a regression metric. Items of the campaign that nobody came to are among those that were asked, so
    that closing early leaves missing answers, not a smaller question.

    Args:
        ledger: Where ratings are.
        evidence: Of a run.
        keys: Where given, ids of campaigns: others are as if not there.
    """
    run_id = evidence.state.run.run_id
    found: dict[str, list[Score]] = {}
    campaign_of: dict[str, str] = {}
    agreement: dict[str, Agreement] = {}
    notes: dict[str, tuple[str, ...]] = {}
    asked: dict[str, int] = {}
    for campaign_id in rated_by(ledger, run_id):
        if keys is not None and campaign_id not in keys:
            continue
        fresh: dict[str, list[Score]] = {}
        of_campaign = campaign_scores(ledger, campaign_id)
        for score in of_campaign.get(run_id, ()):
            if score.metric not in found:
                fresh.setdefault(score.metric, []).append(score)
        said = tuple(f"campaign {campaign_id}: {note}" for note in campaign_notes(ledger, campaign_id))
        planned = set(campaign_items(ledger, campaign_id))
        asked |= {name: len(_asked(name, planned, of_campaign, fresh[name])) for name in fresh}
        found |= fresh
        campaign_of |= dict.fromkeys(fresh, campaign_id)
        notes |= dict.fromkeys(fresh, said)
        agreement = {**campaign_agreement(ledger, campaign_id), **agreement}
    if not found:
        return evidence
    known = metrics(ledger)
    read = {name: scores for name, scores in found.items() if name in known}
    return replace(
        evidence,
        metrics={**evidence.metrics, **{name: known[name] for name in read}},
        scores={**evidence.scores, **read},
        evaluations={**evidence.evaluations, **{name: campaign_of[name] for name in read}},
        notes={**evidence.notes, **{name: notes[name] for name in read if notes[name]}},
        agreement={**evidence.agreement, **agreement},
        asked={**evidence.asked, **{name: asked[name] for name in read}},
    )


def _asked(
    metric: str, planned: set[str], of_campaign: Mapping[str, Sequence[Score]], scores: Sequence[Score]
) -> set[str]:
    """The items that were to be scored by a metric.

    By a criterion each item of the campaign. Of several systems only some pairs are shown with each item, drawn as
    raters come: for a pair, the items that it was judged on, and those of which no pair was.
    """
    if not metric.startswith(PREFERENCE):
        return planned
    judged = {
        score.item_id for of_run in of_campaign.values() for score in of_run if score.metric.startswith(PREFERENCE)
    }
    return {score.item_id for score in scores} | (planned - judged)
