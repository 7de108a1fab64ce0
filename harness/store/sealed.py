"""The sealed stage of a run: when a finished run was asked sealed items, by whom, and how that ended."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from harness.hashing import canonical_json
from harness.records.runs import RunStatus
from harness.store import bulk
from harness.store.ledger import Ledger
from harness.store.moments import from_microseconds, to_utc
from harness.store.runs import require_run


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedEvent:
    """A change of status of a run's sealed stage. `by` asked for it; `facts` are a JSON object, as a run's are."""

    run_id: str
    status: RunStatus
    at: datetime
    reason: str | None
    by: str
    facts: Mapping[str, object]


def append_sealed_event(ledger: Ledger, event: SealedEvent) -> None:
    """Appends to the history of a run's sealed stage.

    Raises:
        StoreError: The run is not in the ledger.
        ValueError: `at` has no time zone, or `facts` hold NaN.
    """
    with ledger.write() as connection:
        require_run(connection, event.run_id)
        # Writers are alone in the ledger, so that the next number is free.
        last = connection.execute("SELECT coalesce(max(event_number), 0) FROM sealed_events").fetchone()
        row = {
            "event_number": int(last[0]) + 1 if last else 1,
            "run_id": event.run_id,
            "status": event.status,
            "recorded_at": to_utc(event.at),
            "reason": event.reason,
            "answered_by": event.by,
            "facts": canonical_json(dict(event.facts)),
        }
        bulk.insert(connection, "sealed_events", [row])


def sealed_stage(ledger: Ledger, run_id: str, *, until: datetime | None = None) -> SealedEvent | None:
    """The latest event of a run's sealed stage, or the latest up to a moment; None where it was never begun."""
    with ledger.read() as connection:
        row = connection.execute(
            "SELECT status, epoch_us(recorded_at), reason, answered_by, facts FROM sealed_events "
            "WHERE run_id = $1 AND coalesce(recorded_at <= $2, true) ORDER BY event_number DESC LIMIT 1",
            [run_id, None if until is None else to_utc(until)],
        ).fetchone()
    if row is None:
        return None
    return SealedEvent(
        run_id=run_id,
        status=row[0],
        at=from_microseconds(row[1]),
        reason=row[2],
        by=row[3],
        facts=json.loads(row[4]),
    )
