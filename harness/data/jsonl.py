"""JSONL files: one JSON object a line, and every problem of a file in one error."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, cast

from harness.errors import DataError, problems_message

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

Problem = tuple[int, str]
"""A line number (from 1) and what is wrong there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonLines:
    """The objects of a file with their line numbers (from 1), and the lines that hold no object.

    `sha256` is that of the bytes as read, so that the hash and the objects are of the same moment.
    """

    path: Path
    sha256: str
    objects: tuple[tuple[int, dict[str, object]], ...]
    problems: tuple[Problem, ...]


def read_jsonl(path: Path) -> list[tuple[int, dict[str, object]]]:
    """Reads every object of a file with its line number (from 1). Blank lines are skipped.

    Raises:
        DataError: The file is missing, empty, not UTF-8, or has lines that are not a JSON object; all at once.
    """
    lines = scan_jsonl(path)
    if lines.problems:
        raise_problems(path, lines.problems)
    return list(lines.objects)


def scan_jsonl(path: Path) -> JsonLines:
    """Reads a file and keeps its problems, so that a caller can add its own before raising all of them.

    Raises:
        DataError: The file is missing or cannot be read, so that there is nothing to go on with.
    """
    raw = read_bytes(path)
    objects: list[tuple[int, dict[str, object]]] = []
    problems: list[Problem] = []
    for line, text in enumerate(raw.removeprefix(_UTF8_BOM).split(b"\n"), start=1):
        if text.strip():
            match _parse_line(text):
                case dict() as value:
                    objects.append((line, value))
                case problem:
                    problems.append((line, problem))
    whole = _whole_file_problem(raw, found_objects=bool(objects), found_problems=bool(problems))
    return JsonLines(
        path=path,
        sha256=hashlib.sha256(raw).hexdigest(),
        objects=tuple(objects),
        problems=(whole,) if whole else tuple(problems),
    )


def raise_problems(path: Path, problems: list[Problem] | tuple[Problem, ...]) -> NoReturn:
    """Raises one error with a line `path:line: ...` for each problem, in line order.

    Raises:
        DataError: Always.
    """
    raise DataError(problems_message(str(path), [f"{path}:{line}: {text}" for line, text in sorted(problems)]))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file of records.

    Raises:
        DataError: The file is missing, a folder, or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file. Check the path; a JSONL file with one object a line is needed."
        ) from None
    except IsADirectoryError:
        raise DataError(f"{path}: this is a folder, a JSONL file is needed. Name the file in it.") from None
    except OSError as problem:
        raise DataError(
            f"{path}: cannot be read ({problem.strerror}). Check who may read it, then try again."
        ) from None


def _whole_file_problem(raw: bytes, *, found_objects: bool, found_problems: bool) -> Problem | None:
    """A cause that would otherwise show as one problem for each line."""
    if raw.startswith(_UTF16_BOMS):
        return 1, "the file is UTF-16, UTF-8 is needed. Save it as UTF-8."
    if not found_objects and not found_problems:
        return 1, "the file is empty. Write one JSON object a line."
    if found_problems and raw.removeprefix(_UTF8_BOM).lstrip()[:1] == b"[":
        return 1, "the file is one JSON list, JSONL is needed: one object a line, without brackets or commas between."
    return None


def _parse_line(text: bytes) -> dict[str, object] | str:
    """The object of a line, or what is wrong with the line."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as problem:
        return f"byte 0x{text[problem.start]:02x} in column {problem.start + 1} is not UTF-8. Save the file as UTF-8."
    try:
        value = STRICT_JSON.decode(decoded)
    except json.JSONDecodeError as problem:
        seen = excerpt(decoded, problem.pos)
        return f"not valid JSON in column {problem.colno}: {problem.msg}; seen: {seen}. Mend the line."
    except ValueError as problem:
        return f"not valid JSON: {problem}. Mend the line."
    except RecursionError:
        return "not usable JSON: nested too deeply. Write a flat object."
    if not isinstance(value, dict):
        return f"a JSON object is needed, seen: {excerpt(decoded, 0)}. Write {{...}} on one line."
    parsed = cast("dict[str, object]", value)
    if "\\ud" in decoded.lower() and has_lone_surrogate(parsed):
        return 'half of a character pair (an escape such as "\\ud83d" alone) is not text. Write the whole character.'
    return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value; null, a number or text is")


def _object_without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f'"{key}" stands twice in one object; keep one')
        result[key] = value
    return result


STRICT_JSON = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object_without_repeats)
"""JSON without NaN and infinities, and without a key that stands twice in one object: those are a `ValueError`."""


def has_lone_surrogate(value: object) -> bool:
    """Whether half of a character pair stands in a text, so that it cannot be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def excerpt(text: str, position: int) -> str:
    """Up to 24 characters from `position`, quoted."""
    piece = text[position : position + 24].strip()
    return f"`{piece}`" if piece else "the end of the line"
