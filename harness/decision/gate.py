"""One gate of a policy, applied to stored evidence: pass, fail or inconclusive, with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.config.gate_rules import family_of
from harness.config.policy import Gate, OnMissing
from harness.decision.chance import chance_sentence, is_at_chance
from harness.decision.conditions import conditions_sentence
from harness.decision.estimate import estimate
from harness.decision.gate_agreement import judge_agreement
from harness.decision.gate_flips import flip_words
from harness.decision.gate_limit import Limit, combine, judge, judge_single, limits_of
from harness.decision.gate_missing import Missing, fill_worst, find_missing, settle_worst
from harness.decision.gate_overlap import Overlapping, all_marked_words, learned_words, overlapping, say_both
from harness.decision.gate_reading import Sides, read_or_reason
from harness.decision.gate_slices import SliceCase, judge_slices
from harness.decision.gate_words import absent_words, remedy, sentence
from harness.decision.preference import face
from harness.decision.raters import RATING
from harness.records.evidence import Evidence
from harness.records.verdicts import Finding, GateResult, Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What every gate of a policy is judged on.

    `baselines` is keyed by the name that the policy uses; one that has no finished run is not in it. `confidence` is
    two-sided, in (0, 1); `on_missing` holds where a gate does not say otherwise.
    """

    candidate: Evidence
    baselines: Mapping[str, Evidence]
    confidence: float
    on_missing: OnMissing
    seed: int = 0


def judge_gate(gate: Gate, name: str, case: Case) -> GateResult:
    """Applies one gate. Its outcome is a fail if any finding is, else inconclusive if any is, else a pass.

    Args:
        gate: The rule.
        name: Unique in the policy.
        case: The evidence.
    """
    if gate.require:
        findings = [_judge_probe(gate, case)]
    else:
        names = gate.against or (None,)
        findings = [found for baseline in names for found in _judge_against(gate, baseline, case)]
    if case.candidate.scores.get(gate.metric) or gate.metric in case.candidate.agreement:
        findings += judge_agreement(gate, case.candidate)
    return GateResult(
        name=name,
        gate=gate.model_dump(mode="json", exclude_none=True),
        outcome=combine([finding.outcome for finding in findings]),
        findings=tuple(findings),
    )


def _judge_probe(gate: Gate, case: Case) -> Finding:
    scores = case.candidate.scores.get(gate.metric, ())
    if not scores:
        return _absent(gate, case, case.candidate)
    failed = [score for score in scores if score.value != 1.0]
    shown = failed[0] if failed else scores[0]
    state: Outcome = "fail" if failed else "pass"
    return Finding(
        subject=case.candidate.name,
        outcome=state,
        value=shown.value,
        low=None,
        high=None,
        limit=1.0,
        n=len(scores),
        n_missing=0,
        test="probe",
        words=f"{'FAILED' if failed else 'passed'}: {shown.detail or 'no detail was recorded'}.",
        remedy="What was measured is not what was meant: find out why, then run the system again." if failed else None,
    )


def _judge_against(gate: Gate, baseline: str | None, case: Case) -> list[Finding]:
    ours = case.candidate
    theirs = None if baseline is None else case.baselines.get(baseline)
    if baseline is not None and theirs is None:
        return [_not_run(gate, case, baseline)]
    if theirs is not None:
        ours, theirs = face(ours, theirs)
    for one in (ours, theirs):
        if one is not None and not one.scores.get(gate.metric):
            return [_absent(gate, case, one)]
    whole = Sides(
        metric=ours.metrics[gate.metric],
        candidate=ours.name,
        ours=ours.scores[gate.metric],
        baseline=None if theirs is None else theirs.name,
        theirs=None if theirs is None else theirs.scores[gate.metric],
    )
    learned = overlapping(whole, ours, theirs)
    sides = learned.rest
    if not sides.ours:
        return [_empty(whole.subject, "inconclusive", *all_marked_words(learned))]
    missing = find_missing(sides, ours, theirs, left_out=len(learned.marked))
    found = [finding for limit in limits_of(gate) for finding in _judge_limit(gate, limit, sides, case)]
    if missing.total:
        found = _with_missing(gate, sides, case, missing, found)
    unlike = None if theirs is None else conditions_sentence(gate.metric, ours, theirs)
    found = found if unlike is None else [_held_by_conditions(one, unlike, gate.metric) for one in found]
    return [_on_which_items(one, gate, learned, case) for one in found]


def _on_which_items(finding: Finding, gate: Gate, learned: Overlapping, case: Case) -> Finding:
    """Says of a finding on all items of a part (not on a slice) that they are sealed, or which are left out."""
    if finding.subject not in (learned.whole.subject, _by_slice(gate, learned.whole)):
        return finding
    which: list[str] = []
    if case.candidate.sealed_items and family_of(gate.metric) == "golden":
        which.append(f"on {case.candidate.sealed_items} sealed items")
    if learned.marked:
        which.append(f"without {learned_words(learned)}")
        finding = say_both(finding, learned, confidence=case.confidence, method=gate.method, seed=case.seed)
    place = ", ".join(which)
    return replace(finding, words=f"{place[0].upper()}{place[1:]}: {finding.words}") if which else finding


def _by_slice(gate: Gate, sides: Sides) -> str | None:
    return f"{sides.subject} by {gate.slices.by}" if gate.slices else None


def _held_by_conditions(finding: Finding, said: str, metric: str) -> Finding:
    """A difference between number formats, engines or campaigns is none between systems."""
    return replace(
        finding,
        outcome="inconclusive",
        words=f"{said} {finding.words}",
        remedy="`harness rate open EXPERIMENT --runs ...` with both."
        if metric.startswith(RATING)
        else "Evaluate the one that was scored elsewhere again, on the machine of the other.",
    )


def _with_missing(gate: Gate, sides: Sides, case: Case, missing: Missing, found: Sequence[Finding]) -> list[Finding]:
    """The findings on the items that are there, as `on_missing` says; no item is left out in silence."""
    rule = gate.on_missing or case.on_missing
    filled = fill_worst(sides) if rule == "worst_case" and missing.can_be_filled else None
    if filled is not None:
        worst = [finding for limit in limits_of(gate) for finding in _judge_limit(gate, limit, filled, case)]
        found = settle_worst(worst, found, sides.candidate)
    else:
        outcome: Outcome = "fail" if rule == "fail" else "inconclusive"
        found = [
            replace(
                finding, outcome=outcome, words=f"Of the items that are there, {finding.words}", remedy=missing.remedy
            )
            for finding in found
        ]
    return [replace(one, n_missing=missing.total, words=f"{missing.sentence} {one.words}") for one in found]


def _judge_limit(gate: Gate, limit: Limit, sides: Sides, case: Case) -> list[Finding]:
    if gate.slices is not None:
        cut = SliceCase(slices=gate.slices, limit=limit, confidence=case.confidence, method=gate.method, seed=case.seed)
        together, *each = judge_slices(cut, sides, case.candidate)
    else:
        together, each = _judge_whole(gate, limit, sides, case), []
    return [_held_by_chance(_held_by_size(together, gate), sides, limit, case), *each]


def _judge_whole(gate: Gate, limit: Limit, sides: Sides, case: Case) -> Finding:
    reading = read_or_reason(sides, confidence=case.confidence, method=gate.method, seed=case.seed)
    if isinstance(reading, str):
        return _empty(sides.subject, "inconclusive", reading, None)
    is_single_cost = reading.low is None and reading.n == 1 and family_of(gate.metric) == "cost"
    outcome = judge_single(limit, reading) if is_single_cost else judge(limit, reading)
    finding = Finding(
        subject=sides.subject,
        outcome=outcome,
        value=reading.value,
        low=reading.low,
        high=reading.high,
        limit=limit.value,
        n=reading.n,
        n_missing=0,
        test="one measurement, no interval" if is_single_cost else reading.test,
        words=" ".join([sentence(limit, reading, outcome, sides) + _flips(sides), *reading.notes]),
        remedy=remedy(limit, reading, outcome, sides, confidence=case.confidence),
    )
    return _with_subset(finding, case, gate.metric)


def _flips(sides: Sides) -> str:
    if sides.metric.kind != "binary" or sides.baseline is None or sides.theirs is None:
        return ""
    flips = flip_words(sides.candidate, sides.ours, sides.baseline, sides.theirs)
    return f" {flips}" if flips else ""


def _with_subset(finding: Finding, case: Case, metric: str) -> Finding:
    """Where a subset was asked, the rest of the task is at hand: what would resolve the gate says so."""
    whole = case.candidate.whole.get(metric, 0)
    if finding.outcome != "inconclusive" or finding.remedy is None or whole <= finding.n:
        return finding
    more = f"The suite asks {finding.n:,} of {whole:,}: `--set regression=full` asks them all."
    return replace(finding, remedy=f"{finding.remedy} {more}")


def _held_by_size(finding: Finding, gate: Gate) -> Finding:
    if gate.min_items is None or finding.n >= gate.min_items:
        return finding
    words = f"The policy asks for {gate.min_items} items, and there are {finding.n}. {finding.words}"
    more = f"{gate.min_items - finding.n} more items."
    return replace(finding, outcome="inconclusive", words=words, remedy=more)


def _held_by_chance(finding: Finding, sides: Sides, limit: Limit, case: Case) -> Finding:
    """Assay sensitivity: what the baseline cannot do cannot be seen to be lost. A shown loss stays a fail."""
    if limit.kind != "noninferiority" or sides.theirs is None or finding.outcome == "fail":
        return finding
    if sides.metric.chance is None or all(score.value is None for score in sides.theirs):
        return finding
    base = estimate(sides.metric, sides.theirs, confidence=case.confidence)
    if not is_at_chance(sides.metric, base):
        return finding
    said = chance_sentence(sides.metric, base, name=str(sides.baseline))
    next_step = "A base model that is above chance, more shots or more items would show it; or leave this gate out."
    return replace(finding, outcome="inconclusive", words=f"{said} {finding.words}", remedy=next_step)


def _not_run(gate: Gate, case: Case, baseline: str) -> Finding:
    return _empty(
        f"{case.candidate.name} - {baseline}",
        _when_missing(gate, case),
        f"{baseline} has no finished run that {case.candidate.name} can be held against.",
        f"`harness run EXPERIMENT --only {baseline}` makes one.",
    )


def _absent(gate: Gate, case: Case, one: Evidence) -> Finding:
    withheld = one.withheld if family_of(gate.metric) == "golden" else None
    words, next_step = withheld or absent_words(gate.metric, one.name)
    own = case.candidate.name
    return _empty(own if one.name == own else f"{own} - {one.name}", _when_missing(gate, case), words, next_step)


def _when_missing(gate: Gate, case: Case) -> Outcome:
    return "fail" if (gate.on_missing or case.on_missing) == "fail" else "inconclusive"


def _empty(subject: str, outcome: Outcome, words: str, next_step: str | None) -> Finding:
    return Finding(
        subject=subject,
        outcome=outcome,
        value=None,
        low=None,
        high=None,
        limit=None,
        n=0,
        n_missing=0,
        test="nothing to test",
        words=words,
        remedy=next_step,
    )
