from harness.records.verdicts import Verdict
from harness.report.markdown import SHOWN_FINDINGS, render_verdict


def test_every_gate_is_a_row_with_its_outcome_reason_and_n(verdict: Verdict) -> None:
    text = render_verdict(verdict)
    assert text.startswith("## Fail: lora of icd10-coding\n")
    assert "| readable | pass | lora is fine. | 120 |" in text
    assert "95 % intervals" in text
    assert "for icd10-coding@\u200bproduction" in text
    assert "harness verify v-1" in text


def test_what_would_change_it_and_what_must_be_said_stand_below(verdict: Verdict) -> None:
    text = render_verdict(verdict)
    assert "- kept: Train less." in text
    assert "- differences include seed noise." in text


def test_nothing_in_it_is_live_and_no_row_is_broken(verdict: Verdict) -> None:
    text = render_verdict(verdict)
    assert "<script" not in text
    assert "![x]" not in text
    [row] = [line for line in text.splitlines() if "evil" in line]
    assert row.replace("\\|", "").count("|") == 5


def test_the_best_of_many_slices_are_counted_instead_of_shown(verdict: Verdict) -> None:
    text = render_verdict(verdict)
    assert f"slice {SHOWN_FINDINGS - 1}." in text
    assert f"slice {SHOWN_FINDINGS}." not in text
    assert "and 4 more: 1 inconclusive, 3 pass" in text
