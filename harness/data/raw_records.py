"""Records as they are written, from a file or folder of any kind, each with its place for messages."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.data.arrow_rows import Rows, is_saved_dataset, read_parquet_rows, read_saved_rows
from harness.data.dataset_folder import locate_training_set, training_files
from harness.data.json_list import scan_json_list
from harness.data.jsonl import scan_jsonl
from harness.data.tables import Row, read_table
from harness.hashing import file_hash, files_hash

Container = Literal["JSONL", "JSON", "CSV", "Parquet", "data set"]

_CSV_SUFFIXES = {".csv", ".tsv", ".tab"}
_LINE_SUFFIXES = {".jsonl", ".ndjson"}
_PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRecord:
    """One record.

    Attributes:
        number: The line in JSONL and CSV, else the count of the record, from 1: no two records share it.
        place: Where it is, with the file, such as `train.jsonl:3`.
        where: Where it is in the file, such as `line 3`.
        value: Its fields. Those that are null (Parquet) or empty (CSV) are left out.
    """

    number: int
    place: str
    where: str
    value: dict[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRecords:
    """The records of a file or folder.

    `sha256` is the file's, or one over the names and bytes of the folder's files. `problems` are those of places that
    hold no record, each with its number (for order) and its place in the text.
    """

    path: Path
    container: Container
    sha256: str
    records: tuple[RawRecord, ...]
    problems: tuple[tuple[int, str], ...] = ()


def read_raw_records(place: Path, *, encoding: str | None = None) -> RawRecords:
    """Reads JSONL, JSON (a list of objects), CSV or Parquet, a folder of those, or a data set of Hugging Face.

    Args:
        place: A file, a folder, or an id `owner/name` that is in the local cache.
        encoding: Of a CSV file that is not UTF-8, such as `cp1252`.

    Raises:
        DataError: There is nothing that can be read.
    """
    path = locate_training_set(place)
    if not path.is_dir():
        return _read_file(path, encoding)
    if is_saved_dataset(path):
        names = [file.relative_to(path).as_posix() for file in sorted(path.rglob("*.arrow"))]
        return _counted(path, "data set", files_hash(path, names), read_saved_rows(path))
    files = training_files(path)
    records: list[RawRecord] = []
    problems: list[tuple[int, str]] = []
    for file in files:
        read = _read_file(file, encoding)
        problems += [(len(records), text) for _, text in read.problems]
        inside = file.relative_to(path).as_posix()
        records += (
            RawRecord(number=number, place=raw.place, where=f"{inside}, {raw.where}", value=raw.value)
            for number, raw in enumerate(read.records, start=len(records) + 1)
        )
    return RawRecords(
        path=path,
        container="data set",
        sha256=files_hash(path, [file.relative_to(path).as_posix() for file in files]),
        records=tuple(records),
        problems=tuple(problems),
    )


def _read_file(path: Path, encoding: str | None) -> RawRecords:
    match _container(path):
        case "CSV":
            table = read_table(path, encoding=encoding)
            lines = ((row.line, _csv_fields(row)) for row in table.rows)
            return _in_lines(path, "CSV", file_hash(path), lines)
        case "Parquet":
            rows = read_parquet_rows(path)
            return _counted(path, "Parquet", file_hash(path), rows)
        case "JSON":
            read = scan_json_list(path)
            records = tuple(
                RawRecord(number=number, place=f"{path}:{line} (record {number})", where=f"line {line}", value=value)
                for number, (line, value) in enumerate(read.objects, start=1)
            )
            problems = tuple((line, f"{path}:{line}: {text}") for line, text in read.problems)
            return RawRecords(path=path, container="JSON", sha256=read.sha256, records=records, problems=problems)
        case _:
            read = scan_jsonl(path)
            return _in_lines(path, "JSONL", read.sha256, read.objects, read.problems)


def _container(path: Path) -> Container:
    """Told by the ending, else by how the file begins."""
    suffix = path.suffix.lower()
    if suffix in _CSV_SUFFIXES:
        return "CSV"
    if suffix == ".parquet":
        return "Parquet"
    if suffix in _LINE_SUFFIXES:
        return "JSONL"
    try:
        with path.open("rb") as stream:
            begin = stream.read(4096)
    except OSError:
        return "JSONL"  # whose reader says what is wrong
    if begin.startswith(_PARQUET_MAGIC):
        return "Parquet"
    return "JSON" if begin.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[") else "JSONL"


def _in_lines(
    path: Path,
    container: Container,
    sha256: str,
    lines: Iterable[tuple[int, dict[str, object]]],
    problems: Iterable[tuple[int, str]] = (),
) -> RawRecords:
    return RawRecords(
        path=path,
        container=container,
        sha256=sha256,
        records=tuple(
            RawRecord(number=line, place=f"{path}:{line}", where=f"line {line}", value=value) for line, value in lines
        ),
        problems=tuple((line, f"{path}:{line}: {text}") for line, text in problems),
    )


def _counted(path: Path, container: Container, sha256: str, rows: Rows) -> RawRecords:
    records = tuple(
        RawRecord(number=number, place=f"{path}, row {number}", where=f"row {number}", value=value)
        for number, value in enumerate(rows, start=1)
    )
    empty = () if records else ((0, f"{path}: it has no rows. Write one for each record."),)
    return RawRecords(path=path, container=container, sha256=sha256, records=records, problems=empty)


def _csv_fields(row: Row) -> dict[str, object]:
    """The cells of a row; the one cell that has to be a list, `messages`, is read as JSON where it is that."""
    fields = dict(row.cells)
    turns = fields.get("messages")
    if isinstance(turns, str):
        try:
            fields["messages"] = json.loads(turns)
        except ValueError:
            return fields
    return fields
