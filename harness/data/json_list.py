"""JSON files: one list of objects, each with the line on which it starts."""

import hashlib
from pathlib import Path
from typing import cast

from harness.data.jsonl import STRICT_JSON, JsonLines, Problem, excerpt, has_lone_surrogate, read_bytes

_SPACE = " \t\r\n"


def scan_json_list(path: Path) -> JsonLines:
    """Reads a file as `scan_jsonl` does; after a syntax error the rest of the file is not read.

    Raises:
        DataError: The file is missing or cannot be read.
    """
    raw = read_bytes(path)
    try:
        objects, problems = _scan(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        objects, problems = [], [(line, f"byte 0x{raw[problem.start]:02x} is not UTF-8. Save the file as UTF-8.")]
    if not objects and not problems:
        problems = [(1, "the list is empty. Write one object for each record.")]
    return JsonLines(
        path=path, sha256=hashlib.sha256(raw).hexdigest(), objects=tuple(objects), problems=tuple(problems)
    )


def _scan(text: str) -> tuple[list[tuple[int, dict[str, object]]], list[Problem]]:
    objects: list[tuple[int, dict[str, object]]] = []
    problems: list[Problem] = []
    at, line = _skip(text, 0, 1)
    if text[at : at + 1] != "[":
        return [], [(line, f"a JSON list of objects is needed, seen: {excerpt(text, at)}. Write [{{...}}, {{...}}].")]
    at, line = _skip(text, at + 1, line)
    while text[at : at + 1] != "]":
        try:
            value, end = cast("tuple[object, int]", STRICT_JSON.raw_decode(text, at))
        except (ValueError, RecursionError) as problem:
            return objects, [*problems, (line, f"not valid JSON: {problem or 'nested too deeply'}. Mend the file.")]
        match value:
            case dict() if not has_lone_surrogate(cast("object", value)):
                objects.append((line, cast("dict[str, object]", value)))
            case dict():
                problems.append((line, "half of a character pair is not text. Write the whole character."))
            case _:
                problems.append((line, f"an object is needed, seen: {excerpt(text, at)}. Write {{...}}."))
        line += text.count("\n", at, end)
        at, line = _skip(text, end, line)
        if text[at : at + 1] == ",":
            at, line = _skip(text, at + 1, line)
        elif text[at : at + 1] != "]":
            seen = excerpt(text, at)
            return objects, [*problems, (line, f"a comma or the end of the list is needed, seen: {seen}. Mend it.")]
    at, line = _skip(text, at + 1, line)
    if at < len(text):
        problems.append((line, f"text after the end of the list: {excerpt(text, at)}. Remove it."))
    return objects, problems


def _skip(text: str, at: int, line: int) -> tuple[int, int]:
    """The next place that is not white space, and its line."""
    start = at
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at, line + text.count("\n", start, at)
