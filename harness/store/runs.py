"""Runs and their events: start, change of status, and finding them again."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import StoreError
from harness.hashing import canonical_json
from harness.records.runs import Run, RunEvent, RunState
from harness.store import bulk
from harness.store.ledger import Ledger
from harness.store.moments import from_microseconds, to_utc

if TYPE_CHECKING:
    import duckdb

_CANDIDATES_SHOWN = 10

_SELECT = """
    SELECT run_id, experiment, experiment_id, system, inputs_hash, golden_set, golden_version, golden_sha256,
        system_config, provenance, epoch_us(started_at), status, reason, epoch_us(ended_at), facts
    FROM v_runs
"""


def start_run(ledger: Ledger, run: Run, facts: Mapping[str, object] | None = None) -> None:
    """Records a run and its first event, `running`. Starting the same run twice changes nothing.

    Args:
        ledger: Where.
        run: The run.
        facts: What is known of it already, a JSON object.

    Raises:
        StoreError: Another run has this id.
        ValueError: `started_at` has no time zone, or a JSON object holds NaN.
    """
    first = RunEvent(run_id=run.run_id, status="running", at=run.started_at, reason=None, facts=facts or {})
    with ledger.write() as connection:
        if bulk.insert(connection, "runs", [_run_row(run)]):
            _append(connection, first)
            return
        there = _states(connection, "WHERE run_id = ?", run.run_id)[0].run
        # As JSON both, since a tuple comes back as a list.
        if _run_row(there) != _run_row(run):
            raise StoreError(
                f"run {run.run_id} is in the ledger already, for system {there.system} of {there.experiment}, started "
                f"{there.started_at.isoformat()}. A run never changes: start one with a new id."
            )


def append_event(ledger: Ledger, event: RunEvent) -> None:
    """Appends a change of status to a run's history. Appending the same event twice changes nothing.

    Raises:
        StoreError: The run is not in the ledger, or is finished: a finished run takes no other status.
        ValueError: `at` has no time zone, or `facts` hold NaN.
    """
    with ledger.write() as connection:
        require_run(connection, event.run_id)
        last = connection.execute(
            "SELECT status, epoch_us(recorded_at), reason, facts FROM run_events WHERE run_id = ? "
            "ORDER BY event_number DESC LIMIT 1",
            [event.run_id],
        ).fetchone()
        if last is not None:
            known = RunEvent(
                run_id=event.run_id,
                status=last[0],
                at=from_microseconds(last[1]),
                reason=last[2],
                facts=json.loads(last[3]),
            )
            if _event_row(known) == _event_row(event):
                return
            if known.status == "finished":
                raise StoreError(
                    f"run {event.run_id} finished at {known.at.isoformat()} and cannot become {event.status}: a "
                    "finished run never changes. Start a new run."
                )
        _append(connection, event)


def runs(ledger: Ledger, *, experiment: str | None = None, system: str | None = None) -> list[RunState]:
    """Runs with their latest status, newest first, also failed ones."""
    with ledger.read() as connection:
        return _states(
            connection,
            "WHERE coalesce(experiment = $1, true) AND coalesce(system = $2, true) "
            "ORDER BY started_at DESC, run_id DESC",
            experiment,
            system,
        )


def find_run(ledger: Ledger, prefix: str) -> RunState:
    """The one run whose id is, or begins with, `prefix`.

    Raises:
        StoreError: No run or several do; the message lists candidates.
    """
    with ledger.read() as connection:
        newest_first = "ORDER BY started_at DESC, run_id DESC"
        found = _states(connection, f"WHERE starts_with(run_id, ?) {newest_first}", prefix)
        exact = [state for state in found if state.run.run_id == prefix]
        if exact or len(found) == 1:
            return (exact or found)[0]
        if found:
            problem = f'"{prefix}" begins the ids of {len(found)} runs; write more of it'
        else:
            problem = f'no run id begins with "{prefix}"'
            found = _states(connection, newest_first)
    lines = [
        f"  {state.run.run_id}  {state.status}  {state.run.experiment} / {state.run.system}"
        for state in found[:_CANDIDATES_SHOWN]
    ]
    if len(found) > _CANDIDATES_SHOWN:
        lines.append(f"  and {len(found) - _CANDIDATES_SHOWN} more: see `harness runs`")
    if not found:
        lines.append("  the ledger has no runs yet: `harness run EXPERIMENT` makes some")
    raise StoreError("\n".join([f"{problem}. Runs, newest first:", *lines]))


def latest_finished(ledger: Ledger, experiment: str, system: str, inputs_hash: str) -> RunState | None:
    """The run that a system's name stands for: the last to finish with these inputs, or None."""
    with ledger.read() as connection:
        found = _states(
            connection,
            "WHERE experiment = ? AND system = ? AND inputs_hash = ? AND status = 'finished' "
            "ORDER BY event_number DESC LIMIT 1",
            experiment,
            system,
            inputs_hash,
        )
    return found[0] if found else None


def require_run(connection: "duckdb.DuckDBPyConnection", run_id: str) -> None:
    """Checks that a run was started before something is written for it.

    Raises:
        StoreError: It was not.
    """
    if connection.execute("SELECT 1 FROM runs WHERE run_id = ?", [run_id]).fetchone() is None:
        raise StoreError(
            f"run {run_id} is not in the ledger; start it before writing for it. `harness runs` lists runs."
        )


def _append(connection: "duckdb.DuckDBPyConnection", event: RunEvent) -> None:
    # Writers are alone in the ledger, so that the next number is free.
    last = connection.execute("SELECT coalesce(max(event_number), 0) FROM run_events").fetchone()
    number = int(last[0]) + 1 if last else 1
    bulk.insert(connection, "run_events", [{"event_number": number, **_event_row(event)}])


def _event_row(event: RunEvent) -> dict[str, object]:
    return {
        "run_id": event.run_id,
        "status": event.status,
        "recorded_at": to_utc(event.at),
        "reason": event.reason,
        "facts": _json(event.facts),
    }


def _run_row(run: Run) -> dict[str, object]:
    return {
        "run_id": run.run_id,
        "experiment": run.experiment,
        "experiment_id": run.experiment_id,
        "system": run.system,
        "inputs_hash": run.inputs_hash,
        "golden_set": run.golden_set,
        "golden_version": run.golden_version,
        "golden_sha256": run.golden_sha256,
        "system_config": _json(run.system_config),
        "provenance": _json(run.provenance),
        "started_at": to_utc(run.started_at),
    }


def _json(value: Mapping[str, object]) -> str:
    return canonical_json(dict(value))


def _states(connection: "duckdb.DuckDBPyConnection", clauses: str, *parameters: str | None) -> list[RunState]:
    return [_state(row) for row in connection.execute(f"{_SELECT} {clauses}", list(parameters)).fetchall()]


def _state(row: tuple[Any, ...]) -> RunState:
    return RunState(
        run=Run(
            run_id=row[0],
            experiment=row[1],
            experiment_id=row[2],
            system=row[3],
            inputs_hash=row[4],
            golden_set=row[5],
            golden_version=row[6],
            golden_sha256=row[7],
            system_config=json.loads(row[8]),
            provenance=json.loads(row[9]),
            started_at=from_microseconds(row[10]),
        ),
        status=row[11],
        reason=row[12],
        ended_at=None if row[13] is None else from_microseconds(row[13]),
        facts=json.loads(row[14]),
    )
