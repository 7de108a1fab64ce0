"""What the page of raters calls. Every call looks the link up anew; none opens the ledger or reaches a model.

What a rater did is in the campaign's journal, on disk, before `record` says so; a thread of the server folds journals
into the ledger (see `harness.store.rating_fold`).
"""

import secrets
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import LinkError
from harness.pipeline import rate_links
from harness.pipeline.rate_events import Incoming, read_event
from harness.pipeline.rate_rubric import rubric_of
from harness.pipeline.rate_screen import build_screen, earlier_screen, progress_of, waiting_screen
from harness.rating.answers import check_answer
from harness.rating.design import next_assignments
from harness.records.rating import Assignment, Draft, Link, RatingEvent, Recorded, Screen
from harness.store.rating_fold import FoldingThread
from harness.store.rating_lines import Entry, Sign
from harness.store.rating_live import LiveCampaign, live_campaign
from harness.store.rating_plans import campaign_ids

_threads: dict[Path, FoldingThread] = {}
_threads_guard = threading.Lock()


def start(home: Path) -> None:
    """Gets a server ready: folds what earlier processes left, and goes on folding in a thread until `stop`.

    Raises:
        StoreError: The plan or journal of a campaign cannot be read.
    """
    for campaign_id in campaign_ids(home):
        with live_campaign(home, campaign_id).turn():
            pass
    with _threads_guard:
        if home.resolve() not in _threads:
            _threads[home.resolve()] = thread = FoldingThread(home)
            thread.start()


def stop(home: Path) -> None:
    """Ends the thread. What the ledger did not take in time is in the journals, and folded by whoever comes next."""
    with _threads_guard:
        thread = _threads.pop(home.resolve(), None)
    if thread:
        thread.stop()


def folding_problem(home: Path) -> str | None:
    """Why this server's ledger takes no ratings just now, in words; None where it does. What raters gave is kept."""
    thread = _threads.get(home.resolve())
    return thread.problem if thread else None


def owner_token(home: Path) -> str:
    """A fresh owner's link, good for twelve hours.

    Raises:
        StoreError: It cannot be recorded.
    """
    return rate_links.invite_owner(home).token


def visitor(home: Path, token: str, *, now: datetime | None = None) -> Link:
    """Who a token lets in: a rater to her open campaign, or an owner.

    Raises:
        LinkError: The token is forged, its link too old or revoked, or the campaign is closed.
        StoreError: The home's files cannot be read.
    """
    link = rate_links.visitor(home, token, now=now)
    if link.campaign_id is not None:
        live = live_campaign(home, link.campaign_id)
        with live.turn():
            _require_open(live)
    return link


def screen(home: Path, token: str, *, show: str | None = None, now: datetime | None = None) -> Screen:
    """What a rater sees now: the screen that waits for her, else the next one the design gives her.

    Args:
        home: Where the campaign is.
        token: The rater's.
        show: An assignment of hers to go back to; another's is passed over.
        now: The moment.

    Raises:
        LinkError: The token is forged, its link too old or revoked or an owner's, or the campaign is closed.
        DiskFullError: There is no room to write down what she gets next.
        StoreError: The home's files cannot be read or written.
    """
    link, now = rate_links.visitor(home, token, now=now), now or datetime.now(UTC)
    rater, live = _rater(home, link)
    key = rate_links.storage_key(home, link)
    with live.turn():
        _require_open(live)
        shown = (earlier_screen(live, rater, show) if show else None) or waiting_screen(live, rater, now=now)
        if shown:
            return build_screen(live, rater, shown, key=key, now=now)
    with live.change():
        _require_open(live)
        # Asked again: another tab or server of hers may have been quicker.
        shown = waiting_screen(live, rater, now=now)
        if shown is None:
            new = next_assignments(progress_of(live), rater, now=now, new_id=lambda: secrets.token_urlsafe(12))
            live.add(new, "on disk")
            shown = waiting_screen(live, rater, now=now)
        return build_screen(live, rater, shown, key=key, now=now)


def record(home: Path, token: str, events: Sequence[Mapping[str, object]], *, now: datetime | None = None) -> Recorded:
    """Stores what a rater's browser sends: judgements are on disk when this returns, whatever happens then.

    Sending an event again changes nothing, whichever server takes it. Events may come late and in any order: of
    several judgements of a screen the one with the highest revision counts. Drafts and `open` renew the lease, and
    outlive a killed process, not a power failure.

    Args:
        home: Where the campaign is.
        token: The rater's.
        events: `{"id", "aid", "type": "judgement"|"draft"|"open", "rev", "seconds", "stage", "answer"}` each.
        now: The moment to record.

    Raises:
        LinkError: The token is forged, or its link too old, revoked or an owner's. Nothing was stored.
        DiskFullError: There is no room. Nothing was stored.
        StoreError: The journal cannot be written. Nothing was stored.
    """
    link, now = rate_links.visitor(home, token, now=now), now or datetime.now(UTC)
    rater, live = _rater(home, link)
    refused: dict[str, str] = {}
    incoming: list[Incoming] = []
    for sent in events:
        read = read_event(sent)
        if isinstance(read, str):
            refused[str(sent.get("id"))] = read
        else:
            incoming.append(read)
    new: dict[str, Entry] = {}
    stored: list[str] = []
    with live.change():
        for one in incoming:
            known = live.events.get(one.event_id)
            if one.event_id in new or (known is not None and known.rater == rater):
                stored.append(one.event_id)
            elif problem := _refusal(live, rater, one):
                refused[one.event_id] = problem
            else:
                new[one.event_id] = _entry(live, live.assignments[one.assignment_id], one, now)
                stored.append(one.event_id)
        judged = any(isinstance(entry, RatingEvent) for entry in new.values())
        live.add(list(new.values()), "on disk" if judged else "handed over")
    if new:
        _wake(home)
    return Recorded(acknowledged=tuple(dict.fromkeys(stored)), refused=refused)


def _rater(home: Path, link: Link) -> tuple[str, LiveCampaign]:
    if link.role != "rater" or link.rater is None or link.campaign_id is None:
        raise LinkError("This is an owner's link, which rates nothing. Ask for a rater's link.", why="forged")
    return link.rater, live_campaign(home, link.campaign_id)


def _require_open(live: LiveCampaign) -> None:
    if live.closed is not None:
        raise LinkError(_over(live), why="closed")


def _over(live: LiveCampaign) -> str:
    when = f" on {live.closed.at:%d %B %Y}" if live.closed else ""
    return f"This round of rating was closed{when}. Nothing more is needed; thank you."


def _refusal(live: LiveCampaign, rater: str, one: Incoming) -> str | None:
    """Why an event is not kept; None where it is."""
    assignment = live.assignments.get(one.assignment_id)
    if assignment is None or assignment.rater != rater:
        return "This screen is not one of yours. Reload the page; what you gave before is kept."
    if one.event_id in live.events:
        return "The page sent an id that is taken. Reload the page and answer again."
    if live.closed is not None:
        return f"{_over(live)} This last answer came too late and was not counted."
    if one.kind != "judgement":
        return None
    shown = len(assignment.run_ids)
    problems = check_answer(assignment.kind, one.answer, rubric_of(live.campaign), answers=shown)
    return " ".join(problems) or None


def _entry(live: LiveCampaign, assignment: Assignment, one: Incoming, now: datetime) -> Entry:
    match one.kind:
        case "open":
            return Sign(assignment_id=assignment.assignment_id, at=now)
        case "draft":
            return Draft(
                campaign_id=assignment.campaign_id,
                assignment_id=assignment.assignment_id,
                rater=assignment.rater,
                revision=one.revision,
                at=now,
                answer=one.answer,
            )
        case "judgement":
            return RatingEvent(
                event_id=one.event_id,
                campaign_id=assignment.campaign_id,
                assignment_id=assignment.assignment_id,
                rater=assignment.rater,
                revision=one.revision,
                at=now,
                seconds=one.seconds,
                rubric_sha256=live.campaign.rubric_sha256,
                answer=one.answer,
                stage=one.stage if live.campaign.reference == "after" else "judge",
            )


def _wake(home: Path) -> None:
    thread = _threads.get(home.resolve())
    if thread:
        thread.wake()
