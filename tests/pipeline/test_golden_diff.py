import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.data.golden import load_golden_set
from harness.errors import DataError, StoreError
from harness.pipeline.golden_diff import ItemChange, diff_golden_sets
from harness.records.items import GoldenSet
from harness.store.golden import record_golden_set
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import start_run
from tests.reports.ledger import finish, run_of

Line = dict[str, object]


def _line(item_id: str, **fields: object) -> Line:
    return {"item_id": item_id, "input": f"Which colour is {item_id}?", "reference": item_id} | fields


OLDER = [_line(one) for one in ("red", "green", "blue", "pink", "grey")]


def write_set(folder: Path, lines: list[Line], *, version: str = "1.0.0", extra: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (folder / "golden.jsonl").write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    head = f"name: colours\nversion: {version}\nsha256: {sha256}\nlicence: CC0-1.0\nauthors: [A. Expert]\n"
    (folder / "manifest.yaml").write_text(head + extra)
    return folder


@pytest.fixture
def older(tmp_path: Path) -> Path:
    return write_set(tmp_path / "older", OLDER)


def _ledger_with_runs(home: Path, golden: GoldenSet, *systems: str) -> Ledger:
    ledger = open_ledger(home, create=True)
    record_golden_set(ledger, golden)
    for number, system in enumerate(systems):
        run = run_of(system, f"20261121-0{number}0000-aaaaaa", minute=number, golden=golden)
        start_run(ledger, run)
        finish(ledger, run)
    return ledger


def test_every_kind_of_change_is_told_apart(tmp_path: Path, older: Path) -> None:
    lines = [
        _line("red", input="Which colour is it?"),
        _line("green", reference="lime"),
        _line("blue", tags=["cold"], notes="n"),
        _line("pink", retired="no two people agree"),
        _line("violet"),
    ]
    found = diff_golden_sets(str(older), str(write_set(tmp_path / "newer", lines, version="1.1.0")), tmp_path / "home")
    assert (found.older, found.newer, found.same) == ("colours 1.0.0", "colours 1.1.0", 1)
    assert (found.added, found.removed, found.retired) == (("violet",), ("grey",), {"pink": "no two people agree"})
    assert found.changed == (
        ItemChange(item_id="red", fields=("input",), is_other=True, is_asked_the_same=False),
        ItemChange(item_id="green", fields=("references",), is_other=True, is_asked_the_same=True),
        ItemChange(item_id="blue", fields=("tags", "notes"), is_other=False, is_asked_the_same=True),
    )
    assert found.asked_again == 3
    assert "stored runs were not looked at" in found.notes[0]


def test_an_item_that_is_asked_again_after_its_retirement_is_not_called_new(tmp_path: Path) -> None:
    older = write_set(tmp_path / "older", [*OLDER[:4], _line("grey", retired="unclear")])
    newer = write_set(tmp_path / "newer", OLDER, version="1.1.0")
    found = diff_golden_sets(str(older), str(newer), tmp_path)
    assert (found.added, found.unretired, found.asked_again) == ((), ("grey",), 1)


def test_scorers_licence_code_list_and_rubric_are_compared(tmp_path: Path, older: Path) -> None:
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "codes.txt").write_text("A00\nB00\n")
    (tmp_path / "newer" / "rubric.yaml").write_text(
        "name: colours\nversion: 2\ncriteria:\n  - {id: right, question: Is it so, levels: {1: not so, 2: it is}}\n"
    )
    newer = write_set(
        tmp_path / "newer", OLDER, version="1.0.1", extra="scorers: [exact_match, token_f1]\ncode_list: codes.txt\n"
    )
    found = diff_golden_sets(str(older), str(newer), tmp_path)
    assert found.settings[0] == "scorers: exact_match, now exact_match, token_f1."
    assert found.settings[1] == "code list: 2 codes more, 0 fewer."
    assert found.settings[2].startswith("rubric: none, now version 2 (")
    assert (found.same, found.changed) == (5, ())


@pytest.mark.parametrize(
    ("lines", "extra", "effect", "words"),
    [
        ([_line("red", input="?"), *OLDER[1:]], "", "evaluate again", "1 of 5 items have no valid score; 4 have"),
        ([_line("red", reference="r"), *OLDER[1:]], "", "evaluate again", "1 changed only in what they are scored"),
        (OLDER, "scorers: [token_f1]\n", "score again", "every answer is still to the point"),
        ([_line("red", retired="unclear"), *OLDER[1:]], "", "still valid", "every item that is asked has its score"),
        ([_line("red", notes="n"), *OLDER[1:]], "", "still valid", "every item that is asked has its score"),
    ],
)  # fmt: skip
def test_stored_runs_are_evaluated_again_scored_again_or_still_valid(
    tmp_path: Path, older: Path, lines: list[Line], extra: str, effect: str, words: str
) -> None:
    _ledger_with_runs(tmp_path / "home", load_golden_set(older), "rag", "lora", "base")
    newer = write_set(tmp_path / "newer", lines, version="1.1.0", extra=extra)
    found = diff_golden_sets(str(older), str(newer), tmp_path / "home")
    assert found.runs is not None
    assert [(run.experiment, run.system, run.effect) for run in found.runs] == [
        ("colours", "rag", effect),
        ("colours", "lora", effect),
    ]
    assert words in found.runs[0].words


def test_an_item_that_was_sealed_has_to_be_answered_again(tmp_path: Path, older: Path) -> None:
    lines = [*OLDER[:2], {**OLDER[2], "sealed": True}, *OLDER[3:]]
    newer = write_set(tmp_path / "newer", lines, version="1.1.0")
    _ledger_with_runs(tmp_path / "home", load_golden_set(older), "lora")
    found = diff_golden_sets(str(older), str(newer), tmp_path / "home")
    assert (found.same, found.asked_again) == (len(OLDER) - 1, 1)
    assert [(one.is_moved, one.is_other) for one in found.changed] == [(True, False)]
    assert found.runs is not None
    [effect] = found.runs
    assert effect.effect == "evaluate again"
    assert "1 was sealed or unsealed: a score counts only on the side it was made for" in effect.words


def test_of_equal_runs_the_latest_is_named_and_unfinished_ones_are_not(tmp_path: Path, older: Path) -> None:
    golden = load_golden_set(older)
    ledger = _ledger_with_runs(tmp_path / "home", golden, "rag", "rag")
    start_run(ledger, run_of("lora", "20261121-090000-bbbbbb", minute=9, golden=golden))
    newer = write_set(tmp_path / "newer", [*OLDER, _line("violet")], version="1.1.0")
    found = diff_golden_sets(str(older), str(newer), tmp_path / "home")
    assert [run.run_id for run in found.runs or ()] == ["20261121-010000-aaaaaa"]


def test_a_version_of_the_ledger_is_named_by_its_number(tmp_path: Path, older: Path) -> None:
    _ledger_with_runs(tmp_path / "home", load_golden_set(older), "rag")
    newer = write_set(tmp_path / "newer", [*OLDER, _line("violet")], version="1.1.0")
    found = diff_golden_sets("colours@1.0.0", str(newer), tmp_path / "home")
    assert (found.added, len(found.runs or ())) == (("violet",), 1)
    assert "rubrics were not compared" in found.notes[0]
    with pytest.raises(DataError, match=r'"colours@1.0.1": the ledger holds no such version; did you mean "1.0.0"\?'):
        diff_golden_sets("colours@1.0.1", str(newer), tmp_path / "home")
    with pytest.raises(DataError, match='The ledger holds no golden set "colors"'):
        diff_golden_sets("colors@1.0.0", str(newer), tmp_path / "home")
    with pytest.raises(StoreError):
        diff_golden_sets("colours@1.0.0", str(newer), tmp_path / "nowhere")


def test_other_items_under_one_version_are_refused(tmp_path: Path, older: Path) -> None:
    newer = write_set(tmp_path / "newer", OLDER[:4])
    with pytest.raises(DataError, match=r"are both colours 1\.0\.0 and hold other items .* raise `version`"):
        diff_golden_sets(str(older), str(newer), tmp_path)


def test_a_set_is_no_other_than_itself(tmp_path: Path, older: Path) -> None:
    _ledger_with_runs(tmp_path / "home", load_golden_set(older), "rag")
    found = diff_golden_sets(str(older), str(older), tmp_path / "home")
    assert replace(found, same=0) == replace(found, same=0, added=(), changed=(), settings=(), runs=())
    assert found.same == 5
