"""Training curves."""

from collections.abc import Sequence

from harness.records.runs import TrainingMetric
from harness.store import bulk
from harness.store.ledger import Ledger
from harness.store.moments import from_microseconds, to_utc
from harness.store.runs import require_run


def record_training_metrics(ledger: Ledger, run_id: str, metrics: Sequence[TrainingMetric]) -> int:
    """Records points of a training curve. The first one of a name and step stays; a later one is dropped.

    Returns:
        How many are new.

    Raises:
        StoreError: The run is not in the ledger.
        ValueError: A moment has no time zone.
    """
    rows = [
        {
            "run_id": run_id,
            "name": metric.name,
            "step": metric.step,
            "epoch": metric.epoch,
            "value": metric.value,
            "recorded_at": to_utc(metric.at),
        }
        for metric in metrics
    ]
    with ledger.write() as connection:
        require_run(connection, run_id)
        return bulk.insert(connection, "training_metrics", rows)


def training_metrics(ledger: Ledger, run_id: str, *, name: str | None = None) -> list[TrainingMetric]:
    """The training curves of a run, by name and step; empty for an unknown run."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT name, value, step, epoch, epoch_us(recorded_at) FROM training_metrics "
            "WHERE run_id = $1 AND coalesce(name = $2, true) ORDER BY name, step",
            [run_id, name],
        ).fetchall()
    return [
        TrainingMetric(name=row[0], value=row[1], step=row[2], epoch=row[3], at=from_microseconds(row[4]))
        for row in rows
    ]
