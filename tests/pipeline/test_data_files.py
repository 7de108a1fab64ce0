import json
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path

import pytest

from harness.data.golden import load_golden_set
from harness.data.training import load_training_set
from harness.errors import ConfigError, DataError
from harness.hashing import file_hash
from harness.pipeline.data_files import SplitWishes, convert, split

_WISHES = SplitWishes(test=Fraction(1, 5), validation=Fraction(1, 10), seed=17)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Forty labelled texts, of two labels, 30 and 10."""
    path = tmp_path / "labelled.jsonl"
    lines = [
        {"text": f"complaint {n}", "label": "skin" if n % 4 else "ear", "source": f"ward {n % 3}", "tags": ["short"]}
        for n in range(40)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_converted_set_has_the_same_records_and_what_is_said_of_them(labelled: Path, tmp_path: Path) -> None:
    done = convert(labelled, tmp_path / "new" / "chat.jsonl")
    before, after = load_training_set(labelled), load_training_set(done.out)
    assert [one.record_hash for one in after.records] == [one.record_hash for one in before.records]
    assert (done.format, done.container, done.records, done.left_out) == ("labelled", "JSONL", 40, 0)
    assert (done.sha256, done.source_sha256) == (after.sha256, before.sha256)
    assert after.format == "chat"
    assert _lines(done.out)[1] == {
        "messages": [{"role": "user", "content": "complaint 1"}, {"role": "assistant", "content": "skin"}],
        "source": "ward 1",
        "tags": ["short"],
    }


def test_rejected_answers_are_counted_because_the_chat_form_has_no_field_for_them(tmp_path: Path) -> None:
    source = tmp_path / "preferences.jsonl"
    source.write_text('{"prompt": "Q", "chosen": "A", "rejected": "B"}\n')
    assert convert(source, tmp_path / "chat.jsonl").left_out == 1


def test_a_file_that_is_there_is_overwritten_only_when_told_to(labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "chat.jsonl"
    out.write_text("mine")
    with pytest.raises(ConfigError, match="nothing is overwritten"):
        convert(labelled, out)
    assert out.read_text() == "mine"
    assert convert(labelled, out, force=True).sha256 == file_hash(out)
    with pytest.raises(ConfigError, match="the source itself"):
        convert(labelled, labelled, force=True)


def test_of_a_file_that_cannot_be_read_nothing_is_written(tmp_path: Path) -> None:
    source = tmp_path / "half.jsonl"
    source.write_text('{"text": "a", "label": "b"}\n{"text": "a"}\n')
    with pytest.raises(DataError, match=r"half.jsonl:2: .*label.* is missing"):
        convert(source, tmp_path / "chat.jsonl")
    with pytest.raises(DataError, match=r"half.jsonl:2: .*label.* is missing"):
        split(source, tmp_path / "folds", _WISHES)
    assert [path.name for path in tmp_path.iterdir()] == ["half.jsonl"]


def test_a_split_keeps_every_line_as_it_was_and_says_what_it_did(labelled: Path, tmp_path: Path) -> None:
    done = split(labelled, tmp_path / "folds", replace(_WISHES, stratify="label"))
    written = {fold: _lines(tmp_path / "folds" / f"{fold}.jsonl") for fold in ("train", "validation", "test")}
    assert sorted(str(line) for lines in written.values() for line in lines) == sorted(map(str, _lines(labelled)))
    assert json.loads((tmp_path / "folds" / "split.json").read_text()) == asdict(done)
    assert (done.source_sha256, done.records, done.seed) == (file_hash(labelled), 40, 17)
    assert {fold: said.balance for fold, said in done.folds.items()} == {
        "train": {"ear": 7, "skin": 21},
        "validation": {"ear": 1, "skin": 3},
        "test": {"ear": 2, "skin": 6},
    }
    for fold, said in done.folds.items():
        assert said.sha256 == file_hash(tmp_path / "folds" / said.file)
        assert said.records == len(written[fold])
    assert load_training_set(tmp_path / "folds" / "train.jsonl").format == "labelled"


def test_the_same_source_and_seed_give_the_same_bytes(labelled: Path, tmp_path: Path) -> None:
    wishes = replace(_WISHES, stratify="label", golden="complaints")
    for name in ("one", "two"):
        split(labelled, tmp_path / name, wishes)
    split(labelled, tmp_path / "other", replace(wishes, seed=18))
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")
    assert _bytes(tmp_path / "one") != _bytes(tmp_path / "other")


def test_values_of_a_named_field_do_not_straddle(tmp_path: Path) -> None:
    source = tmp_path / "pairs.jsonl"
    lines = ({"prompt": f"question {n}", "completion": "A", "source": f"page {n // 4}"} for n in range(40))
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    split(source, tmp_path / "folds", replace(_WISHES, by="source"))
    seen = [{line["source"] for line in _lines(path)} for path in (tmp_path / "folds").glob("*.jsonl")]
    assert len(seen) == 3
    assert sum(map(len, seen)) == 10


def test_the_test_fold_can_become_a_golden_set(labelled: Path, tmp_path: Path) -> None:
    done = split(labelled, tmp_path / "folds", replace(_WISHES, stratify="label", golden="complaints"))
    golden = load_golden_set(tmp_path / "folds" / "golden_sets" / "complaints")
    assert (golden.name, golden.scorers, len(golden.items)) == ("complaints", ("label",), 8)
    lines = _lines(labelled)
    for item in golden.items:
        line = lines[int(item.item_id.removeprefix("record-")) - 1]
        assert (item.input[-1].content, item.references, item.source) == (
            line["text"],
            (line["label"],),
            line["source"],
        )
    assert done.folds["test"].file == "golden_sets/complaints/golden.jsonl"
    assert not (tmp_path / "folds" / "test.jsonl").exists()
    assert (
        "the test fold of labelled.jsonl (seed 17)"
        in (tmp_path / "folds" / "golden_sets" / "complaints" / "card.md").read_text()
    )


def test_a_fold_that_is_not_asked_for_is_not_written(labelled: Path, tmp_path: Path) -> None:
    split(labelled, tmp_path / "folds", replace(_WISHES, validation=Fraction(0)))
    assert sorted(_bytes(tmp_path / "folds")) == ["split.json", "test.jsonl", "train.jsonl"]


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (replace(_WISHES, test=Fraction(19, 20)), r"--test 0.95 and --validation 0.1 leave -0.05 to train on"),
        (replace(_WISHES, test=Fraction(0), validation=Fraction(0)), "leave 1 to train on. Ask for one of them"),
        (replace(_WISHES, test=Fraction(-1, 10)), "--test -0.1 is not a share"),
        (replace(_WISHES, test=Fraction(0), golden="g"), '--golden "g" needs a test fold'),
        (replace(_WISHES, golden="../g"), '--golden "../g" needs a test fold and a name'),
        (replace(_WISHES, stratify="lable"), '--stratify "lable" is a field of no record; did you mean "label"?'),
        (replace(_WISHES, by="group"), '--by "group" is a field of no record'),
        (replace(_WISHES, stratify="text"), "40 values in 40 records: too many to stratify by"),
        (replace(_WISHES, stratify="tags"), r'labelled.jsonl:1: "tags" is missing or neither text nor a number'),
    ],
)
def test_an_impossible_wish_is_refused_and_leaves_nothing_behind(
    labelled: Path, tmp_path: Path, wishes: SplitWishes, expected: str
) -> None:
    with pytest.raises((ConfigError, DataError), match=expected):
        split(labelled, tmp_path / "folds", wishes)
    assert [path.name for path in tmp_path.iterdir()] == ["labelled.jsonl"]


def test_a_folder_with_something_in_it_is_left_alone(labelled: Path, tmp_path: Path) -> None:
    (tmp_path / "folds").mkdir()
    split(labelled, tmp_path / "folds", _WISHES)
    before = _bytes(tmp_path / "folds")
    with pytest.raises(ConfigError, match="nothing is overwritten"):
        split(labelled, tmp_path / "folds", replace(_WISHES, seed=18))
    assert _bytes(tmp_path / "folds") == before
