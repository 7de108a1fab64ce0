from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.data.golden import load_golden_set
from harness.errors import ComparisonError, ConfigError, DataError, StoreError
from harness.hashing import content_hash
from harness.pipeline.item_analysis import ItemAnalysis, ItemReport, analyse_items
from harness.records.generations import Generation
from harness.records.items import GoldenSet
from harness.records.scores import Metric, Score
from harness.store.generations import record_generations
from harness.store.golden import record_golden_set
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import start_run
from harness.store.scores import record_metrics, record_scores
from tests.pipeline.test_golden_diff import write_set
from tests.reports.ledger import EXACT, finish, run_of

# A run each, its marks on the items a to h: `a` always right, `b` never, `c` right in the worse half only.
MARKS = {
    "one": "10100000",
    "two": "10110000",
    "three": "10111000",
    "four": "10011100",
    "five": "10011110",
    "six": "10011111",
}
ITEMS = "abcdefgh"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines: list[dict[str, object]] = [
        {"item_id": one, "input": f"Which colour is {one}?", "reference": one} for one in ITEMS
    ]
    return write_set(tmp_path / "colours", lines)


def _store(home: Path, golden: GoldenSet, marks: Mapping[str, str] = MARKS, *, experiment: str = "colours") -> Ledger:
    ledger = open_ledger(home, create=True)
    record_golden_set(ledger, golden)
    record_metrics(ledger, [EXACT])
    for number, (system, right) in enumerate(marks.items()):
        run = run_of(system, f"20261121-0{number}0000-{experiment[:6]}", minute=number, golden=golden)
        run = replace(run, experiment=experiment, inputs_hash=content_hash([system, experiment]))
        start_run(ledger, run)
        pairs = list(zip(golden.items, right, strict=False))
        scores = [
            Score(task="golden", item_id=one.item_id, item_hash=one.item_hash, scorer="exact_match", value=float(mark))
            for one, mark in pairs
        ]
        said = {one.item_id: "B!" if one.item_id == "b" else f"{system} {mark}" for one, mark in pairs}
        texts = [Generation(item_id=one.item_id, item_hash=one.item_hash, text=said[one.item_id]) for one, _ in pairs]
        record_scores(ledger, run.run_id, scores)
        record_generations(ledger, run.run_id, texts)
        finish(ledger, run)
    return ledger


def _by_id(found: ItemAnalysis) -> dict[str, ItemReport]:
    return {item.item_id: item for item in found.items}


def test_items_are_sorted_by_what_runs_made_of_them(tmp_path: Path, folder: Path) -> None:
    _store(tmp_path / "home", load_golden_set(folder))
    found = analyse_items(str(folder), tmp_path / "home")
    items = _by_id(found)
    assert found.metric == "golden/exact_match"
    assert next(iter(found.runs.values())) == "colours / one"
    assert [items[one].right for one in "abcd"] == [1.0, 0.0, 0.5, pytest.approx(5 / 6)]
    assert [items[one].concerns for one in "abcd"] == [("always right",), ("never right",), ("wrong way",), ()]
    told = items["c"].discrimination
    assert told is not None
    assert told.high < 0
    assert items["a"].discrimination is None
    assert "by chance alone" in found.notes[0]
    assert "No ratings yet" in found.notes[1]


def test_one_wrong_answer_of_all_runs_points_at_the_reference(tmp_path: Path, folder: Path) -> None:
    _store(tmp_path / "home", load_golden_set(folder))
    (said,) = _by_id(analyse_items(str(folder), tmp_path / "home"))["b"].advice
    assert said == "All 6 runs give one answer, and it is not the reference: check the reference first."


def test_where_most_items_are_never_right_the_systems_are_named_first(tmp_path: Path, folder: Path) -> None:
    _store(tmp_path / "home", load_golden_set(folder), {"one": "10000000", "two": "01000000", "three": "00100000"})
    found = analyse_items(str(folder), tmp_path / "home")
    assert found.notes[0].startswith("5 of 8 items are never right: these systems, or this metric, are too weak")
    _store(
        tmp_path / "home", load_golden_set(folder), {"all": "1" * 8, "each": "1" * 8, "every": "1" * 8}, experiment="x"
    )
    found = analyse_items(str(folder), tmp_path / "home", experiment="x")
    assert found.notes[0].startswith("8 of 8 items are always right: the set is too easy for these systems")


def test_few_runs_say_nothing_of_always_and_never_and_the_note_says_so(tmp_path: Path, folder: Path) -> None:
    _store(tmp_path / "home", load_golden_set(folder), {"one": MARKS["one"], "two": MARKS["two"]})
    found = analyse_items(str(folder), tmp_path / "home")
    assert all(item.concerns == () for item in found.items)
    assert "Discrimination needs 5 runs on different inputs, and there are 2" in found.notes[0]


def test_near_equal_runs_that_split_on_an_item_are_told(tmp_path: Path, folder: Path) -> None:
    marks = {"one": "10110100", "two": "10101100", "three": "10010110", "four": "10001110"}
    _store(tmp_path / "home", load_golden_set(folder), marks)
    items = _by_id(analyse_items(str(folder), tmp_path / "home"))
    # All four have 4 of 8 right: six near-equal pairs. On c, two and two: four of six pairs differ.
    assert items["c"].split == pytest.approx(4 / 6)
    assert items["a"].split == 0.0
    assert items["c"].concerns == ()  # two of three is what chance gives


def test_raters_who_lie_apart_are_told(tmp_path: Path, folder: Path) -> None:
    golden = load_golden_set(folder)
    ledger = _store(tmp_path / "home", golden)
    record_metrics(ledger, [Metric(name="rating/accuracy", kind="graded", minimum=1.0, maximum=5.0)])
    run_id = "20261121-000000-colour"
    ratings = {"d": (5.0, 2.0), "e": (4.0, 5.0), "f": (3.0,)}
    record_scores(
        ledger,
        run_id,
        [
            Score(
                task="rating",
                item_id=item.item_id,
                item_hash=item.item_hash,
                scorer="accuracy",
                value=value,
                sample_index=rater,
            )
            for item in golden.items
            for rater, value in enumerate(ratings.get(item.item_id, ()))
        ],
    )
    found = analyse_items(str(folder), tmp_path / "home")
    items = _by_id(found)
    assert [items[one].raters_apart for one in "def"] == [0.75, 0.25, None]
    assert items["d"].concerns == ("raters differ",)
    assert items["d"].advice[0].startswith("Raters of one answer lie 75 % of the scale apart")
    assert not any("No ratings yet" in note for note in found.notes)


def test_runs_of_an_older_version_count_on_the_items_that_are_unchanged(tmp_path: Path, folder: Path) -> None:
    _store(tmp_path / "home", load_golden_set(folder))
    lines: list[dict[str, object]] = [
        {"item_id": one, "input": f"Which colour is {one}?", "reference": one} for one in "abcdefg"
    ]
    lines[1]["reference"] = "other"
    lines[2]["retired"] = "better runs missed it"
    lines.append({"item_id": "new", "input": "New?", "reference": "n"})
    write_set(folder, lines, version="1.1.0")
    items = _by_id(analyse_items(str(folder), tmp_path / "home"))
    assert [(one, items[one].runs) for one in items] == [
        *((one, 6 if one != "b" else 0) for one in "abdefg"),
        ("new", 0),
    ]
    assert items["new"].right is None


def test_the_same_inputs_count_once(tmp_path: Path, folder: Path) -> None:
    golden = load_golden_set(folder)
    ledger = _store(tmp_path / "home", golden)
    again = run_of("one", "20261121-090000-again", minute=30, golden=golden)
    again = replace(again, inputs_hash=content_hash(["one", "colours"]))
    start_run(ledger, again)
    item = golden.items[0]
    score = Score(task="golden", item_id="a", item_hash=item.item_hash, scorer="exact_match", value=0.0)
    record_scores(ledger, again.run_id, [score])
    finish(ledger, again)
    found = analyse_items(str(folder), tmp_path / "home")
    assert again.run_id in found.runs
    assert len(found.runs) == 6


def test_runs_of_one_experiment_alone_can_be_asked_for(tmp_path: Path, folder: Path) -> None:
    golden = load_golden_set(folder)
    _store(tmp_path / "home", golden)
    _store(tmp_path / "home", golden, {"one": "01000000"}, experiment="others")
    assert len(analyse_items(str(folder), tmp_path / "home").runs) == 7
    assert list(analyse_items(str(folder), tmp_path / "home", experiment="others").runs.values()) == ["others / one"]
    with pytest.raises(ConfigError, match=r'"othres" is not an experiment with runs here \(did you mean "others"\?\)'):
        analyse_items(str(folder), tmp_path / "home", experiment="othres")


def test_what_cannot_be_analysed_is_said_with_the_next_step(tmp_path: Path, folder: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(StoreError):
        analyse_items(str(folder), home)
    open_ledger(home, create=True)
    with pytest.raises(
        ComparisonError, match=r"no finished run has golden/exact_match on the items of colours 1\.0\.0"
    ):
        analyse_items(str(folder), home)
    with pytest.raises(ComparisonError, match=r'"golden/exakt" is not a metric of colours; did you mean "golden/exact'):
        analyse_items(str(folder), home, metric="golden/exakt")
    with pytest.raises(DataError, match="is not a folder with a manifest"):
        analyse_items("nowhere", home)
