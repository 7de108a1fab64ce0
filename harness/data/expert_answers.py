"""Answers that an expert wrote to golden items, from a file with a line for each item."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.data.jsonl import Problem, raise_problems
from harness.data.tables import read_table
from harness.errors import nearest
from harness.records.items import Item

ITEM, ANSWER = "item_id", "answer"


def read_expert_answers(path: Path, items: Sequence[Item]) -> dict[str, str]:
    """Reads answers from JSONL or CSV with the fields (columns) `item_id` and `answer`.

    Args:
        path: The file.
        items: Those that must each have an answer.

    Returns:
        Answers by item id, in the order of `items`.

    Raises:
        DataError: It cannot be read, or with every problem: fields missing or unknown, items unknown, answered twice or
            not at all.
    """
    table = read_table(path)
    problems: list[Problem] = [
        (1, f'"{name}" is not a field of an answer; {nearest(name, (ITEM, ANSWER))}')
        for name in table.columns
        if name not in (ITEM, ANSWER)
    ]
    known = {item.item_id: item for item in items}
    answers: dict[str, str] = {}
    for row in table.rows:
        said = _row_problems(row.cells, known)
        item_id = str(row.cells.get(ITEM, ""))
        if item_id in answers:
            said.append(f"item {item_id} was answered in an earlier line too. Keep one of the two")
        problems += [(row.line, problem) for problem in said]
        if not said:
            answers[item_id] = str(row.cells[ANSWER])
    named = Counter(str(row.cells.get(ITEM, "")) for row in table.rows)
    last = max((row.line for row in table.rows), default=1)
    problems += [(last, f"item {one} has no answer. Add a line for it") for one in known if one not in named]
    if problems:
        raise_problems(path, problems)
    return {item.item_id: answers[item.item_id] for item in items}


def _row_problems(cells: Mapping[str, object], known: Mapping[str, Item]) -> list[str]:
    problems: list[str] = []
    item_id, answer = cells.get(ITEM), cells.get(ANSWER)
    if not isinstance(item_id, str):
        problems.append(f"{ITEM} is {'missing' if item_id is None else repr(item_id)}; write the item's id as text")
    elif item_id not in known:
        problems.append(f'"{item_id}" is not an item of the golden set that is asked; {nearest(item_id, known)}')
    if not isinstance(answer, str) or not answer.strip():
        problems.append(f"{ANSWER} is {'missing' if answer is None else repr(answer)}; write the answer as text")
    return problems
