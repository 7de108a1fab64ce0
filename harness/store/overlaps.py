"""Overlaps that were allowed, for each run that they concern: they mark its items."""

from collections.abc import Sequence

from harness.records.overlaps import Allowance, RunOverlap
from harness.store import bulk
from harness.store.ledger import Ledger
from harness.store.moments import from_microseconds, to_utc
from harness.store.runs import require_run


def record_overlaps(ledger: Ledger, run_id: str, overlaps: Sequence[RunOverlap]) -> int:
    """Records allowed overlaps of a run in one unit. A pair that is recorded already stays as it was first allowed.

    Returns:
        How many pairs are new.

    Raises:
        StoreError: The run is not in the ledger, or a text has no UTF-8 form.
        ValueError: An allowance has no time zone.
    """
    rows: list[dict[str, object]] = [
        {
            "run_id": run_id,
            "scored": one.scored,
            "training_sha256": one.training_sha256,
            "line": one.line,
            "item_id": one.item_id,
            "kind": one.kind,
            "share": one.share,
            "reason": one.allowance.reason,
            "allowed_by": one.allowance.by,
            "allowed_at": to_utc(one.allowance.at),
        }
        for one in overlaps
    ]
    with ledger.write() as connection:
        require_run(connection, run_id)
        return bulk.insert(connection, "run_overlaps", rows)


def run_overlaps(ledger: Ledger, run_id: str) -> list[RunOverlap]:
    """The allowed overlaps of a run, golden ones first, by line and then item; empty where there are none."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT scored, training_sha256, line, item_id, kind, share, reason, allowed_by, epoch_us(allowed_at) "
            "FROM run_overlaps WHERE run_id = ? ORDER BY scored, training_sha256, line, item_id",
            [run_id],
        ).fetchall()
    return [
        RunOverlap(
            scored=row[0],
            training_sha256=row[1],
            line=row[2],
            item_id=row[3],
            kind=row[4],
            share=row[5],
            allowance=Allowance(reason=row[6], by=row[7], at=from_microseconds(row[8])),
        )
        for row in rows
    ]
