import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.main import main

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs the command line in this process, in a folder with `complaints.csv`: 20 labelled texts in cp1252."""
    monkeypatch.chdir(tmp_path)
    rows = (f"Beschwerde Nummer {n} über alles,{'Haut' if n % 2 else 'Ohr'}\n" for n in range(20))
    (tmp_path / "complaints.csv").write_bytes(("text,label\n" + "".join(rows)).encode("cp1252"))

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


def test_convert_and_split_say_what_they_wrote(harness: Command, tmp_path: Path) -> None:
    code, out, err = harness("data", "convert", "complaints.csv", "--out", "c.jsonl", "--encoding", "cp1252")
    assert (code, out, err) == (0, "c.jsonl: 20 chat records, from labelled in CSV\n", "")
    code, out, err = harness("data", "split", "c.jsonl", "--out", "folds")
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["train", "14", "records", "train.jsonl"],
        ["validation", "2", "records", "validation.jsonl"],
        ["test", "4", "records", "test.jsonl"],
    ]
    assert len((tmp_path / "folds" / "test.jsonl").read_text().splitlines()) == 4


def test_json_is_the_only_thing_on_standard_output(harness: Command, tmp_path: Path) -> None:
    _, out, _ = harness("data", "convert", "complaints.csv", "--out", "c.jsonl", "--encoding", "cp1252", "--json")
    assert json.loads(out)["format"] == "labelled"
    _, out, _ = harness("data", "split", "c.jsonl", "--out", "folds", "--validation", "0", "--golden", "g", "--json")
    assert json.loads(out) == json.loads((tmp_path / "folds" / "split.json").read_text())


def test_an_error_is_said_without_a_traceback(harness: Command) -> None:
    code, out, err = harness("data", "convert", "complaints.csv", "--out", "c.jsonl")
    assert (code, out) == (1, "")
    assert "add --encoding cp1252" in err
    assert "Traceback" not in err
    code, _, err = harness("data", "split", "complaints.csv", "--out", "folds", "--test", "nan")
    assert code == 2
    assert "not a share" in err
