import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.main import main

Command = Callable[..., tuple[int, str, str]]

_GOLDEN = (
    "Frage;Antwort;Thema\nWas ist die Hauptstadt von Frankreich?;Paris;Erdkunde\nWer schrieb Faust?;Goethe;Bücher\n"
)
_TRAIN = "prompt,completion\nWer schrieb Emma?,Austen\nWer schrieb Hamlet?,Shakespeare\nWo ist Rom?,Italien\n"


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs the command line in this process, in a folder of the test's own."""
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a golden set whose columns have German names, and a training set."""
    (tmp_path / "golden.csv").write_bytes(_GOLDEN.encode("cp1252"))
    (tmp_path / "train.csv").write_text(_TRAIN)
    return tmp_path


_GERMAN = ("--input-column", "Frage", "--reference-column", "Antwort", "--encoding", "cp1252")


def test_a_project_is_made_checked_and_the_next_steps_are_said(harness: Command, own: Path) -> None:
    code, out, err = harness("init", "mine", "--golden", "golden.csv", *_GERMAN)
    assert (code, err) == (0, "")
    for expected in (
        "mine/\n",
        "golden_sets/mine/golden.jsonl",
        "systems: zero_shot, brief",
        "CSV, semicolon, cp1252",
        "not used: Thema",
        "scorers contains_reference",
        "harness check mine",
        "harness compare mine --candidate brief --against zero_shot",
    ):
        assert expected in out
    code, out, _ = harness("check", "mine")
    assert code == 0
    assert "2 items" in out


def test_json_is_all_that_is_printed(harness: Command, own: Path) -> None:
    code, out, _ = harness("init", "my project", "--golden", "golden.csv", "--train", "train.csv", *_GERMAN, "--json")
    assert code == 0
    made = json.loads(out)
    assert made["experiment"] == "my-project"
    assert made["systems"] == ["zero_shot", "few_shot", "lora"]
    assert "train.jsonl" in made["files"]
    assert made["next"][1] == "harness run 'my project'"
    assert "Hauptstadt" in (own / "my project" / "golden_sets" / "my-project" / "golden.jsonl").read_text()


def test_without_files_it_is_the_example(harness: Command) -> None:
    code, out, _ = harness("init", "copy")
    assert code == 0
    assert "zero_shot, few_shot, rag, lora" in out
    assert harness("check", "copy")[0] == 0
    code, _, err = harness("init", "copy")
    assert code == 1
    assert "nothing is overwritten" in err


def test_options_for_own_files_need_a_golden_set(harness: Command, own: Path) -> None:
    code, _, err = harness("init", "mine", "--train", "train.csv", "--licence", "CC0-1.0")
    assert code == 2
    assert "--train, --licence" in err
    assert "--golden" in err
    assert not (own / "mine").exists()


def test_columns_that_are_not_recognised_are_named_with_the_way_out(harness: Command, own: Path) -> None:
    code, out, err = harness("init", "mine", "--golden", "golden.csv", "--encoding", "cp1252")
    assert (code, out) == (1, "")
    for expected in ('"Frage", "Antwort", "Thema"', "--input-column", "--reference-column"):
        assert expected in err
    assert "Traceback" not in err
    assert sorted(path.name for path in own.iterdir()) == ["golden.csv", "train.csv"]


def test_the_help_has_examples(harness: Command) -> None:
    code, out, _ = harness("init", "--help")
    assert code == 0
    assert "harness init capitals --golden questions.csv" in out
