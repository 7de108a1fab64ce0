"""May it ship: a policy's gates, each as an interval against its limit, and what was promoted on it."""

import shlex
from collections.abc import Mapping, Sequence

import streamlit as st

from harness.pipeline.board import experiments
from harness.pipeline.judged import Judged, judged
from harness.records.registry import Promotion, Waiver
from harness.records.verdicts import Finding, GateResult, Outcome, Verdict
from reports import markup, wording
from reports.choosing import choose
from reports.markup import Cell, Forest, Line, Tone
from reports.reading import home, read

_TONES: Mapping[Outcome, Tone] = {"pass": "better", "fail": "worse", "inconclusive": "unclear"}
_SIGNS: Mapping[Outcome, str] = {"pass": "✓", "fail": "✕", "inconclusive": "?"}
_SHOWN_FINDINGS = 12  # of one gate; one by subject has 57, the worst first
_ROOM = 0.08  # beside the outermost mark, as a share of the span


def show() -> None:
    """Draws the page."""
    known = read(experiments)
    if not known:
        markup.title("No runs yet", "The ledger is here, and no run has been started in it.")
        return
    heading, choices = st.columns([5, 4], gap="large")
    with choices:
        left, right = st.columns(2, gap="small")
        names = [one.name for one in known]
        with left:
            name = choose("Experiment", "experiment", names, default=names[0], clears=("verdict",))
        found = read(judged, name)
        if not found.verdicts:
            with heading:
                _show_none(name)
            return
        with right:
            verdict = _choose_verdict(found.verdicts)
    waived = found.waivers_of(verdict)
    with heading:
        _show_heading(verdict)
    markup.notes(verdict.notes)
    _show_gates(verdict, waived)
    _show_command(verdict)
    _show_history(found)


def _show_none(experiment: str) -> None:
    markup.title("No verdict yet", f"Experiment {experiment}")
    markup.say("A policy turns stored evidence into pass, fail or inconclusive. Name one in experiment.yaml, then:")
    st.code(f"harness gate {experiment} --candidate SYSTEM --home {home()}", language=None, wrap_lines=True)


def _choose_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    by_id = {verdict.verdict_id: verdict for verdict in verdicts}

    def words(verdict_id: str) -> str:
        verdict = by_id[verdict_id]
        return f"{verdict.candidate}: {verdict.outcome}, {wording.moment(verdict.decided_at)}"

    return by_id[choose("Verdict", "verdict", list(by_id), default=verdicts[0].verdict_id, show=words)]


def _show_heading(verdict: Verdict) -> None:
    said = f"{_SIGNS[verdict.outcome]} {verdict.outcome.capitalize()}: {verdict.candidate}"
    markup.title(said, f"Experiment {verdict.experiment}, policy {verdict.policy_name}")
    facts: list[tuple[str, object]] = [
        ("for", verdict.alias or "any alias"),
        ("run", verdict.run_id),
        ("golden set", verdict.golden_version),
        ("decided", wording.moment(verdict.decided_at)),
        ("verdict", verdict.verdict_id),
    ]
    markup.facts(facts)


def _show_gates(verdict: Verdict, waived: Mapping[str, tuple[Waiver, bool]]) -> None:
    markup.section(
        "Gates",
        f"All must pass. The line is the limit, the dot the number, the whisker its {100 * verdict.confidence:g} % "
        "interval: the whole whisker has to be on the right side of the line.",
    )
    rows: list[Sequence[Cell]] = []
    for gate in verdict.gates:
        rows += _rows(gate, waived.get(gate.name))
    markup.table(["outcome", "gate", "against its limit", "why", "n"], rows)


def _rows(gate: GateResult, waived: tuple[Waiver, bool] | None) -> list[Sequence[Cell]]:
    rows: list[Sequence[Cell]] = []
    for place, finding in enumerate(gate.findings[:_SHOWN_FINDINGS]):
        outcome = Line(
            text=f"{_SIGNS[finding.outcome]}\N{NO-BREAK SPACE}{finding.outcome}", tone=_TONES[finding.outcome]
        )
        why = [Line(text=finding.words)]
        why += [Line(text=finding.remedy, small=True)] if finding.remedy else []
        why.append(Line(text=finding.test, tone="muted", small=True))
        missing = f" ({finding.n_missing} missing)" if finding.n_missing else ""
        name: tuple[Line, ...] = (Line(text=gate.name),) if place == 0 else ()
        if waived and place == 0:
            name += (_waiver_line(*waived),)
        rows.append([outcome, name, _forest(finding), tuple(why), f"{finding.n}{missing}" if finding.n else ""])
    if (left := len(gate.findings) - _SHOWN_FINDINGS) > 0:
        rows.append(["", "", "", Line(text=f"and {left} more: harness gate --json", tone="muted", small=True), ""])
    return rows


def _waiver_line(waiver: Waiver, holds: bool) -> Line:
    state = "waived" if holds else "waiver expired"
    words = f"{state}: {waiver.reason} ({waiver.by}, until {wording.moment(waiver.until)})"
    return Line(text=words, tone="worse", small=True)


def _forest(finding: Finding) -> Cell:
    """The number on a scale of its own: gates have different units."""
    if finding.value is None or finding.limit is None:
        return ""
    marks = [mark for mark in (finding.value, finding.low, finding.high, finding.limit) if mark is not None]
    span = (max(marks) - min(marks)) or 1.0
    start, width = min(marks) - _ROOM * span, (1 + 2 * _ROOM) * span

    def share(mark: float) -> float:
        return (mark - start) / width

    return Forest(
        at=share(finding.value),
        low=None if finding.low is None else share(finding.low),
        high=None if finding.high is None else share(finding.high),
        zero=share(finding.limit),
        tone=_TONES[finding.outcome],
        tip=f"{finding.subject}: {finding.value:.4g}, limit {finding.limit:.4g}",
    )


def _show_command(verdict: Verdict) -> None:
    open_gates = [gate.name for gate in verdict.gates if gate.outcome != "pass"]
    alias = verdict.alias or "NAME@STAGE"
    of_alias = "" if verdict.alias else f" --alias {alias}"
    markup.section("What to do with it")
    at = f"--home {shlex.quote(str(home()))}"
    if open_gates:
        markup.say(
            "It cannot be promoted as it is. What would change each gate stands beside it; an exception is signed, one "
            "for each gate:"
        )
        commands = [
            f"harness waive {shlex.quote(gate)} --verdict {verdict.verdict_id}{of_alias} --reason WHY --by NAME "
            f"--until DATE {at}"
            for gate in open_gates
        ]
        st.code("\n".join(commands), language=None, wrap_lines=True)
    st.code(
        f"harness promote {alias} {verdict.run_id} --verdict {verdict.verdict_id} {at}", language=None, wrap_lines=True
    )
    st.code(f"harness verify {verdict.verdict_id} {at}", language=None, wrap_lines=True)


def _show_history(found: Judged) -> None:
    if not found.promotions:
        return
    markup.section("Promotions", "What each alias points at is its last row.")
    now = {promotion.promotion_id for promotion in found.aliases}
    rows = [_promotion_row(promotion, promotion.promotion_id in now) for promotion in reversed(found.promotions)]
    marked = frozenset(number for number, one in enumerate(reversed(found.promotions)) if one.promotion_id in now)
    markup.table(["when", "alias", "run", "verdict", "by"], rows, marked=marked)


def _promotion_row(promotion: Promotion, current: bool) -> Sequence[Cell]:
    what = "rolled back to" if promotion.rollback else "promoted"
    run = (Line(text=promotion.run_id), Line(text=f"{what}{', points here now' if current else ''}", small=True))
    waivers = Line(text=f"{len(promotion.waiver_ids)} waived" if promotion.waiver_ids else "", tone="worse", small=True)
    return [
        wording.moment(promotion.at),
        promotion.alias,
        run,
        (Line(text=promotion.verdict_id), waivers),
        (Line(text=promotion.by), Line(text=promotion.reason or "", small=True)),
    ]


show()
