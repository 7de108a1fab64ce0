import json
import sys
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.data.golden import load_golden_set
from harness.store.golden import record_golden_set
from harness.store.migrate import open_ledger
from harness.store.runs import start_run
from harness.store.scores import record_metrics
from tests.pipeline.test_golden_diff import write_set
from tests.reports.ledger import EXACT, answer, finish, run_of


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


def golden(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["harness", "golden", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_a_shipped_set_is_ready(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert golden(monkeypatch, "check", "financial_analysis", "--home", tmp_path) == 0
    said = capsys.readouterr().out
    assert "financial_analysis 1.0.0: 97 items" in said
    assert "verdict: READY (0 defects, 0 hints)" in said


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    lines: list[dict[str, object]] = [
        {"item_id": "[red]", "input": "Which?", "reference": "red"},
        {"item_id": "blue", "input": "Which one?", "reference": "blue", "grop": "b"},
    ]
    return write_set(tmp_path / "colours", lines)


def test_defects_are_told_by_file_and_line_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, colours: Path
) -> None:
    assert golden(monkeypatch, "check", colours, "--home", tmp_path) == 1
    said = capsys.readouterr().out
    assert f'{colours}/golden.jsonl:2: "grop" is not a field of an item; did you mean "group"?' in said
    assert "hint: " in said
    assert "verdict: NOT READY (3 defects, 3 hints)" in said
    assert golden(monkeypatch, "check", colours, "--home", tmp_path, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["defects"][0]["file"], found["defects"][0]["line"]) == ("golden.jsonl", 2)


def test_a_difference_is_a_table_and_its_json_has_every_change(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    older = write_set(tmp_path / "older", [{"item_id": one, "input": one, "reference": one} for one in "abc"])
    lines: list[dict[str, object]] = [
        {"item_id": "a", "input": "a", "reference": "a", "retired": "[no] agreement"},
        {"item_id": "b", "input": "b", "reference": "B"},
        {"item_id": "c", "input": "c", "reference": "c"},
    ]
    newer = write_set(tmp_path / "newer", lines, version="1.1.0")
    assert golden(monkeypatch, "diff", older, newer, "--home", tmp_path) == 0
    said = capsys.readouterr().out
    assert "colours 1.0.0 -> colours 1.1.0: 1 item is the same" in said
    assert "a: [no] agreement" in said
    assert "b: references" in said
    assert golden(monkeypatch, "diff", older, newer, "--home", tmp_path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["asked_again"], found["retired"]) == (1, {"a": "[no] agreement"})


def test_items_are_listed_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    lines: list[dict[str, object]] = [{"item_id": one, "input": f"{one}?", "reference": one} for one in "ab"]
    folder = write_set(tmp_path / "colours", lines)
    items = load_golden_set(folder)
    ledger = open_ledger(home, create=True)
    record_golden_set(ledger, items)
    record_metrics(ledger, [EXACT])
    for number in range(3):
        run = run_of(f"s{number}", f"20261121-0{number}0000-aaaaaa", minute=number, golden=items)
        start_run(ledger, run)
        answer(ledger, run, "1" + str(number % 2), items)
        finish(ledger, run)
    assert golden(monkeypatch, "items", folder, "--home", home) == 0
    said = capsys.readouterr().out
    assert "colours 1.0.0: 2 items by golden/exact_match, through 3 runs (colours / s0, colours / s1" in said
    assert "All 3 runs are right" in said
    assert "concerns: 1 always right; --all lists every item" in said
    assert "note: Discrimination needs 5 runs on different inputs, and there are 3" in said
    assert golden(monkeypatch, "items", folder, "--home", home, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["concerns"] for item in found["items"]] == [["always right"], []]


def test_one_item_and_the_wear_are_said_in_json_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert golden(monkeypatch, "check", "icd10_coding", "--json", "--home", tmp_path) == 0
    assert json.loads(capsys.readouterr().out)["wear"] == []  # no ledger, so nothing is known
    open_ledger(tmp_path, create=True)
    assert golden(monkeypatch, "check", "icd10_coding", "--json", "--home", tmp_path) == 0
    assert json.loads(capsys.readouterr().out)["wear"] == ["wear: no candidate has been judged on this set yet"]
    folder = write_set(tmp_path / "colours", [{"item_id": "a", "input": "Which?", "reference": "red"}])
    assert golden(monkeypatch, "check", folder, "--home", tmp_path) == 1
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "colours 1.0.0: 1 item"
    assert "1 item is asked; under 30" in said


def test_power_says_what_the_sealed_items_alone_can_show(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    items = [
        {"item_id": f"i{number}", "input": f"Which is {number}?", "reference": "red", "sealed": number % 2 == 0}
        for number in range(100)
    ]
    folder = write_set(tmp_path / "colours", items)
    assert power(monkeypatch, folder, "--home", tmp_path) == 0
    said = capsys.readouterr().out
    assert "colours 1.0.0: 100 items; smallest" in said
    assert (
        "note: on the 50 sealed items, which gates judge by, smallest difference likely to be seen: pass/fail" in said
    )
