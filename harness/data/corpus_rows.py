"""A corpus out of a user's own CSV or JSONL file."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.data.cells import cell_text, not_text
from harness.data.columns import Columns, Role, recognise_columns
from harness.data.corpus import load_corpus
from harness.data.jsonl import Problem, raise_problems
from harness.data.tables import Row, Table

_FIELDS = ("passage_id", "title", "text")
_ROLES: Mapping[str, Role] = {
    "passage_id": Role(
        names=("passage_id", "id", "doc_id", "document_id"), perhaps=("key", "_id", "nr", "no", "number")
    ),
    "title": Role(names=("title",), perhaps=("name", "heading", "header")),
    "text": Role(
        names=("text", "passage", "content"),
        perhaps=("contents", "body", "document", "chunk", "paragraph", "description"),
        what="text of the passage",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusRows:
    """How many passages there are, and how `corpus.jsonl` gives them.

    `lines` is None where the file is a corpus already and is taken as it is.
    """

    count: int
    lines: tuple[dict[str, object], ...] | None
    unused: tuple[str, ...] = ()


def read_corpus_rows(table: Table) -> CorpusRows:
    """Reads a passage from each row; a corpus that harness can read is left as it is.

    Passages without an id are called `p001`, `p002`, ... by their place among the rows.

    Raises:
        DataError: Columns cannot be told apart; or rows have no text, or an id or a passage that stands twice: all at
            once.
    """
    if table.format == "jsonl" and {"passage_id", "text"} <= set(table.columns) <= set(_FIELDS):
        return CorpusRows(count=len(load_corpus(table.path)), lines=None)
    columns = recognise_columns(table, _ROLES, chosen={}, instead={})
    digits = max(3, len(str(len(table.rows))))
    problems: list[Problem] = []
    lines: list[dict[str, object]] = []
    first: dict[tuple[str | None, ...], int] = {}
    for number, row in enumerate(table.rows, start=1):
        texts, found = _texts(row, columns)
        texts = {"passage_id": f"p{number:0{digits}}", **texts}
        if (line := first.setdefault((texts["passage_id"],), row.line)) != row.line:
            found.append(f'the id "{texts["passage_id"]}" is already used in line {line}. Give each passage its own.')
        if (line := first.setdefault((texts.get("title"), texts.get("text")), row.line)) != row.line:
            found.append(f"the same passage stands already in line {line}. Keep one of them.")
        problems += [(row.line, problem) for problem in found]
        lines.append(dict(texts))
    if problems:
        raise_problems(table.path, problems)
    return CorpusRows(count=len(lines), lines=tuple(lines), unused=columns.unused)


def _texts(row: Row, columns: Columns) -> tuple[dict[str, str], list[str]]:
    problems: list[str] = []
    texts: dict[str, str] = {}
    for role in _FIELDS:
        column = columns.one(role)
        if column is None:
            continue
        value = row.cells.get(column, "")
        text = cell_text(value)
        if text is None:
            problems.append(not_text(column, value))
        elif text.strip():
            texts[role] = text
        elif role == "text":
            problems.append(f'"{column}" is empty; a passage needs text. Write it, or remove the row.')
    return texts, problems
