"""Folds journals of ratings into the ledger, and keeps at it in a thread of its own.

A row's key is its identity, so that folding a line twice, or by two processes, changes nothing.
"""

import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HarnessError, StoreBusyError, StoreError
from harness.records.rating import Assignment, Campaign, CampaignEvent, Draft, Link, RatingEvent
from harness.store.ledger import WAIT_S
from harness.store.migrate import open_ledger
from harness.store.rating_journal import Journal
from harness.store.rating_ledger import FoldedRows, insert_rows
from harness.store.rating_lines import Entry, Revocation, read_lines
from harness.store.rating_links import links_path
from harness.store.rating_plans import campaign_ids, journal_path, read_plan

_LOOK_EVERY_S = 1.0
_GATHER_S = 0.5  # what comes in this time goes into one unit of work, which leaves the ledger free for others
_RETRY_S = 5.0


class Fold:
    """Where one reader of the home's journals stands: what it read and what of that the ledger has."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._journals: dict[Path, Journal] = {}
        self._pending: list[Entry] = []
        self._known: set[str] = set()

    def fold(self, *, wait_s: float = WAIT_S) -> int:
        """Brings the ledger up to date with every journal, in one unit of work; none where nothing is new.

        Returns:
            How many rows the ledger did not have.

        Raises:
            StoreBusyError: Others held the ledger for longer than `wait_s` seconds. What was read is kept for the next
                call.
            StoreError: A journal cannot be read or the ledger not written; likewise.
        """
        here = campaign_ids(self._home)
        new = [campaign_id for campaign_id in here if campaign_id not in self._known]
        for path in (links_path(self._home), *(journal_path(self._home, one) for one in here)):
            journal = self._journals.setdefault(path, Journal(path))
            self._pending += read_lines(journal.follow())[0]
        if not self._pending and not new:
            return 0
        rows = _sorted_out([read_plan(self._home, one).campaign for one in new], self._pending)
        ledger = open_ledger(self._home, create=True, wait_s=wait_s)
        with ledger.write() as connection:
            added = insert_rows(connection, rows)
        self._pending.clear()
        self._known.update(new)
        return added


def fold_journals(home: Path, *, wait_s: float = WAIT_S) -> int:
    """Replays every journal of a home into its ledger; see `Fold.fold`."""
    return Fold(home).fold(wait_s=wait_s)


class FoldingThread:
    """The one thread of a server that writes ratings to the ledger. Nobody waits for it."""

    def __init__(self, home: Path) -> None:
        self._fold = Fold(home)
        self._news = threading.Event()
        self._ending = threading.Event()
        self.problem: str | None = None  # why the ledger takes nothing, in a sentence; nothing is lost meanwhile
        self._thread = threading.Thread(target=self._run, name="ratings to ledger", daemon=True)

    def start(self) -> None:
        """Begins, with what earlier processes left in the journals."""
        self._news.set()
        self._thread.start()

    def wake(self) -> None:
        """Says that a journal has news."""
        self._news.set()

    def stop(self, *, wait_s: float = 5.0) -> None:
        """Ends it. What the ledger does not take within `wait_s` seconds stays in the journals for the next replay."""
        self._ending.set()
        self._news.set()
        self._thread.join(wait_s)
        if not self._thread.is_alive():
            with contextlib.suppress(HarnessError):
                self._fold.fold(wait_s=wait_s)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._news.wait(_LOOK_EVERY_S)
            if self._ending.wait(_GATHER_S):
                return
            self._news.clear()
            self.problem = self._try()
            if self.problem:
                self._ending.wait(_RETRY_S)

    def _try(self) -> str | None:
        """Folds what there is; what keeps the ledger from taking it, or None."""
        import duckdb

        try:
            self._fold.fold(wait_s=_LOOK_EVERY_S)
        except StoreBusyError:
            return None  # a run writes: soon again
        except (StoreError, duckdb.Error, ValueError) as problem:  # the last two: a line that was edited by hand
            return str(problem)
        return None


def _sorted_out(campaigns: Sequence[Campaign], entries: Sequence[Entry]) -> FoldedRows:
    # Of several drafts of a screen the newest is enough.
    drafts: dict[str, Draft] = {}
    for entry in entries:
        if isinstance(entry, Draft):
            known = drafts.get(entry.assignment_id)
            drafts[entry.assignment_id] = entry if known is None or entry.revision >= known.revision else known
    return FoldedRows(
        campaigns=campaigns,
        links=[entry for entry in entries if isinstance(entry, Link)],
        revocations=[entry for entry in entries if isinstance(entry, Revocation)],
        assignments=[entry for entry in entries if isinstance(entry, Assignment)],
        events=[entry for entry in entries if isinstance(entry, RatingEvent)],
        drafts=list(drafts.values()),
        campaign_events=[entry for entry in entries if isinstance(entry, CampaignEvent)],
    )
