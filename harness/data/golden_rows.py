"""Items of a golden set out of a user's own CSV or JSONL file."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.data.cells import cell_text, cell_texts, not_text
from harness.data.columns import Columns, Role, plain_name, recognise_columns
from harness.data.fields import show_value
from harness.data.golden import read_item
from harness.data.jsonl import Problem, raise_problems
from harness.data.tables import Row, Table
from harness.hashing import canonical_json
from harness.records.items import Item

# Columns whose name is in the plural hold several texts with a bar between them; others hold one text, bars and all.
_PLURAL = frozenset({"references", "answers", "labels", "targets", "outputs"})
_LISTS = {"tags": "|;,\n", "must_contain": "|\n", "must_not_contain": "|\n"}
_CHOICES = ("kind", "difficulty")
_PLAIN = ("group", "source", "notes", "retired")
_YES_OR_NO = {
    **dict.fromkeys(("true", "yes", "1", "x"), True),
    **dict.fromkeys(("false", "no", "0", ""), False),
}

_RIGHT_ANSWER = (
    *("reference", "answer", "expected", "expected_answer", "expected_output", "correct_answer"),
    *("gold", "gold_answer", "ground_truth", "references", "answers"),
)
_PERHAPS_AN_ANSWER = (
    *("output", "label", "target", "response", "completion", "ideal", "solution", "code", "codes"),
    *("labels", "targets", "outputs"),
)
_ROLES: Mapping[str, Role] = {
    "item_id": Role(names=("item_id", "id", "question_id"), perhaps=("key", "qid", "uid", "nr", "no", "number")),
    "messages": Role(names=("messages",), perhaps=("conversation",)),
    "input": Role(
        names=("input", "question", "prompt", "query"),
        perhaps=("instruction", "problem", "request", "user", "note", "text", "message", "task"),
        what="question",
        option="--input-column",
    ),
    "reference": Role(
        names=_RIGHT_ANSWER,
        perhaps=_PERHAPS_AN_ANSWER,
        what="reference (the right answer)",
        option="--reference-column",
        several=True,
    ),
    "tags": Role(names=("tags", "tag"), perhaps=("topic", "category", "subject")),
    "must_contain": Role(names=("must_contain",)),
    "must_not_contain": Role(names=("must_not_contain",)),
    "group": Role(names=("group",), perhaps=("patient", "patient_id", "document", "document_id", "cluster")),
    "kind": Role(names=("kind",)),
    "difficulty": Role(names=("difficulty",)),
    "source": Role(names=("source",), perhaps=("origin", "provenance", "author")),
    "notes": Role(names=("notes",), perhaps=("comment", "comments", "rationale", "explanation", "remark", "remarks")),
    "sealed": Role(names=("sealed",)),
    "retired": Role(names=("retired",)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldenRows:
    """Items, and each as the line of `golden.jsonl` that gives it."""

    items: tuple[Item, ...]
    lines: tuple[dict[str, object], ...]
    columns: Columns


def read_golden_rows(table: Table, *, chosen: Mapping[str, Sequence[str]] | None = None) -> GoldenRows:
    """Reads an item from each row.

    Items without an id are called `q001`, `q002`, ... by their place among the rows, so that rows added at the end
    change no id. References stand in one column, in several (`answer`, `answer 2`), in a list of JSON, or with a bar
    between them in a column named in the plural.

    Args:
        table: The file as read.
        chosen: Columns named by the user, for `input` and `reference`.

    Raises:
        DataError: Columns cannot be told apart; or rows have an empty cell where text is needed, an id or a question
            that stands twice, or a value that is not allowed: all at once.
    """
    columns = recognise_columns(table, _ROLES, chosen=chosen or {}, instead={"input": "messages"})
    digits = max(3, len(str(len(table.rows))))
    problems: list[Problem] = []
    items: list[Item] = []
    lines: list[dict[str, object]] = []
    first_id: dict[str, int] = {}
    first_question: dict[str, int] = {}
    for number, row in enumerate(table.rows, start=1):
        line, found = _item_line(row, columns, f"q{number:0{digits}}")
        item, wrong = (None, []) if found else read_item(line)
        problems += [(row.line, problem) for problem in (*found, *wrong)]
        problems += [(row.line, problem) for problem in _repeats(line, row.line, first_id, first_question)]
        if item is not None:
            items.append(item)
            lines.append(line)
    if problems:
        raise_problems(table.path, problems)
    return GoldenRows(items=tuple(items), lines=tuple(lines), columns=columns)


def _item_line(row: Row, columns: Columns, place: str) -> tuple[dict[str, object], list[str]]:
    """A line of `golden.jsonl`, and what is wrong with the row."""
    problems: list[str] = []
    line: dict[str, object] = {"item_id": _optional(row, columns, "item_id", problems) or place}
    messages, asked = columns.one("messages"), columns.one("input")
    if messages is not None and messages in row.cells:
        line["messages"] = row.cells[messages]
    if "messages" not in line or asked in row.cells:
        line["input"] = _needed_text(row, asked or messages or "input", problems)
    references = _references(row, columns.of["reference"], problems)
    line |= {"reference": references[0]} if len(references) == 1 else {"references": references}
    for role in (*_CHOICES, *_PLAIN):
        if (text := _optional(row, columns, role, problems)) is not None:
            line[role] = text.casefold() if role in _CHOICES else text
    if _is_sealed(row, columns, problems):
        line["sealed"] = True
    for role, separators in _LISTS.items():
        column = columns.one(role)
        if column is not None and column in row.cells:
            texts = _texts(row, column, problems, lambda value, cut=separators: cell_texts(value, cut))
            line |= {role: texts} if texts else {}
    return line, problems


def _references(row: Row, columns: Sequence[str], problems: list[str]) -> list[str]:
    texts: list[str] = []
    found: list[str] = []
    for column in columns:
        separators = "|" if plain_name(column) in _PLURAL else ""
        texts += _texts(row, column, found, lambda value, cut=separators: cell_texts(value, cut))
    if not texts and not found:
        listed = " and ".join(f'"{column}"' for column in columns)
        found.append(f"{listed} is empty; an item needs the right answer. Write it, or remove the row.")
    problems += found
    return list(dict.fromkeys(texts))


def _texts(row: Row, column: str, problems: list[str], read: Callable[[object], list[str] | None]) -> list[str]:
    if column not in row.cells:
        return []
    texts = read(row.cells[column])
    if texts is None:
        problems.append(not_text(column, row.cells[column]))
    return texts or []


def _needed_text(row: Row, column: str, problems: list[str]) -> str:
    text = cell_text(row.cells.get(column, ""))
    if text is None:
        problems.append(not_text(column, row.cells[column]))
    elif not text.strip():
        problems.append(f'"{column}" is empty; an item needs a question. Write it, or remove the row.')
    return text or ""


def _optional(row: Row, columns: Columns, role: str, problems: list[str]) -> str | None:
    column = columns.one(role)
    if column is None or column not in row.cells:
        return None
    text = cell_text(row.cells[column])
    if text is None:
        problems.append(not_text(column, row.cells[column]))
    return text.strip() if text and text.strip() else None


def _is_sealed(row: Row, columns: Columns, problems: list[str]) -> bool:
    column = columns.one("sealed")
    if column is None or column not in row.cells:
        return False
    value = row.cells[column]
    text = (
        str(value).strip().casefold() if isinstance(value, bool | int) else (cell_text(value) or "").strip().casefold()
    )
    if text not in _YES_OR_NO:
        problems.append(f'"{column}": {show_value(value)} is neither yes nor no; allowed: true, false, yes, no.')
    return _YES_OR_NO.get(text, False)


def _repeats(
    line: Mapping[str, object], number: int, first_id: dict[str, int], first_question: dict[str, int]
) -> list[str]:
    problems: list[str] = []
    item_id = str(line["item_id"])
    if (first := first_id.setdefault(item_id, number)) != number:
        problems.append(f'the id "{item_id}" is already used in line {first}. Give each item its own.')
    asked = line.get("messages") or line.get("input")
    if asked and (first := first_question.setdefault(_folded(asked), number)) != number:
        problems.append(f"the same question stands already in line {first}: {show_value(asked)}. Keep one of them.")
    return problems


def _folded(asked: object) -> str:
    """A question but for case, width and white space. Signs stay: 5-3 is not 5/3."""
    text = asked if isinstance(asked, str) else canonical_json(asked)
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
