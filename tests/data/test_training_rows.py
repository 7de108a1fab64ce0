import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness.data.tables import read_table
from harness.data.training_rows import TrainingRows, read_training_rows
from harness.errors import DataError


def _read(
    folder: Path, content: str, name: str = "own.csv", chosen: Mapping[str, Sequence[str]] | None = None
) -> TrainingRows:
    path = folder / name
    path.write_text(content)
    return read_training_rows(read_table(path), chosen=chosen)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("question,answer\nQ,A\n", {"prompt": "Q", "completion": "A"}),
        ("Prompt;Completion;Group;x\nQ;A;g;1\n", {"prompt": "Q", "completion": "A", "group": "g"}),
        ("instruction,input,output\nDo,this,A\n", {"prompt": "Do\n\nthis", "completion": "A"}),
        ("instruction,input,output\nDo,,A\n", {"prompt": "Do", "completion": "A"}),
        ("instruction,output\nDo,A\n", {"prompt": "Do", "completion": "A"}),
        ("text,label\nQ,A\n", {"prompt": "Q", "completion": "A"}),
    ],
)
def test_questions_and_answers_become_prompts_and_completions(
    tmp_path: Path, content: str, line: dict[str, str]
) -> None:
    rows = _read(tmp_path, content)
    assert rows.lines == (line,)
    (record,) = rows.training_set.records
    assert (record.question, record.completion, record.group) == (line["prompt"], line["completion"], line.get("group"))
    assert record.line == 2


@pytest.mark.parametrize(
    "line",
    [
        {"prompt": "Q", "completion": "A"},
        {"instruction": "Do", "input": "this", "output": "A", "record_id": 1},
        {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]},
        {"prompt": [{"role": "user", "content": "Q"}], "completion": "A"},
    ],
)
def test_a_training_set_is_taken_as_it_is(tmp_path: Path, line: object) -> None:
    rows = _read(tmp_path, json.dumps(line) + "\n", "own.jsonl")
    assert rows.lines is None
    assert rows.training_set.records[0].completion == "A"


def test_jsonl_with_other_names_is_converted(tmp_path: Path) -> None:
    rows = _read(tmp_path, json.dumps({"uuid": "x", "prompt": "Q", "completion": "A"}), "own.jsonl")
    assert rows.lines == ({"prompt": "Q", "completion": "A"},)
    assert rows.unused == ("uuid",)


def test_a_column_named_for_the_golden_set_counts_where_it_is_there(tmp_path: Path) -> None:
    chosen = {"input": ["Frage"], "reference": ["Antwort"]}
    assert _read(tmp_path, "Frage,Antwort\nQ,A\n", chosen=chosen).lines == ({"prompt": "Q", "completion": "A"},)
    assert _read(tmp_path, "question,answer\nQ,A\n", chosen=chosen).lines == ({"prompt": "Q", "completion": "A"},)


def test_every_problem_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _read(tmp_path, "question,answer\nQ,\n,A\n")
    assert "own.csv: 2 problems" in str(caught.value)
    assert 'own.csv:2: "answer" is empty' in str(caught.value)
    assert 'own.csv:3: "question" is empty' in str(caught.value)


def test_a_training_set_with_a_defect_is_refused_as_check_refuses_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'own\.jsonl:1: "completion" is empty'):
        _read(tmp_path, json.dumps({"prompt": "Q", "completion": " "}), "own.jsonl")
