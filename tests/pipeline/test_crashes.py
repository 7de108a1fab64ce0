"""`harness run` in processes of its own that are killed, interrupted, run at once, or run out of room."""

import contextlib
import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.pipeline.prepare import Prepared, prepare
from harness.pipeline.run import run_experiment
from harness.store.claims import is_alive, is_stopped
from harness.store.ledger import Ledger
from harness.store.migrate import LEDGER_NAME, open_ledger
from harness.store.runs import find_run, runs
from harness.store.user_sql import query

SUITE = """\
name: tiny
description: A few items, so that a test is quick.
tasks:
  - {task: mmlu, shots: 0, subset: {items: 64, seed: 1, stratify_by: [subject]}}
"""
# Enough epochs, batches and items that there is time to kill a process among them.
SETTINGS = ("systems.lora.finetune.epochs=8", "systems.lora.finetune.early_stopping_patience=3")
SETTINGS += ("decoding.batch_tokens=150", "regression=tiny")
SYSTEMS = ("lora", "base")
ITEMS = 24

EVERYTHING = {
    "answers": "SELECT item_id, text, prompt_hash FROM v_generations ORDER BY ALL",
    "scores": "SELECT system, metric, item_id, value, status FROM v_scores ORDER BY ALL",
    "suite": "SELECT system, task, item_id, loglikelihoods FROM v_evaluations ORDER BY ALL",
    "curve": "SELECT name, step, value FROM v_training_metrics WHERE name = 'validation_loss' ORDER BY ALL",
    "adapter": "SELECT sha256 FROM v_artifacts",
}
# Run in a fork of a process that has loaded the libraries already, since each would take seconds to load them.
COMMAND = """
import os, resource, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
os.dup2(descriptor, 1)
os.dup2(descriptor, 2)
if limit_bytes:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
os.environ["COLUMNS"] = "200"
sys.argv = ["harness", "run", *arguments]
from harness.cli.main import main
main()
"""
Process = multiprocessing.process.BaseProcess


class Quiet:
    """Keeps what is said, and the units of each bar."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.phases: dict[str, list[int]] = {}

    def say(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def phase(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        yield self.phases.setdefault(label, []).append


class Harness:
    """Starts `harness run` in processes of its own, on one experiment and in one home."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        self.started: list[Process] = []
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["harness.pipeline.execute", "harness.pipeline.regress"])

    def run(self, *options: str, settings: tuple[str, ...] = SETTINGS, limit_bytes: int | None = None) -> Process:
        """Starts the command; what it says goes to a file that `said` reads."""
        arguments = [str(self.folder), *options, *(f"--set={setting}" for setting in settings)]
        arguments += ["--home", str(self.home)]
        names = {"arguments": arguments, "log": str(self._log(len(self.started))), "limit_bytes": limit_bytes}
        process = self._context.Process(target=exec, args=(COMMAND, names))
        process.start()
        self.started.append(process)
        return process

    def said(self, process: Process) -> str:
        return self._log(self.started.index(process)).read_text()

    def wait_for(self, process: Process, sql: str, at_least: int) -> None:
        """Looks into the ledger until a count is reached."""
        ledger = Ledger(self.home / LEDGER_NAME)
        while process.is_alive():
            if ledger.path.exists():
                with ledger.read() as connection:
                    row = connection.execute(sql).fetchone()
                if row and row[0] >= at_least:
                    return
            time.sleep(0.02)
        pytest.fail(f"the process ended before {sql} gave {at_least}:\n{self.said(process)}")

    def kill_when(self, process: Process, sql: str, at_least: int) -> None:
        self.wait_for(process, sql, at_least)
        process.kill()
        assert self.end_of(process) == -signal.SIGKILL, "the process was quicker than the test"

    def end_of(self, process: Process) -> int | None:
        """The exit code of a process, once it has ended; negative for a signal."""
        process.join(timeout=120)
        return process.exitcode

    def _log(self, number: int) -> Path:
        return self.folder.parent / f"said-{number}.txt"


@pytest.fixture
def harness(experiment_folder: Path, tmp_path: Path) -> Iterator[Harness]:
    make_larger(experiment_folder)
    started = Harness(experiment_folder, tmp_path / "home")
    yield started
    for process in started.started:
        process.kill()
        process.join(timeout=30)
        process.close()


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, experiment_writer: Callable[[Path], Path]
) -> dict[str, object]:
    """What the ledger holds of the experiment where nothing interrupted it."""
    folder = experiment_writer(tmp_path_factory.mktemp("undisturbed") / "experiment")
    make_larger(folder)
    home = folder.parent / "home"
    outcomes = run_experiment(prepare(folder, SETTINGS), home, Quiet(), only=SYSTEMS)
    assert [outcome.problem for outcome in outcomes.values()] == [None, None]
    return everything(home)


def make_larger(folder: Path) -> None:
    """Gives the experiment more items and a regression suite."""
    golden = folder / "golden_sets" / "colours" / "golden.jsonl"
    lines = golden.read_text().splitlines()
    items = [
        lines[number % len(lines)]
        .replace('"item-', f'"item-{number:02}-')
        .replace('"input": "', f'"input": "{"Please. " * (number % 5)}Nr {number}: ')
        for number in range(ITEMS)
    ]
    before = hashlib.sha256(golden.read_bytes()).hexdigest()
    golden.write_text("\n".join(items) + "\n")
    manifest = golden.with_name("manifest.yaml")
    manifest.write_text(manifest.read_text().replace(before, hashlib.sha256(golden.read_bytes()).hexdigest()))
    (folder / "tiny.yaml").write_text(SUITE)


def everything(home: Path) -> dict[str, object]:
    """What a comparison reads of a ledger, besides run ids and times."""
    ledger = open_ledger(home, create=False)
    return {name: query(ledger, sql)[1] for name, sql in EVERYTHING.items()}


def prepared_of(harness: Harness) -> Prepared:
    return prepare(harness.folder, SETTINGS)


def test_a_run_that_is_killed_in_training_generation_and_suite_ends_as_if_it_had_not_been(
    harness: Harness, undisturbed: dict[str, object]
) -> None:
    only = [f"--only={system}" for system in SYSTEMS]
    first = harness.run(*only)
    harness.kill_when(first, "SELECT count(*) FROM training_metrics WHERE name = 'validation_loss'", 3)
    ledger = open_ledger(harness.home, create=False)
    (begun,) = runs(ledger)
    assert begun.status == "running"
    assert is_stopped(harness.home, begun)

    second = harness.run(*only, "--resume")
    harness.kill_when(second, "SELECT count(*) FROM generations", 3)
    assert "going on from checkpoint-" in harness.said(second)

    third = harness.run(*only, "--resume")
    harness.kill_when(third, "SELECT count(*) FROM evaluation_items", 1)
    said = harness.said(third)
    assert "checkpoint" not in said
    assert "probe" not in said
    (stored,) = query(ledger, "SELECT count(*) FROM evaluation_items")[1]

    progress = Quiet()
    outcomes = run_experiment(prepared_of(harness), harness.home, progress, only=SYSTEMS, begin="resume")
    assert outcomes["lora"].reused  # it had finished before its suite was begun
    assert sum(progress.phases["mmlu"]) == 2 * 64 - stored[0]
    assert everything(harness.home) == undisturbed
    lora = find_run(ledger, begun.run.run_id)
    assert (lora.status, lora.facts["resumed"]) == ("finished", 2)
    assert lora.facts["wall_s"] > lora.facts["train_s"] > 0  # type: ignore[operator]
    assert len(runs(ledger)) == 2  # no run besides lora and base, however often it was begun


def test_a_training_that_is_killed_in_its_second_stage_ends_as_if_it_had_not_been(harness: Harness) -> None:
    records = (harness.folder / "train.jsonl").read_text()
    (harness.folder / "general.jsonl").write_text(records.replace("colour", "hue"))
    stages = "[{path: general.jsonl, share: 0.5, epochs: 2}, {path: train.jsonl, replay: 0.2}]"
    settings = (f"training_set={stages}", "systems.lora.finetune.epochs=6")
    first = harness.run("--only=lora", settings=settings)
    harness.kill_when(first, "SELECT count(*) FROM training_metrics WHERE name = 'validation_loss'", 4)

    prepared, progress = prepare(harness.folder, settings), Quiet()
    (resumed,) = run_experiment(prepared, harness.home, progress, only=["lora"], begin="resume").values()
    assert "1 of 2 stages is done" in progress.said
    assert any("going on from checkpoint-" in said for said in progress.said)
    assert "fine-tuning, stage 1 of 2" not in progress.phases
    other = harness.home.with_name("undisturbed")
    (undisturbed,) = run_experiment(prepared, other, Quiet(), only=["lora"]).values()
    assert everything(harness.home) == everything(other)
    for fact in ("steps", "epochs", "best_epoch", "best_validation_loss", "train_records", "train_tokens"):
        assert resumed.state.facts[fact] == undisturbed.state.facts[fact]


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(harness: Harness, undisturbed: dict[str, object]) -> None:
    process = harness.run("--only", "lora")
    harness.wait_for(process, "SELECT count(*) FROM training_metrics WHERE name = 'validation_loss'", 1)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)  # impatient
    assert harness.end_of(process) == 130
    said = harness.said(process)
    settings = " ".join(f"--set {setting}" for setting in SETTINGS)
    command = f"harness run {harness.folder} --only lora {settings} --home {harness.home} --resume"
    assert f"stopped. What was finished is kept. Go on with: {command}\n" in said
    assert "Traceback" not in said
    (state,) = runs(open_ledger(harness.home, create=False))
    assert state.status in {"interrupted", "running"}  # the second may come just before the end is stored
    assert not is_alive(harness.home, state.run.run_id)
    outcomes = run_experiment(prepared_of(harness), harness.home, Quiet(), only=["lora"], begin="resume")
    assert outcomes["lora"].state.run.run_id == state.run.run_id
    assert everything(harness.home)["adapter"] == undisturbed["adapter"]


@pytest.mark.parametrize(
    ("system", "rank", "limit_bytes"),
    [
        ("lora", 2048, 12_000_000),  # the optimizer's state does not fit
        ("lora", 4096, 12_000_000),  # nor do the weights
        ("zero_shot", 4, 20_000),  # nor does what the ledger writes
    ],
)
def test_a_full_disk_is_one_message_and_leaves_a_store_that_opens(
    system: str, rank: int, limit_bytes: int, harness: Harness
) -> None:
    settings = ("decoding.batch_tokens=150", "systems.lora.finetune.epochs=1")
    settings += (f"systems.lora.finetune.adapter.r={rank}",)
    ledger = open_ledger(harness.home, create=True)
    process = harness.run("--only", system, settings=settings, limit_bytes=limit_bytes)
    assert harness.end_of(process) == 1
    said = harness.said(process)
    assert "Traceback" not in said
    assert f"error: {harness.home}: nothing more can be written: " in said
    assert "MB are free" in said
    assert "Everything stored before is intact" in said
    assert said.rstrip().endswith("--resume")
    begun = runs(ledger)
    assert [state.status for state in begun] in (["failed"], ["running"], [])
    outcomes = run_experiment(prepare(harness.folder, settings), harness.home, Quiet(), only=[system], begin="resume")
    assert outcomes[system].state.status == "finished"
    assert not begun or outcomes[system].state.run == begun[0].run


def test_two_commands_and_a_reader_work_side_by_side(harness: Harness, undisturbed: dict[str, object]) -> None:
    both = [harness.run("--only", "lora", "--only", "base") for _ in range(2)]
    ledger = Ledger(harness.home / LEDGER_NAME)
    looked = 0
    while any(process.is_alive() for process in both):
        if ledger.path.exists():
            looked += query(ledger, "SELECT count(*) FROM v_scores")[1] != []
        time.sleep(0.02)
    assert [harness.end_of(process) for process in both] == [0, 0], [harness.said(process) for process in both]
    assert looked > 10
    states = runs(ledger, system="lora")
    assert [state.status for state in states] == ["finished", "finished"]
    found = everything(harness.home)
    for name in ("answers", "adapter", "curve"):
        once = undisturbed[name]
        assert isinstance(once, list)
        assert found[name] == sorted([*once, *once])


def test_finished_work_loads_no_model_library(harness: Harness) -> None:
    run_experiment(prepared_of(harness), harness.home, Quiet(), only=["zero_shot", "base"])
    script = (
        "import sys\nfrom harness.cli.main import main\n"
        "try:\n    main()\nfinally:\n"
        "    assert not {'torch', 'transformers', 'peft', 'lm_eval'} & set(sys.modules)\n"
    )
    arguments = ["run", str(harness.folder), "--only=zero_shot", "--only=base", "--home", str(harness.home)]
    arguments += [f"--set={setting}" for setting in SETTINGS]
    for begin in ([], ["--resume"]):
        command = [sys.executable, "-c", script, *arguments, *begin]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "there already" in done.stdout
