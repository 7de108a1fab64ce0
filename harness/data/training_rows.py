"""A training set out of a user's own CSV or JSONL file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.data.cells import cell_text, not_text
from harness.data.columns import Columns, Role, plain_name, recognise_columns
from harness.data.jsonl import Problem, raise_problems
from harness.data.tables import Row, Table
from harness.data.training import load_training_set
from harness.data.training_fields import PASSED_ON
from harness.hashing import file_hash
from harness.records.messages import Message
from harness.records.training import TrainingRecord, TrainingSet

_MARKS = ({"instruction", "output"}, {"prompt", "completion"}, {"prompt", "chosen", "rejected"})
_READ_AS_THEY_ARE = {
    *PASSED_ON,
    *("instruction", "input", "output", "prompt", "completion", "chosen", "rejected"),
}

_COMPLETION = Role(
    names=("completion", "answer", "output", "response", "reference", "expected", "expected_output"),
    perhaps=("label", "target", "gold", "solution", "code", "codes"),
    what="answer",
    option="--reference-column",
)
_PROMPT = Role(
    names=("prompt", "question", "query"),
    perhaps=("instruction", "input", "problem", "request", "user", "note", "text", "message", "task"),
    what="question",
    option="--input-column",
)
_GROUP = Role(names=("group",), perhaps=("patient", "patient_id", "document", "document_id", "cluster"))


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRows:
    """Training records with the lines of the user's file, and how `train.jsonl` gives them.

    `lines` is None where the file is a training set already and is taken as it is.
    """

    training_set: TrainingSet
    lines: tuple[dict[str, object], ...] | None
    unused: tuple[str, ...] = ()


def read_training_rows(table: Table, *, chosen: Mapping[str, Sequence[str]] | None = None) -> TrainingRows:
    """Reads a record from each row; a training set that harness can read is left as it is.

    Columns are a question and its answer, or `instruction`, `input` and `output`. A column named by the user for
    another file counts only where this one has it.

    Raises:
        DataError: Columns cannot be told apart, or rows have an empty cell where text is needed: all at once.
    """
    if _is_training_set(table):
        return TrainingRows(training_set=load_training_set(table.path), lines=None)
    columns = recognise_columns(table, _roles(table), chosen=_chosen_here(table, chosen or {}), instead={})
    problems: list[Problem] = []
    lines: list[dict[str, object]] = []
    records: list[TrainingRecord] = []
    for row in table.rows:
        texts, found = _texts(row, columns)
        problems += [(row.line, problem) for problem in found]
        if not found:
            lines.append(dict(texts))
            records.append(_record(texts, row.line))
    if problems:
        raise_problems(table.path, problems)
    training_set = TrainingSet(
        path=str(table.path), sha256=file_hash(table.path), format="prompt_completion", records=tuple(records)
    )
    return TrainingRows(training_set=training_set, lines=tuple(lines), unused=columns.unused)


def _is_training_set(table: Table) -> bool:
    if table.format != "jsonl":
        return False
    seen = set(table.columns)
    has_turns = any(isinstance(row.cells.get(name), list) for row in table.rows for name in ("prompt", "completion"))
    return "messages" in seen or has_turns or (any(marks <= seen for marks in _MARKS) and seen <= _READ_AS_THEY_ARE)


def _roles(table: Table) -> dict[str, Role]:
    roles = {"prompt": _PROMPT, "completion": _COMPLETION, "group": _GROUP}
    if {"instruction", "input"} <= {plain_name(column) for column in table.columns}:
        roles |= {"prompt": Role(names=("instruction",)), "input": Role(names=("input",))}
    return roles


def _chosen_here(table: Table, chosen: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    known = {column.casefold() for column in table.columns}
    here = {role: [one for one in columns if one.strip().casefold() in known] for role, columns in chosen.items()}
    return {
        {"input": "prompt", "reference": "completion"}[role]: columns[:1] for role, columns in here.items() if columns
    }


def _texts(row: Row, columns: Columns) -> tuple[dict[str, str], list[str]]:
    """`prompt`, `completion` and perhaps `group` of a row, and what is wrong with it."""
    problems: list[str] = []
    texts: dict[str, str] = {}
    for role in ("prompt", "input", "completion", "group"):
        column = columns.one(role)
        if column is None:
            continue
        value = row.cells.get(column, "")
        text = cell_text(value)
        if text is None:
            problems.append(not_text(column, value))
        elif text.strip():
            texts[role] = text
        elif role in {"prompt", "completion"}:
            problems.append(f'"{column}" is empty; a training record needs it. Write it, or remove the row.')
    if further := texts.pop("input", None):
        texts["prompt"] = f"{texts.get('prompt', '')}\n\n{further}"
    return texts, problems


def _record(texts: Mapping[str, str], line: int) -> TrainingRecord:
    asked = Message(role="user", content=texts["prompt"])
    return TrainingRecord(prompt=(asked,), completion=texts["completion"], line=line, group=texts.get("group"))
