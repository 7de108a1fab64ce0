"""Campaigns as their owner looks after them: listing, progress, extension, adjudication. Nothing here unblinds."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import RatingError, as_sentence, nearest
from harness.pipeline.campaign_fold import lost_campaigns
from harness.pipeline.rate_events import storable
from harness.pipeline.rate_links import links_of
from harness.pipeline.rate_rubric import rubric_of
from harness.rating.blocks import Blocks, Progress
from harness.rating.order import draw
from harness.records.rating import (
    Adjudication,
    Assignment,
    Campaign,
    CampaignEvent,
    CampaignEventKind,
    CampaignState,
    Link,
)
from harness.records.rubric import Rubric
from harness.store.rating_live import LiveCampaign, live_campaign
from harness.store.rating_plans import campaign_ids


@dataclass(frozen=True, kw_only=True, slots=True)
class RaterProgress:
    """How far one rater has come. `screens` and `judged` count what she was shown and judged, hidden repeats too."""

    rater: str
    links: tuple[Link, ...]
    screens: int
    judged: int
    last_seen: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignProgress:
    """How far a campaign has come, without a word on which system is behind what.

    `raters_done` says by item how many people finished it, of `campaign.raters_per_item` wanted; calibration items are
    apart, in `calibration_done`. `unreadable` counts lines of the journal that say nothing.
    """

    campaign: Campaign
    closed: CampaignEvent | None
    raters: tuple[RaterProgress, ...]
    raters_done: dict[str, int]
    calibration_done: dict[str, int]
    judgements: int
    unreadable: int

    @property
    def items_done(self) -> int:
        """Items that as many raters finished as were wanted."""
        return sum(done >= self.campaign.raters_per_item for done in self.raters_done.values())


def find_campaign(home: Path, prefix: str | None) -> str:
    """The id of the campaign that `prefix` begins; without one, of the only open campaign.

    Raises:
        RatingError: There is none, or there are several.
    """
    known = campaign_ids(home)
    if prefix is not None:
        found = [one for one in known if one.startswith(prefix)]
        if prefix in found or len(found) == 1:
            return prefix if prefix in found else found[0]
        if found:
            raise RatingError(f'"{prefix}" begins the ids of {len(found)} campaigns: {", ".join(found)}. Write more.')
        hint = (
            nearest(prefix, known)
            if known
            else "there is none yet: `harness rate open EXPERIMENT --runs ...` opens one"
        )
        said = as_sentence(f'there is no campaign "{prefix}"; {hint}')
        raise RatingError(" ".join([said, *lost_campaigns(home)]))
    still_open = [one for one in known if campaign_state(home, one).closed is None]
    if len(still_open) == 1:
        return still_open[0]
    if still_open:
        raise RatingError(f"{len(still_open)} campaigns are open: name one of {', '.join(still_open)} with --campaign.")
    last = f" The last one, {known[-1]}, is closed: name it with --campaign." if known else ""
    opens = f"no campaign is open. `harness rate open EXPERIMENT --runs ...` opens one.{last}"
    raise RatingError(" ".join([opens, *lost_campaigns(home)]))


def campaign_state(home: Path, campaign_id: str) -> CampaignState:
    """Everything known of a campaign at this moment, from its journal: no ledger is opened.

    Raises:
        StoreError: There is no such campaign, or its files cannot be read.
    """
    live = live_campaign(home, campaign_id)
    with live.turn():
        return live.state()


def campaign_list(home: Path) -> tuple[CampaignProgress, ...]:
    """Every campaign of a home, newest first."""
    return tuple(campaign_progress(home, campaign_id) for campaign_id in reversed(campaign_ids(home)))


def campaign_progress(home: Path, campaign_id: str, *, now: datetime | None = None) -> CampaignProgress:
    """How far a campaign has come.

    Raises:
        StoreError: There is no such campaign, or its files cannot be read.
    """
    live = live_campaign(home, campaign_id)
    with live.turn():
        state, unreadable = live.state(), live.unreadable
    done = items_done(state, now=now or datetime.now(UTC))
    judged = state.judged
    links = links_of(home, campaign_id)
    names = sorted({one.rater for one in state.assignments} | {link.rater for link in links if link.rater})
    return CampaignProgress(
        campaign=state.campaign,
        closed=state.closed,
        raters=tuple(
            _rater_progress(name, tuple(link for link in links if link.rater == name), state, judged) for name in names
        ),
        raters_done={item_id: done.get(item_id, 0) for item_id in state.campaign.item_ids},
        calibration_done={item_id: done.get(item_id, 0) for item_id in state.campaign.calibration_ids},
        judgements=len(judged),
        unreadable=unreadable,
    )


def items_done(state: CampaignState, *, now: datetime) -> dict[str, int]:
    """How many raters finished each item: all of its screens, calibration items too."""
    blocks = Blocks(progress(state), now=now)
    done: dict[str, int] = {}
    for block in blocks:
        if block.is_done:
            done[block.item_id] = done.get(block.item_id, 0) + 1
    return done


def progress(state: CampaignState) -> Progress:
    """A campaign's state as the design looks at it."""
    return Progress(
        campaign=state.campaign,
        assignments=state.assignments,
        judged=state.judged,
        last_sign=state.last_sign,
    )


def extend_campaign(
    home: Path, campaign_id: str, *, items: int | None, raters_per_item: int | None, reason: str, by: str
) -> Campaign:
    """Makes an open campaign larger, which is recorded with the reason. It never becomes smaller.

    Args:
        home: Where the campaign is.
        campaign_id: The campaign.
        items: How many more items, drawn by the campaign's seed; None for none.
        raters_per_item: How many people are to rate each item from now on; None for as many as before.
        reason: Why, in words.
        by: Who says so.

    Raises:
        RatingError: It is closed, the reason is empty, or the numbers do not make it larger.
        DiskFullError: There is no room.
    """
    if not reason.strip():
        raise RatingError("--reason is empty; say in words why the campaign is extended. It is kept with the results.")
    live = live_campaign(home, campaign_id)
    with live.change():
        refuse_closed(live.state())
        campaign = live.campaign
        left = set(live.plan.items) - {*campaign.item_ids, *campaign.calibration_ids}
        _check_extension(campaign, items, raters_per_item, left=len(left))
        drawn = in_drawn_order(left, campaign.seed)[: items or 0]
        payload = {
            "item_ids": [*campaign.item_ids, *drawn],
            "raters_per_item": raters_per_item or campaign.raters_per_item,
            "reason": storable(reason.strip()),
            "items_before": len(campaign.item_ids),
            "raters_per_item_before": campaign.raters_per_item,
        }
        live.add([_event(campaign_id, "extended", by, payload)], "on disk")
        return live.campaign


def adjudicate(home: Path, campaign_id: str, settled: Adjudication, *, by: str) -> CampaignEvent:
    """Records what a disagreement was settled on. It is kept beside the raw ratings, never in their place.

    Raises:
        RatingError: The campaign is closed (nobody is blind any more), nothing was rated there, or the value is none of
            the criterion's.
        DiskFullError: There is no room.
    """
    live = live_campaign(home, campaign_id)
    with live.change():
        refuse_closed(live.state())
        if problem := _adjudication_problem(live, settled):
            raise RatingError(f"nothing was adjudicated: {problem}")
        judged = live.assignments[settled.assignment_id]
        payload: dict[str, object] = {
            "item_id": judged.item_id,
            "run_id": judged.run_ids[0],
            "criterion": settled.criterion,
            "value": settled.value,
            "method": settled.method,
            "note": storable(settled.note),
        }
        event = _event(campaign_id, "adjudicated", by, payload)
        live.add([event], "on disk")
        return event


def in_drawn_order(item_ids: Collection[str], seed: int) -> list[str]:
    """Items in the order in which a campaign takes them up: drawn by its seed, whatever their order in a file."""
    return sorted(item_ids, key=lambda item_id: (draw("campaign", seed, item_id), item_id))


def refuse_closed(state: CampaignState) -> None:
    """Refuses what only an open campaign takes.

    Raises:
        RatingError: It is closed.
    """
    if closed := state.closed:
        raise RatingError(
            f"campaign {state.campaign.campaign_id} was closed by {closed.by} on {closed.at:%Y-%m-%d}, and is "
            "unblinded; nothing is added to it any more. `harness rate open` opens another."
        )


def _event(campaign_id: str, kind: CampaignEventKind, by: str, payload: dict[str, object]) -> CampaignEvent:
    return CampaignEvent(
        event_id=secrets.token_urlsafe(12),
        campaign_id=campaign_id,
        kind=kind,
        at=datetime.now(UTC),
        by=by,
        payload=payload,
    )


def _check_extension(campaign: Campaign, items: int | None, raters_per_item: int | None, *, left: int) -> None:
    problems: list[str] = []
    if items is None and raters_per_item is None:
        problems.append("say by what: --items N or --raters-per-item K")
    if items is not None and not 1 <= items <= left:
        problems.append(f"--items is {items}; allowed: 1 to {left}, which are left")
    if raters_per_item is not None and raters_per_item <= campaign.raters_per_item:
        problems.append(
            f"--raters-per-item is {raters_per_item}; allowed: more than {campaign.raters_per_item}, as it is now"
        )
    if problems:
        raise RatingError(f"campaign {campaign.campaign_id} was not extended: {'; '.join(problems)}.")


def _adjudication_problem(live: LiveCampaign, settled: Adjudication) -> str | None:
    judged = live.assignments.get(settled.assignment_id)
    if judged is None or judged.kind != "rubric" or settled.assignment_id not in live.latest:
        return f'"{settled.assignment_id}" is no screen on which an answer was rated.'
    allowed = _values_of(rubric_of(live.campaign), settled.criterion)
    if allowed is None:
        names = [criterion.criterion_id for criterion in rubric_of(live.campaign).criteria]
        return f'"{settled.criterion}" is no criterion of the rubric; {nearest(settled.criterion, names)}'
    if not any(settled.value == value and type(settled.value) is type(value) for value in allowed):
        return f"{settled.criterion} is {settled.value!r}; allowed: {', '.join(str(value) for value in allowed)}."
    return None


def _values_of(rubric: Rubric, criterion_id: str) -> list[int | str | bool] | None:
    if criterion_id == "critical_error" and rubric.critical_question is not None:
        return [True, False]
    for criterion in rubric.criteria:
        if criterion.criterion_id == criterion_id:
            return [level.value for level in criterion.levels]
    return None


def _rater_progress(name: str, links: tuple[Link, ...], state: CampaignState, judged: Collection[str]) -> RaterProgress:
    hers: list[Assignment] = [one for one in state.assignments if one.rater == name]
    signs = [state.last_sign.get(one.assignment_id, one.assigned_at) for one in hers]
    return RaterProgress(
        rater=name,
        links=links,
        screens=len(hers),
        judged=sum(one.assignment_id in judged for one in hers),
        last_seen=max(signs, default=None),
    )
