"""A verdict as JUnit XML: a test case for each gate, so that any CI shows it.

A gate that fails is a failure, one that is inconclusive an error: neither is green, and they are told apart.
"""

import re

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from harness.records.verdicts import Finding, GateResult, Verdict
from harness.report.markdown import shown_findings

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(verdict: Verdict) -> str:
    """The verdict as one test suite, with what it rests on as properties."""
    suite = TestSuite(_clean(f"{verdict.experiment}: {verdict.candidate} by policy {verdict.policy_name}"))
    suite.timestamp = verdict.decided_at.isoformat()
    properties = {
        "verdict_id": verdict.verdict_id,
        "outcome": verdict.outcome,
        "alias": verdict.alias or "",
        "run_id": verdict.run_id,
        "policy_sha256": verdict.policy_sha256,
        "golden_version": verdict.golden_version,
        "golden_sha256": verdict.golden_sha256,
    }
    for name, value in properties.items():
        suite.add_property(name, _clean(value))
    for gate in verdict.gates:
        suite.add_testcase(_case(verdict, gate))
    xml = JUnitXml()
    xml.add_testsuite(suite)
    return str(xml.tostring(), "utf-8")  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _case(verdict: Verdict, gate: GateResult) -> TestCase:
    case = TestCase(_clean(gate.name), classname=_clean(f"{verdict.experiment}.{verdict.policy_name}"))
    shown, rest = shown_findings(gate)
    said = _clean("\n".join([*(_line(finding) for finding in shown), *([rest] if rest else [])]))
    worst = next((finding for finding in gate.findings if finding.outcome == gate.outcome), None)
    message = _clean(worst.words if worst else gate.outcome)
    match gate.outcome:
        case "pass":
            case.system_out = said
        case "fail":
            case.result = [_with_text(Failure(message, "fail"), said)]
        case "inconclusive":
            case.result = [_with_text(Error(message, "inconclusive"), said)]
    return case


def _with_text(result: Failure | Error, text: str) -> Failure | Error:
    result.text = text
    return result


def _line(finding: Finding) -> str:
    said = f"{finding.outcome}: {finding.words} [{finding.test}]"
    return f"{said} {finding.remedy}" if finding.remedy else said


def _clean(text: str) -> str:
    """XML 1.0 has no place for most control characters."""
    return _NOT_IN_XML.sub("�", text)
