"""The page "Gate": each gate as an interval against its limit, waivers, and the history of promotions."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.records.registry import Promotion, Waiver
from harness.records.verdicts import Finding, GateResult, Verdict
from harness.store.migrate import open_ledger
from harness.store.registry import record_promotion, record_verdict, record_waiver
from tests.reports.ledger import HOSTILE, LORA, ZERO

Open = Callable[..., AppTest]
Said = Callable[[AppTest], str]
DECIDED = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ALIAS = "colours@production"


def finding(outcome: str, words: str, **changes: object) -> Finding:
    fields: dict[str, object] = {
        "subject": "lora - zero_shot",
        "outcome": outcome,
        "value": 0.25,
        "low": 0.05,
        "high": 0.47,
        "limit": 0.0,
        "n": 20,
        "n_missing": 0,
        "test": "paired proportions: Tango score interval",
        "words": words,
    }
    return Finding(**{**fields, **changes})


def verdict(verdict_id: str = "v-1", outcome: str = "inconclusive", **changes: object) -> Verdict:
    gates = (
        GateResult(name="better", gate={}, outcome="pass", findings=(finding("pass", "25.0 points better"),)),
        GateResult(
            name="HellaSwag is kept",
            gate={},
            outcome="inconclusive",
            findings=(
                finding(
                    "inconclusive",
                    f"open, a loss is possible {HOSTILE}",
                    value=-0.02,
                    low=-0.08,
                    high=0.03,
                    limit=-0.02,
                    remedy="About 310 more items would resolve this margin",
                ),
            ),
        ),
    )
    fields: dict[str, object] = {
        "verdict_id": verdict_id,
        "experiment": "colours",
        "alias": ALIAS,
        "candidate": "lora",
        "run_id": LORA,
        "outcome": outcome,
        "gates": gates,
        "notes": ("One training seed.",),
        "policy_name": "ship",
        "policy_text": "{}",
        "policy_sha256": "0" * 64,
        "runs": {"lora": LORA, "zero_shot": ZERO},
        "evidence": (),
        "golden_version": "1.0.0",
        "golden_sha256": "1" * 64,
        "versions": {},
        "seed": 0,
        "confidence": 0.95,
        "decided_at": DECIDED,
    }
    return Verdict(**{**fields, **changes})


@pytest.fixture
def judged(copied: Path) -> Path:
    record_verdict(open_ledger(copied, create=False), copied, verdict())
    return copied


def test_without_a_verdict_the_page_says_what_to_run(built: Path, show: Open, said: Said) -> None:
    words = said(show(built, "gate"))
    assert "No verdict yet" in words
    assert "harness gate colours --candidate" in words


def test_each_gate_shows_outcome_reason_and_what_would_change_it(judged: Path, show: Open, said: Said) -> None:
    words = said(show(judged, "gate"))
    for shown in (
        "Inconclusive: lora",
        "✓\N{NO-BREAK SPACE}pass",
        "?\N{NO-BREAK SPACE}inconclusive",
        "25.0 points better",
        "About 310 more items would resolve this margin",
        "One training seed.",
        "harness waive &#x27;HellaSwag is kept&#x27;" if "&#x27;" in words else "harness waive 'HellaSwag is kept'",
    ):
        assert shown in words


def test_the_line_of_a_gate_is_its_limit(judged: Path, show: Open, said: Said) -> None:
    words = said(show(judged, "gate"))
    # The second gate's value stands on its limit, so dot and line are at the same place.
    place = words.index("-0.02, limit -0.02")
    picture = words[place : place + 400]
    (line,) = [part.partition("%")[0] for part in picture.split("left:")[1:2]]
    assert picture.count(f"left:{line}%") == 2


def test_what_a_policy_or_model_wrote_is_text(judged: Path, show: Open, said: Said) -> None:
    words = said(show(judged, "gate"))
    assert "<img src=http" not in words
    assert "&lt;img src=http://evil.invalid/x" in words


def test_a_waiver_is_shown_and_an_expired_one_is_called_that(judged: Path, show: Open, said: Said) -> None:
    ledger = open_ledger(judged, create=False)
    waiver = Waiver(
        waiver_id="w-1",
        verdict_id="v-1",
        gate="HellaSwag is kept",
        alias=ALIAS,
        run_id=LORA,
        reason="pilot with ten users",
        by="A. Reviewer",
        at=DECIDED,
        until=DECIDED + timedelta(minutes=1),
    )
    record_waiver(ledger, judged, waiver)
    assert "waiver expired: pilot with ten users (A. Reviewer" in said(show(judged, "gate"))


def test_the_history_says_what_an_alias_points_at_now(judged: Path, show: Open, said: Said) -> None:
    ledger = open_ledger(judged, create=False)
    promotion = Promotion(
        promotion_id="p-1",
        alias=ALIAS,
        run_id=LORA,
        verdict_id="v-1",
        waiver_ids=(),
        rollback=False,
        base_model={"name": "tiny"},
        adapter_sha256=None,
        adapter_path=None,
        by="A. Owner",
        at=DECIDED,
    )
    record_promotion(ledger, judged, promotion)
    words = said(show(judged, "gate"))
    assert "promoted, points here now" in words
    assert "A. Owner" in words


def test_a_link_chooses_the_verdict(judged: Path, show: Open, said: Said) -> None:
    later = verdict("v-2", "fail", decided_at=DECIDED + timedelta(hours=1), notes=("Second.",))
    record_verdict(open_ledger(judged, create=False), judged, later)
    assert "Fail: lora" in said(show(judged, "gate"))
    assert "Inconclusive: lora" in said(show(judged, "gate", verdict="v-1"))
    assert "is not one of the choices" in said(show(judged, "gate", verdict="v-404"))
