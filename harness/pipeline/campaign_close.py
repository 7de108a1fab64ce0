"""`harness rate close`: ends a campaign, unblinds it, and records what came out, for comparisons and gates to read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import RatingError
from harness.pipeline.campaign_leaks import leak_sentences
from harness.pipeline.campaigns import items_done
from harness.pipeline.rate_rubric import rubric_of
from harness.rating.results import campaign_results
from harness.records.items import Item
from harness.records.rating import CampaignEvent, CampaignResults, CampaignState
from harness.store.golden import golden_items
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.rating_fold import fold_journals
from harness.store.rating_live import live_campaign
from harness.store.rating_results import insert_agreement, insert_notes, insert_rating_scores
from harness.store.scores import insert_metrics


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed:
    """A campaign that is over, with what came out of it. `lacking` counts blocks that nobody gave."""

    state: CampaignState
    closed: CampaignEvent
    results: CampaignResults
    lacking: int


def close_campaign(
    home: Path, campaign_id: str, *, by: str, anyway: bool = False, now: datetime | None = None
) -> Closed:
    """Closes a campaign and records its results. Closing again records the same results, and nothing new.

    The journal says first that it is over, so that every server refuses what comes later; then the ledger takes in all
    that came before, and the results in one unit of work. If that is interrupted, closing again goes on with it.

    Args:
        home: Where the campaign is.
        campaign_id: The campaign.
        by: Who closes it and may see which system is which from then on.
        anyway: Close it though items lack raters.
        now: The moment to record.

    Raises:
        RatingError: Nothing was judged, or it is not complete and `anyway` is not said.
        StoreBusyError: Others held the ledger for too long. Closing again goes on.
        StoreError: It cannot be written. Closing again goes on.
    """
    now = now or datetime.now(UTC)
    live = live_campaign(home, campaign_id)
    with live.change():
        lacking = _lacking(live.state(), now)
        if live.closed is None:
            _require_closable(live.state(), lacking, anyway=anyway)
            event = CampaignEvent(
                event_id=f"{campaign_id}/closed",
                campaign_id=campaign_id,
                kind="closed",
                at=now,
                by=by,
                payload={"judged": len(live.latest), "lacking": lacking, "unblinded": dict(live.campaign.runs)},
            )
            live.add([event], "on disk")
        state = live.state()
    assert state.closed is not None  # just seen to
    fold_journals(home)
    ledger = open_ledger(home, create=False)
    results = campaign_results(state, rubric_of(state.campaign), _items(ledger, state))
    results = replace(results, notes=(*results.notes, *leak_sentences(ledger, state, live.plan.items)))
    with ledger.write() as connection:
        insert_metrics(connection, results.metrics)
        insert_rating_scores(connection, campaign_id, results.scores)
        insert_agreement(connection, campaign_id, results.agreement)
        insert_notes(connection, campaign_id, results.notes)
    return Closed(state=state, closed=state.closed, results=results, lacking=lacking)


def _require_closable(state: CampaignState, lacking: int, *, anyway: bool) -> None:
    campaign_id = state.campaign.campaign_id
    if not state.events:
        raise RatingError(
            f"campaign {campaign_id} has no judgement yet, so there is nothing to close. `harness rate invite NAME` "
            "prints links for raters."
        )
    if lacking and not anyway:
        items = len(state.campaign.item_ids)
        raise RatingError(
            f"campaign {campaign_id} is not complete: {lacking} of {items * state.campaign.raters_per_item} ratings of "
            "items are missing (`harness rate status` shows which). Closing is for good, and unblinds. Wait, or close "
            "it with --anyway."
        )


def _lacking(state: CampaignState, now: datetime) -> int:
    done = items_done(state, now=now)
    wanted = state.campaign.raters_per_item
    return sum(max(0, wanted - done.get(item_id, 0)) for item_id in state.campaign.item_ids)


def _items(ledger: Ledger, state: CampaignState) -> Mapping[str, Item]:
    return {item.item_id: item for item in golden_items(ledger, state.campaign.golden_sha256)}
