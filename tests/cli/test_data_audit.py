import json
from collections.abc import Callable
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


Lines = list[bytes]


def _kept(lines: Lines, label: str, count: int) -> Lines:
    return [line for line in lines if json.loads(line)["completion"] == label][:count]


def _with(lines: Lines, number: int, line: object) -> Lines:
    content = line if isinstance(line, bytes) else json.dumps(line).encode()
    return [*lines[: number - 1], content, *lines[number:]]


def _pasted(lines: Lines) -> Lines:
    """A golden item in another case and punctuation, inside a longer text."""
    golden = (shipped("golden_sets") / "domain_routing" / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    asked = max((str(json.loads(line)["input"]) for line in golden), key=len)
    wrapped = f"Here is what came in this morning: {asked.upper().replace(',', ' -')} -- please decide now."
    return _with(lines, 7, {"prompt": wrapped, "completion": "legal"})


@pytest.mark.parametrize(
    ("spoil", "check", "severity", "at"),
    [
        (lambda lines: lines[:40], "size", "hint", []),
        (
            lambda lines: [*_kept(lines, "medical", 60), *_kept(lines, "legal", 5)],
            "balance",
            "warning",
            [61, 62, 63, 64, 65],
        ),
        (lambda lines: _with(lines, 5, lines[4][:20] + b"\xff" + lines[4][20:]), "unreadable_lines", "problem", [5]),
        (lambda lines: _with(lines, 6, {"prompt": "Why?", "chosen": "legal"}), "fields", "problem", [6]),
        (_pasted, "golden_overlap", "problem", [7]),
        (
            lambda lines: _with(lines, 8, json.loads(lines[2]) | {"completion": "medical"}),
            "contradictions",
            "warning",
            [3, 8],
        ),
    ],
    ids=["too few", "classes over 5:1", "not UTF-8", "half filled", "a golden item", "a contradiction"],
)  # fmt: skip
def test_a_defect_of_a_damaged_copy_is_found_by_its_line(
    tmp_path: Path, spoil: Callable[[Lines], Lines], check: str, severity: str, at: list[int]
) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"\n".join(spoil(TRAIN.read_bytes().splitlines())) + b"\n")
    done = run(path, "--golden", "domain_routing", "--json")
    found = [one for one in json.loads(done.stdout)["findings"] if one["check"] == check]
    assert [(one["severity"], one["lines"]) for one in found] == [(severity, at)]
    assert done.exit_code == (3 if severity == "problem" else 0)


def test_a_secret_is_found_and_never_shown(tmp_path: Path) -> None:
    secret = "AKIA" + "Q7RTZ5XW2MNB4VKD"
    path = tmp_path / "train.jsonl"
    record = {"prompt": f"Use {secret} for the upload.", "completion": "legal"}
    path.write_bytes(TRAIN.read_bytes() + json.dumps(record).encode() + b"\n")
    done = run(path, "--out", tmp_path / "audit.html")
    assert "Likely secrets" in done.stdout
    assert "lines 241" in done.stdout
    assert secret not in done.stdout
    assert secret not in (tmp_path / "audit.html").read_text(encoding="utf-8")


def test_a_missing_file_is_an_error_for_the_command_line_to_say() -> None:
    done = run("nowhere.jsonl")
    assert isinstance(done.exception, DataError)
