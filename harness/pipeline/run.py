"""`harness run`: each system of an experiment is fine-tuned if it must be, answers, is scored, and is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.config.experiment import BASE
from harness.config.regression import Suite
from harness.config.system import System
from harness.errors import HarnessError
from harness.evaluation.generate import generate_answers
from harness.evaluation.scorers.score import score_generation
from harness.hashing import new_run_id
from harness.models.chat import template_hash
from harness.models.device import dtype_name
from harness.models.load import LoadedModel
from harness.pipeline.answer import load_base, ready_to_answer
from harness.pipeline.finetune import attach_given_adapter, finetune
from harness.pipeline.prepare import Prepared
from harness.pipeline.recording import RunLog, recorded
from harness.pipeline.regress import Weights, evaluate_suite, weights_of
from harness.provenance import describe_environment
from harness.records.generations import Generation
from harness.records.protocols import Progress
from harness.records.runs import Run, RunState
from harness.store.generations import record_generations
from harness.store.golden import record_golden_set
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import find_run, latest_finished
from harness.store.scores import record_metrics, record_scores


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemOutcome:
    """What became of one system: its run, whether it was there before, and what went wrong if anything did."""

    state: RunState
    reused: bool
    problem: HarnessError | None = None


def run_experiment(
    prepared: Prepared, home: Path, progress: Progress, *, only: Sequence[str] = (), again: bool = False
) -> dict[str, SystemOutcome]:
    """Runs each chosen system; one that fails does not keep the others from running.

    A system with a finished run on the same inputs is not run again.

    Args:
        home: Where the ledger and adapters are; made if it is not there.
        only: Names of systems; empty for all.
        again: Runs also what is finished already.

    Returns:
        By system name, in the experiment's order.

    Raises:
        ConfigError: A name in `only` is not a system.
        StoreError: The ledger cannot be opened or written.
    """
    systems = prepared.experiment.chosen(list(only))
    home = home.resolve()
    ledger = open_ledger(home, create=True)
    record_golden_set(ledger, prepared.golden_set)
    record_metrics(ledger, [scorer.metric for scorer in prepared.scorers])
    outcomes: dict[str, SystemOutcome] = {}
    for number, system in enumerate(systems, start=1):
        progress.say(f"[{number}/{len(systems)}] {system.name}")
        done = latest_finished(ledger, prepared.experiment.name, system.name, prepared.inputs_hash(system))
        if done and not again:
            progress.say(f"finished already as run {done.run.run_id} on the same inputs; --again runs it anew")
            outcomes[system.name] = SystemOutcome(state=done, reused=True)
        else:
            outcomes[system.name] = _run_system(prepared, system, ledger, home, progress)
    if suite := prepared.experiment.regression:
        evaluated = {name: outcome.state.run.run_id for name, outcome in outcomes.items() if outcome.problem is None}
        weights = weights_of(prepared, home, ledger, evaluated)
        if not only or BASE in only:
            for base in _base_runs(prepared, ledger, home, progress):
                outcomes[base.name] = SystemOutcome(state=find_run(ledger, base.run_id), reused=False)
                weights.insert(0, base)
        for name, problem in _evaluate_by_base(prepared, suite, ledger, weights, progress).items():
            outcomes[name] = replace(outcomes[name], problem=problem)
    return outcomes


def _base_runs(prepared: Prepared, ledger: Ledger, home: Path, progress: Progress) -> list[Weights]:
    """The implicit run of each base model: it answers no item, and refers to the base's regression scores."""
    bases: list[Weights] = []
    for inputs_hash, system in prepared.bases().items():
        state = latest_finished(ledger, prepared.experiment.name, BASE, inputs_hash)
        run = state.run if state else _new_run(prepared, system, name=BASE, inputs_hash=inputs_hash)
        if state is None:
            with recorded(run, ledger, home, progress):
                pass
        name = BASE if len(prepared.bases()) == 1 else f"{BASE} ({prepared.sources[system.name].name})"
        bases.append(Weights(name=name, system=system, run_id=run.run_id, adapter=None))
    return bases


def _evaluate_by_base(
    prepared: Prepared, suite: Suite, ledger: Ledger, weights: Sequence[Weights], progress: Progress
) -> dict[str, HarnessError]:
    problems: dict[str, HarnessError] = {}
    for base_hash in prepared.bases():
        of_base = [one for one in weights if prepared.base_hash(one.system) == base_hash]
        problems |= evaluate_suite(prepared, suite, ledger, of_base, progress)
    return problems


def _run_system(prepared: Prepared, system: System, ledger: Ledger, home: Path, progress: Progress) -> SystemOutcome:
    run = _new_run(prepared, system, name=system.name, inputs_hash=prepared.inputs_hash(system))
    problem: HarnessError | None = None
    try:
        with recorded(run, ledger, home, progress) as log:
            loaded = _load_system(prepared, system, log)
            _describe_model(loaded, log)
            _answer_and_score(prepared, system, loaded, log)
    except HarnessError as failure:
        problem = failure
        progress.say(f"{system.name} failed: {failure}")
    return SystemOutcome(state=find_run(ledger, run.run_id), reused=False, problem=problem)


def _load_system(prepared: Prepared, system: System, log: RunLog) -> LoadedModel:
    if system.finetune:
        return finetune(prepared, system, system.finetune, log)
    if system.adapter:
        return attach_given_adapter(prepared, system, system.adapter, log)
    return load_base(prepared, system, log.progress.say)


def _answer_and_score(prepared: Prepared, system: System, loaded: LoadedModel, log: RunLog) -> None:
    items = {item.item_id: item for item in prepared.golden_set.items}
    tokens = {"prompt_tokens": 0, "completion_tokens": 0}
    failed = 0
    started = datetime.now(UTC)
    with log.progress.phase("answering", len(items)) as advance:

        def keep(batch: Sequence[Generation]) -> None:
            nonlocal failed
            record_generations(log.ledger, log.run_id, batch)
            scores = [score for g in batch for score in score_generation(prepared.scorers, items[g.item_id], g)]
            record_scores(log.ledger, log.run_id, scores)
            for generation in batch:
                tokens["prompt_tokens"] += generation.prompt_tokens or 0
                tokens["completion_tokens"] += generation.completion_tokens or 0
                failed += generation.error is not None
            advance(len(batch))

        generate_answers(ready_to_answer(prepared, system, loaded), list(items.values()), keep)
    log.facts |= {**tokens, "failed_items": failed, "generate_s": (datetime.now(UTC) - started).total_seconds()}
    if failed:
        log.progress.say(f"{failed} of {len(items)} items could not be answered: see `harness show {log.run_id}`")


def _new_run(prepared: Prepared, system: System, *, name: str, inputs_hash: str) -> Run:
    source = prepared.sources[system.name]
    training_set, golden_set = prepared.training_set, prepared.golden_set
    provenance = {
        **describe_environment(prepared.experiment.folder),
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


def _describe_model(loaded: LoadedModel, log: RunLog) -> None:
    log.facts |= {
        "device": str(loaded.device),
        "dtype": dtype_name(loaded.dtype),
        "chat_template": loaded.template_name,
        "chat_template_sha256": template_hash(loaded.tokenizer),
    }
