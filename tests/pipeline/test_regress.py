from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.pipeline.decide import compare_systems
from harness.pipeline.prepare import prepare
from harness.pipeline.regress import measure_suite
from harness.pipeline.run import run_experiment
from harness.pipeline.show import run_details
from harness.store.evaluations import evaluations
from harness.store.migrate import open_ledger
from harness.store.runs import runs
from harness.store.user_sql import query

SUITE = """\
name: tiny
description: A few items, so that a test is quick.
tasks:
  - {task: mmlu, shots: 0, subset: {items: 40, seed: 1, stratify_by: [subject]}}
  - {task: hellaswag, shots: 0, subset: {items: 8, seed: 1}}
"""


class SilentProgress:
    """Keeps what is said; `stop_after` steps of a bar, the user presses Ctrl-C."""

    def __init__(self, *, stop_in: str | None = None) -> None:
        self.said: list[str] = []
        self.steps: dict[str, int] = {}
        self.stop_in = stop_in

    def say(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def phase(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        def advance(units: int) -> None:
            self.steps[label] = self.steps.get(label, 0) + units
            if label == self.stop_in:
                raise KeyboardInterrupt

        yield advance


@pytest.fixture
def with_suite(experiment_folder: Path) -> Path:
    (experiment_folder / "tiny.yaml").write_text(SUITE)
    text = (experiment_folder / "experiment.yaml").read_text()
    (experiment_folder / "experiment.yaml").write_text(text.replace("seed: 17", "regression: tiny\nseed: 17"))
    return experiment_folder


def test_base_and_adapter_are_evaluated_item_by_item_and_compared(with_suite: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    progress = SilentProgress()
    outcomes = run_experiment(prepare(with_suite), home, progress)
    assert {name: outcome.state.status for name, outcome in outcomes.items()} == dict.fromkeys(
        ["zero_shot", "few_shot", "rag", "lora", "base"], "finished"
    )
    ledger = open_ledger(home, create=False)
    _, counted = query(
        ledger, "SELECT system, metric, count(*) FROM v_scores WHERE task LIKE 'regression/%' GROUP BY ALL ORDER BY ALL"
    )
    assert counted == [
        [system, metric, items]
        for system in ("base", "lora")  # zero_shot, few_shot and rag have the base's weights
        for metric, items in (
            ("regression/hellaswag/acc", 8),
            ("regression/hellaswag/acc_norm", 8),
            ("regression/hellaswag/loglik_per_byte", 8),
            ("regression/mmlu/acc", 40),
        )
    ]
    report = compare_systems(prepare(with_suite), home, candidate="lora", against=["zero_shot", "base"])
    regression = {c.metric: c for c in report.comparisons if c.baseline == "base"}
    assert regression["regression/mmlu/acc"].n == 40
    assert any("subset: 40 of 14,042" in warning for warning in regression["regression/mmlu/acc"].warnings)
    assert any("at chance" in warning for warning in regression["regression/mmlu/acc"].warnings)
    flips = report.flips["regression/mmlu/acc", "base"]
    assert sum(one.n for one in flips) == 40
    comparison = regression["regression/mmlu/acc"]
    assert sum(len(one.lost) for one in flips) == comparison.worse
    assert sum(len(one.gained) for one in flips) == comparison.better
    base = next(state for state in runs(ledger) if state.run.system == "base")
    details = run_details(home, base.run.run_id)
    assert any("at chance" in note for note in details.notes)
    _, lists = query(ledger, "SELECT DISTINCT len(loglikelihoods) FROM v_evaluations")
    assert lists == [[4]]

    again = SilentProgress()
    run_experiment(prepare(with_suite), home, again)
    assert again.steps == {}  # nothing is evaluated twice

    elsewhere = prepare(with_suite, ("name=another",))
    run_experiment(elsewhere, home, again, only=["base"])
    assert again.steps == {}  # nor by another experiment on the same weights
    assert any("40 there already" in text for text in again.said)


def test_an_interrupted_suite_goes_on_where_it_was(with_suite: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(KeyboardInterrupt):
        run_experiment(prepare(with_suite), home, SilentProgress(stop_in="mmlu"), only=["base"])
    ledger = open_ledger(home, create=False)
    (base,) = runs(ledger)
    (begun,) = evaluations(ledger, base.run.run_id)
    assert 0 < begun.n_done < begun.n_items
    notes = run_details(home, base.run.run_id).notes
    assert any(f"interrupted after {begun.n_done} items" in note for note in notes)

    progress = SilentProgress()
    run_experiment(prepare(with_suite), home, progress, only=["base"])
    assert progress.steps == {"mmlu": begun.n_items - begun.n_done, "hellaswag": 8}
    uninterrupted = tmp_path / "uninterrupted"
    run_experiment(prepare(with_suite), uninterrupted, SilentProgress(), only=["base"])
    said = "SELECT item_id, gold, loglikelihoods FROM v_evaluations ORDER BY task, item_id"
    assert query(ledger, said) == query(open_ledger(uninterrupted, create=False), said)


def test_a_suite_added_later_is_evaluated_for_runs_that_finished_before(
    experiment_folder: Path, with_suite: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    text = (with_suite / "experiment.yaml").read_text()
    (with_suite / "experiment.yaml").write_text(text.replace("regression: tiny\n", ""))
    before = run_experiment(prepare(with_suite), home, SilentProgress(), only=["lora"])
    (with_suite / "experiment.yaml").write_text(text)
    after = run_experiment(prepare(with_suite), home, SilentProgress(), only=["lora"])
    assert after["lora"].state.run.run_id == before["lora"].state.run.run_id
    assert {one.task for one in evaluations(open_ledger(home, create=False), after["lora"].state.run.run_id)} == {
        "mmlu",
        "hellaswag",
    }


def test_the_time_of_a_suite_is_measured_before_it_is_begun(with_suite: Path, tmp_path: Path) -> None:
    prepared = prepare(with_suite)
    assert prepared.experiment.regression is not None
    estimates = measure_suite(prepared, prepared.experiment.regression, SilentProgress())
    assert {task: estimate.items for task, estimate in estimates.items()} == {"mmlu": 40, "hellaswag": 8}
    assert all(estimate.seconds > 0 and estimate.measured_items > 0 for estimate in estimates.values())
    assert list(tmp_path.glob("home")) == []  # measuring stores nothing


def test_base_is_no_system_without_a_suite(experiment_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="base"):
        run_experiment(prepare(experiment_folder), tmp_path, SilentProgress(), only=["base"])
    with pytest.raises(ConfigError, match='"qick" is not a suite'):
        prepare(experiment_folder, ("regression=qick",))
