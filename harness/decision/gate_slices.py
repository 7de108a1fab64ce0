"""Slices: the parts of the items that a gate judges one by one, so that a good mean cannot hide a bad part.

To pass, every slice must pass by its own interval: an intersection-union test, which needs no correction. To fail, one
slice out of many must be beyond the limit at the confidence at which all intervals hold together (Bonferroni, over all
slices with enough items); one that is beyond it only by itself is inconclusive. Which slices changed at all is a search
among many, so that those named as changed are found by Benjamini-Hochberg. `harness.stats.slices` has the reasons.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.config.policy import Method, Slices
from harness.decision.chance import is_at_chance
from harness.decision.estimate import estimate
from harness.decision.gate_limit import Limit, combine, items_needed, judge
from harness.decision.gate_reading import Reading, Sides, read_or_reason
from harness.decision.gate_words import needed_words, remedy, sentence
from harness.records.evidence import Evidence
from harness.records.verdicts import Finding, Outcome
from harness.stats.multiplicity import benjamini_hochberg

WORST_NAMED = 5
_AT_CHANCE = "is at chance there"
_ORDER: Mapping[Outcome, int] = {"fail": 0, "inconclusive": 1, "pass": 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceCase:
    """How slices are judged: which, against what, by which interval. `confidence` is two-sided, in (0, 1)."""

    slices: Slices
    limit: Limit
    confidence: float
    method: Method | None
    seed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    name: str
    finding: Finding
    reading: Reading


def slice_members(key: str, candidate: Evidence, sides: Sides) -> dict[str, set[str]]:
    """Item ids by slice, slices by name. An item may be in several slices (tags), or in none."""
    members: dict[str, set[str]] = {}
    for score in sides.ours:
        match key:
            case "subject":
                names = () if score.stratum is None else (score.stratum,)
            case "group":
                names = () if score.group is None else (score.group,)
            case _:
                names = candidate.labels.get(score.item_id, {}).get(key, ())
        for name in names:
            members.setdefault(name, set()).add(score.item_id)
    return dict(sorted(members.items()))


def judge_slices(case: SliceCase, sides: Sides, candidate: Evidence) -> list[Finding]:
    """A finding on all slices together, then one for each slice that is judged, the worst first."""
    key = case.slices.by
    members = slice_members(key, candidate, sides)
    readable: dict[str, tuple[Sides, Reading]] = {}
    at_chance: list[str] = []
    apart: dict[str, list[str]] = {}
    for name, item_ids in members.items():
        part = sides.only(item_ids)
        if (known := _items_with_values(part)) < case.slices.min_items:
            why = f"under {case.slices.min_items} items" if known else "no item to judge"
            apart.setdefault(why, []).append(name)
            continue
        reading = read_or_reason(part, confidence=case.confidence, method=case.method, seed=case.seed)
        if isinstance(reading, str):
            return [_unreadable(case, sides, key, name, reading)]
        if reading.n < case.slices.min_items:
            apart.setdefault(f"under {case.slices.min_items} items", []).append(name)
        else:
            readable[name] = (part, reading)
            if judge(case.limit, reading) != "fail" and _is_baseline_at_chance(case, part):
                at_chance.append(name)
    if at_chance:
        apart[f"{sides.baseline} {_AT_CHANCE}"] = at_chance
    judged = [
        _judge_slice(case, name, *readable[name], slices=len(readable)) for name in readable if name not in at_chance
    ]
    judged.sort(key=lambda one: (_ORDER[one.finding.outcome], _goodness(case.limit, one.reading), one.name))
    inside = {item_id for item_ids in members.values() for item_id in item_ids}
    outside = len({score.item_id for score in sides.ours} - inside)
    return [_summary(case, sides, judged, apart, outside), *(one.finding for one in judged)]


def _items_with_values(part: Sides) -> int:
    """Items of a slice that have a value on every side."""
    sides = (part.ours, part.ours if part.theirs is None else part.theirs)
    ours, theirs = ({(one.item_id, one.item_hash) for one in scores if one.value is not None} for scores in sides)
    return len(ours & theirs)


def _unreadable(case: SliceCase, sides: Sides, key: str, name: str, reason: str) -> Finding:
    """A slice with values that cannot be read (a method that does not fit it, scores that contradict): never a pass."""
    return Finding(
        subject=f"{sides.subject} by {key}",
        outcome="inconclusive",
        value=None,
        low=None,
        high=None,
        limit=case.limit.value,
        n=len({score.item_id for score in sides.ours}),
        n_missing=0,
        test="nothing to test",
        words=f"{key} {name} cannot be judged: {reason}",
        remedy=None,
    )


def _judge_slice(case: SliceCase, name: str, part: Sides, reading: Reading, *, slices: int) -> _Judged:
    outcome = judge(case.limit, reading)
    where, note = f"on {case.slices.by} {name}", ""
    if outcome == "fail":
        together = read_or_reason(
            part, confidence=1 - (1 - case.confidence) / slices, method=case.method, seed=case.seed
        )
        if not isinstance(together, str) and judge(case.limit, together) == "fail":
            reading = replace(together, test=f"{together.test} (for {slices} slices together)")
        else:
            outcome, note = "inconclusive", f" By itself it would fail, but among {slices} slices that can be luck."
    words = sentence(case.limit, reading, "fail" if note else outcome, part, where=where)
    finding = Finding(
        subject=f"{part.subject} {where}",
        outcome=outcome,
        value=reading.value,
        low=reading.low,
        high=reading.high,
        limit=case.limit.value,
        n=reading.n,
        n_missing=0,
        test=reading.test,
        words=words + note,
        remedy="More items of this slice would tell."
        if note
        else remedy(case.limit, reading, outcome, part, confidence=case.confidence),
    )
    return _Judged(name=name, finding=finding, reading=reading)


def _summary(
    case: SliceCase, sides: Sides, judged: Sequence[_Judged], apart: Mapping[str, Sequence[str]], outside: int
) -> Finding:
    counts = Counter(one.finding.outcome for one in judged)
    outcome = combine([one.finding.outcome for one in judged])
    key = case.slices.by
    if any(why.endswith(_AT_CHANCE) for why in apart) and outcome == "pass":
        outcome = "inconclusive"  # a slice that could not show a loss is not one without a loss
    if not judged:
        words = f"no {key} can be judged."
    else:
        counted = ", ".join(f"{counts[each]} {each}" for each in _ORDER if counts[each])
        slices = "slices" if len(judged) != 1 else "slice"
        words = f"{len(judged)} {slices} by {key}: {counted}. Worst: {_worst(judged)}.{_changed(case, judged)}"
    words += "".join(f" Not judged, {why}: {_named(names)}." for why, names in apart.items())
    if outside:
        words += f" {outside} {'items have' if outside != 1 else 'item has'} no {key}, and so no slice."
    worst = judged[0].finding if judged else None
    return Finding(
        subject=f"{sides.subject} by {key}",
        outcome=outcome,
        value=worst.value if worst else None,
        low=worst.low if worst else None,
        high=worst.high if worst else None,
        limit=case.limit.value,
        n=len({score.item_id for score in sides.ours}),
        n_missing=0,
        test="each slice by its own interval; a fail holds for all slices together (Bonferroni)",
        words=words,
        remedy=_summary_remedy(case, judged, outcome, bool(apart)),
    )


def _summary_remedy(case: SliceCase, judged: Sequence[_Judged], outcome: Outcome, is_any_apart: bool) -> str | None:
    if outcome == "pass":
        return None
    if not judged:
        if is_any_apart:
            return "Ask more items, slice by something coarser, or lower `min_items` in the policy."
        return f"Give items a {case.slices.by}, or slice by something that they have."
    if outcome == "fail":
        return judged[0].finding.remedy
    open_ones = [one for one in judged if one.finding.outcome == "inconclusive"]
    if not open_ones:
        return "A base model that is above chance there would show it; or lower what is asked with `min_items`."
    totals = [(items_needed(case.limit, one.reading, confidence=case.confidence), one) for one in open_ones]
    more = [f"{one.name} {needed_words(total, one.reading.n)}" for total, one in totals if total is not None]
    return f"Items that would resolve it: {_named(more)}." if more else "More items would tell."


def _changed(case: SliceCase, judged: Sequence[_Judged]) -> str:
    """The slices on which the candidate differs from the baseline, as far as a search among many can tell."""
    tested = [(one, one.reading.comparison.p_value) for one in judged if one.reading.comparison]
    known = [(one, p_value) for one, p_value in tested if p_value is not None]
    if not known:
        return ""
    rate = 1 - case.confidence
    adjusted = benjamini_hochberg([p_value for _, p_value in known], rate=rate)
    changed = [one.name for (one, _), p_value in zip(known, adjusted, strict=True) if p_value <= rate]
    return f" Changed (Benjamini-Hochberg, rate {rate:.2g}): {_named(changed)}."


def _is_baseline_at_chance(case: SliceCase, part: Sides) -> bool:
    if case.limit.kind != "noninferiority" or part.theirs is None or part.metric.chance is None:
        return False
    return is_at_chance(part.metric, estimate(part.metric, part.theirs, confidence=case.confidence))


def _goodness(limit: Limit, reading: Reading) -> float:
    return -reading.value if limit.kind == "at_most" else reading.value


def _worst(judged: Sequence[_Judged]) -> str:
    def shown(one: _Judged) -> str:
        number = f"{one.reading.value:+.3f}" if one.reading.comparison else f"{one.reading.value:.3f}"
        return f"{one.name} {number} (n {one.reading.n})"

    return ", ".join(shown(one) for one in judged[:WORST_NAMED])


def _named(names: Sequence[str]) -> str:
    rest = f" (and {len(names) - WORST_NAMED} other slices)" if len(names) > WORST_NAMED else ""
    return (", ".join(names[:WORST_NAMED]) or "none") + rest
