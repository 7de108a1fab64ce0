"""A verdict as annotations of a GitHub workflow: commands on standard output that the runner turns into notes."""

from harness.records.verdicts import GateResult, Outcome, Verdict

_LEVELS: dict[Outcome, str] = {"pass": "notice", "fail": "error", "inconclusive": "warning"}


def render_annotations(verdict: Verdict) -> str:
    """A command for the verdict, and one for each gate that did not pass, a line each.

    Source: GitHub, "Workflow commands for GitHub Actions", for the form and the escapes.
    """
    open_gates = [gate for gate in verdict.gates if gate.outcome != "pass"]
    passed = f"{len(verdict.gates) - len(open_gates)} of {len(verdict.gates)} gates passed"
    title = f"harness: {verdict.candidate} of {verdict.experiment}"
    lines = [_command(verdict.outcome, title, f"{verdict.outcome}: {passed} (verdict {verdict.verdict_id})")]
    return "\n".join([*lines, *(_command(gate.outcome, gate.name, _why(gate)) for gate in open_gates)]) + "\n"


def _why(gate: GateResult) -> str:
    reasons = [finding for finding in gate.findings if finding.outcome == gate.outcome]
    said = [f"{finding.words} {finding.remedy or ''}".strip() for finding in reasons[:1]]
    more = [f"And {len(reasons) - 1} more findings like it."] if len(reasons) > 1 else []
    return "\n".join([f"{gate.outcome}", *said, *more])


def _command(outcome: Outcome, title: str, message: str) -> str:
    return f"::{_LEVELS[outcome]} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
