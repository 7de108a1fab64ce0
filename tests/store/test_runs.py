from datetime import UTC, datetime, timedelta, timezone

import pytest

from harness.errors import StoreError
from harness.records.runs import RunEvent
from harness.store.ledger import Ledger
from harness.store.runs import append_event, find_run, latest_finished, runs, start_run

STARTED = datetime(2026, 11, 21, 6, 49, 12, 345678, tzinfo=UTC)


def _event(run_id: str, status: str, minutes: int, reason: str | None = None, **facts: object) -> RunEvent:
    at = STARTED + timedelta(minutes=minutes)
    return RunEvent(run_id=run_id, status=status, at=at, reason=reason, facts=facts)


def test_a_started_run_is_running_and_comes_back_as_it_was(ledger: Ledger, make_run):
    run = make_run()
    start_run(ledger, run)
    (state,) = runs(ledger)
    assert state.run == run
    assert (state.status, state.reason, state.ended_at, state.facts) == ("running", None, None, {})


def test_a_start_in_another_time_zone_is_the_same_moment(ledger: Ledger, make_run):
    start_run(ledger, make_run(started_at=STARTED.astimezone(timezone(timedelta(hours=5, minutes=30)))))
    assert runs(ledger)[0].run.started_at == STARTED


def test_a_moment_without_a_time_zone_is_refused(ledger: Ledger, make_run):
    with pytest.raises(ValueError, match="no time zone"):
        start_run(ledger, make_run(started_at=datetime(2026, 11, 21)))
    assert runs(ledger) == []


def test_starting_a_run_twice_changes_nothing(ledger: Ledger, make_run):
    start_run(ledger, make_run())
    append_event(ledger, _event(make_run().run_id, "finished", 1))
    start_run(ledger, make_run())
    assert [state.status for state in runs(ledger)] == ["finished"]


def test_another_run_with_the_same_id_is_refused(ledger: Ledger, make_run):
    start_run(ledger, make_run())
    with pytest.raises(StoreError, match="is in the ledger already, for system lora"):
        start_run(ledger, make_run(system="rag"))
    assert [state.run.system for state in runs(ledger)] == ["lora"]


def test_the_latest_event_is_the_status(ledger: Ledger, make_run):
    run = make_run()
    start_run(ledger, run)
    append_event(ledger, _event(run.run_id, "failed", 3, reason="out of memory"))
    failed = runs(ledger)[0]
    assert (failed.status, failed.reason) == ("failed", "out of memory")
    assert failed.ended_at == STARTED + timedelta(minutes=3)
    append_event(ledger, _event(run.run_id, "running", 5))
    assert (runs(ledger)[0].status, runs(ledger)[0].ended_at) == ("running", None)
    append_event(ledger, _event(run.run_id, "finished", 9, wall_s=540.5, peak_memory_bytes=1 << 33))
    finished = runs(ledger)[0]
    assert (finished.status, finished.facts) == ("finished", {"wall_s": 540.5, "peak_memory_bytes": 1 << 33})


def test_the_ledgers_order_decides_and_not_a_clock_that_went_back(ledger: Ledger, make_run):
    run = make_run()
    start_run(ledger, run)
    append_event(ledger, _event(run.run_id, "interrupted", -10))
    assert runs(ledger)[0].status == "interrupted"


def test_appending_an_event_twice_changes_nothing(ledger: Ledger, make_run):
    run = make_run()
    start_run(ledger, run)
    for _ in range(2):
        append_event(ledger, _event(run.run_id, "finished", 1, answer=[1, "ü"]))
    with ledger.read() as connection:
        assert connection.execute("SELECT count(*) FROM run_events").fetchone() == (2,)


def test_a_finished_run_takes_no_other_status(ledger: Ledger, make_run):
    run = make_run()
    start_run(ledger, run)
    append_event(ledger, _event(run.run_id, "finished", 1))
    with pytest.raises(StoreError, match="a finished run never changes"):
        append_event(ledger, _event(run.run_id, "failed", 2))
    assert runs(ledger)[0].status == "finished"


def test_an_event_of_an_unknown_run_is_refused(ledger: Ledger):
    with pytest.raises(StoreError, match="run nobody is not in the ledger"):
        append_event(ledger, _event("nobody", "finished", 1))


def test_runs_are_listed_newest_first_and_by_experiment_and_system(ledger: Ledger, make_run):
    for number, (experiment, system) in enumerate([("a", "lora"), ("a", "rag"), ("b", "lora")]):
        at = STARTED + timedelta(minutes=number)
        start_run(ledger, make_run(f"run-{number}", experiment=experiment, system=system, started_at=at))

    def ids(**which: str) -> list[str]:
        return [state.run.run_id for state in runs(ledger, **which)]

    assert ids() == ["run-2", "run-1", "run-0"]
    assert ids(experiment="a") == ["run-1", "run-0"]
    assert ids(system="lora") == ["run-2", "run-0"]
    assert ids(experiment="a", system="lora") == ["run-0"]
    assert ids(experiment="c") == []


def test_a_run_is_found_by_the_beginning_of_its_id(ledger: Ledger, make_run):
    for run_id in ("2026-aa", "2026-ab", "2026-a", "100%-x"):
        start_run(ledger, make_run(run_id))
    assert find_run(ledger, "2026-ab").run.run_id == "2026-ab"
    assert find_run(ledger, "2026-a").run.run_id == "2026-a"
    assert find_run(ledger, "1").run.run_id == "100%-x"


def test_an_ambiguous_or_unknown_id_lists_candidates(ledger: Ledger, make_run):
    with pytest.raises(StoreError, match="has no runs yet"):
        find_run(ledger, "2026")
    for number in range(12):
        start_run(ledger, make_run(f"2026-{number:02}", started_at=STARTED + timedelta(minutes=number)))
    with pytest.raises(StoreError, match="begins the ids of 12 runs") as ambiguous:
        find_run(ledger, "2026")
    assert "2026-11  running  icd10-coding / lora" in str(ambiguous.value)
    assert "and 2 more" in str(ambiguous.value)
    with pytest.raises(StoreError, match='no run id begins with "%"') as unknown:
        find_run(ledger, "%")
    assert "2026-11" in str(unknown.value)


def test_a_systems_name_stands_for_the_last_run_to_finish_with_the_same_inputs(ledger: Ledger, make_run):
    def ask(inputs_hash: str = "now") -> str | None:
        state = latest_finished(ledger, "icd10-coding", "lora", inputs_hash)
        return state.run.run_id if state else None

    for run_id, inputs in (("one", "now"), ("two", "now"), ("old", "before"), ("broken", "now"), ("open", "now")):
        start_run(ledger, make_run(run_id, inputs_hash=inputs))
    assert ask() is None
    append_event(ledger, _event("two", "finished", 1))
    append_event(ledger, _event("one", "finished", 2))
    append_event(ledger, _event("old", "finished", 3))
    append_event(ledger, _event("broken", "failed", 4))
    assert ask() == "one"
    assert ask("before") == "old"
    assert ask("never") is None
    assert latest_finished(ledger, "icd10-coding", "rag", "now") is None


def test_the_view_of_runs_shows_what_the_run_said_at_its_end(ledger: Ledger, make_run):
    run = make_run()
    start_run(ledger, run)
    select = "SELECT status, ended_at IS NULL, wall_s, prompt_tokens, peak_memory_bytes FROM v_runs"

    def row() -> tuple[object, ...] | None:
        with ledger.read() as connection:
            return connection.execute(select).fetchone()

    assert row() == ("running", True, None, None, None)
    append_event(ledger, _event(run.run_id, "interrupted", 2))
    assert row() == ("interrupted", False, 120.0, None, None)
    append_event(ledger, _event(run.run_id, "finished", 5, wall_s=7.5, prompt_tokens=3, peak_memory_bytes=1 << 40))
    assert row() == ("finished", False, 7.5, 3, 1 << 40)
