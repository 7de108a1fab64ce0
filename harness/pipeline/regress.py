"""What fine-tuning cost in general ability: the base and every adapter on the experiment's regression suite.

A suite belongs to weights, not to a run: an evaluation is kept under the hash of everything its numbers depend on, and
a finished run refers to it. One base is loaded, and the adapters are attached to it one after the other.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from harness.config.regression import Suite, SuiteTask
from harness.errors import DiskFullError, HarnessError, ModelError
from harness.evaluation.prefix_lm import PrefixLM
from harness.evaluation.regression import estimate_seconds, evaluate_task, seconds_left
from harness.evaluation.regression_lm import build_lm
from harness.evaluation.regression_scores import evaluation_inputs, scores_of
from harness.evaluation.regression_tasks import RegressionTask, load_task
from harness.models.adapter_folder import adapter_hash
from harness.models.adapters import attach_saved_adapter, detach_adapter
from harness.models.device import dtype_name
from harness.models.load import LoadedModel
from harness.pipeline.answer import load_base
from harness.pipeline.full_disk import full_disk_explained
from harness.pipeline.prepare import Prepared
from harness.pipeline.weights import Weights, unfinished_tasks
from harness.records.protocols import Progress
from harness.records.regression import TimeEstimate
from harness.store.evaluations import open_evaluation, record_results
from harness.store.ledger import Ledger
from harness.store.scores import record_metrics

_LONG_ITEMS = 500  # items left from which the time that they will take is said
_TELLING_S = 20.0  # after so much work


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sweep:
    """What all weights of one base model share."""

    loaded: LoadedModel
    lm: PrefixLM
    ledger: Ledger
    progress: Progress


def evaluate_suite(
    prepared: Prepared, suite: Suite, ledger: Ledger, weights: Sequence[Weights], progress: Progress
) -> dict[str, HarnessError]:
    """Evaluates what is not yet evaluated, in batches: an interrupted suite goes on where it was.

    Batches are the same as without the interruption, and so are the numbers.

    Args:
        prepared: The experiment.
        suite: Its regression suite.
        ledger: Where evaluations are kept.
        weights: Of one base model, device and number format.
        progress: Who is told.

    Returns:
        What went wrong, by system name; the other systems are evaluated all the same.

    Raises:
        DiskFullError: Nothing more can be written.
    """
    waiting = {one.name: unfinished_tasks(suite, ledger, one.run_id) for one in weights}
    if not any(waiting.values()):
        return {}
    problems: dict[str, HarnessError] = {}
    loaded = load_base(prepared, weights[0].system, progress.say)
    tasks = {entry.canonical: load_task(entry) for entries in waiting.values() for entry in entries}
    record_metrics(ledger, [metric for task in tasks.values() for metric in task.metrics])
    # One model class for all: what is asked is encoded, and joined at what it begins with, once.
    sweep = _Sweep(loaded=loaded, lm=build_lm(loaded), ledger=ledger, progress=progress)
    sweep.lm.say = progress.say
    for one in weights:
        try:
            with full_disk_explained(ledger.path.parent):
                if one.adapter:
                    _require_intact(one)
                    attach_saved_adapter(loaded, one.adapter)
                sweep.lm.switch_to(loaded.model)
                for entry in waiting[one.name]:
                    _evaluate(sweep, entry, tasks[entry.canonical], one)
        except DiskFullError:
            raise
        except HarnessError as problem:
            problems[one.name] = problem
            progress.say(f"regression of {one.name} failed: {problem}")
        finally:
            detach_adapter(loaded)
    return problems


def _require_intact(weights: Weights) -> None:
    """What is evaluated is what answered the golden set.

    Raises:
        ModelError: The adapter's files are not those that its run recorded.
    """
    if weights.adapter and weights.sha256 and adapter_hash(weights.adapter) != weights.sha256:
        raise ModelError(
            f"the adapter in {weights.adapter} is not the one that run {weights.run_id} recorded. Put its files back, "
            f"or run {weights.system.name} again with --again."
        )


def measure_suite(prepared: Prepared, suite: Suite, progress: Progress) -> dict[str, TimeEstimate]:
    """Times a few items of each task on the experiment's first base model, and says how long all would take.

    Returns:
        By task; for one set of weights.
    """
    loaded = load_base(prepared, next(iter(prepared.bases().values())), progress.say)
    estimates: dict[str, TimeEstimate] = {}
    for entry in suite.tasks:
        progress.say(f"measuring a few items of {entry.task}")
        estimates[entry.task] = estimate_seconds(build_lm(loaded), load_task(entry))
    return estimates


def _evaluate(sweep: _Sweep, entry: SuiteTask, task: RegressionTask, weights: Weights) -> None:
    lm, progress = sweep.lm, sweep.progress
    inputs = evaluation_inputs(
        task,
        lm,
        weights=sweep.loaded.source.identity,
        adapter_sha256=adapter_hash(weights.adapter) if weights.adapter else None,
        dtype=dtype_name(sweep.loaded.dtype),
    )
    done = open_evaluation(
        sweep.ledger,
        weights.run_id,
        inputs,
        asked=entry.canonical,
        n_items=len(task.items),
        whole_items=task.whole_items,
    )
    left = len(task.items) - len(done)
    part = f"{len(task.items):,} of {task.whole_items:,} items" if task.is_subset else f"all {task.whole_items:,} items"
    there = f", {len(done)} there already" if done else ""
    progress.say(f"{weights.name} on {task.name}, {task.shots}-shot: {part}{there}")
    started, answered, told = time.monotonic(), set(done), left < _LONG_ITEMS
    with progress.phase(task.name, left) as advance:
        for batch in evaluate_task(lm, task, done=done):
            record_results(sweep.ledger, inputs.key, batch, scores_of(task, batch))
            advance(len(batch))
            answered |= {result.item_id for result in batch}
            if not told and (took_s := time.monotonic() - started) >= _TELLING_S:
                told = True
                minutes = seconds_left(lm, task, before=done, done=answered, took_s=took_s) / 60
                progress.say(f"about {minutes:.0f} min left, going by the first {len(answered) - len(done)} items")
