"""A campaign in memory, kept in step with its journal, which other processes may append to at any moment."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import cast

from harness.errors import StoreBusyError
from harness.records.rating import Assignment, Campaign, CampaignEvent, CampaignState, Draft, RatingEvent
from harness.store.rating_journal import Durability, Journal
from harness.store.rating_lines import Entry, Sign, as_line, read_lines
from harness.store.rating_plans import journal_path, read_plan
from harness.store.turnstile import Turnstile

_WAIT_S = 10.0

_live: dict[tuple[Path, str], "LiveCampaign"] = {}
_live_guard = threading.Lock()


def live_campaign(home: Path, campaign_id: str) -> "LiveCampaign":
    """The campaign as this process knows it; the same object for every caller.

    Raises:
        StoreError: There is no such campaign here.
    """
    key = (home.resolve(), campaign_id)
    with _live_guard:
        if key not in _live:
            _live[key] = LiveCampaign(home, campaign_id)
        return _live[key]


class LiveCampaign:
    """Assignments, judgements and drafts of a campaign, as reading its journal gives them.

    Read inside `turn`, change inside `change`. Threads take turns in the order they came; processes by the journal's
    lock. Everything between is memory: no ledger is opened.
    """

    def __init__(self, home: Path, campaign_id: str) -> None:
        self.plan = read_plan(home, campaign_id)
        self.campaign: Campaign = self.plan.campaign
        self.assignments: dict[str, Assignment] = {}
        self.events: dict[str, RatingEvent] = {}
        self.latest: dict[str, RatingEvent] = {}
        self.drafts: dict[str, Draft] = {}
        self.last_sign: dict[str, datetime] = {}
        self.campaign_events: dict[str, CampaignEvent] = {}
        self.closed: CampaignEvent | None = None
        # By rater: screens had and judged when it was made, and an estimate of those before her. Nothing rests on it.
        self.estimates: dict[str, tuple[tuple[int, int], int]] = {}
        self._of_rater: dict[str, list[Assignment]] = {}
        self._journal = Journal(journal_path(home, campaign_id), wait_s=_WAIT_S)
        self._turnstile = Turnstile()
        self._unreadable = 0

    @contextmanager
    def turn(self) -> Generator[None]:
        """This thread's turn, with everything applied that any process appended so far.

        Raises:
            StoreBusyError: It did not come in time.
            StoreError: The journal cannot be read.
        """
        if not self._turnstile.enter(_WAIT_S):
            raise StoreBusyError(
                f"{self._journal.path}: another thread of this server has been at it for longer than {_WAIT_S:g} s. "
                "Try again; if it stays so, restart `harness ui`: nothing acknowledged is lost."
            )
        try:
            self._catch_up()
            yield
        finally:
            self._turnstile.leave()

    @contextmanager
    def change(self) -> Generator[None]:
        """A turn in which no other process appends either: what is decided on what was read holds when it is added.

        Raises:
            StoreBusyError: It did not come in time.
            StoreError: The journal cannot be opened.
        """
        with self.turn(), self._journal.held():
            self._catch_up()
            yield

    def add(self, entries: Sequence[Entry], durability: Durability) -> None:
        """Appends to the journal, then applies. Only inside `change`.

        Raises:
            DiskFullError: There is no room: nothing was kept or applied.
            StoreError: They cannot be written: nothing was kept or applied.
        """
        if entries:
            self._journal.append([as_line(entry) for entry in entries], durability)
            self._catch_up()

    def of_rater(self, rater: str) -> Sequence[Assignment]:
        """Everything that was assigned to one rater, in the order it was."""
        return self._of_rater.get(rater, ())

    @property
    def unreadable(self) -> int:
        """Lines of the journal that say nothing: torn when a machine stopped, or written by a newer version."""
        return self._journal.unreadable + self._unreadable

    def state(self) -> CampaignState:
        """All of it at this moment. Only inside `turn`."""
        return CampaignState(
            campaign=self.campaign,
            assignments=tuple(self.assignments.values()),
            events=tuple(self.events.values()),
            drafts=dict(self.drafts),
            last_sign=dict(self.last_sign),
            campaign_events=tuple(self.campaign_events.values()),
        )

    def _catch_up(self) -> None:
        lines = self._journal.follow()
        if not lines:
            return
        entries, unreadable = read_lines(lines)
        self._unreadable += unreadable
        for entry in entries:
            self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        match entry:
            case Assignment():
                self._assigned(entry)
            case RatingEvent():
                self._judged(entry)
            case Draft():
                self._drafted(entry)
            case Sign():
                self._seen(entry.assignment_id, entry.at)
            case CampaignEvent():
                self._happened(entry)
            case _:
                pass  # links have a journal of their own

    def _assigned(self, assignment: Assignment) -> None:
        if self.assignments.setdefault(assignment.assignment_id, assignment) is assignment:
            self._of_rater.setdefault(assignment.rater, []).append(assignment)
            self._seen(assignment.assignment_id, assignment.assigned_at)

    def _judged(self, event: RatingEvent) -> None:
        if self.events.setdefault(event.event_id, event) is event:
            known = self.latest.get(event.assignment_id)
            if known is None or event.revision >= known.revision:
                self.latest[event.assignment_id] = event
            self._seen(event.assignment_id, event.at)

    def _drafted(self, draft: Draft) -> None:
        known = self.drafts.get(draft.assignment_id)
        if known is None or draft.revision >= known.revision:
            self.drafts[draft.assignment_id] = draft
        self._seen(draft.assignment_id, draft.at)

    def _seen(self, assignment_id: str, at: datetime) -> None:
        known = self.last_sign.get(assignment_id)
        self.last_sign[assignment_id] = at if known is None else max(known, at)

    def _happened(self, event: CampaignEvent) -> None:
        if self.campaign_events.setdefault(event.event_id, event) is not event:
            return
        if event.kind == "closed" and self.closed is None:
            self.closed = event
        if event.kind == "extended":
            items, raters = event.payload.get("item_ids"), event.payload.get("raters_per_item")
            if isinstance(items, list) and isinstance(raters, int):
                item_ids = tuple(str(item) for item in cast("list[object]", items))
                self.campaign = replace(self.campaign, item_ids=item_ids, raters_per_item=raters)
