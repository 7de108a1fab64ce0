import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import ConfigError, RegistryError
from harness.pipeline.gate import GateRequest, gate
from harness.pipeline.monitor import monitor, stale_evidence
from harness.pipeline.prepare import Prepared, prepare
from harness.pipeline.registry import PromotionRequest, promote
from harness.pipeline.run import run_experiment
from harness.records.protocols import Progress
from harness.records.verdicts import Verdict
from harness.store.migrate import open_ledger
from harness.store.runs import runs
from harness.store.training_metrics import training_metrics

ALIAS = "colours@production"
POLICY = f"alias: {ALIAS}\nvalid_for_days: 30\ngates:\n  - {{metric: probe/adapter_active, require: true}}\n"


@pytest.fixture
def experiment(experiment_folder: Path) -> Path:
    (experiment_folder / "ship.yaml").write_text(POLICY)
    file = experiment_folder / "experiment.yaml"
    file.write_text(file.read_text().replace("seed: 17\n", "seed: 17\npolicy: ship.yaml\n"))
    return experiment_folder


@pytest.fixture
def promoted(experiment: Path, tmp_path: Path, quiet: Progress) -> tuple[Path, Path, Verdict]:
    """A promoted adapter: the experiment, the home and the verdict."""
    home, prepared = tmp_path / "home", prepare(experiment)
    run_experiment(prepared, home, quiet, only=["lora"])
    verdict = gate(prepared, home, GateRequest(candidate="lora"))
    promote(home, PromotionRequest(alias=ALIAS, run=verdict.run_id, verdict=verdict.verdict_id, by="tests"))
    return experiment, home, verdict


def change_golden_set(experiment: Path) -> Prepared:
    """A new version: the first item asks something else, and one item is new."""
    folder = experiment / "golden_sets" / "colours"
    items = [json.loads(line) for line in (folder / "golden.jsonl").read_text().splitlines()]
    items[0]["input"] = "Name the hue of a ripe cherry."
    items.append({"item_id": "item-7", "input": "Which hue has a ripe lime?", "reference": "Colour: green"})
    (folder / "golden.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    digest = hashlib.sha256((folder / "golden.jsonl").read_bytes()).hexdigest()
    manifest = (folder / "manifest.yaml").read_text().splitlines()
    changed = [f"sha256: {digest}" if line.startswith("sha256:") else line for line in manifest]
    (folder / "manifest.yaml").write_text("\n".join(changed).replace('"1.0.0"', '"1.1.0"') + "\n")
    return prepare(experiment)


def test_what_was_promoted_answers_again_without_training_and_is_compared(
    promoted: tuple[Path, Path, Verdict], quiet: Progress
) -> None:
    experiment, home, verdict = promoted
    drift = monitor(prepare(experiment), home, quiet)
    assert [(one.metric, one.difference, one.n) for one in drift.comparisons] == [("golden/exact_match", 0.0, 6)]
    assert drift.worse == ()
    assert drift.state.run.system == ALIAS
    assert drift.state.run.run_id != verdict.run_id
    ledger = open_ledger(home, create=False)
    assert training_metrics(ledger, drift.state.run.run_id) == []
    assert [state.run.run_id for state in runs(ledger, system="lora")] == [verdict.run_id]


def test_a_new_version_is_compared_on_its_unchanged_items_and_that_is_said(
    promoted: tuple[Path, Path, Verdict], quiet: Progress
) -> None:
    experiment, home, _ = promoted
    drift = monitor(change_golden_set(experiment), home, quiet)
    [comparison] = drift.comparisons
    assert comparison.n == 5
    assert drift.state.run.golden_version == "1.1.0"
    said = " ".join(comparison.warnings)
    assert "answered colours 1.0.0 and now 1.1.0: the 5 items that are the same in both are compared." in said
    assert "Left out: 1 changed (item-1), 1 only in 1.1.0 (item-7)." in said


def test_nothing_promoted_is_an_error_that_says_how_to(experiment: Path, tmp_path: Path, quiet: Progress) -> None:
    home = tmp_path / "home"
    open_ledger(home, create=True)
    with pytest.raises(RegistryError, match="harness promote"):
        monitor(prepare(experiment), home, quiet)


def test_a_policy_without_an_alias_names_nothing_to_monitor(
    experiment_folder: Path, tmp_path: Path, quiet: Progress
) -> None:
    with pytest.raises(ConfigError, match="nothing says what was promoted"):
        monitor(prepare(experiment_folder), tmp_path, quiet)


def test_evidence_older_than_the_policy_allows_is_said(promoted: tuple[Path, Path, Verdict]) -> None:
    experiment, home, verdict = promoted
    policy = prepare(experiment).experiment.policy
    assert stale_evidence(policy, home) is None
    later = verdict.decided_at + timedelta(days=31)
    said = stale_evidence(policy, home, now=later)
    assert said is not None
    assert "31 days old" in said
    assert "--monitor" in said
    assert stale_evidence(policy, home / "elsewhere", now=datetime.now(UTC)) is None


def test_items_that_are_not_answered_any_more_are_drift(promoted: tuple[Path, Path, Verdict], quiet: Progress) -> None:
    experiment, home, _ = promoted
    # Prompts that no longer fit: every item fails, and nothing is left to compare.
    folder = experiment / "golden_sets" / "colours"
    items = [json.loads(line) for line in (folder / "golden.jsonl").read_text().splitlines()]
    drift = monitor(prepare(experiment), home, quiet)
    assert not drift.has_drifted
    lost = replace(drift, unanswered=tuple(item["item_id"] for item in items))
    assert lost.has_drifted
    assert not lost.worse
