import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness.data.golden_rows import GoldenRows, read_golden_rows
from harness.data.tables import read_table
from harness.errors import DataError


def _read(
    folder: Path, content: str, chosen: Mapping[str, Sequence[str]] | None = None, name: str = "own.csv"
) -> GoldenRows:
    path = folder / name
    path.write_text(content)
    return read_golden_rows(read_table(path), chosen=chosen)


def _problem(folder: Path, content: str, name: str = "own.csv") -> str:
    with pytest.raises(DataError) as caught:
        _read(folder, content, name=name)
    return str(caught.value)


@pytest.mark.parametrize("asked", ["question", "Question", "INPUT", "prompt", "Query", "Note", "text", "User"])
@pytest.mark.parametrize(
    "answered", ["answer", "Reference", "expected output", "Label", "ground-truth", "Correct Answer"]
)
def test_columns_are_recognised_by_what_people_call_them(tmp_path: Path, asked: str, answered: str) -> None:
    (item,) = _read(tmp_path, f"{asked},{answered}\nWhy?,Because\n").items
    assert (item.item_id, item.question, item.references) == ("q001", "Why?", ("Because",))


def test_every_field_of_an_item_can_stand_in_a_column(tmp_path: Path) -> None:
    header = "ID;Question;Answer;Answer 2;Topic;Group;Difficulty;Kind;Source;Notes;must contain;must_not_contain"
    (item,) = _read(tmp_path, f"{header}\nx1;Why?;A|B;C;t1, t2;p-1;Hard;edge;a book;n;a|b;c\n").items
    assert (item.item_id, item.references, item.tags, item.group) == ("x1", ("A|B", "C"), ("t1", "t2"), "p-1")
    assert (item.difficulty, item.kind, item.source, item.notes) == ("hard", "edge", "a book", "n")
    assert (item.must_contain, item.must_not_contain) == (("a", "b"), ("c",))


@pytest.mark.parametrize(
    ("written", "sealed"), [("yes", True), ("TRUE", True), ("x", True), ("no", False), ("", False)]
)
def test_sealed_and_retired_items_stay_so(tmp_path: Path, written: str, sealed: bool) -> None:
    rows = _read(tmp_path, f"question,answer,sealed,retired\nWhy?,So,{written},\nHow?,Well,,the rule is gone\n")
    assert [(item.sealed, item.retired) for item in rows.items] == [(sealed, None), (False, "the rule is gone")]
    assert rows.lines[1] == {"item_id": "q002", "input": "How?", "reference": "Well", "retired": "the rule is gone"}
    assert rows.lines[0].get("sealed", False) is sealed


def test_truth_values_of_jsonl_seal_an_item(tmp_path: Path) -> None:
    lines = [{"question": "Why?", "answer": "So", "sealed": True}, {"question": "How?", "answer": "W", "sealed": False}]
    rows = _read(tmp_path, "\n".join(map(json.dumps, lines)), name="own.jsonl")
    assert [item.sealed for item in rows.items] == [True, False]


def test_a_seal_that_is_neither_yes_nor_no_is_named(tmp_path: Path) -> None:
    said = _problem(tmp_path, "question,answer,sealed\nWhy?,So,perhaps\n")
    assert 'own.csv:2: "sealed": "perhaps" is neither yes nor no; allowed: true, false, yes, no.' in said


def test_the_lines_give_the_items_again(tmp_path: Path) -> None:
    rows = _read(tmp_path, "question,answers,tags\nWhy?,So|Thus,t\nHow?,Well,\n")
    assert rows.lines == (
        {"item_id": "q001", "input": "Why?", "references": ["So", "Thus"], "tags": ["t"]},
        {"item_id": "q002", "input": "How?", "reference": "Well"},
    )


def test_lists_turns_and_numbers_of_jsonl_are_understood(tmp_path: Path) -> None:
    turns = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]
    lines = [
        {"id": 7, "question": "2+2?", "answer": 4, "must_contain": ["4"]},
        {"id": 8, "messages": turns, "answer": ["A", "B"]},
    ]
    first, second = _read(tmp_path, "\n".join(map(json.dumps, lines)), name="own.jsonl").items
    assert (first.item_id, first.references, first.must_contain) == ("7", ("4",), ("4",))
    assert (second.question, second.input[0].role, second.references) == ("Q", "system", ("A", "B"))


def test_a_place_among_the_rows_gives_a_missing_id_and_rows_added_at_the_end_change_none(tmp_path: Path) -> None:
    short = _read(tmp_path, "q,answer\nA?,1\nB?,2\n", {"input": ["q"]}).items
    longer = _read(tmp_path, "q,answer\nA?,1\nB?,2\nC?,3\n", {"input": ["q"]}).items
    assert [item.item_id for item in short] == ["q001", "q002"]
    assert longer[:2] == short


def test_columns_can_be_named_and_what_is_left_over_is_told(tmp_path: Path) -> None:
    content = "Frage,Antwort,question,answer\nWarum?,Darum,Why?,So\n"
    rows = _read(tmp_path, content, {"input": ["frage"], "reference": ["Antwort", "answer"]})
    assert (rows.items[0].question, rows.items[0].references) == ("Warum?", ("Darum", "So"))
    assert rows.columns.unused == ("question",)


def test_a_column_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'--input-column: "Frag" is not a column; did you mean "Frage"\?'):
        _read(tmp_path, "Frage,answer\nWarum?,Darum\n", {"input": ["Frag"]})


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "Frage,Antwort",
            ['columns seen: "Frage", "Antwort"', "2 problems", 'Rename that column to "input"', "--input-column"],
        ),
        (
            "question,prompt,answer",
            ['"question" and "prompt" could each be the question: say which with --input-column'],
        ),
        ("question,answer,reference", ['"answer" and "reference" could each be', "--reference-column"]),
        ("question,answer,answers", ['"answer" and "answers" could each be']),
        (
            "question,answer,id,item_id",
            ['"id" and "item_id" could each be the item_id: rename all but the one that is meant'],
        ),
        ("question", ["no column is the reference (the right answer)"]),
    ],
)
def test_columns_that_cannot_be_told_apart_are_named(tmp_path: Path, header: str, expected: list[str]) -> None:
    said = _problem(tmp_path, f"{header}\n{','.join('abcd'[: header.count(',') + 1])}\n")
    for part in expected:
        assert part in said


def test_every_problem_is_told_with_its_line(tmp_path: Path) -> None:
    said = _problem(
        tmp_path,
        "id,question,answer,difficulty\n"
        'a,"What\nis it?",It,easy\n'
        "a,Where?,There,easy\n"
        "b,,Yes,easy\n"
        "c,Who?,,easy\n"
        "d,WHAT IS  IT?,That,easy\n"
        "e,When?,Now,tricky\n",
    )
    assert "own.csv: 5 problems" in said
    for expected in (
        'own.csv:4: the id "a" is already used in line 2',
        'own.csv:5: "question" is empty',
        'own.csv:6: "answer" is empty',
        "own.csv:7: the same question stands already in line 2",
        'own.csv:8: "difficulty": "tricky" is not allowed',
    ):
        assert expected in said


def test_sums_that_differ_in_a_sign_are_different_questions(tmp_path: Path) -> None:
    assert len(_read(tmp_path, "question,answer\n5-3?,2\n5/3?,1.67\n53?,53\n").items) == 3


def test_a_question_given_twice_over_is_refused(tmp_path: Path) -> None:
    both = {"messages": [{"role": "user", "content": "Q"}], "question": "Q", "answer": "A"}
    assert '"input" and "messages" are both given' in _problem(tmp_path, json.dumps(both), "own.jsonl")


def test_an_object_where_text_is_needed_is_named(tmp_path: Path) -> None:
    lines = [{"question": {"text": "Q"}, "answer": "A"}, {"question": "Q", "answer": [["A"]], "tags": [{}]}]
    said = _problem(tmp_path, "\n".join(map(json.dumps, lines)), "own.jsonl")
    for expected in (':1: "question": text is needed', ':2: "answer": text is needed', ':2: "tags": text is needed'):
        assert expected in said
