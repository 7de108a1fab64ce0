"""What the ledger holds of a system, found by the system's name or a run's id; no model, no torch."""

from collections.abc import Sequence

from harness.config.experiment import BASE
from harness.decision.chance import chance_sentence, is_at_chance
from harness.decision.estimate import estimate
from harness.errors import ComparisonError, StoreError, nearest
from harness.pipeline.prepare import Prepared
from harness.records.evidence import Evidence
from harness.records.runs import RunState
from harness.records.scores import Metric, Score
from harness.store.evaluations import evaluations
from harness.store.ledger import Ledger
from harness.store.runs import find_run, latest_finished, runs
from harness.store.scores import metrics, scores

REGRESSION = "regression/"


def read_evidence(ledger: Ledger, state: RunState, *, name: str) -> Evidence:
    """Everything that was scored of a run, probes included."""
    definitions = metrics(ledger)
    by_metric: dict[str, list[Score]] = {}
    for score in scores(ledger, state.run.run_id):
        if score.metric in definitions:
            by_metric.setdefault(score.metric, []).append(score)
    return Evidence(
        name=name,
        state=state,
        metrics={metric: definitions[metric] for metric in definitions if metric in by_metric},
        scores=by_metric,
        notes={
            metric: _regression_notes(ledger, state, definitions[metric], of_metric)
            for metric, of_metric in by_metric.items()
            if metric.startswith(REGRESSION)
        },
    )


def find_system(prepared: Prepared, ledger: Ledger, name: str, *, candidate: str) -> RunState:
    """The finished run that a name stands for.

    Args:
        name: A system of the experiment (its latest finished run on the current inputs), `base` (the candidate's base
            model), or a run id.
        candidate: The system that is judged: it says which base model `base` is.

    Raises:
        ComparisonError: There is none.
    """
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


def _regression_notes(ledger: Ledger, state: RunState, metric: Metric, of_metric: Sequence[Score]) -> list[str]:
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
