"""A verdict with a gate of each outcome, and texts in it that a renderer must not let through."""

from datetime import UTC, datetime

import pytest

from harness.records.verdicts import Finding, GateResult, Outcome, Verdict

HOSTILE = "a|b <script>alert(1)</script> ![x](http://evil.invalid) \x00 100 %\n::error::"


def finding(outcome: Outcome, words: str = "lora is fine.", remedy: str | None = None) -> Finding:
    return Finding(
        subject="lora - base",
        outcome=outcome,
        value=-0.025,
        low=-0.08,
        high=0.023,
        limit=-0.02,
        n=120,
        n_missing=0,
        test="Tango score interval",
        words=words,
        remedy=remedy,
    )


@pytest.fixture
def verdict() -> Verdict:
    slices = tuple(finding("inconclusive" if number < 9 else "pass", f"slice {number}.") for number in range(12))
    return Verdict(
        verdict_id="v-1",
        experiment="icd10-coding",
        alias="icd10-coding@production",
        candidate="lora",
        run_id="run-1",
        outcome="fail",
        gates=(
            GateResult(name="readable", gate={}, outcome="pass", findings=(finding("pass"),)),
            GateResult(
                name="kept",
                gate={},
                outcome="fail",
                findings=(finding("pass"), finding("fail", HOSTILE, "Train less.")),
            ),
            GateResult(name="slices: by tag, all", gate={}, outcome="inconclusive", findings=slices),
        ),
        notes=("differences include seed noise.",),
        policy_name="promote",
        policy_text="{}",
        policy_sha256="p" * 64,
        runs={"lora": "run-1"},
        evidence=(),
        golden_version="1.0.0",
        golden_sha256="g" * 64,
        versions={},
        seed=0,
        confidence=0.95,
        decided_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
    )
