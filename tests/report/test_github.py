from harness.records.verdicts import Verdict
from harness.report.github import render_annotations


def test_a_line_for_the_verdict_and_one_for_each_gate_that_did_not_pass(verdict: Verdict) -> None:
    first, kept, slices = render_annotations(verdict).splitlines()
    assert first == "::error title=harness%3A lora of icd10-coding::fail: 1 of 3 gates passed (verdict v-1)"
    assert kept.startswith("::error title=kept::fail%0A")
    assert kept.endswith("Train less.")
    assert slices.startswith("::warning title=slices%3A by tag%2C all::inconclusive%0Aslice 0.")
    assert slices.endswith("And 8 more findings like it.")


def test_no_text_can_begin_a_command_of_its_own(verdict: Verdict) -> None:
    lines = render_annotations(verdict).splitlines()
    assert all(line.startswith(("::error title=", "::warning title=")) for line in lines)
    assert "100 %25%0A::error::" in lines[1]
