import csv
import json
from collections.abc import Sequence
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.raw_records import read_raw_records
from harness.data.training import load_training_set
from harness.errors import DataError
from harness.hashing import file_hash
from harness.records.training import TrainingRecord

_PAIRS: list[dict[str, object]] = [
    {"prompt": "What is 1 + 1?", "completion": "2", "group": "sums"},
    {"prompt": "Où est Lyon ?\nOne word.", "completion": "France"},
    {"prompt": "Is it, \"really\"; so?", "completion": "yes, so", "group": "quotes"},
]  # fmt: skip


def _chat(pair: dict[str, object]) -> dict[str, object]:
    turns = [{"role": "user", "content": pair["prompt"]}, {"role": "assistant", "content": pair["completion"]}]
    return {"messages": turns, **({"group": pair["group"]} if "group" in pair else {})}


_CHATS = [_chat(pair) for pair in _PAIRS]


def _write_jsonl(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _write_csv(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {key: json.dumps(cell) if isinstance(cell, list) else cell for key, cell in row.items()} for row in rows
        )
    return path


def _write_parquet(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def _content(place: Path) -> list[tuple[str, str | None]]:
    return [(record.record_hash, record.group) for record in load_training_set(place).records]


def _problems(place: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_training_set(place)
    return str(caught.value)


def test_the_same_records_are_read_from_every_kind_of_file_and_folder(tmp_path: Path) -> None:
    expected = _content(_write_jsonl(tmp_path / "pairs.jsonl", _PAIRS))
    assert len(expected) == 3
    for name, rows in (("pairs", _PAIRS), ("chats", _CHATS)):
        (tmp_path / f"{name}.json").write_text(json.dumps(rows, indent=1))
        _write_parquet(tmp_path / f"{name}.parquet", rows)
        _write_csv(tmp_path / f"{name}.csv", rows)
        datasets.Dataset.from_list(rows).save_to_disk(str(tmp_path / f"{name}_saved"))
        _write_parquet(tmp_path / f"{name}_parts" / "b.parquet", rows[2:])
        _write_parquet(tmp_path / f"{name}_parts" / "a.parquet", rows[:2])
        for place in (f"{name}.json", f"{name}.parquet", f"{name}.csv", f"{name}_saved", f"{name}_parts"):
            assert _content(tmp_path / place) == expected, place


def test_of_a_file_the_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    for path in (
        _write_jsonl(tmp_path / "a.jsonl", _PAIRS),
        _write_csv(tmp_path / "a.csv", _PAIRS),
        _write_parquet(tmp_path / "a.parquet", _PAIRS),
    ):
        assert read_raw_records(path).sha256 == file_hash(path)


def test_of_a_folder_the_hash_changes_with_any_of_the_files_read_and_with_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    _write_jsonl(folder / "data" / "train-1.jsonl", _PAIRS[:2])
    _write_jsonl(folder / "data" / "train-2.jsonl", _PAIRS[2:])
    before = read_raw_records(folder)
    _write_jsonl(folder / "data" / "test-1.jsonl", [{"prompt": "held out", "completion": "yes"}])
    (folder / "README.md").write_text("A card.")
    assert read_raw_records(folder) == before
    assert [record.value for record in before.records] == _PAIRS
    assert [record.number for record in before.records] == [1, 2, 3]
    _write_jsonl(folder / "data" / "train-2.jsonl", [{"prompt": "changed", "completion": "yes"}])
    assert read_raw_records(folder).sha256 != before.sha256


def test_a_problem_is_named_with_the_place_that_its_kind_of_file_has(tmp_path: Path) -> None:
    half = [_PAIRS[0], {"prompt": "Half?", "completion": None}]
    (tmp_path / "a.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in half) + "]")
    assert f'{tmp_path}/a.json:3 (record 2): "completion"' in _problems(tmp_path / "a.json")
    assert f'{tmp_path}/a.csv:3: "completion" is missing' in _problems(_write_csv(tmp_path / "a.csv", half[::-1][::-1]))
    parquet = _write_parquet(tmp_path / "a.parquet", half)
    assert f'{parquet}, row 2: "completion" is missing' in _problems(parquet)
    _write_jsonl(tmp_path / "parts" / "one.jsonl", _PAIRS)
    two = _write_jsonl(tmp_path / "parts" / "two.jsonl", [_PAIRS[0], _CHATS[0]])
    said = _problems(tmp_path / "parts")
    assert f"{two}:2: the format is chat, but prompt_completion since one.jsonl, line 1" in said


def test_a_class_label_is_read_by_its_name(tmp_path: Path) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["skin", "ear"])}
    )
    rows = [{"text": "a rash", "label": 0}, {"text": "an ache", "label": 1}]
    datasets.Dataset.from_list(rows, features=features).save_to_disk(str(tmp_path / "set"))
    assert [record.label for record in load_training_set(tmp_path / "set").records] == ["skin", "ear"]


def test_of_saved_splits_train_is_read(tmp_path: Path) -> None:
    splits = {"train": datasets.Dataset.from_list(_PAIRS[:2]), "test": datasets.Dataset.from_list(_PAIRS[2:])}
    datasets.DatasetDict(splits).save_to_disk(str(tmp_path / "both"))
    assert len(load_training_set(tmp_path / "both").records) == 2
    assert len(load_training_set(tmp_path / "both" / "test").records) == 1
    datasets.DatasetDict({"test": splits["test"]}).save_to_disk(str(tmp_path / "test_only"))
    assert 'no split is called "train"; there are: test' in _problems(tmp_path / "test_only")


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Hugging Face cache of the test's own; the working directory has nothing in it."""
    cache, empty = tmp_path / "hub", tmp_path / "empty"
    cache.mkdir()
    empty.mkdir()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.chdir(empty)
    return cache


def test_an_id_is_read_from_the_local_cache(hub_cache: Path) -> None:
    kept = hub_cache / "datasets--clinic--notes"
    _write_parquet(kept / "snapshots" / "c0ffee" / "data" / "train-00000-of-00001.parquet", _PAIRS)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("c0ffee")
    assert [record.question for record in load_training_set(Path("clinic/notes")).records] == [
        pair["prompt"] for pair in _PAIRS
    ]


@pytest.mark.usefixtures("hub_cache")
def test_an_id_that_is_not_in_the_cache_is_not_fetched_and_the_next_step_is_said() -> None:
    assert "hf download clinic/notes --repo-type dataset" in _problems(Path("clinic/notes"))
    assert "data/train.jsonl: no such file or folder" in _problems(Path("data/train.jsonl"))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], "no data file"),
        (["test.jsonl", "dev/a.jsonl"], "only splits that are held out: dev/a.jsonl, test.jsonl"),
        (["a.jsonl", "b.csv"], r"files of several kinds \(.csv, .jsonl\): a.jsonl, b.csv"),
    ],
)
def test_a_folder_without_one_kind_of_files_to_learn_from_is_refused(
    tmp_path: Path, files: list[str], expected: str
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in files:
        _write_jsonl(folder / name, _PAIRS)
    with pytest.raises(DataError, match=expected):
        read_raw_records(folder)


def test_what_is_not_parquet_or_is_cut_short_is_refused(tmp_path: Path) -> None:
    whole = _write_parquet(tmp_path / "whole.parquet", _PAIRS).read_bytes()
    for name, content in {"cut": whole[:-20], "text": b"prompt,completion\n", "empty": b""}.items():
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(content)
        assert f"{path}: cannot be read as Parquet" in _problems(path)
    assert "it has no rows" in _problems(_write_parquet(tmp_path / "no_rows.parquet", []))


def test_a_file_without_a_telling_name_is_told_by_how_it_begins(tmp_path: Path) -> None:
    expected: list[TrainingRecord] = []
    for content in (_write_parquet(tmp_path / "a.parquet", _PAIRS).read_bytes(), json.dumps(_PAIRS).encode()):
        (tmp_path / "records").write_bytes(content)
        records = list(load_training_set(tmp_path / "records").records)
        expected = expected or records
        assert records == expected
