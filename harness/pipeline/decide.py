"""Comparisons read from the ledger; no model, no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.decision.compare import compare
from harness.errors import ComparisonError, StoreError, nearest
from harness.pipeline.prepare import Prepared
from harness.records.estimates import Comparison
from harness.records.runs import RunState
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import find_run, latest_finished, runs
from harness.store.scores import metrics, scores


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonReport:
    """Every comparison of one candidate, by baseline and then metric, with the runs they were read from.

    `runs` maps the name given (a system's or a run id) to the run it stands for; `set_apart` says what could not be
    compared, a sentence each.
    """

    comparisons: tuple[Comparison, ...]
    runs: dict[str, RunState]
    set_apart: tuple[str, ...]


def compare_systems(
    prepared: Prepared, home: Path, *, candidate: str, against: Sequence[str], confidence: float = 0.95
) -> ComparisonReport:
    """Compares a candidate with each baseline on every golden metric that both have.

    Args:
        candidate: A system of the experiment (its latest finished run on the current inputs), or a run id.
        against: The same, one or more.

    Raises:
        ComparisonError: A system has no finished run on the current inputs, or nothing is in common.
        StoreError: There is no ledger, or no such run.
    """
    ledger = open_ledger(home, create=False)
    if candidate in against:
        raise ComparisonError(f'"{candidate}" is on both sides; name another system with --against.')
    found = {name: _find(prepared, ledger, name) for name in (candidate, *against)}
    definitions = metrics(ledger)
    by_run = {name: scores(ledger, state.run.run_id, task="golden") for name, state in found.items()}
    comparisons: list[Comparison] = []
    set_apart: list[str] = []
    for baseline in against:
        common = [
            name
            for name in definitions
            if all(any(score.metric == name for score in by_run[side]) for side in (candidate, baseline))
        ]
        for name in common:
            ours, theirs = ([s for s in by_run[side] if s.metric == name] for side in (candidate, baseline))
            try:
                comparison = compare(
                    definitions[name],
                    ours,
                    theirs,
                    candidate_name=candidate,
                    baseline_name=baseline,
                    confidence=confidence,
                )
            except ComparisonError as nothing_in_common:
                set_apart.append(f"{name} against {baseline}: {nothing_in_common}")
            else:
                comparisons.append(comparison)
    if not comparisons:
        raise ComparisonError("\n".join(["nothing can be compared.", *set_apart]))
    return ComparisonReport(comparisons=tuple(comparisons), runs=found, set_apart=tuple(set_apart))


def _find(prepared: Prepared, ledger: Ledger, name: str) -> RunState:
    experiment = prepared.experiment
    system = experiment.systems.get(name)
    if system is None:
        return _find_run(prepared, ledger, name)
    if state := latest_finished(ledger, experiment.name, name, prepared.inputs_hash(system)):
        return state
    earlier = runs(ledger, experiment=experiment.name, system=name)
    finished = [state for state in earlier if state.status == "finished"]
    if finished:
        why = f"{len(finished)} finished on other inputs (latest: {finished[0].run.run_id})"
    elif earlier:
        reason = earlier[0].reason or "no reason recorded"
        why = f"its latest run {earlier[0].run.run_id} is {earlier[0].status}: {reason}"
    else:
        why = "it has never been run"
    raise ComparisonError(
        f'"{name}" has no finished run on the current inputs: {why}. '
        f"Run `harness run {experiment.folder} --only {name}`, or name a run id in its place."
    )


def _find_run(prepared: Prepared, ledger: Ledger, name: str) -> RunState:
    try:
        state = find_run(ledger, name)
    except StoreError as unknown:
        hint = nearest(name, prepared.experiment.systems)
        raise ComparisonError(
            f'"{name}" is neither a system of {prepared.experiment.name} ({hint}) nor a run id: {unknown}'
        ) from None
    if state.status != "finished":
        raise ComparisonError(f"run {state.run.run_id} is {state.status}; only finished runs are compared.")
    return state
