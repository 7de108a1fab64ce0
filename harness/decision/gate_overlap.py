"""Items that a candidate or a baseline was allowed to learn: a gate is judged without them, and says both figures."""

from dataclasses import dataclass, replace

from harness.config.policy import Method
from harness.decision.gate_reading import Sides, read_or_reason
from harness.decision.gate_words import number_words
from harness.records.evidence import Evidence
from harness.records.verdicts import Finding


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlapping:
    """All items of a metric, and which of them either system was allowed to learn."""

    whole: Sides
    marked: frozenset[str]

    @property
    def rest(self) -> Sides:
        """The items that neither system learned: what the gate is judged on."""
        return self.whole.only(_items(self.whole) - self.marked) if self.marked else self.whole


def overlapping(whole: Sides, candidate: Evidence, baseline: Evidence | None) -> Overlapping:
    """The items of a gate's metric that either system was allowed to learn."""
    none: frozenset[str] = frozenset()
    name = whole.metric.name
    theirs = none if baseline is None else baseline.overlapping.get(name, none)
    return Overlapping(whole=whole, marked=(candidate.overlapping.get(name, none) | theirs) & _items(whole))


def say_both(finding: Finding, found: Overlapping, *, confidence: float, method: Method | None, seed: int) -> Finding:
    """A finding on the items that nobody learned, with the figure of all items after it."""
    all_items = read_or_reason(found.whole, confidence=confidence, method=method, seed=seed)
    with_them = all_items if isinstance(all_items, str) else number_words(all_items, found.whole)
    return replace(finding, words=f"{finding.words} With them, {with_them}.")


def all_marked_words(found: Overlapping) -> tuple[str, str]:
    """That nothing is left to judge, and the next step."""
    return (
        f"nothing is left to judge without {learned_words(found)}.",
        "Remove these records from the training set and run again, or ask other items.",
    )


def _items(sides: Sides) -> set[str]:
    return {score.item_id for score in (*sides.ours, *(sides.theirs or ()))}


def learned_words(found: Overlapping) -> str:
    """`the 2 items that also stand in a training set`."""
    count = len(found.marked)
    return f"the {count} item{'s' if count != 1 else ''} that also stand{'s' if count == 1 else ''} in a training set"
