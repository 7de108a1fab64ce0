"""Comparisons read from the ledger; no model, no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config.experiment import BASE
from harness.decision.chance import chance_sentence, is_at_chance
from harness.decision.compare import compare
from harness.decision.estimate import estimate
from harness.decision.flips import StratumFlips, find_flips
from harness.errors import ComparisonError, StoreError, nearest
from harness.pipeline.prepare import Prepared
from harness.records.estimates import Comparison
from harness.records.runs import RunState
from harness.records.scores import Metric, Score
from harness.store.evaluations import evaluations
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import find_run, latest_finished, runs
from harness.store.scores import metrics, scores

REGRESSION = "regression/"


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonReport:
    """Every comparison of one candidate, by baseline and then metric, with the runs they were read from.

    `runs` maps the name given (a system's or a run id) to the run it stands for; `set_apart` says what could not be
    compared, a sentence each. `flips` has the items behind each pass/fail regression metric, by metric and baseline.
    """

    comparisons: tuple[Comparison, ...]
    runs: dict[str, RunState]
    set_apart: tuple[str, ...]
    flips: dict[tuple[str, str], list[StratumFlips]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Evidence:
    """What the ledger holds of one run, by metric, and what must be said of it."""

    name: str
    state: RunState
    scores: dict[str, list[Score]]
    notes: dict[str, list[str]]


def compare_systems(
    prepared: Prepared, home: Path, *, candidate: str, against: Sequence[str], confidence: float = 0.95
) -> ComparisonReport:
    """Compares a candidate with each baseline on every metric that both have; probes are not compared.

    Args:
        candidate: A system of the experiment (its latest finished run on the current inputs), or a run id.
        against: The same, one or more; `base` is the candidate's base model, on regression metrics.

    Raises:
        ComparisonError: A system has no finished run on the current inputs, or nothing is in common.
        StoreError: There is no ledger, or no such run.
    """
    ledger = open_ledger(home, create=False)
    if candidate in against:
        raise ComparisonError(f'"{candidate}" is on both sides; name another system with --against.')
    definitions = metrics(ledger)
    ours = _read(prepared, ledger, candidate, candidate=candidate, definitions=definitions)
    baselines = [_read(prepared, ledger, name, candidate=candidate, definitions=definitions) for name in against]
    comparisons: list[Comparison] = []
    set_apart: list[str] = []
    flips: dict[tuple[str, str], list[StratumFlips]] = {}
    for theirs in baselines:
        for name in [name for name in definitions if name in ours.scores and name in theirs.scores]:
            try:
                comparison = _compare(definitions[name], ours, theirs, confidence)
            except ComparisonError as nothing_in_common:
                set_apart.append(f"{name} against {theirs.name}: {nothing_in_common}")
                continue
            comparisons.append(comparison)
            if name.startswith(REGRESSION) and definitions[name].kind == "binary":
                flips[name, theirs.name] = find_flips(ours.scores[name], theirs.scores[name])
    if not comparisons:
        both = f"{candidate} and {', '.join(against)} have no metric in common. Golden metrics belong to systems that "
        both += f"answer items, regression metrics to `{BASE}` and to systems with an adapter."
        raise ComparisonError("\n".join([f"nothing can be compared: {both}", *set_apart]))
    found = {one.name: one.state for one in (ours, *baselines)}
    return ComparisonReport(comparisons=tuple(comparisons), runs=found, set_apart=tuple(set_apart), flips=flips)


def _compare(metric: Metric, ours: _Evidence, theirs: _Evidence, confidence: float) -> Comparison:
    name = metric.name
    comparison = compare(
        metric,
        ours.scores[name],
        theirs.scores[name],
        candidate_name=ours.name,
        baseline_name=theirs.name,
        confidence=confidence,
    )
    notes = dict.fromkeys([*theirs.notes.get(name, ()), *ours.notes.get(name, ())])
    return replace(comparison, warnings=(*comparison.warnings, *notes))


def _read(
    prepared: Prepared, ledger: Ledger, name: str, *, candidate: str, definitions: dict[str, Metric]
) -> _Evidence:
    state = _find(prepared, ledger, name, candidate)
    by_metric: dict[str, list[Score]] = {}
    for score in scores(ledger, state.run.run_id):
        if score.metric in definitions and score.task != "probe":
            by_metric.setdefault(score.metric, []).append(score)
    notes = {
        metric: regression_notes(ledger, state, definitions[metric], of_metric)
        for metric, of_metric in by_metric.items()
        if metric.startswith(REGRESSION)
    }
    return _Evidence(name=name, state=state, scores=by_metric, notes=notes)


def regression_notes(ledger: Ledger, state: RunState, metric: Metric, of_metric: Sequence[Score]) -> list[str]:
    """What must be said wherever a regression metric of a run is shown: a subset, an interruption, a base at chance."""
    notes: list[str] = []
    task = metric.name.removeprefix(REGRESSION).rpartition("/")[0]
    for evaluation in evaluations(ledger, state.run.run_id):
        if evaluation.task != task:
            continue
        if evaluation.n_items < evaluation.whole_items:
            notes.append(f"{REGRESSION}{task} is a subset: {evaluation.n_items:,} of {evaluation.whole_items:,} items.")
        if not evaluation.is_complete:
            notes.append(
                f"{REGRESSION}{task} of {state.run.system} was interrupted after {evaluation.n_done:,} items: "
                "`harness run` goes on."
            )
    if state.run.system == BASE and any(score.value is not None for score in of_metric):
        base = estimate(metric, of_metric)
        if is_at_chance(metric, base):
            notes.append(chance_sentence(metric, base))
    return notes


def _find(prepared: Prepared, ledger: Ledger, name: str, candidate: str) -> RunState:
    experiment = prepared.experiment
    if name == BASE:
        system = experiment.systems.get(candidate) or next(iter(experiment.systems.values()))
        inputs_hash = prepared.base_hash(system)
    elif name in experiment.systems:
        inputs_hash = prepared.inputs_hash(experiment.systems[name])
    else:
        return _find_run(prepared, ledger, name)
    if state := latest_finished(ledger, experiment.name, name, inputs_hash):
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
        hint = nearest(name, [*prepared.experiment.systems, BASE])
        raise ComparisonError(
            f'"{name}" is neither a system of {prepared.experiment.name} ({hint}) nor a run id: {unknown}'
        ) from None
    if state.status != "finished":
        raise ComparisonError(f"run {state.run.run_id} is {state.status}; only finished runs are compared.")
    return state
