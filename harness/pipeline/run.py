"""`harness run`: each system of an experiment is fine-tuned if it must be, answers, is scored, and is recorded.

Libraries that load models are imported only where something is left to do.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from harness.config.experiment import BASE
from harness.config.regression import Suite
from harness.config.system import System
from harness.errors import DiskFullError, HarnessError
from harness.hashing import new_run_id
from harness.pipeline.full_disk import full_disk_explained
from harness.pipeline.overlap import Guarded, guard
from harness.pipeline.prepare import Prepared
from harness.pipeline.recording import recorded
from harness.pipeline.resume import describe_unfinished, say_changes, unfinished_run
from harness.pipeline.stages import describe_training_sets, plan_stages
from harness.pipeline.weights import Weights, unfinished_tasks, weights_of
from harness.provenance import describe_environment
from harness.records.overlaps import Allowance
from harness.records.protocols import Progress
from harness.records.runs import Run, RunState
from harness.store.claims import is_alive
from harness.store.golden import record_golden_set
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import find_run, latest_finished
from harness.store.scores import record_metrics

Begin = Literal["missing", "again", "resume"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemOutcome:
    """What became of one system: its run, whether it was there before, and what went wrong if anything did."""

    state: RunState
    reused: bool
    problem: HarnessError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """What all systems of one command share."""

    prepared: Prepared
    ledger: Ledger
    home: Path
    progress: Progress
    begin: Begin
    guarded: Guarded = field(default_factory=Guarded)


def run_experiment(
    prepared: Prepared,
    home: Path,
    progress: Progress,
    *,
    only: Sequence[str] = (),
    begin: Begin = "missing",
    allowance: Allowance | None = None,
) -> dict[str, SystemOutcome]:
    """Runs each chosen system; one that fails does not keep the others from running.

    A system with a finished run on the same inputs is not run again. A regression suite goes on where it was.

    Args:
        prepared: The experiment.
        home: Where the ledger and adapters are; made if it is not there.
        progress: Who is told.
        only: Names of systems; empty for all.
        begin: Which runs begin anew: those of systems that have no finished run (`missing`), all (`again`), or only
            those of systems without a run to go on with (`resume`).
        allowance: Who lets training records be learned that stand in what is scored, and why. Each run that learns
            them, finished ones on the same inputs too, has it recorded.

    Returns:
        By system name (with its seed, where a system has several), in the experiment's order.

    Raises:
        ConfigError: A name in `only` is not a system.
        OverlapError: A training record stands in the golden set or the regression suite, and nobody allowed it.
        DataError: A training has nothing to learn from or to validate on.
        DiskFullError: Nothing more can be written.
        StoreError: The ledger cannot be opened or written.
    """
    systems = prepared.experiment.chosen(list(only))
    guarded = guard(prepared, systems, allowance=allowance)
    for system in systems:
        if system.finetune:
            plan_stages(prepared, system, system.finetune)  # what cannot be drawn is known before any model is loaded
    home = home.resolve()
    with full_disk_explained(home):
        ledger = open_ledger(home, create=True)
        work = _Work(prepared=prepared, ledger=ledger, home=home, progress=progress, begin=begin, guarded=guarded)
        record_golden_set(ledger, prepared.golden_set)
        record_metrics(ledger, [scorer.metric for scorer in prepared.scorers])
        outcomes: dict[str, SystemOutcome] = {}
        replicates = {label_of(system, one): one for system in systems for one in system.replicates()}
        for number, (label, system) in enumerate(replicates.items(), start=1):
            progress.say(f"[{number}/{len(replicates)}] {label}")
            outcomes[label] = _run_system(work, system)
        if suite := prepared.experiment.regression:
            finished = {label: one.state.run.run_id for label, one in outcomes.items() if one.problem is None}
            weights = weights_of(replicates, home, ledger, finished)
            if not only or BASE in only:
                for base in _base_runs(work):
                    outcomes[base.name] = SystemOutcome(state=find_run(ledger, base.run_id), reused=False)
                    weights.insert(0, base)
            for name, problem in _evaluate_by_base(work, suite, weights).items():
                outcomes[name] = replace(outcomes[name], problem=problem)
    return outcomes


def run_anew(prepared: Prepared, system: System, home: Path, progress: Progress, *, name: str) -> SystemOutcome:
    """Runs one system, whatever has been run before, and evaluates its adapter on the experiment's suite.

    Args:
        prepared: The experiment; its `sources` know the system's base model.
        system: What answers.
        home: Where the ledger is.
        progress: Who is told.
        name: What the run is recorded as.

    Raises:
        DiskFullError: Nothing more can be written.
        StoreError: The ledger cannot be opened or written.
    """
    home = home.resolve()
    with full_disk_explained(home):
        ledger = open_ledger(home, create=True)
        work = _Work(prepared=prepared, ledger=ledger, home=home, progress=progress, begin="again")
        record_golden_set(ledger, prepared.golden_set)
        record_metrics(ledger, [scorer.metric for scorer in prepared.scorers])
        run = _new_run(prepared, system, name=name, inputs_hash=prepared.inputs_hash(system))
        outcome = _carry_out(work, system, run)
        if outcome.problem is None and (suite := prepared.experiment.regression):
            weights = weights_of({name: system}, home, ledger, {name: run.run_id})
            problems = _evaluate(work, suite, weights)
            outcome = replace(outcome, problem=problems.get(name))
    return outcome


def label_of(system: System, replicate: System) -> str:
    """The system's name, with its training seed where it has several."""
    return f"{system.name} (seed {replicate.seed})" if len(system.replicates()) > 1 else system.name


def _run_system(work: _Work, system: System) -> SystemOutcome:
    prepared, ledger, say = work.prepared, work.ledger, work.progress.say
    inputs_hash = prepared.inputs_hash(system)
    done = latest_finished(ledger, prepared.experiment.name, system.name, inputs_hash)
    begun = unfinished_run(ledger, prepared.experiment.name, system.name, inputs_hash)
    if begun and work.begin == "resume":
        return _carry_out(work, system, begun.run, earlier=begun)
    if done and work.begin != "again":
        say(f"finished already as run {done.run.run_id} on the same inputs; --again runs it anew")
        _mark(work, system, done.run.run_id)
        return SystemOutcome(state=done, reused=True)
    if begun:
        say(f"{describe_unfinished(work.home, begun)} This is a new run")
    elif work.begin == "resume":
        say("no run on these inputs to go on with: this is a new one")
    return _carry_out(work, system, _new_run(prepared, system, name=system.name, inputs_hash=inputs_hash))


def _carry_out(work: _Work, system: System, run: Run, *, earlier: RunState | None = None) -> SystemOutcome:
    problem: HarnessError | None = None
    is_begun = earlier is not None
    try:
        with recorded(run, work.ledger, work.home, work.progress, earlier=earlier) as log:
            is_begun = True
            _mark(work, system, run.run_id)
            if earlier:
                work.progress.say(f"going on with run {run.run_id}")
                if changes := say_changes(run, work.progress):
                    log.facts["changed_since_start"] = changes
            say_libraries(work.progress)
            from harness.pipeline.execute import execute

            execute(work.prepared, system, log)
    except DiskFullError:
        raise
    except HarnessError as failure:
        if not is_begun:
            raise
        problem = failure
        work.progress.say(f"{system.name} failed: {failure}")
    return SystemOutcome(state=find_run(work.ledger, run.run_id), reused=False, problem=problem)


def _mark(work: _Work, system: System, run_id: str) -> None:
    """Before anything is learned: what a run learns of what is scored is on record, however the run ends."""
    if marked := work.guarded.record(work.ledger, work.prepared, system, run_id):
        pairs = "pairs of a record and an item" if marked != 1 else "pair of a record and an item"
        work.progress.say(f"run {run_id}: {marked} {pairs} overlap, as allowed; the items are marked")


def _base_runs(work: _Work) -> list[Weights]:
    """The implicit run of each base model: it answers no item, and refers to the base's regression scores."""
    bases: list[Weights] = []
    prepared, ledger, experiment = work.prepared, work.ledger, work.prepared.experiment.name
    for inputs_hash, system in prepared.bases().items():
        state = latest_finished(ledger, experiment, BASE, inputs_hash)
        if state is None:
            begun = unfinished_run(ledger, experiment, BASE, inputs_hash)
            if begun and is_alive(work.home, begun.run.run_id):
                begun = None
            run = begun.run if begun else _new_run(prepared, system, name=BASE, inputs_hash=inputs_hash)
            with recorded(run, ledger, work.home, work.progress, earlier=begun):
                pass
        else:
            run = state.run
        name = BASE if len(prepared.bases()) == 1 else f"{BASE} ({prepared.sources[system.name].name})"
        bases.append(Weights(name=name, system=system, run_id=run.run_id, adapter=None))
    return bases


def _evaluate_by_base(work: _Work, suite: Suite, weights: Sequence[Weights]) -> dict[str, HarnessError]:
    problems: dict[str, HarnessError] = {}
    for base_hash in work.prepared.bases():
        problems |= _evaluate(work, suite, [one for one in weights if work.prepared.base_hash(one.system) == base_hash])
    return problems


def _evaluate(work: _Work, suite: Suite, weights: Sequence[Weights]) -> dict[str, HarnessError]:
    """What went wrong, by name; `weights` are of one base model."""
    if not any(unfinished_tasks(suite, work.ledger, one.run_id) for one in weights):
        return {}
    say_libraries(work.progress)
    from harness.pipeline.regress import evaluate_suite

    return evaluate_suite(work.prepared, suite, work.ledger, weights, work.progress)


def say_libraries(progress: Progress) -> None:
    """Says why nothing happens for some seconds, where libraries are not loaded yet."""
    if "torch" not in sys.modules:
        progress.say("loading libraries")


def _new_run(prepared: Prepared, system: System, *, name: str, inputs_hash: str) -> Run:
    source = prepared.sources[system.name]
    training_set, golden_set = prepared.training_set, prepared.golden_set
    provenance = {
        **describe_environment(prepared.experiment.folder),
        "experiment_folder": str(prepared.experiment.folder),
        "base_model": {
            "name": source.name,
            "kind": source.kind,
            "identity": source.identity,
            "licence": source.licence,
            "note": source.note,
        },
        "question": prepared.experiment.question,
        "golden_sha256": golden_set.sha256,
        "training_sha256": training_set.sha256 if training_set and system.reads_training_set else None,
        "training_sets": describe_training_sets(prepared, system),
        "seed": system.seed,
    }
    return Run(
        run_id=new_run_id(),
        experiment=prepared.experiment.name,
        experiment_id=prepared.experiment.experiment_id,
        system=name,
        inputs_hash=inputs_hash,
        golden_set=golden_set.name,
        golden_version=golden_set.version,
        golden_sha256=golden_set.sha256,
        system_config=system.model_dump(mode="json"),
        provenance=provenance,
        started_at=datetime.now(UTC),
    )
