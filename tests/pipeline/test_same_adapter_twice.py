"""A/A: the same adapter asked twice, and in two orders of generation, must not come out as different."""

from pathlib import Path

import pytest

from harness.pipeline.decide import ComparisonReport, compare_systems
from harness.pipeline.prepare import prepare
from harness.pipeline.run import run_experiment
from harness.records.protocols import Progress
from harness.store.artifacts import artifacts
from harness.store.migrate import open_ledger


@pytest.fixture(scope="module")
def report(experiment_writer, tmp_path_factory: pytest.TempPathFactory, quiet: Progress) -> ComparisonReport:
    folder = experiment_writer(tmp_path_factory.mktemp("twice") / "experiment")
    home = folder.parent / "home"
    trained = run_experiment(prepare(folder), home, quiet, only=["lora"])["lora"].state.run.run_id
    ledger = open_ledger(home, create=False)
    (artifact,) = artifacts(ledger, trained)
    adapter = home / artifact.path
    with Path(folder / "experiment.yaml").open("a") as file:
        file.write(f"  again: {{adapter: {adapter}}}\n")
        file.write(f"  other_order: {{adapter: {adapter}, decoding: {{batch_tokens: 1}}}}\n")
    prepared = prepare(folder)
    run_experiment(prepared, home, quiet, only=["again", "other_order"])
    return compare_systems(prepared, home, candidate="again", against=["lora", "other_order"])


def test_no_metric_differs(report: ComparisonReport) -> None:
    assert {one.baseline for one in report.comparisons} == {"lora", "other_order"}
    for one in report.comparisons:
        assert (one.difference, one.better, one.worse) == (0.0, 0, 0)
        assert one.ci_low is not None
        assert one.ci_high is not None
        assert one.ci_low < 0 < one.ci_high


def test_the_interval_is_not_zero_wide_though_nothing_differs(report: ComparisonReport) -> None:
    assert all((one.ci_high or 0.0) - (one.ci_low or 0.0) > 0.1 for one in report.comparisons)
