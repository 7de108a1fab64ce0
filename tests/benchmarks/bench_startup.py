"""What a user waits for around the arithmetic: the first scored item, a finished run again, compare and gate.

The ledger it makes holds two full suites (24,084 items each, real item ids, made-up scores) for the shipped experiment.
"""

import contextlib
import gc
import io
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.config.experiment import BASE
from harness.config.policy import Policy
from harness.evaluation.regression_scores import scores_of
from harness.evaluation.regression_tasks import RegressionTask, load_task
from harness.pipeline.decide import compare_systems
from harness.pipeline.gate import GateRequest, gate
from harness.pipeline.prepare import Prepared, prepare
from harness.records.regression import Engine, EvaluationInputs, ItemResult
from harness.records.runs import Run, RunEvent
from harness.records.scores import Score
from harness.store.evaluations import open_evaluation, record_results
from harness.store.golden import record_golden_set
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import append_event, start_run
from harness.store.scores import record_metrics, record_scores

EXPERIMENT = Path(__file__).parents[2] / "suites" / "experiments" / "icd10_coding"
FULL = ("regression=full",)
SYSTEM = "zero_shot"
GATES = [
    {"metric": "regression/mmlu/acc", "test": "noninferiority", "against": [BASE], "margin": 0.05},
    {"metric": "regression/hellaswag/acc_norm", "test": "noninferiority", "against": [BASE], "margin": 0.05},
]
PER_SUBJECT = {**GATES[0], "slices": {"by": "subject"}}
# Prints the seconds from the start of the process to the first item that is scored and stored.
FIRST_ITEM = """
import sys, time, psutil
from contextlib import contextmanager
from pathlib import Path
from harness.pipeline.prepare import prepare
from harness.pipeline.run import run_experiment
class Progress:
    def say(self, text): pass
    @contextmanager
    def phase(self, label, total):
        def advance(units):
            print(time.time() - psutil.Process().create_time())
            raise KeyboardInterrupt
        yield advance
try:
    run_experiment(prepare(Path(sys.argv[1]), tuple(sys.argv[4:])), Path(sys.argv[2]), Progress(), only=[sys.argv[3]])
except KeyboardInterrupt:
    pass
"""


def main() -> None:
    """Prints one row a wait."""
    gc.set_threshold(100_000)  # as the command line does
    print("| what | seconds | asked for |\n| --- | --- | --- |")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        _row("process start to the first answered golden item", _first_item(Path(folder) / "a", SYSTEM), 15)
        _row("process start to the first scored suite items", _first_item(Path(folder) / "b", BASE, *FULL), 15)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        prepared = prepare(EXPERIMENT, FULL)
        ledger = open_ledger(home, create=True)
        stored_s = _store(prepared, ledger)
        _row("24,084 results with 44,168 scores stored in bulk", stored_s, 1)
        again = [sys.executable, "-m", "harness", "run", str(EXPERIMENT), "--home", str(home)]
        again += ["--only", SYSTEM, "--only", BASE, "--set", FULL[0]]
        _row(
            "a finished run again, whole process",
            _timed(lambda: subprocess.run(again, check=True, capture_output=True)),
            3,
        )
        for gates, words in (
            (GATES, "two gates"),
            ([PER_SUBJECT, *GATES], "two gates and one for each of 57 subjects"),
        ):
            _row(f"compare and {words}, two full suites", _timed(lambda gates=gates: _decide(prepared, home, gates)), 2)


def _decide(prepared: Prepared, home: Path, gates: list[dict[str, object]]) -> None:
    compare_systems(prepared, home, candidate=SYSTEM, against=[BASE])
    gate(prepared, home, GateRequest(candidate=SYSTEM, policy=Policy.model_validate({"name": "bench", "gates": gates})))


def _first_item(home: Path, system: str, *changes: str) -> float:
    command = [sys.executable, "-c", FIRST_ITEM, str(EXPERIMENT), str(home), system, *changes]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def _store(prepared: Prepared, ledger: Ledger) -> float:
    """Two finished runs that answered everything and have full suites; seconds for one suite's results and scores."""
    record_golden_set(ledger, prepared.golden_set)
    record_metrics(ledger, [scorer.metric for scorer in prepared.scorers])
    suite = prepared.experiment.regression
    assert suite is not None
    tasks = {entry.canonical: load_task(entry) for entry in suite.tasks}
    record_metrics(ledger, [metric for task in tasks.values() for metric in task.metrics])
    took_s = 0.0
    for number, name in enumerate((SYSTEM, BASE)):
        run = _run(prepared, name, number)
        start_run(ledger, run)
        record_scores(ledger, run.run_id, _golden_scores(prepared))
        for asked, task in tasks.items():
            results = _results(task, seed=number)
            took_s += _timed(
                lambda run=run, asked=asked, task=task, results=results: _keep(ledger, run, asked, task, results)
            )
        append_event(ledger, RunEvent(run_id=run.run_id, status="finished", at=run.started_at, reason=None, facts={}))
    return took_s / 2


def _keep(ledger: Ledger, run: Run, asked: str, task: RegressionTask, results: list[ItemResult]) -> None:
    inputs = EvaluationInputs(
        weights="w" * 64,
        adapter_sha256=None if run.system == BASE else "a" * 64,
        task=task.name,
        shots=task.shots,
        template_sha256=task.template_sha256,
        items_sha256=task.items_sha256,
        dtype="bfloat16",
        engine=Engine(name="harness-prefix", version="1"),
    )
    open_evaluation(ledger, run.run_id, inputs, asked=asked, n_items=len(results), whole_items=task.whole_items)
    record_results(ledger, inputs.key, results, scores_of(task, results))


def _golden_scores(prepared: Prepared) -> list[Score]:
    metrics = [scorer.metric.name.removeprefix("golden/") for scorer in prepared.scorers]
    return [
        Score(task="golden", item_id=item.item_id, item_hash=item.item_hash, scorer=name, value=1.0)
        for item in prepared.golden_set.items
        for name in metrics
    ]


def _results(task: RegressionTask, *, seed: int) -> list[ItemResult]:
    draw = random.Random(seed)
    names = [metric.name.rsplit("/", 1)[1] for metric in task.metrics]
    return [
        ItemResult(
            item_id=item.item_id,
            item_hash=item.item_hash,
            stratum=item.stratum,
            group=item.group,
            gold=1,
            loglikelihoods=(-1.0, -2.0, -3.0, -4.0),
            greedy=(True, False, False, False),
            option_chars=(1, 1, 1, 1),
            option_bytes=(2, 2, 2, 2),
            values={name: -draw.random() if "loglik" in name else float(draw.random() < 0.5) for name in names},
            doc_hash="d" * 64,
            prompt_hash="p" * 64,
            target_hash="t" * 64,
        )
        for item in task.items
    ]


def _run(prepared: Prepared, name: str, number: int) -> Run:
    system = prepared.experiment.systems[SYSTEM]
    return Run(
        run_id=f"20261121-09000{number}-aaaaaa",
        experiment=prepared.experiment.name,
        experiment_id=prepared.experiment.experiment_id,
        system=name,
        inputs_hash=prepared.base_hash(system) if name == BASE else prepared.inputs_hash(system),
        golden_set=prepared.golden_set.name,
        golden_version=prepared.golden_set.version,
        golden_sha256=prepared.golden_set.sha256,
        system_config=system.model_dump(mode="json"),
        provenance={},
        started_at=datetime(2026, 11, 21, 9, 0, tzinfo=UTC) + timedelta(minutes=number),
    )


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        work()
    return time.perf_counter() - started


def _row(what: str, seconds: float, asked_for: float) -> None:
    print(f"| {what} | {seconds:.2f} | under {asked_for:g} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
