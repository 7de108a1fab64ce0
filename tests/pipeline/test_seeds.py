"""Repeated runs: the same system with several training seeds."""

from pathlib import Path

from harness.pipeline.decide import compare_systems
from harness.pipeline.prepare import prepare
from harness.pipeline.run import run_experiment
from harness.records.protocols import Progress
from harness.store.migrate import open_ledger
from harness.store.runs import runs

SEEDS = ("systems.lora.seeds=[1, 2]",)


def test_every_seed_is_a_run_and_the_comparison_carries_their_variance(
    experiment_folder: Path, tmp_path: Path, quiet: Progress
) -> None:
    prepared, home = prepare(experiment_folder, SEEDS), tmp_path / "home"
    outcomes = run_experiment(prepared, home, quiet, only=["zero_shot", "lora"])
    assert list(outcomes) == ["zero_shot", "lora (seed 1)", "lora (seed 2)"]
    stored = runs(open_ledger(home, create=False), system="lora")
    assert sorted(state.run.provenance["seed"] for state in stored) == [1, 2]
    report = compare_systems(prepared, home, candidate="lora", against=["zero_shot"])
    [comparison] = report.comparisons
    assert "2 training seeds" in comparison.test
    assert comparison.n == 6
    assert comparison.p_value is None


def test_a_seed_that_has_not_finished_is_said(experiment_folder: Path, tmp_path: Path, quiet: Progress) -> None:
    home = tmp_path / "home"
    one = prepare(experiment_folder, ("systems.lora.seed=1",))
    run_experiment(one, home, quiet, only=["zero_shot", "lora"])
    report = compare_systems(prepare(experiment_folder, SEEDS), home, candidate="lora", against=["zero_shot"])
    assert any("1 of 2 training seeds have finished" in said for said in report.comparisons[0].warnings)


def test_a_finished_seed_is_not_run_again(experiment_folder: Path, tmp_path: Path, quiet: Progress) -> None:
    home = tmp_path / "home"
    run_experiment(prepare(experiment_folder, ("systems.lora.seed=1",)), home, quiet, only=["lora"])
    outcomes = run_experiment(prepare(experiment_folder, SEEDS), home, quiet, only=["lora"])
    assert [outcome.reused for outcome in outcomes.values()] == [True, False]
