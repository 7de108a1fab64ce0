import math
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import RegistryError, StoreError
from harness.records.registry import Promotion, Waiver
from harness.records.verdicts import EvidenceRead, Finding, GateResult, Verdict
from harness.store.chain import FIRST, broken_links, events, link_hash
from harness.store.keys import read_key
from harness.store.ledger import Ledger
from harness.store.payloads import read_verdict, verdict_payload
from harness.store.registry import (
    find_verdict,
    promotions,
    record_promotion,
    record_verdict,
    record_waiver,
    verdicts,
    waivers,
)
from harness.store.user_sql import query

AT = datetime(2026, 11, 21, 6, 49, 12, 345678, tzinfo=UTC)
ALIAS = "icd10-coding@production"

FINDING = Finding(
    subject="lora - base",
    outcome="inconclusive",
    value=-0.1,
    low=-(0.1 + 0.2),
    high=1e-17,
    limit=-0.02,
    n=48,
    n_missing=2,
    test="paired difference, «Tango»",
    words="The interval reaches below -0.02.",
    remedy="About 400 items would decide it.",
)


def make_verdict(verdict_id: str = "verdict-1", **changes: object) -> Verdict:
    verdict = Verdict(
        verdict_id=verdict_id,
        experiment="icd10-coding",
        alias=ALIAS,
        candidate="lora",
        run_id="run-1",
        outcome="inconclusive",
        gates=(
            GateResult(name="adapter", gate={"require": True}, outcome="pass", findings=()),
            GateResult(
                name="mmlu",
                gate={"metric": "regression/mmlu/acc", "against": ["base"], "margin": 0.02},
                outcome="inconclusive",
                findings=(FINDING,),
            ),
        ),
        notes=("mmlu is a subset.",),
        policy_name="promote",
        policy_text='{"alias":"icd10-coding@production"}',
        policy_sha256="p" * 64,
        runs={"base": "run-0", "lora": "run-1"},
        evidence=(
            EvidenceRead(run_id="run-1", metric="regression/mmlu/acc", rows=48, sha256="e" * 64, evaluation="k" * 64),
            EvidenceRead(run_id="run-1", metric="golden/exact_match", rows=40, sha256="f" * 64),
        ),
        golden_version="1.0",
        golden_sha256="g" * 64,
        versions={"scipy": "1.17.0"},
        seed=17,
        confidence=0.95,
        decided_at=AT,
    )
    return replace(verdict, **changes)


def make_waiver(waiver_id: str = "waiver-1", **changes: object) -> Waiver:
    waiver = Waiver(
        waiver_id=waiver_id,
        verdict_id="verdict-1",
        gate="mmlu",
        alias=ALIAS,
        run_id="run-1",
        reason='It\'s coding only, says "R. Roe"',
        by="J. Doe",
        at=AT + timedelta(hours=1),
        until=AT + timedelta(days=30),
    )
    return replace(waiver, **changes)


def make_promotion(promotion_id: str = "promotion-1", **changes: object) -> Promotion:
    promotion = Promotion(
        promotion_id=promotion_id,
        alias=ALIAS,
        run_id="run-1",
        verdict_id="verdict-1",
        waiver_ids=("waiver-1",),
        rollback=False,
        base_model={"name": "smollm2", "licence": None},
        adapter_sha256="a" * 64,
        adapter_path="runs/run-1/adapter",
        by="J. Doe",
        at=AT + timedelta(hours=2),
    )
    return replace(promotion, **changes)


@pytest.fixture
def home(ledger: Ledger) -> Path:
    return ledger.path.parent


@pytest.fixture
def filled(ledger: Ledger, home: Path, make_run: Callable[..., object]) -> Ledger:
    """A verdict, a waiver, a promotion and a rollback."""
    from harness.store.runs import start_run

    start_run(ledger, make_run("run-1"))
    record_verdict(ledger, home, make_verdict())
    record_waiver(ledger, home, make_waiver())
    record_promotion(ledger, home, make_promotion())
    record_promotion(ledger, home, make_promotion("rollback-1", rollback=True, reason="It codes too much."))
    return ledger


def test_what_is_recorded_comes_back_equal(filled: Ledger):
    assert find_verdict(filled, "verdict-1") == make_verdict()
    assert waivers(filled) == [make_waiver()]
    assert promotions(filled) == [
        make_promotion(),
        make_promotion("rollback-1", rollback=True, reason="It codes too much."),
    ]


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(value=NUMBERS, low=NUMBERS | st.none(), text=st.text(st.characters(codec="utf-8")), options=NUMBERS)
def test_a_verdict_goes_through_json_to_the_last_digit(value: float, low: float | None, text: str, options: float):
    finding = replace(FINDING, value=value, low=low, words=text)
    gates = (GateResult(name=text, gate={"by": options, "deep": [{text: low}]}, outcome="pass", findings=(finding,)),)
    verdict = make_verdict(gates=gates, notes=(text, ""), confidence=0.1 + 0.2)
    back = _through_json(verdict)
    assert back == verdict
    assert repr(replace(back, decided_at=AT)) == repr(verdict)  # tells 0.0 from -0.0, and tuples from lists


def _through_json(verdict: Verdict) -> Verdict:
    from harness.records.registry import RegistryEvent

    event = RegistryEvent(
        sequence=1,
        kind="verdict",
        event_id="v",
        alias=None,
        at=AT,
        payload=verdict_payload(verdict),
        previous_hash=FIRST,
        hash="",
        signature="",
    )
    return read_verdict(event)


def test_a_whole_number_in_the_place_of_a_float_gives_the_same_text():
    whole, point = (make_verdict(gates=(), confidence=number) for number in (1, 1.0))
    assert verdict_payload(whole) == verdict_payload(point)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_verdict_with_a_number_that_is_none_is_refused(filled: Ledger, home: Path, number: float):
    before = events(filled)
    with pytest.raises(ValueError, match="JSON compliant"):
        record_verdict(filled, home, make_verdict("verdict-2", confidence=number))
    assert events(filled) == before


def test_a_verdict_without_a_time_zone_is_refused(ledger: Ledger, home: Path):
    with pytest.raises(ValueError, match="no time zone"):
        record_verdict(ledger, home, make_verdict(decided_at=AT.replace(tzinfo=None)))
    assert events(ledger) == []


def test_events_are_chained_and_signed(filled: Ledger, home: Path):
    chain = events(filled)
    assert [(event.sequence, event.kind) for event in chain] == [
        (1, "verdict"),
        (2, "waiver"),
        (3, "promotion"),
        (4, "rollback"),
    ]
    assert [event.previous_hash for event in chain] == [FIRST, *(event.hash for event in chain[:-1])]
    assert all(event.hash == link_hash(event) for event in chain)
    assert broken_links(chain, read_key(home)) == []


def test_an_event_is_hashed_as_documented(filled: Ledger):
    import hashlib
    import json

    first = events(filled)[0]
    fields = [1, "verdict", "verdict-1", ALIAS, 1795243752345678, first.payload, FIRST]
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    assert first.hash == hashlib.sha256(text.encode()).hexdigest()


def test_recording_the_same_twice_changes_nothing(filled: Ledger, home: Path):
    before = events(filled)
    assert record_verdict(filled, home, make_verdict()) == before[0]
    assert record_waiver(filled, home, make_waiver()) == before[1]
    assert events(filled) == before


def test_another_verdict_under_the_same_id_is_refused(filled: Ledger, home: Path):
    with pytest.raises(RegistryError, match="never changes: record the new one under a new id"):
        record_verdict(filled, home, make_verdict(outcome="pass"))
    assert find_verdict(filled, "verdict-1").outcome == "inconclusive"


def test_an_act_that_was_checked_against_an_older_chain_is_refused(filled: Ledger, home: Path):
    head = events(filled)[-1].hash
    record_verdict(filled, home, make_verdict("verdict-2"))
    with pytest.raises(RegistryError, match="went on while this was being checked"):
        record_promotion(filled, home, make_promotion("promotion-2"), after=head)
    assert len(events(filled)) == 5
    record_promotion(filled, home, make_promotion("promotion-2"), after=events(filled)[-1].hash)
    assert len(events(filled)) == 6


def test_the_first_event_may_demand_an_empty_chain(ledger: Ledger, home: Path):
    record_verdict(ledger, home, make_verdict())
    with pytest.raises(RegistryError, match="went on"):
        record_waiver(ledger, home, make_waiver(), after=FIRST)


def test_verdicts_are_found_by_the_beginning_of_their_id(filled: Ledger, home: Path):
    record_verdict(filled, home, make_verdict("verdict-12"))
    assert find_verdict(filled, "verdict-12").verdict_id == "verdict-12"
    assert find_verdict(filled, "verdict-1").verdict_id == "verdict-1"  # exact, though it begins the other
    with pytest.raises(StoreError, match=r"begins the ids of 2 verdicts; write more(?s:.*)verdict-12  inconclusive"):
        find_verdict(filled, "verdict")
    with pytest.raises(StoreError, match=r"no verdict's id begins with \"w\"(?s:.*)verdict-1 "):
        find_verdict(filled, "w")


def test_a_ledger_without_verdicts_says_how_to_make_one(ledger: Ledger):
    with pytest.raises(StoreError, match="`harness gate EXPERIMENT --candidate SYSTEM` makes one"):
        find_verdict(ledger, "x")


def test_verdicts_and_waivers_are_listed_by_alias_and_run(filled: Ledger, home: Path):
    record_verdict(filled, home, make_verdict("verdict-2", alias=None))
    record_verdict(filled, home, make_verdict("verdict-3", run_id="run-2"))
    ids = [
        [verdict.verdict_id for verdict in verdicts(filled, **wanted)]
        for wanted in ({}, {"alias": ALIAS}, {"run_id": "run-1"}, {"alias": ALIAS, "run_id": "run-2"}, {"alias": "a@b"})
    ]
    assert ids == [
        ["verdict-1", "verdict-2", "verdict-3"],
        ["verdict-1", "verdict-3"],
        ["verdict-1", "verdict-2"],
        ["verdict-3"],
        [],
    ]
    assert waivers(filled, run_id="run-2") == []
    assert waivers(filled, alias=ALIAS, run_id="run-1") == [make_waiver()]
    assert promotions(filled, alias="a@b") == []


def test_processes_that_record_at_once_make_one_unbroken_chain(ledger: Ledger, home: Path, python: str):
    script = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from harness.store.chain import NewEvent, append
from harness.store.ledger import Ledger
home = Path(sys.argv[1])
for number in range(8):
    name = f"{sys.argv[2]}-{number}"
    append(Ledger(home / "harness.duckdb"), home,
           NewEvent(kind="verdict", event_id=name, alias=None, at=datetime.now(UTC), payload="{}"))
"""
    writers = [
        subprocess.Popen([python, "-c", script, str(home), str(number)], stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    for writer in writers:
        _, problems = writer.communicate(timeout=120)
        assert writer.returncode == 0, problems
    chain = events(ledger)
    assert [event.sequence for event in chain] == list(range(1, 33))
    assert {event.event_id for event in chain} == {f"{writer}-{number}" for writer in range(4) for number in range(8)}
    assert broken_links(chain, read_key(home)) == []


def test_a_verdict_shows_its_gates_and_the_waivers_that_hold(ledger: Ledger, home: Path):
    now = datetime.now(UTC)
    record_verdict(ledger, home, make_verdict())
    record_verdict(ledger, home, make_verdict("verdict-2", alias=None, gates=(), outcome="pass"))
    record_waiver(ledger, home, make_waiver("expired", gate="adapter", until=now - timedelta(days=1)))
    record_waiver(ledger, home, make_waiver("holds", until=now + timedelta(days=1)))
    _, rows = query(
        ledger,
        "SELECT verdict_id, alias, outcome, gates, gates_not_passed, gates_waived, confidence, seed, decided_at "
        "FROM v_verdicts ORDER BY sequence",
    )
    at = "2026-11-21T06:49:12.345678+00:00"
    assert rows == [
        ["verdict-1", ALIAS, "inconclusive", ["adapter", "mmlu"], ["mmlu"], ["mmlu"], 0.95, 17, at],
        ["verdict-2", None, "pass", [], [], [], 0.95, 17, at],
    ]
    _, rows = query(ledger, "SELECT waiver_id, gate, waived_by, is_active FROM v_waivers ORDER BY waiver_id")
    assert rows == [["expired", "adapter", "J. Doe", False], ["holds", "mmlu", "J. Doe", True]]


def test_findings_are_rows_with_every_digit(filled: Ledger):
    _, rows = query(filled, "SELECT gate, subject, value, low, high, gate_limit, n, n_missing, remedy FROM v_findings")
    assert rows == [["mmlu", "lora - base", -0.1, -(0.1 + 0.2), 1e-17, -0.02, 48, 2, FINDING.remedy]]


def test_an_alias_is_a_row_with_what_it_rests_on(filled: Ledger, home: Path):
    columns = (
        "alias, run_id, system, verdict_id, verdict_outcome, waiver_ids, expired_waiver_ids, is_rollback, base_model"
    )
    _, rows = query(filled, f"SELECT {columns} FROM v_aliases")
    row = [ALIAS, "run-1", "lora", "verdict-1", "inconclusive", ["waiver-1"], None, True, "smollm2"]
    assert rows == [row]
    long_ago = AT - timedelta(days=400)
    record_waiver(filled, home, make_waiver("waiver-2", until=long_ago))
    record_promotion(filled, home, make_promotion("promotion-2", waiver_ids=("waiver-2",)))
    _, rows = query(filled, "SELECT expired_waiver_ids FROM v_aliases")
    assert rows == [[None]]  # waiver-1 of the same gate still holds
    record_promotion(filled, home, make_promotion("p-3", waiver_ids=("waiver-3",), verdict_id="verdict-3"))
    record_waiver(filled, home, make_waiver("waiver-3", until=long_ago, verdict_id="verdict-3"))
    _, rows = query(filled, "SELECT expired_waiver_ids, verdict_outcome FROM v_aliases")
    assert rows == [[["waiver-3"], None]]


def test_the_chain_is_a_view(filled: Ledger):
    _, rows = query(filled, "SELECT sequence, kind, event_id, run_id, length(hash) FROM v_registry ORDER BY sequence")
    assert rows == [
        [1, "verdict", "verdict-1", "run-1", 64],
        [2, "waiver", "waiver-1", "run-1", 64],
        [3, "promotion", "promotion-1", "run-1", 64],
        [4, "rollback", "rollback-1", "run-1", 64],
    ]
