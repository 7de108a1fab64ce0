import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from harness.assets import shipped
from harness.cli.data_audit import audit
from harness.errors import DataError

TRAIN = shipped("suites") / "experiments" / "domain_routing" / "train.jsonl"
app = typer.Typer()
app.command()(audit)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_text(TRAIN.read_text(encoding="utf-8") + '{"prompt": "[bold]Why?[/bold]"}\n', encoding="utf-8")
    return path


def test_a_sound_file_is_ready_and_exits_0() -> None:
    done = run(TRAIN, "--golden", "domain_routing")
    assert done.exit_code == 0
    assert "verdict: READY (1 hint)" in done.stdout


def test_a_broken_threshold_exits_3_and_names_the_line(broken: Path) -> None:
    done = run(broken)
    assert done.exit_code == 3
    assert "verdict: NOT READY" in done.stdout
    assert 'line 241: "completion" is missing' in done.stdout


def test_json_is_all_there_is_on_standard_output(broken: Path) -> None:
    done = run(broken, "--json")
    assert done.exit_code == 3
    report = json.loads(done.stdout)
    assert report["fails"] is True
    assert report["records"] == 241
    (fields,) = [one for one in report["findings"] if one["check"] == "fields"]
    assert (fields["lines"], fields["severity"]) == ([241], "problem")


def test_thresholds_of_ones_own_decide(broken: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\ndescription: Anything goes.\nlimits: {}\n")
    done = run(broken, "--thresholds", mine)
    assert done.exit_code == 0
    assert "by thresholds mine" in done.stdout


def test_a_page_is_written(broken: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "audit.html"
    done = run(broken, "--out", page)
    assert done.exit_code == 3
    assert f"page: {page}" in done.stdout
    assert "<svg" in page.read_text(encoding="utf-8")


def test_a_missing_file_is_an_error_for_the_command_line_to_say() -> None:
    done = run("nowhere.jsonl")
    assert isinstance(done.exception, DataError)
