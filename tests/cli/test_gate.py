import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from junitparser import JUnitXml

from harness.assets import shipped
from harness.cli.main import app, main
from harness.pipeline.prepare import prepare
from harness.records.runs import Run, RunEvent
from harness.records.scores import Metric, Score
from harness.store.golden import record_golden_set
from harness.store.migrate import open_ledger
from harness.store.runs import append_event, start_run
from harness.store.scores import record_metrics, record_scores

EXACT = "golden/exact_match"
Gate = Callable[..., tuple[int, str, str]]


@pytest.fixture
def gate(
    experiment_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Gate:
    """Gates a candidate that answered 6 of 6 items right, by a limit; gives exit code, standard output and error."""
    prepared, home = prepare(experiment_folder), tmp_path / "home"
    ledger = open_ledger(home, create=True)
    record_golden_set(ledger, prepared.golden_set)
    record_metrics(ledger, [Metric(name=EXACT, kind="binary")])
    run = Run(
        run_id="run-lora",
        experiment="colours",
        experiment_id="e",
        system="lora",
        inputs_hash=prepared.inputs_hash(prepared.experiment.systems["lora"]),
        golden_set="colours",
        golden_version="1.0.0",
        golden_sha256=prepared.golden_set.sha256,
        system_config={"finetune": {"epochs": 3}, "seed": 17},
        provenance={},
        started_at=datetime(2026, 11, 21, tzinfo=UTC),
    )
    start_run(ledger, run)
    items = prepared.golden_set.items
    record_scores(
        ledger,
        run.run_id,
        [
            Score(task="golden", item_id=item.item_id, item_hash=item.item_hash, scorer="exact_match", value=1.0)
            for item in items
        ],
    )
    append_event(ledger, RunEvent(run_id="run-lora", status="finished", at=run.started_at, reason=None, facts={}))

    def apply(gate: str, *more: object) -> tuple[int, str, str]:
        (experiment_folder / "mine.yaml").write_text(f"gates:\n  - {gate}\n")
        policy = experiment_folder / "mine.yaml"
        arguments = [experiment_folder, "--candidate", "lora", "--policy", policy, "--home", home, *more]
        monkeypatch.setattr(sys, "argv", ["harness", "gate", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return apply


PASS = f"{{metric: {EXACT}, at_least: 0.3}}"
OPEN = f"{{metric: {EXACT}, at_least: 0.9}}"
FAIL = "{metric: probe/adapter_active, require: true, on_missing: fail}"


@pytest.mark.parametrize(
    ("rule", "code", "word"), [(PASS, 0, "PASS"), (FAIL, 3, "FAIL"), (OPEN, 4, "INCONCLUSIVE")], ids=str
)
def test_the_exit_code_is_the_outcome_and_the_last_line_says_it(gate: Gate, rule: str, code: int, word: str) -> None:
    ended, out, _ = gate(rule)
    assert ended == code
    last = out.strip().splitlines()[-1]
    assert last.startswith(f"verdict: {word} (1 {word.lower()})")
    assert re.search(r"verdict v-\d{8}-\d{6}-[0-9a-f]{6}$", last)


def test_people_read_numbers_reason_next_step_and_notes(gate: Gate) -> None:
    _, out, _ = gate(OPEN)
    said = " ".join(out.split())
    assert "INCONCLUSIVE golden/exact_match at least 0.9" in said
    assert "lora is at 100.0 % (" in said
    assert "n 6): open, 90.0 % lies inside the interval" in said
    assert "more golden items would resolve this question" in said
    assert "note: lora is judged by one training run (seed 17)" in said


def test_an_error_is_1_and_wrong_usage_2(gate: Gate) -> None:
    code, out, err = gate("{metric: golden/exact_match, at_least: 90}")
    assert (code, out) == (1, "")
    assert "write 0.9 for 90 %" in err
    code, _, err = gate(PASS, "--run", "rag")
    assert code == 2
    assert "expected NAME=RUN" in err
    assert gate(PASS, "--format", "html")[0] == 2


def test_json_is_the_verdict_and_nothing_else(gate: Gate) -> None:
    code, out, _ = gate(PASS, "--json")
    verdict = json.loads(out)
    assert code == 0
    assert (verdict["outcome"], verdict["run_id"], verdict["experiment"]) == ("pass", "run-lora", "colours")
    assert verdict["gates"][0]["findings"][0]["n"] == 6
    assert gate(PASS, "--format", "json")[1].startswith("{")


def test_a_file_gets_the_format_of_its_name_and_the_terminal_the_text(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "new" / "gates.xml"
    code, out, _ = gate(OPEN, "--out", file, "--out", tmp_path / "verdict.md")
    assert code == 4
    assert "verdict: INCONCLUSIVE" in out
    [suite] = JUnitXml.fromstring(file.read_bytes())
    assert suite.errors == 1
    assert (tmp_path / "verdict.md").read_text().startswith("## Inconclusive: lora of colours")
    gate(OPEN, "--format", "junit", "--out", tmp_path / "gates.txt")
    assert (tmp_path / "gates.txt").read_text().startswith("<testsuites>")
    code, _, err = gate(OPEN, "--out", file / "below" / "verdict.md")
    assert code == 1
    assert "Name another file with --out" in err


def test_a_workflow_gets_annotations_and_a_summary(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    _, out, _ = gate(OPEN, "--format", "github")
    assert out.startswith("::warning title=harness%3A lora of colours::inconclusive: 0 of 1 gates passed")
    assert summary.read_text().startswith("# before\n## Inconclusive")
    gate(OPEN)
    assert summary.read_text().count("## Inconclusive") == 1


def test_the_example_workflow_runs_commands_and_options_that_exist() -> None:
    workflow = yaml.safe_load((shipped("suites") / "policies" / "github-workflow.yml").read_text())
    steps = workflow["jobs"]["gate"]["steps"]
    lines = [line.strip() for step in steps for line in step.get("run", "").splitlines()]
    used = [line.split() for line in lines if line.startswith("harness ")]
    known = {command.name for command in app.registered_commands}
    assert [words[1] for words in used[:3]] == ["check", "run", "gate"]
    assert any("--format github" in line for line in lines)
    for words in used:
        assert words[1] in known
