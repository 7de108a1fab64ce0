from pathlib import Path

import pytest

from harness.data.expert_answers import read_expert_answers
from harness.errors import DataError
from harness.records.items import Item
from harness.records.messages import Message

ITEMS = [Item(item_id=name, input=(Message(role="user", content="?"),), references=("x",)) for name in ("a1", "a2")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("answers.csv", "item_id;answer\na2;zwei\na1;eins\n"),
        ("answers.jsonl", '{"item_id": "a1", "answer": "eins"}\n{"item_id": "a2", "answer": "zwei"}\n'),
    ],
)
def test_answers_come_in_the_order_of_the_items(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert list(read_expert_answers(tmp_path / name, ITEMS).items()) == [("a1", "eins"), ("a2", "zwei")]


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text(
        '{"item_id": "a1", "answer": "x", "note": 1}\n{"item_id": "a1", "answer": "y"}\n'
        '{"item_id": "b9", "answer": " "}\n{"answer": "z"}\n'
    )
    with pytest.raises(DataError) as caught:
        read_expert_answers(file, ITEMS)
    said = str(caught.value)
    for problem in (
        '"note" is not a field',
        "item a1 was answered in an earlier line too",
        '"b9" is not an item',
        "answer is ' '",
        "item_id is missing",
        "item a2 has no answer",
    ):
        assert problem in said
