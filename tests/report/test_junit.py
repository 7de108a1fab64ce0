from junitparser import Error, Failure, JUnitXml

from harness.records.verdicts import Verdict
from harness.report.junit import render_junit


def test_a_gate_is_a_test_case_and_only_a_pass_is_green(verdict: Verdict) -> None:
    [suite] = JUnitXml.fromstring(render_junit(verdict).encode())
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (3, 1, 1, 0)
    readable, kept, slices = list(suite)
    assert readable.is_passed
    assert [type(result) for result in kept.result] == [Failure]
    assert kept.result[0].type == "fail"
    assert [type(result) for result in slices.result] == [Error]
    assert slices.result[0].type == "inconclusive"
    assert slices.result[0].message == "slice 0."


def test_the_message_is_the_reason_and_the_text_has_numbers_and_next_step(verdict: Verdict) -> None:
    [suite] = JUnitXml.fromstring(render_junit(verdict).encode())
    kept = list(suite)[1]
    assert "<script>alert(1)</script>" in kept.result[0].message  # as text
    assert "Tango score interval" in kept.result[0].text
    assert "Train less." in kept.result[0].text


def test_what_the_verdict_rests_on_stands_in_the_properties(verdict: Verdict) -> None:
    [suite] = JUnitXml.fromstring(render_junit(verdict).encode())
    properties = {one.name: one.value for one in suite.properties()}
    assert properties["verdict_id"] == "v-1"
    assert properties["policy_sha256"] == "p" * 64
    assert properties["golden_version"] == "1.0.0"


def test_what_xml_has_no_place_for_is_replaced(verdict: Verdict) -> None:
    assert "\x00" not in render_junit(verdict)
