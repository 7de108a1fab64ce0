"""Records that say the same again, and records that contradict each other."""

from collections.abc import Sequence

from harness.data.audit_finding import Observation, counted, of_records, unique
from harness.data.audit_records import AuditedRecord
from harness.data.normalise import normalise


def find_repeats(records: Sequence[AuditedRecord]) -> list[Observation]:
    """Records with the same conversation and the same answer as an earlier one, after normalising."""
    first: dict[tuple[str, str], int] = {}
    pairs: list[tuple[int, int]] = []
    for record in records:
        if (asked := asked_key(record)) and record.answer:
            line = first.setdefault((asked, _same(record.answer)), record.line)
            if line != record.line:
                pairs.append((record.line, line))
    if not pairs:
        return []
    return [
        Observation(
            check="exact_duplicates",
            sentence=f"Repeats of an earlier record: {of_records(len(pairs), len(records))}. They weigh double.",
            value=len(pairs) / len(records),
            lines=unique(line for line, _ in pairs),
            examples=tuple(f"line {line} repeats line {earlier}" for line, earlier in pairs),
        )
    ]


def find_contradictions(records: Sequence[AuditedRecord]) -> list[Observation]:
    """Records that ask the same and are answered differently, after normalising both."""
    asked: dict[str, dict[str, list[int]]] = {}
    for record in records:
        if (key := asked_key(record)) and record.answer:
            asked.setdefault(key, {}).setdefault(_same(record.answer), []).append(record.line)
    torn = [answers for answers in asked.values() if len(answers) > 1]
    if not torn:
        return []
    lines = unique(line for answers in torn for same in answers.values() for line in same)
    return [
        Observation(
            check="contradictions",
            sentence=f"Different answers to the same question: {counted(len(torn), 'question')}, in "
            f"{of_records(len(lines), len(records))}. What is learned from them is chance.",
            value=len(lines) / len(records),
            lines=lines,
            examples=tuple(
                "lines " + " and ".join(str(same[0]) for same in list(answers.values())[:3]) + " answer differently"
                for answers in torn
            ),
        )
    ]


def asked_key(record: AuditedRecord) -> str:
    """All turns before the answer, normalised; empty where there is no text in them."""
    turns = [turn for turn in record.record.prompt if turn.content.strip()]
    return "\n".join(f"{turn.role} {_same(turn.content)}" for turn in turns)


def _same(text: str) -> str:
    return normalise(text) or text.strip()
