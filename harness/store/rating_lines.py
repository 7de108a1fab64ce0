"""What raters and owners do, as lines of a journal and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from harness.records.rating import Assignment, CampaignEvent, Draft, Link, RatingEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """A sign of life: a rater has a screen in front of her."""

    assignment_id: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Revocation:
    """A link that opens nothing from then on."""

    link_id: str
    revoked_at: datetime


Entry: TypeAlias = Assignment | RatingEvent | Draft | Sign | CampaignEvent | Link | Revocation
EntryKind: TypeAlias = Literal["assignment", "judgement", "draft", "sign", "campaign", "link", "revocation"]

_CLASSES: dict[str, type[Entry]] = {
    "assignment": Assignment,
    "judgement": RatingEvent,
    "draft": Draft,
    "sign": Sign,
    "campaign": CampaignEvent,
    "link": Link,
    "revocation": Revocation,
}
_KINDS: dict[type[Entry], str] = {kept: kind for kind, kept in _CLASSES.items()}
_ADAPTERS: dict[str, TypeAdapter[Entry]] = {kind: TypeAdapter(kept) for kind, kept in _CLASSES.items()}


def as_line(entry: Entry) -> dict[str, object]:
    """One entry as a line."""
    kind = _KINDS[type(entry)]
    return {"kind": kind, "is": _ADAPTERS[kind].dump_python(entry, mode="json")}


def read_lines(lines: Sequence[Mapping[str, object]]) -> tuple[list[Entry], int]:
    """The entries of lines, and how many lines are none that this version knows."""
    entries: list[Entry] = []
    for line in lines:
        adapter = _ADAPTERS.get(str(line.get("kind")))
        if adapter is None:
            continue
        try:
            entries.append(adapter.validate_python(line.get("is")))
        except ValidationError:
            continue
    return entries, len(lines) - len(entries)
