"""What a cell of a user's file says: one text, or a list of texts."""

import json
from typing import cast

from harness.data.fields import show_value


def cell_text(value: object) -> str | None:
    """The text of a cell; a number or a truth value of JSON as JSON writes it. None for a list or an object."""
    match value:
        case str():
            return value
        case bool() | int() | float():
            return json.dumps(value)
        case _:
            return None


def cell_texts(value: object, separators: str = "") -> list[str] | None:
    """The texts of a cell: a list of JSON, also one written in a CSV cell, or a text cut at any of `separators`.

    Returns:
        The texts without white space around them and without empty ones; None where something is not text.
    """
    if isinstance(value, str) and separators:
        value = _json_list(value) or _cut(value, separators)
    if isinstance(value, list):
        texts = [cell_text(one) for one in cast("list[object]", value)]
        return None if None in texts else [text.strip() for text in texts if text and text.strip()]
    text = cell_text(value)
    return None if text is None else [text] if text.strip() else []


def not_text(column: str, value: object) -> str:
    """The problem of a cell that holds an object where text is needed."""
    return f'"{column}": text is needed, seen: {show_value(value)}. Write it in double quotes.'


def _json_list(text: str) -> list[object] | None:
    if not text.lstrip().startswith("["):
        return None
    try:
        value: object = json.loads(text)
    except ValueError:
        return None
    return cast("list[object]", value) if isinstance(value, list) else None


def _cut(text: str, separators: str) -> list[object]:
    first, *others = separators
    for other in others:
        text = text.replace(other, first)
    return list(text.split(first))
