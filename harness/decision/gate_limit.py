"""What a gate holds a number against, and what the number's interval says of it. Verdicts read the interval only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.config.policy import Gate
from harness.decision.gate_reading import Reading
from harness.records.verdicts import Outcome
from harness.stats.claims import noninferiority, superiority, threshold
from harness.stats.sample_size import items_to_decide, items_to_decide_binary

LimitKind = Literal["superiority", "noninferiority", "at_least", "at_most"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A limit in the unit and sign of what is held against it: of non-inferiority it is minus the margin.

    `worthwhile` is the least gain that would matter, for superiority.
    """

    kind: LimitKind
    value: float
    worthwhile: float | None = None


def limits_of(gate: Gate) -> tuple[Limit, ...]:
    """The limits of a gate that asks for a number; none for a gate that requires a probe."""
    if gate.test == "superiority":
        return (Limit(kind="superiority", value=gate.by or 0.0, worthwhile=gate.worthwhile),)
    if gate.test == "noninferiority":
        return (Limit(kind="noninferiority", value=-(gate.margin or 0.0)),)
    found = [] if gate.at_least is None else [Limit(kind="at_least", value=gate.at_least)]
    return (*found, *([] if gate.at_most is None else [Limit(kind="at_most", value=gate.at_most)]))


def judge(limit: Limit, reading: Reading) -> Outcome:
    """What the interval says of the limit; inconclusive where there is no interval."""
    return "inconclusive" if reading.low is None or reading.high is None else _judge(limit, reading.low, reading.high)


def judge_single(limit: Limit, reading: Reading) -> Outcome:
    """What a number says of the limit that is one measurement, and has no interval."""
    return _judge(limit, reading.value, reading.value)


def combine(outcomes: Sequence[Outcome]) -> Outcome:
    """All must pass (an intersection-union test): any fail fails, else any inconclusive is inconclusive."""
    if "fail" in outcomes:
        return "fail"
    return "inconclusive" if "inconclusive" in outcomes or not outcomes else "pass"


def items_needed(limit: Limit, reading: Reading, *, confidence: float) -> int | None:
    """About how many items in total would decide an inconclusive gate, if the present value held.

    Returns:
        At least `reading.n`; None where the value stands on the limit, or has no interval.
    """
    targets = [limit.value]
    if limit.worthwhile is not None and reading.value < limit.worthwhile:
        targets.append(limit.worthwhile)
    totals = [_items_beyond(target, reading, confidence) for target in targets]
    return min((total for total in totals if total is not None), default=None)


def _judge(limit: Limit, low: float, high: float) -> Outcome:
    match limit.kind:
        case "superiority":
            return superiority(low, high, by=limit.value, worthwhile=limit.worthwhile)
        case "noninferiority":
            return noninferiority(low, high, margin=-limit.value)
        case "at_least":
            return threshold(low, high, at_least=limit.value)
        case "at_most":
            return threshold(low, high, at_most=limit.value)


def _items_beyond(target: float, reading: Reading, confidence: float) -> int | None:
    found = reading.comparison
    if found is not None and found.kind == "binary" and found.n_clusters == found.n and -1 < target < 1:
        return items_to_decide_binary(found.better, found.worse, found.n, limit=target, confidence=confidence)
    if reading.low is None or reading.high is None:
        return None
    return items_to_decide(value=reading.value, low=reading.low, high=reading.high, limit=target, n=reading.n)
