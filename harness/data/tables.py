"""Rows of a user's own file: CSV of any dialect, or JSONL, each with the line it starts in."""

import codecs
import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.data.jsonl import raise_problems, scan_jsonl
from harness.errors import DataError

TableFormat = Literal["csv", "jsonl"]

_DELIMITERS: Mapping[str, str] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_JSONL_SUFFIXES = {".jsonl", ".ndjson", ".json"}
_CSV_SUFFIXES = {".csv", ".tsv", ".tab"}
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SEP_LINE = re.compile(r"sep=([,;|\t])\n", re.IGNORECASE)  # Excel writes it, and reads the rest by it
_LONGEST_CELL = csv.field_size_limit()
_TRIED_RECORDS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One record. `line` is that on which it starts (from 1). A cell of a CSV file is text without white space around.

    Cells that are empty (CSV) or null (JSONL) are left out.
    """

    line: int
    cells: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """The rows of a file and the names of their columns, in the order in which they are first seen.

    `described` says how the file was read, such as `CSV, semicolon, utf-8`.
    """

    path: Path
    format: TableFormat
    described: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(path: Path, *, encoding: str | None = None) -> Table:
    """Reads a CSV file (comma, semicolon, tab or bar; with a header) or a JSONL file.

    Which of the two it is, is told by its ending, else by whether it begins with `{`. CSV is UTF-8, with or without a
    byte order mark, or UTF-16 with one; anything else has to be named. A quoted cell may hold line breaks. Rows without
    any text are skipped.

    Args:
        path: The file.
        encoding: Of a CSV file that is not UTF-8, such as `cp1252`. A file that plainly is UTF-8 is read as that.

    Raises:
        DataError: The file cannot be read, or has lines that are no record: all at once.
    """
    raw = _read_bytes(path)
    if not raw.strip():
        raise DataError(_emptiness(path))
    if _is_jsonl(path, raw):
        return _read_jsonl(path)
    return _read_csv(path, *_decoded(path, raw, encoding))


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. Check the path; a CSV or JSONL file is needed.") from None
    except IsADirectoryError:
        raise DataError(f"{path}: this is a folder, a CSV or JSONL file is needed. Name the file in it.") from None
    except OSError as problem:
        raise DataError(f"{path}: cannot be read ({problem.strerror}). Check who may read it.") from None


def _emptiness(path: Path) -> str:
    return f"{path}: the file is empty. Write a header and a row for each record, or one JSON object a line."


def _is_jsonl(path: Path, raw: bytes) -> bool:
    suffix = path.suffix.lower()
    if suffix in _JSONL_SUFFIXES | _CSV_SUFFIXES:
        return suffix in _JSONL_SUFFIXES
    return raw.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{")


def _read_jsonl(path: Path) -> Table:
    lines = scan_jsonl(path)
    if lines.problems:
        raise_problems(path, lines.problems)
    rows = tuple(
        Row(line=line, cells={name: value for name, value in cells.items() if value is not None})
        for line, cells in lines.objects
    )
    columns = tuple(dict.fromkeys(name for _, cells in lines.objects for name in cells))
    return Table(path=path, format="jsonl", described="JSONL", columns=columns, rows=rows)


def _decoded(path: Path, raw: bytes, encoding: str | None) -> tuple[str, str]:
    """The text of a file and the name of its encoding."""
    if raw.startswith(b"PK\x03\x04"):
        raise DataError(f"{path}: this is a workbook or a ZIP file, not CSV. Save the sheet as CSV (UTF-8).")
    name = _encoding_of(raw, encoding)
    try:
        text = raw.decode(name)
    except UnicodeDecodeError as problem:
        raise DataError(_encoding_problem(path, raw, name, problem)) from None
    except (LookupError, UnicodeError):
        raise DataError(
            f'--encoding "{name}" is not known; write one such as utf-8, cp1252, latin-1 or utf-16.'
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}:{line}: a NUL character: this is not a text file. A CSV or JSONL file is needed.")
    return text.replace("\r\n", "\n"), "utf-8" if name == "utf-8-sig" else name


def _encoding_of(raw: bytes, said: str | None) -> str:
    """The encoding that the bytes show, else the one that was said: it is for all files, and some may be UTF-8."""
    if raw.startswith(_UTF16_BOMS):
        return "utf-16"
    if said is None or raw.startswith(codecs.BOM_UTF8) or (not raw.isascii() and _is_utf8(raw)):
        return "utf-8-sig"
    return said


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _encoding_problem(path: Path, raw: bytes, encoding: str, problem: UnicodeDecodeError) -> str:
    line = raw.count(b"\n", 0, problem.start) + 1
    seen = f"byte 0x{raw[problem.start]:02x} is not {encoding.removesuffix('-sig')}"
    if b"\0" in raw:
        return f"{path}:{line}: {seen}, and there are NUL bytes: this is not a text file. Give a CSV or JSONL file."
    advice = "Save it as CSV UTF-8"
    if encoding == "utf-8-sig":
        advice += ", or, if it comes from a Western European Windows or Excel, add --encoding cp1252"
    return f"{path}:{line}: {seen}. {advice}."


def _read_csv(path: Path, text: str, encoding: str) -> Table:
    skipped = 0
    if declared := _SEP_LINE.match(text):
        text, skipped = text[declared.end() :], 1
    delimiter = declared.group(1) if declared else _delimiter(text)
    (header_line, header), *records = _records(path, text, delimiter, skipped) or [(0, [])]
    if not header:
        raise DataError(_emptiness(path))
    names = tuple(cell.strip() for cell in header)
    problems = [(header_line, problem) for problem in _header_problems(names)]
    rows: list[Row] = []
    for line, cells in records:
        problems += [(line, problem) for problem in _width_problems(cells, names)]
        named = zip(names, cells, strict=False)
        rows.append(Row(line=line, cells={name: cell.strip() for name, cell in named if name and cell.strip()}))
    if not rows:
        problems.append((header_line, "a header and no rows, or no header. Write the names of the columns first."))
    if problems:
        raise_problems(path, problems)
    described = f"CSV, {_DELIMITERS[delimiter]}, {encoding}"
    return Table(path=path, format="csv", described=described, columns=tuple(filter(None, names)), rows=tuple(rows))


def _delimiter(text: str) -> str:
    """The delimiter that gives the header several columns and the most rows as many."""

    def fit(delimiter: str) -> tuple[bool, float, int]:
        widths: list[int] = []
        try:
            for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
                widths += [len(cells)] if any(cells) else []
                if len(widths) > _TRIED_RECORDS:
                    break
        except csv.Error:
            return bool(widths) and widths[0] > 1, 0.0, 0
        if not widths:
            return False, 0.0, 0
        return widths[0] > 1, widths.count(widths[0]) / len(widths), widths[0]

    return max(_DELIMITERS, key=fit)


def _records(path: Path, text: str, delimiter: str, skipped: int) -> list[tuple[int, list[str]]]:
    """Records that hold any text, each with the line on which it starts."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: list[tuple[int, list[str]]] = []
    start = skipped + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((start, cells))
            start = skipped + reader.line_num + 1
    except csv.Error as problem:
        raise_problems(path, [(start, _csv_problem(str(problem)))])
    return records


def _csv_problem(problem: str) -> str:
    if "field larger than" in problem:
        return (
            f"a cell has more than {_LONGEST_CELL:,} characters. Is a double quote left open there? Close it, or "
            "shorten the cell."
        )
    if "unexpected end of data" in problem:
        return "a double quote is opened and never closed. Close it, or double it where it is part of the text."
    return f'not CSV: {problem}. Put the cell in double quotes, and write a quote inside it twice ("").'


def _header_problems(names: tuple[str, ...]) -> list[str]:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    return [f'the column "{name}" stands twice in the header. Rename or remove one of them.' for name in twice]


def _width_problems(cells: list[str], names: tuple[str, ...]) -> list[str]:
    beyond = [cell for cell in cells[len(names) :] if cell.strip()]
    nameless = [cell for cell, name in zip(cells, names, strict=False) if cell.strip() and not name]
    problems: list[str] = []
    if beyond:
        problems.append(
            f"{len(cells)} cells, and the header names {len(names)}; the first one too many is "
            f"`{beyond[0].strip()[:40]}`. Put a cell that holds the delimiter in double quotes."
        )
    if nameless:
        problems.append(
            f"the cell `{nameless[0].strip()[:40]}` stands in a column without a name. Name it in the header."
        )
    return problems
