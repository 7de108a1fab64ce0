"""`harness run --sealed`: finished runs answer the sealed items of their golden set, as a second stage of their own.

The stage belongs to the run, whose adapter, prompt and decoding it answers with, and has a history of its own: the run
stays finished as it was. Answers and scores go where only `harness gate` reads them. Libraries that load models are
imported only where something is left to answer.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.config.system import System
from harness.errors import ConfigError, DiskFullError, EvaluationError, HarnessError, ModelError
from harness.pipeline.full_disk import full_disk_explained
from harness.pipeline.prepare import Prepared
from harness.pipeline.recording import RunLog, SealedLog, ended
from harness.pipeline.resume import say_changes
from harness.pipeline.run import label_of, say_libraries
from harness.pipeline.stored_adapter import adapter_problem, stored_adapter, unrecorded_adapter
from harness.records.protocols import Progress
from harness.records.runs import RunState, RunStatus
from harness.store.claims import claimed
from harness.store.generations import generations
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import latest_finished
from harness.store.sealed import sealed_stage


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedOutcome:
    """What became of one system's sealed items. `status` is None where there is no run to answer them.

    `answered` of `items` have an answer or an error; `reused` says that they had before.
    """

    run_id: str | None
    status: RunStatus | None
    answered: int
    items: int
    reused: bool
    problem: HarnessError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """What all systems of one command share."""

    prepared: Prepared
    ledger: Ledger
    home: Path
    progress: Progress
    by: str


def answer_sealed(
    prepared: Prepared, home: Path, progress: Progress, *, by: str, only: Sequence[str] = ()
) -> dict[str, SealedOutcome]:
    """Has the finished run of each chosen system answer the sealed items; one that cannot does not keep others from it.

    What was answered stays, so that a stage that was interrupted goes on where it was.

    Args:
        prepared: The experiment.
        home: Where the ledger and adapters are.
        progress: Who is told. Answers and scores are not.
        by: Who asks for it.
        only: Names of systems; empty for all.

    Returns:
        By system name (with its seed, where a system has several), in the experiment's order.

    Raises:
        ConfigError: A name in `only` is not a system, or the golden set has no sealed items.
        DiskFullError: Nothing more can be written.
        StoreError: There is no ledger, or it cannot be written.
    """
    golden_set, systems = prepared.golden_set, prepared.experiment.chosen(list(only))
    if not golden_set.part("sealed"):
        raise ConfigError(
            f"golden set {golden_set.name} {golden_set.version} has no sealed items, so there is nothing to answer. "
            "Mark some with `sealed: true` in golden.jsonl and raise the version, or leave out --sealed."
        )
    home = home.resolve()
    outcomes: dict[str, SealedOutcome] = {}
    with full_disk_explained(home):
        work = _Work(prepared=prepared, ledger=open_ledger(home, create=False), home=home, progress=progress, by=by)
        replicates = {label_of(system, one): one for system in systems for one in system.replicates()}
        for number, (label, system) in enumerate(replicates.items(), start=1):
            progress.say(f"[{number}/{len(replicates)}] {label}, sealed items")
            outcomes[label] = _answer(work, system)
    return outcomes


def _answer(work: _Work, system: System) -> SealedOutcome:
    prepared, say = work.prepared, work.progress.say
    items = len(prepared.golden_set.part("sealed"))
    state = latest_finished(work.ledger, prepared.experiment.name, system.name, prepared.inputs_hash(system))
    if state is None:
        missing = EvaluationError(
            f'"{system.name}" has no finished run on the current inputs that could answer sealed items. Run `harness '
            f"run {prepared.experiment.folder} --only {system.name}` first."
        )
        say(f"{system.name} failed: {missing}")
        return SealedOutcome(run_id=None, status=None, answered=0, items=items, reused=False, problem=missing)
    stage = sealed_stage(work.ledger, state.run.run_id)
    problem: HarnessError | None = None
    reused = stage is not None and stage.status == "finished"
    if reused:
        say(f"answered already by run {state.run.run_id}")
    else:
        problem = _carry_out(work, system, state)
    stage = sealed_stage(work.ledger, state.run.run_id)
    return SealedOutcome(
        run_id=state.run.run_id,
        status=stage.status if stage else None,
        answered=len(generations(work.ledger, state.run.run_id, part="sealed")),
        items=items,
        reused=reused,
        problem=problem,
    )


def _carry_out(work: _Work, system: System, state: RunState) -> HarnessError | None:
    """What went wrong, or None."""
    try:
        adapter = _intact_adapter(work, state)
        with _stage(work, state) as log:
            if changes := say_changes(state.run, work.progress):
                log.facts["changed_since_start"] = changes
            say_libraries(work.progress)
            from harness.pipeline.execute import execute_sealed

            execute_sealed(work.prepared, system, log, adapter=adapter, answered_with=state.facts)
    except DiskFullError:
        raise
    except HarnessError as failure:
        work.progress.say(f"{system.name} failed: {failure}")
        return failure
    return None


def _intact_adapter(work: _Work, state: RunState) -> Path | None:
    """The adapter that the run answered with; None for a run without one.

    Raises:
        ModelError: Its files are not those that the run recorded.
    """
    adapter = stored_adapter(work.ledger, state.run)
    path, sha256 = (adapter.path, adapter.sha256) if adapter else (None, None)
    if problem := unrecorded_adapter(state.run, adapter) or adapter_problem(work.home, path, sha256):
        raise ModelError(f"run {state.run.run_id}: {problem}")
    return work.home / path if path else None


@contextmanager
def _stage(work: _Work, state: RunState) -> Iterator[RunLog]:
    """Begins the sealed stage of a run, or goes on with it, and ends it in the ledger however it ends.

    Raises:
        StoreBusyError: Another process is at work on the run.
    """
    run_id = state.run.run_id
    with full_disk_explained(work.home), claimed(work.home, run_id) as claim:
        log = SealedLog(
            ledger=work.ledger, run_id=run_id, home=work.home, progress=work.progress, claim=claim, by=work.by
        )
        log.note({"pid": os.getpid()})
        with ended(log):
            yield log
