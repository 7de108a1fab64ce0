import json
import sys
from pathlib import Path

import pytest

from harness.cli.main import main


def power(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["harness", "golden", "power", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_a_table_says_what_is_assumed_and_what_a_target_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert power(monkeypatch, "icd10_coding", "--target", 0.1, "--home", tmp_path) == 0
    said = capsys.readouterr().out
    assert "72 items in 66 groups" in said
    assert "assumed: two systems disagree on 30 % of the items" in said
    assert "pass/fail, to see 10.0 points: about 237 items, 165 more" in said
    assert "rubric 1-5, to see 0.40: about 60 items; there are enough" in said


def test_json_is_all_there_is_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert power(monkeypatch, "icd10_coding", "--raters", 3, "--json", "--home", tmp_path) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["groups"], found["raters"], found["power"]) == (72, 66, 3, 0.8)
    assert [line["spread"]["kind"] for line in found["lines"]] == ["binary", "graded", "preference"]
    assert found["lines"][0]["items_needed"] is None


def test_a_wrong_number_of_raters_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert power(monkeypatch, "icd10_coding", "--raters", 0, "--home", tmp_path) == 1
    assert "error: --raters is 0; allowed: 1 or more." in capsys.readouterr().err
