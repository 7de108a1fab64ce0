"""Whether answers keep one format: each is reduced to its shape, and shapes are counted."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from harness.data.audit_finding import Observation, of_records
from harness.data.audit_records import AuditedRecord

FEWEST_ANSWERS = 10  # fewer have no pattern to speak of
DOMINANT_SHARE = 0.6
ACCEPTED_SHARE = 0.05  # a form such as "- NONE (No codable diagnosis)" is a pattern too

_TOKEN = re.compile(r"[^\W_]+(?:[.,:'’][^\W_]+)*")
_WORDS = re.compile(r"[9xa](?:[ ,;'’/&-]+[9xa])+")
_ASIDE = re.compile(r"(?<=a) \(a\)")
_SENTENCES = re.compile(r"a[.!?](?: a[.!?])+")
_HEAD = re.compile(r"([^:]{1,40}):")
_SHOWN_CHARACTERS = 60


def answer_shape(answer: str) -> str:
    """An answer without its content: words are `a`, numbers `9`, codes such as `B02.9` `x`; lines alike stand once.

    Text of several words, numbers or sentences is `a`, so that a longer description has the same shape.
    """
    return _each_line_once(answer, _line_shape)


def answer_outline(answer: str) -> str:
    """An answer's headings alone: what stands before a colon on each line, and `a` for lines without one."""
    return _each_line_once(answer, _line_outline)


def find_off_pattern(records: Sequence[AuditedRecord]) -> list[Observation]:
    """Answers whose pattern is rare in a set that has a dominant one.

    Rare is a pattern that fewer than `ACCEPTED_SHARE` of the answers have, or one answer alone. Patterns are shapes, or
    outlines where no shape dominates. Where no pattern has `DOMINANT_SHARE` of the answers, they are free text, and
    nothing is found.
    """
    pattern = dominant_pattern(records)
    if pattern is None:
        return []
    shown, reduce = pattern
    patterns = {record.line: reduce(record.answer) for record in _answered(records)}
    total, counts = len(patterns), Counter(patterns.values())
    off = {line: seen for line, seen in patterns.items() if counts[seen] < max(2, ACCEPTED_SHARE * total)}
    if not off:
        return []
    return [
        Observation(
            check="answer_format",
            sentence=f"Neither in the pattern of most, {_on_one_line(shown)}, nor in another usual one: "
            f"{of_records(len(off), total, 'answer')}.",
            value=len(off) / total,
            lines=tuple(off),
            examples=tuple(f"line {line}: {_on_one_line(seen)}" for line, seen in off.items()),
        )
    ]


def format_facts(records: Sequence[AuditedRecord]) -> list[tuple[str, str]]:
    """The dominant pattern and the share of answers that have it."""
    answered = _answered(records)
    pattern = dominant_pattern(records)
    if pattern is None:
        few = len(answered) < FEWEST_ANSWERS
        return [("answer format", "too few answers to tell" if few else "free text: no pattern has most answers")]
    shown, reduce = pattern
    share = sum(reduce(record.answer) == shown for record in answered) / len(answered)
    return [("answer format", f"{100 * share:.1f} % have the pattern {_on_one_line(shown)}")]


def dominant_pattern(records: Sequence[AuditedRecord]) -> tuple[str, Callable[[str], str]] | None:
    """The pattern that at least `DOMINANT_SHARE` of the answers have, and what reduces an answer to it."""
    answered = _answered(records)
    if len(answered) < FEWEST_ANSWERS:
        return None
    for reduce in (answer_shape, answer_outline):
        shown, count = Counter(reduce(record.answer) for record in answered).most_common(1)[0]
        says_something = reduce is answer_shape or ":" in shown
        if says_something and count >= DOMINANT_SHARE * len(answered):
            return shown, reduce
    return None


def _answered(records: Sequence[AuditedRecord]) -> list[AuditedRecord]:
    return [record for record in records if record.answer.strip()]


def _each_line_once(answer: str, reduce: Callable[[str], str]) -> str:
    shapes = [reduce(line) for line in answer.strip().splitlines()]
    return "\n".join(shape for at, shape in enumerate(shapes) if at == 0 or shape != shapes[at - 1])


def _line_shape(line: str) -> str:
    tokens = _TOKEN.sub(lambda token: _token_shape(token[0]), " ".join(line.split()))
    words = _WORDS.sub("a", _ASIDE.sub("", _WORDS.sub("a", tokens)))
    return _SENTENCES.sub("a.", words)


def _token_shape(token: str) -> str:
    signs = [sign for sign in token if sign.isalnum()]
    if all(map(str.isdigit, signs)):
        return "9"
    return "x" if any(map(str.isdigit, signs)) else "a"


def _line_outline(line: str) -> str:
    head = _HEAD.match(line.strip())
    return f"{head[1]}:" if head else "a" if line.strip() else ""


def _on_one_line(shape: str) -> str:
    flat = shape.replace("\n", " ⏎ ")
    return f"`{flat if len(flat) <= _SHOWN_CHARACTERS else flat[: _SHOWN_CHARACTERS - 3] + '...'}`"
