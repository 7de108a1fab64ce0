"""Personal links: issued and taken back in a journal of the home, so that a revocation holds at the next call."""

import threading
from dataclasses import replace
from pathlib import Path

from harness.errors import StoreBusyError
from harness.records.rating import Link
from harness.store.rating_journal import Journal
from harness.store.rating_lines import Entry, Revocation, as_line, read_lines
from harness.store.rating_plans import ratings_folder
from harness.store.turnstile import Turnstile

_WAIT_S = 10.0

_live: dict[Path, "LiveLinks"] = {}
_live_guard = threading.Lock()


def links_path(home: Path) -> Path:
    """Where a home's links are."""
    return ratings_folder(home) / "links.jsonl"


def live_links(home: Path) -> "LiveLinks":
    """The home's links as this process knows them; the same object for every caller."""
    with _live_guard:
        return _live.setdefault(home.resolve(), LiveLinks(home))


class LiveLinks:
    """Links by id, in step with their journal."""

    def __init__(self, home: Path) -> None:
        self._links: dict[str, Link] = {}
        self._journal = Journal(links_path(home), wait_s=_WAIT_S)
        self._turnstile = Turnstile()

    def find(self, link_id: str) -> Link | None:
        """A link as it stands now, whichever process issued or revoked it; None where there is none.

        Raises:
            StoreError: The journal cannot be read.
        """
        with _Turn(self._turnstile):
            self._catch_up()
            return self._links.get(link_id)

    def all(self) -> list[Link]:
        """Every link ever issued, oldest first.

        Raises:
            StoreError: The journal cannot be read.
        """
        with _Turn(self._turnstile):
            self._catch_up()
            return list(self._links.values())

    def add(self, entries: list[Link | Revocation]) -> None:
        """Issues or revokes; on disk when this returns.

        Raises:
            DiskFullError: There is no room. Nothing was changed.
            StoreError: It cannot be written. Nothing was changed.
        """
        with _Turn(self._turnstile), self._journal.held():
            self._journal.append([as_line(entry) for entry in entries], "on disk")
            self._catch_up()

    def _catch_up(self) -> None:
        for entry in read_lines(self._journal.follow())[0]:
            self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        if isinstance(entry, Link):
            self._links.setdefault(entry.link_id, entry)
        elif isinstance(entry, Revocation):
            known = self._links.get(entry.link_id)
            if known is not None and known.revoked_at is None:
                self._links[entry.link_id] = replace(known, revoked_at=entry.revoked_at)


class _Turn:
    """One thread at a time, in the order they came."""

    def __init__(self, turnstile: Turnstile) -> None:
        self._turnstile = turnstile

    def __enter__(self) -> None:
        if not self._turnstile.enter(_WAIT_S):
            raise StoreBusyError(f"links could not be looked up for {_WAIT_S:g} s. Try again in a moment.")

    def __exit__(self, *_: object) -> None:
        self._turnstile.leave()
