"""A verdict as Markdown, for a pull request's comment or a step summary. No link, image or tag in it is live."""

from collections.abc import Sequence

from harness.records.verdicts import Finding, GateResult, Outcome, Verdict
from harness.report.page import markdown_cell

SHOWN_FINDINGS = 8  # of one gate; a gate with many slices has more, the worst first
_OUTCOMES: tuple[Outcome, ...] = ("fail", "inconclusive", "pass")


def render_verdict(verdict: Verdict) -> str:
    """The verdict, a table with every gate, what would change it, and what it rests on."""
    title = (
        f"## {verdict.outcome.capitalize()}: {markdown_cell(verdict.candidate)} of {markdown_cell(verdict.experiment)}"
    )
    about = (
        f"Policy {markdown_cell(verdict.policy_name)}{_alias(verdict)}, run `{verdict.run_id}`, golden set "
        f"{markdown_cell(verdict.golden_version)}, {100 * verdict.confidence:g} % intervals."
    )
    table = ["| gate | outcome | why | n |", "| --- | --- | --- | ---: |"]
    for gate in verdict.gates:
        table += _rows(gate)
    parts = [title, about, "\n".join(table)]
    remedies = [(gate.name, remedy) for gate in verdict.gates for remedy in shown_remedies(gate)]
    if remedies:
        lines = (f"- {markdown_cell(name)}: {markdown_cell(remedy)}" for name, remedy in remedies)
        parts += ["**What would change it**", "\n".join(lines)]
    if verdict.notes:
        parts += ["**To be said with it**", "\n".join(f"- {markdown_cell(note)}" for note in verdict.notes)]
    parts.append(f"Verdict `{verdict.verdict_id}`; `harness verify {verdict.verdict_id}` derives it again.")
    return "\n\n".join(parts) + "\n"


def shown_findings(gate: GateResult) -> tuple[Sequence[Finding], str]:
    """The findings to show of a gate, and a sentence on those that are not; it is empty where all are."""
    shown, rest = gate.findings[:SHOWN_FINDINGS], gate.findings[SHOWN_FINDINGS:]
    if not rest:
        return shown, ""
    counts = {outcome: sum(finding.outcome == outcome for finding in rest) for outcome in _OUTCOMES}
    return (
        shown,
        f"and {len(rest)} more: {', '.join(f'{count} {outcome}' for outcome, count in counts.items() if count)}",
    )


def shown_remedies(gate: GateResult) -> list[str]:
    """What would change a gate, each once. Of a gate with slices the first finding says it for all of them."""
    about = gate.findings[:1] if gate.gate.get("slices") else shown_findings(gate)[0]
    return list(dict.fromkeys(one.remedy for one in about if one.outcome != "pass" and one.remedy))


def _rows(gate: GateResult) -> list[str]:
    shown, rest = shown_findings(gate)
    rows = [
        f"| {markdown_cell(gate.name) if place == 0 else ''} | {_emphasis(finding.outcome)} | "
        f"{markdown_cell(finding.words)} | {finding.n or ''} |"
        for place, finding in enumerate(shown)
    ]
    return rows + ([f"| | | {rest} | |"] if rest else [])


def _emphasis(outcome: Outcome) -> str:
    return outcome if outcome == "pass" else f"**{outcome}**"


def _alias(verdict: Verdict) -> str:
    return f" for {markdown_cell(verdict.alias)}" if verdict.alias else ""
