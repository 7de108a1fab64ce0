"""What an audit of training data says: findings, pictures' numbers, and the report that holds them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["hint", "warning", "problem"]
Check = Literal[
    "unreadable_lines",
    "fields",
    "formats",
    "refused_records",
    "exact_duplicates",
    "near_duplicates",
    "contradictions",
    "golden_overlap",
    "balance",
    "lengths",
    "encoding_damage",
    "odd_characters",
    "normal_form",
    "line_ends",
    "languages",
    "personal_data",
    "secrets",
    "answer_format",
    "size",
]

SHOWN_LINES = 20
SHOWN_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What a check saw, before anybody says how bad it is.

    `value` is the number that a limit is held against, higher being worse: the share of records concerned, as a
    proportion in [0, 1], unless the check says otherwise. `lines` are 1-based, each once, all of them.
    """

    check: Check
    sentence: str
    value: float
    lines: tuple[int, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """An observation with its severity, ready to be shown.

    `count` is the number of lines concerned; `lines` holds the first of them and `lines_left_out` counts the rest.
    `value` is what was held against the limits (see `Observation`). Findings of personal data and of secrets mask the
    values; other findings may quote the file.
    """

    check: Check
    severity: Severity
    sentence: str
    value: float
    count: int
    lines: tuple[int, ...]
    lines_left_out: int
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar of a picture; `stands_out` where it is what a finding is about."""

    label: str
    count: int
    stands_out: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars:
    """A picture of counts: what they count, the bars in the order shown, and how many bars were left out."""

    title: str
    bars: tuple[Bar, ...]
    left_out: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditReport:
    """An audit of one training file.

    `facts` are (what, value) to show; `notes` say what was not looked at; `findings` begin with the worst. `fails` is
    whether a finding is as severe as the thresholds allow none to be.
    """

    path: str
    sha256: str
    records: int
    facts: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    pictures: tuple[Bars, ...]
    notes: tuple[str, ...]
    thresholds: str
    fails: bool


def judged(observation: Observation, severity: Severity) -> Finding:
    """The finding of an observation, with at most `SHOWN_LINES` lines and `SHOWN_EXAMPLES` examples."""
    return Finding(
        check=observation.check,
        severity=severity,
        sentence=observation.sentence,
        value=observation.value,
        count=len(observation.lines),
        lines=observation.lines[:SHOWN_LINES],
        lines_left_out=max(0, len(observation.lines) - SHOWN_LINES),
        examples=observation.examples[:SHOWN_EXAMPLES],
    )


def of_records(count: int, total: int, noun: str = "record") -> str:
    """`3 of 178 records (1.7 %)`."""
    return f"{count:,} of {counted(total, noun)} ({100 * count / max(total, 1):.1f} %)"


def counted(count: int, noun: str) -> str:
    """`1 record`, `2 records`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def kinds_found(kinds: Mapping[str, int]) -> str:
    """`email address 2, phone number 1`, the most frequent first."""
    return ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items(), key=lambda one: (-one[1], one[0])))


def unique(lines: Iterable[int]) -> tuple[int, ...]:
    """Lines in order, each once."""
    return tuple(sorted(set(lines)))
