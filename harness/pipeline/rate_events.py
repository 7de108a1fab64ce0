"""What a rater's browser sends, checked for its form before anything looks at what it says."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from harness.records.rating import JudgedAt

LONGEST_ANSWER_BYTES = 200_000
LONGEST_ID = 200

_LONGEST_S = 24 * 3600.0
_LARGEST_REVISION = 2**53 - 1  # what a browser counts to exactly


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """An event of the right form. `seconds` are in [0, 86400]; `answer` holds text that any store takes."""

    event_id: str
    assignment_id: str
    kind: Literal["judgement", "draft", "open"]
    revision: int
    seconds: float
    stage: JudgedAt
    answer: Mapping[str, object]


def read_event(sent: Mapping[str, object]) -> Incoming | str:
    """The event, or why it is none, in a sentence for the rater."""
    event_id, assignment_id, kind = sent.get("id"), sent.get("aid"), sent.get("type")
    if not _is_id(event_id) or not _is_id(assignment_id) or kind not in ("judgement", "draft", "open"):
        return "The page sent something that is no answer. Reload the page and answer again."
    answer, revision = sent.get("answer") or {}, sent.get("rev", 0)
    if not isinstance(answer, dict) or not _is_revision(revision):
        return "The page sent an answer that cannot be read. Reload the page and answer again."
    try:
        text = json.dumps(storable(cast("dict[object, object]", answer)), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return "The page sent an answer that cannot be read. Reload the page and answer again."
    size = len(text.encode())
    if size > LONGEST_ANSWER_BYTES:
        return f"The answer is too long ({size:,} bytes; allowed: {LONGEST_ANSWER_BYTES:,}). Shorten what was typed."
    return Incoming(
        event_id=str(event_id),
        assignment_id=str(assignment_id),
        kind=cast("Literal['judgement', 'draft', 'open']", kind),
        revision=cast("int", revision),
        seconds=_seconds(sent.get("seconds")),
        stage="revise" if sent.get("stage") == "revise" else "judge",
        answer=cast("dict[str, object]", json.loads(text)),
    )


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable() and value.isascii()


def _is_revision(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_REVISION


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return min(max(float(value), 0.0), _LONGEST_S)


def storable(value: object) -> object:
    """The same with text that has a UTF-8 form and no zero byte, which browsers can send and a database refuses."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
        case list():
            return [storable(one) for one in cast("list[object]", value)]
        case dict():
            entries = cast("dict[object, object]", value).items()
            return {str(storable(str(key))): storable(one) for key, one in entries}
        case _:
            return value
