"""What comes out of a campaign when it is closed."""

from collections.abc import Mapping

from harness.rating.agreement import CriterionAgreement, preference_agreement, rubric_agreement
from harness.rating.blocks import in_block
from harness.rating.current import adjudications, current_judgements, ratings
from harness.rating.scores import (
    ADJUDICATED,
    TASK,
    adjudicated_scores,
    number_raters,
    preference_metrics,
    preference_scores,
    rubric_metrics,
    rubric_scores,
)
from harness.records.items import Item
from harness.records.rating import CampaignResults, CampaignState
from harness.records.rubric import Rubric
from harness.records.scores import Metric, Score


def campaign_results(state: CampaignState, rubric: Rubric | None, items: Mapping[str, Item]) -> CampaignResults:
    """Metrics, scores by run, agreement by metric, and what must be said with them.

    Screens for calibration and hidden repeats count in none of these.

    Args:
        state: The campaign with all that was judged.
        rubric: The campaign's; None for one that validates data, of which nothing comes out here.
        items: The campaign's items by id.
    """
    if rubric is None or state.campaign.kind == "validate":
        return CampaignResults(metrics=(), scores={}, agreement={})
    judgements = current_judgements(state)
    numbers = number_raters(judgements)
    rated = ratings(judgements, rubric, purposes=("scored",))
    raw = rubric_scores(rated, judgements, numbers, items)
    settled = adjudications(state)
    preferred = preference_scores(judgements, numbers, items)
    scores: dict[str, tuple[Score, ...]] = {}
    for found in (raw, adjudicated_scores(raw, settled), preferred):
        for run_id, of_run in found.items():
            scores[run_id] = (*scores.get(run_id, ()), *of_run)
    agreement: list[CriterionAgreement] = []
    metrics: list[Metric] = []
    if rated:
        agreement += rubric_agreement(rated, rubric, items, seed=state.campaign.seed)
        metrics += _with_adjudicated(rubric_metrics(rubric), {one.criterion_id for one in settled})
    if about := preference_agreement(judgements, items, seed=state.campaign.seed):
        agreement.append(about)
    metrics += preference_metrics(preferred)
    by_metric = {one.metric: one.alpha for one in agreement}
    for one in {one.criterion_id for one in settled}:
        name = f"{TASK}/{one}"
        if name in by_metric:
            by_metric[f"{name}:{ADJUDICATED}"] = by_metric[name]
    return CampaignResults(
        metrics=tuple(metrics), scores=scores, agreement=by_metric, notes=tuple(_notes(state, len(settled)))
    )


def _with_adjudicated(metrics: tuple[Metric, ...], criteria: set[str]) -> list[Metric]:
    again = [
        Metric(
            name=f"{one.name}:{ADJUDICATED}",
            kind=one.kind,
            direction=one.direction,
            minimum=one.minimum,
            maximum=one.maximum,
            description=f"{one.description} (adjudicated where raters differed)",
        )
        for one in metrics
        if one.name.partition("/")[2] in criteria
    ]
    return [*metrics, *again]


def _notes(state: CampaignState, settled: int) -> list[str]:
    campaign, judged = state.campaign, state.judged
    done: dict[tuple[str, str], bool] = {}
    for one in state.assignments:
        if in_block(one) and one.purpose == "scored":
            key = one.item_id, one.rater
            done[key] = done.get(key, True) and one.assignment_id in judged
    counts = dict.fromkeys(campaign.item_ids, 0)
    for (item_id, _), is_done in done.items():
        counts[item_id] = counts.get(item_id, 0) + is_done
    short = sum(count < campaign.raters_per_item for count in counts.values())
    notes: list[str] = []
    if short:
        wanted = f"{campaign.raters_per_item} rater{'s' if campaign.raters_per_item != 1 else ''}"
        notes.append(f"{short} of {len(counts)} items have fewer than the {wanted} planned for each.")
    extended = [event for event in state.campaign_events if event.kind == "extended"]
    if extended:
        times = "once" if len(extended) == 1 else f"{len(extended)} times"
        notes.append(
            f"The campaign was extended {times} after it was opened. If that was because of what the ratings showed, "
            "its intervals are a little too narrow."
        )
    if settled:
        notes.append(
            f"{settled} ratings were adjudicated; raw ones stay under their own name, and agreement is about those."
        )
    if campaign.reference == "after":
        notes.append("Raters saw the reference after their first judgement; the judgement after it counts.")
    return notes
