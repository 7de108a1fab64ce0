"""Where a training record comes from: the marks that augmentation leaves in a file."""

from collections.abc import Mapping
from typing import cast


def origin_of(value: Mapping[str, object]) -> str | None:
    """How a record was made, as its field `origin` says; None where nothing is said in text."""
    origin = value.get("origin")
    return origin.strip() or None if isinstance(origin, str) else None


def parents_of(value: Mapping[str, object]) -> tuple[str, ...]:
    """The hashes of the records that a record was made from; of a cell of a table, the words in it."""
    parents = value.get("parents")
    if isinstance(parents, str):
        return tuple(parents.split())
    if not isinstance(parents, list):
        return ()
    return tuple(str(one) for one in cast("list[object]", parents) if isinstance(one, str | int))
