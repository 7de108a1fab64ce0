"""What raters said of records of data: accept, reject, correct, or divided."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.rating.current import Judgement

Outcome = Literal["accept", "reject", "correct", "divided"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordOutcome:
    """One record: what all its raters said, `divided` where they differ, and the texts that they wrote."""

    record_id: str
    outcome: Outcome
    accepted: int
    rejected: int
    corrections: int
    corrected: tuple[str, ...]
    comments: tuple[str, ...]


def record_outcomes(judgements: Sequence[Judgement]) -> tuple[RecordOutcome, ...]:
    """Every record that was judged, in the order of the first judgements; hidden repeats are left out."""
    by_record: dict[str, list[Judgement]] = {}
    for one in judgements:
        if one.assignment.kind == "validate" and one.assignment.purpose != "repeat":
            by_record.setdefault(one.assignment.item_id, []).append(one)
    return tuple(_outcome(record_id, judged) for record_id, judged in by_record.items())


def _outcome(record_id: str, judged: Sequence[Judgement]) -> RecordOutcome:
    said = Counter(str(one.event.answer["decision"]) for one in judged)
    outcome: Outcome = "divided"
    if len(said) == 1:
        outcome = "accept" if said["accept"] else "reject" if said["reject"] else "correct"
    return RecordOutcome(
        record_id=record_id,
        outcome=outcome,
        accepted=said["accept"],
        rejected=said["reject"],
        corrections=said["correct"],
        corrected=_texts(judged, "corrected"),
        comments=_texts(judged, "comment"),
    )


def _texts(judged: Sequence[Judgement], key: str) -> tuple[str, ...]:
    found = [one.event.answer.get(key) for one in judged]
    return tuple(text.strip() for text in found if isinstance(text, str) and text.strip())
