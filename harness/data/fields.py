"""One JSON object checked against a model: all its problems, each with the nearest name and what to do."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from harness.errors import nearest

ModelT = TypeVar("ModelT", bound=BaseModel)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; text is needed. Write it.")
    return text


Text = Annotated[str, AfterValidator(_not_blank)]
"""Text with something in it."""


class LineModel(BaseModel):
    """Base of everything read from a line of JSONL: frozen, no silent conversion, an unknown key is a problem."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def check_fields(
    model: type[ModelT],
    value: Mapping[str, object],
    *,
    noun: str,
    inner: Mapping[str, Iterable[str]] | None = None,
    synonyms: Mapping[str, str] | None = None,
) -> ModelT | list[str]:
    """The model of a JSON object, or its problems.

    Args:
        model: What the object should be.
        value: The object as read.
        noun: What the object is, with its article, such as `an item`.
        inner: The names allowed in the objects under a field, such as `{"messages": ["role", "content"]}`.
        synonyms: Field names that people write, and the field that they mean.
    """
    try:
        return model.model_validate(value)
    except ValidationError as invalid:
        errors = cast("list[dict[str, Any]]", invalid.errors(include_url=False))
    meant: set[tuple[str | int, ...]] = set()
    problems: list[str] = []
    for error in sorted(errors, key=lambda error: error["type"] == "missing"):
        at: tuple[str | int, ...] = error["loc"]
        if error["type"] == "extra_forbidden":
            allowed = model.model_fields if len(at) == 1 else (inner or {}).get(str(at[0]), ())
            hint = _hint(str(at[-1]), allowed, synonyms or {})
            meant.add((*at[:-1], hint.removeprefix('did you mean "').removesuffix('"?')))
            problems.append(f'"{_place(at)}" is not a field of {noun}; {hint}')
        elif error["type"] != "missing" or at not in meant:
            problems.append(_describe(error, noun))
    return problems


def _hint(key: str, allowed: Iterable[str], synonyms: Mapping[str, str]) -> str:
    meant = synonyms.get(key.lower())
    return f'did you mean "{meant}"?' if meant is not None and meant in allowed else nearest(key, allowed)


def _describe(error: dict[str, Any], noun: str) -> str:
    place = _place(error["loc"])
    seen = show_value(error["input"])
    match error["type"]:
        case "missing":
            return f'"{place}" is missing; {noun} needs it. Add it.'
        case "value_error":
            return f'"{place}" {error["ctx"]["error"]}'
        case "literal_error":
            values = re.findall(r"'([^']*)'", str(error["ctx"]["expected"]))
            return f'"{place}": {seen} is not allowed; {_literal_hint(error["input"], values)}'
        case "string_type":
            return f'"{place}": text is needed, seen: {seen}. Write it in double quotes.'
        case "bool_type":
            return f'"{place}": true or false is needed, seen: {seen}. Write it without quotes.'
        case "list_type":
            return f'"{place}": a list is needed, seen: {seen}. Write it in square brackets.'
        case "model_type":
            return f'"{place}": an object is needed, seen: {seen}. Write {{...}}.'
        case _:
            return f'"{place}": {error["msg"]}; seen: {seen}. Correct the value.'


def _literal_hint(value: object, allowed: list[str]) -> str:
    hint = nearest(str(value), allowed)
    return hint if hint.startswith("allowed") else f"{hint} (allowed: {', '.join(allowed)})"


def _place(location: tuple[str | int, ...]) -> str:
    """`messages.2.role` for a path; the names of alternatives of a type (in angle brackets) are left out."""
    return ".".join(str(part) for part in location if not str(part).startswith("<"))


def show_value(value: object) -> str:
    """A value as JSON, cut to 60 characters, for a message."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
