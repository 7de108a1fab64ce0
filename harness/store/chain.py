"""The registry's chain: each event holds the hash of the one before, and the home's key signs each hash.

A row edited, deleted, inserted or moved by hand breaks a link or a signature. What this cannot show: events cut off at
the end, unless a later hash was kept elsewhere; and any change by somebody who holds the key.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import RegistryError
from harness.hashing import content_hash
from harness.records.registry import RegistryEvent, RegistryEventKind
from harness.store import bulk
from harness.store.keys import home_key, is_signed, read_key, signature
from harness.store.ledger import Ledger
from harness.store.moments import from_microseconds, to_utc

if TYPE_CHECKING:
    import duckdb

FIRST = "0" * 64  # what the first event has for the hash of the one before


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEvent:
    """What is to be appended; the chain adds its place, hashes and signature. `payload` is canonical JSON."""

    kind: RegistryEventKind
    event_id: str
    alias: str | None
    at: datetime
    payload: str


def append(ledger: Ledger, home: Path, new: NewEvent, *, after: str | None = None) -> RegistryEvent:
    """Appends an event to the chain, in one unit of work. Appending the same event twice changes nothing.

    Args:
        ledger: Where to append.
        home: The folder with the key; the first event of a chain makes one.
        new: What to append.
        after: The hash that the last event must have (`FIRST` for none): what was checked beforehand still holds then.

    Raises:
        RegistryError: The chain has gone on since `after`, its last event was edited or signed with another key, or
            another event has this id.
        StoreError: The key is missing though the chain has events.
        ValueError: `at` has no time zone.
    """
    with ledger.write() as connection:
        there = select_events(connection, "WHERE event_id = ? ORDER BY sequence", new.event_id)
        if there:
            return _same(there[0], new)
        last = select_events(connection, "ORDER BY sequence DESC LIMIT 1")
        head = last[0].hash if last else FIRST
        if after is not None and head != after:
            raise RegistryError("the registry went on while this was being checked. Run the same command again.")
        key = read_key(home) if last else home_key(home)
        if last and (link_hash(last[0]) != head or not is_signed(key, head, last[0].signature)):
            raise RegistryError(
                f"event {last[0].sequence} of the registry, the last one, was edited or signed with another key than "
                f"{home / 'key'}; nothing is added to it. `harness verify` lists what is wrong."
            )
        event = _link(last[0].sequence + 1 if last else 1, new, head, key)
        bulk.insert(connection, "registry_events", [_row(event)])
        return event


def events(ledger: Ledger) -> list[RegistryEvent]:
    """The whole chain, in order."""
    with ledger.read() as connection:
        return select_events(connection, "ORDER BY sequence")


def select_events(
    connection: "duckdb.DuckDBPyConnection", clauses: str, *parameters: str | None
) -> list[RegistryEvent]:
    """Events inside a unit of work; `clauses` are SQL of ours, from WHERE on."""
    rows = connection.execute(
        "SELECT sequence, kind, event_id, alias, epoch_us(recorded_at), payload, previous_hash, hash, signature "
        f"FROM registry_events {clauses}",
        list(parameters),
    ).fetchall()
    return [_event(row) for row in rows]


def link_hash(event: RegistryEvent) -> str:
    """SHA-256 over everything in an event but its own hash and signature, 64 hexadecimal digits."""
    microseconds = (to_utc(event.at) - from_microseconds(0)) // timedelta(microseconds=1)
    return content_hash(
        [event.sequence, event.kind, event.event_id, event.alias, microseconds, event.payload, event.previous_hash]
    )


def broken_links(chain: Sequence[RegistryEvent], key: bytes) -> list[str]:
    """What is wrong with a chain, a sentence each; empty when it holds."""
    problems: list[str] = []
    before, number = FIRST, 0
    for event in chain:
        name = f"event {event.sequence} ({event.kind} {event.event_id})"
        if event.sequence > number + 1:
            problems.append(_gap(number + 1, event.sequence - 1))
        elif event.previous_hash != before:
            problems.append(f"{name} does not follow the event before it: one of the two was edited, moved or put in")
        if link_hash(event) != event.hash:
            problems.append(f"{name} was edited after it was recorded: its contents do not give its hash")
        if not is_signed(key, event.hash, event.signature):
            problems.append(f"{name} was not signed with this home's key")
        before, number = event.hash, event.sequence
    return problems


def _gap(first: int, last: int) -> str:
    return f"event {first} is missing" if first == last else f"events {first} to {last} are missing"


def _link(sequence: int, new: NewEvent, previous_hash: str, key: bytes) -> RegistryEvent:
    unsigned = RegistryEvent(
        sequence=sequence,
        kind=new.kind,
        event_id=new.event_id,
        alias=new.alias,
        at=to_utc(new.at),
        payload=new.payload,
        previous_hash=previous_hash,
        hash="",
        signature="",
    )
    digest = link_hash(unsigned)
    return replace(unsigned, hash=digest, signature=signature(key, digest))


def _same(there: RegistryEvent, new: NewEvent) -> RegistryEvent:
    if (there.kind, there.alias, there.at, there.payload) == (new.kind, new.alias, to_utc(new.at), new.payload):
        return there
    raise RegistryError(
        f"{new.kind} {new.event_id}: the registry has another {there.kind} with this id (event {there.sequence}, "
        f"{there.at.isoformat()}). What is recorded never changes: record the new one under a new id."
    )


def _row(event: RegistryEvent) -> dict[str, object]:
    return {
        "sequence": event.sequence,
        "kind": event.kind,
        "event_id": event.event_id,
        "alias": event.alias,
        "recorded_at": event.at,
        "payload": event.payload,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
        "signature": event.signature,
    }


def _event(row: tuple[Any, ...]) -> RegistryEvent:
    return RegistryEvent(
        sequence=row[0],
        kind=row[1],
        event_id=row[2],
        alias=row[3],
        at=from_microseconds(row[4]),
        payload=row[5],
        previous_hash=row[6],
        hash=row[7],
        signature=row[8],
    )
