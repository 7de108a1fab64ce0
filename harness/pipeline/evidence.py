"""What the ledger holds of a system, found by the system's name or a run's id; no model, no torch."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from harness.config.experiment import BASE, HUMAN
from harness.config.system import System
from harness.decision.chance import chance_sentence, is_at_chance
from harness.decision.estimate import estimate
from harness.decision.versions import without_items
from harness.errors import ComparisonError, StoreError, nearest
from harness.pipeline.marks import marked_items, marks_sentence, require_marked
from harness.pipeline.prepare import Prepared
from harness.pipeline.ratings import with_ratings
from harness.records.evidence import Evidence
from harness.records.runs import RunState
from harness.records.scores import Metric, Score
from harness.store.artifacts import artifacts
from harness.store.evaluations import StoredEvaluation, evaluation_scores, evaluations
from harness.store.golden import seen_items
from harness.store.ledger import Ledger
from harness.store.overlaps import run_overlaps
from harness.store.runs import find_run, latest_finished, runs
from harness.store.scores import metrics, own_scores

REGRESSION = "regression/"
GOLDEN = "golden/"
BY_CONSTRUCTION = (
    "human answers with the golden references, so what compares with them gives it full marks by construction: only "
    "what experts rate says how far a system is from an expert."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """Which evaluation of a task counts where a run refers to several.

    `asked` are entries of a suite as canonical JSON: what answers one of them counts, else what has most items. `keys`
    of evaluations, where given, are all that counts: another task's evaluations are as if not there.
    """

    asked: Collection[str] = ()
    keys: Collection[str] | None = None


def suite_of(prepared: Prepared) -> Chosen:
    """The evaluations that the experiment's present suite asks for."""
    suite = prepared.experiment.regression
    return Chosen(asked=[task.canonical for task in suite.tasks] if suite else ())


def read_evidence(ledger: Ledger, state: RunState, *, name: str, chosen: Chosen | None = None) -> Evidence:
    """Everything that was scored of a run, probes and ratings included; of each regression task one evaluation.

    Scores of sealed items are not among it.
    """
    definitions = metrics(ledger)
    found = own_scores(ledger, state.run.run_id, part="development")
    read: dict[str, StoredEvaluation] = {}
    for evaluation in _choose(evaluations(ledger, state.run.run_id), chosen or Chosen()):
        of_task = evaluation_scores(ledger, evaluation.key)
        read |= {score.metric: evaluation for score in of_task}
        found += of_task
    by_metric: dict[str, list[Score]] = {}
    for score in found:
        if score.metric in definitions:
            by_metric.setdefault(score.metric, []).append(score)
    evidence = Evidence(
        name=name,
        state=state,
        metrics={metric: definitions[metric] for metric in definitions if metric in by_metric},
        scores=by_metric,
        notes={
            metric: _regression_notes(state, definitions[metric], read[metric], by_metric[metric])
            for metric in by_metric
            if metric in read
        }
        | human_notes(state, by_metric),
        evaluations={metric: evaluation.key for metric, evaluation in read.items()},
        conditions={metric: evaluation.conditions for metric, evaluation in read.items()},
        adapter_sha256=next((artifact.sha256 for artifact in artifacts(ledger, state.run.run_id)), None),
        asked={metric: evaluation.n_items for metric, evaluation in read.items()},
        whole={metric: evaluation.whole_items for metric, evaluation in read.items()},
        seen=seen_items(ledger, state.run.golden_sha256),
    )
    return with_marks(ledger, with_ratings(ledger, evidence, keys=chosen.keys if chosen else None))


def with_marks(ledger: Ledger, evidence: Evidence) -> Evidence:
    """The same evidence with the items marked that the run was allowed to learn, and a note for each metric of them."""
    overlaps = run_overlaps(ledger, evidence.state.run.run_id)
    marked = marked_items(overlaps, evidence.scores)
    if not marked:
        return evidence
    notes = {
        metric: marks_sentence(
            evidence.name, metric, len(items), len({score.item_id for score in evidence.scores[metric]}), overlaps
        )
        for metric, items in marked.items()
    }
    return replace(
        evidence,
        overlapping=marked,
        notes={
            **evidence.notes,
            **{metric: tuple(dict.fromkeys([*evidence.notes.get(metric, ()), said])) for metric, said in notes.items()},
        },
    )


def read_system(prepared: Prepared, ledger: Ledger, name: str, *, candidate: str) -> Evidence:
    """What is stored of the run that a name stands for, and of its runs with other training seeds.

    Scores of items that the experiment's golden set has retired since are left out.

    Args:
        prepared: The experiment.
        ledger: Where runs are.
        name: As for `find_system`.
        candidate: As for `find_system`.

    Raises:
        ComparisonError: The name stands for no finished run.
    """
    chosen = suite_of(prepared)
    state = find_system(prepared, ledger, name, candidate=candidate)
    evidence = read_evidence(ledger, state, name=name, chosen=chosen)
    system = prepared.experiment.systems.get(name)
    others = [
        latest_finished(ledger, prepared.experiment.name, name, prepared.inputs_hash(replicate))
        for replicate in (system.replicates()[1:] if system else ())
    ]
    replicates = tuple(read_evidence(ledger, one, name=name, chosen=chosen) for one in others if one)
    notes = dict(evidence.notes)
    if len(replicates) < len(others):
        missing = f"{name}: {1 + len(replicates)} of {1 + len(others)} training seeds have finished; "
        said = f"{missing}`harness run` goes on."
        notes = {metric: (*evidence.notes.get(metric, ()), said) for metric in evidence.metrics}
    evidence = replace(evidence, replicates=replicates, notes=notes)
    golden_set = prepared.golden_set
    retired = {item.item_id: item.retired or "" for item in golden_set.retired}
    return without_items(evidence, retired, where=f"{golden_set.name} {golden_set.version}") if retired else evidence


def find_system(prepared: Prepared, ledger: Ledger, name: str, *, candidate: str) -> RunState:
    """The finished run that a name stands for.

    Args:
        name: A system of the experiment (its latest finished run on the current inputs), `base` (the candidate's base
            model), `human` (an expert's latest answers to the current golden set), or a run id.
        candidate: The system that is judged: it says which base model `base` is.

    Raises:
        ComparisonError: There is none.
        OverlapError: It learned golden items, and nobody has allowed that.
    """
    experiment = prepared.experiment
    if name == BASE:
        inputs_hash = prepared.base_hash(_system_of(prepared, ledger, candidate))
    elif name in experiment.systems:
        inputs_hash = prepared.inputs_hash(experiment.systems[name])
    elif name == HUMAN:
        inputs_hash = prepared.human_hash()
    else:
        return _find_run(prepared, ledger, name)
    if state := latest_finished(ledger, experiment.name, name, inputs_hash):
        if name in experiment.systems:
            require_marked(prepared, ledger, experiment.systems[name], state)
        return state
    earlier = runs(ledger, experiment=experiment.name, system=name)
    finished = [state for state in earlier if state.status == "finished"]
    if finished:
        run = finished[0].run
        why = f"{len(finished)} finished on other inputs (latest: {run.run_id})"
        if run.golden_sha256 != prepared.golden_set.sha256:
            now = prepared.golden_set.version
            why = f"{len(finished)} finished on other inputs (latest: {run.run_id}, on {run.golden_set} "
            why += f"{run.golden_version}, now {now}; `harness golden diff` shows what changed)"
    elif earlier:
        reason = earlier[0].reason or "no reason recorded"
        why = f"its latest run {earlier[0].run.run_id} is {earlier[0].status}: {reason}"
    else:
        why = "it has never been run"
    raise ComparisonError(
        f'"{name}" has no finished run on the current inputs: {why}. '
        f"Run `harness run {experiment.folder} --only {name}`, or name a run id in its place."
    )


def _system_of(prepared: Prepared, ledger: Ledger, candidate: str) -> System:
    """The system that says which base model `base` is; that of a run id must still have the run's base model."""
    systems = prepared.experiment.systems
    if system := systems.get(candidate):
        return system
    run = _find_run(prepared, ledger, candidate).run
    system, recorded = systems.get(run.system), run.provenance.get("base_model")
    identity = recorded.get("identity") if isinstance(recorded, dict) else None
    if system is None or (identity is not None and identity != prepared.sources[system.name].identity):
        raise ComparisonError(
            f"run {run.run_id} ({run.system}) has another base model than {prepared.experiment.name} names now, so "
            f"`{BASE}` is not its base. Name a run of its own base in the place of `{BASE}`."
        )
    return system


def _choose(found: Sequence[StoredEvaluation], chosen: Chosen) -> list[StoredEvaluation]:
    by_task: dict[str, StoredEvaluation] = {}
    for evaluation in found:
        if chosen.keys is not None and evaluation.key not in chosen.keys:
            continue
        known = by_task.get(evaluation.task)
        if known is None or _rank(evaluation, chosen) > _rank(known, chosen):
            by_task[evaluation.task] = evaluation
    return list(by_task.values())


def _rank(evaluation: StoredEvaluation, chosen: Chosen) -> tuple[bool, int]:
    return evaluation.asked in chosen.asked, evaluation.n_done


def _regression_notes(
    state: RunState, metric: Metric, evaluation: StoredEvaluation, of_metric: Sequence[Score]
) -> list[str]:
    notes: list[str] = []
    task = f"{REGRESSION}{evaluation.task}"
    if evaluation.n_items < evaluation.whole_items:
        notes.append(f"{task} is a subset: {evaluation.n_items:,} of {evaluation.whole_items:,} items.")
    if not evaluation.is_complete:
        notes.append(
            f"{task} of {state.run.system} was interrupted after {evaluation.n_done:,} items: `harness run` goes on."
        )
    tells = metric.chance is not None and any(score.value is not None for score in of_metric)
    if state.run.system == BASE and tells:
        base = estimate(metric, of_metric)
        if is_at_chance(metric, base):
            notes.append(chance_sentence(metric, base))
    return notes


def human_notes(state: RunState, by_metric: Collection[str]) -> dict[str, list[str]]:
    """What is said with golden metrics of a run that answers with the references; empty for any other run."""
    config = state.run.system_config
    if state.run.system != HUMAN or config.get("answers") is not None:
        return {}
    return {metric: [BY_CONSTRUCTION] for metric in by_metric if metric.startswith(GOLDEN)}


def _find_run(prepared: Prepared, ledger: Ledger, name: str) -> RunState:
    try:
        state = find_run(ledger, name)
    except StoreError as unknown:
        hint = nearest(name, [*prepared.experiment.systems, BASE, HUMAN])
        raise ComparisonError(
            f'"{name}" is neither a system of {prepared.experiment.name} ({hint}) nor a run id: {unknown}'
        ) from None
    if state.status != "finished":
        raise ComparisonError(f"run {state.run.run_id} is {state.status}; only finished runs are compared.")
    return state
