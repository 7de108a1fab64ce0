from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from harness.decision.promotion import (
    PromotionCase,
    Standing,
    promotion_before,
    refusals,
    waiver_refusals,
    waivers_of,
)
from harness.records.registry import Promotion, Waiver
from harness.records.runs import Run, RunState
from harness.records.verdicts import Finding, GateResult, Outcome, Verdict

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ALIAS = "icd10-coding@production"


def gate(name: str, outcome: Outcome = "pass", remedy: str | None = None) -> GateResult:
    finding = Finding(
        subject="lora",
        outcome=outcome,
        value=0.5,
        low=0.4,
        high=0.6,
        limit=0.5,
        n=40,
        n_missing=0,
        test="Wilson",
        words=f"0.4 to 0.6 {'reaches' if outcome != 'pass' else 'clears'} 0.5.",
        remedy=remedy,
    )
    return GateResult(name=name, gate={}, outcome=outcome, findings=(finding,))


def verdict(verdict_id: str = "v1", outcome: Outcome = "pass", *gates: GateResult, **changes: object) -> Verdict:
    made = Verdict(
        verdict_id=verdict_id,
        experiment="icd10-coding",
        alias=ALIAS,
        candidate="lora",
        run_id="r1",
        outcome=outcome,
        gates=gates or (gate("accuracy"), gate("mmlu", outcome)),
        notes=(),
        policy_name="promote",
        policy_text="{}",
        policy_sha256="p" * 64,
        runs={"lora": "r1"},
        evidence=(),
        golden_version="1.0",
        golden_sha256="g" * 64,
        versions={},
        seed=17,
        confidence=0.95,
        decided_at=NOW - DAY,
    )
    return replace(made, **changes)


def waiver(gate_name: str = "mmlu", *, until: datetime = NOW + DAY, **changes: object) -> Waiver:
    made = Waiver(
        waiver_id=f"w-{gate_name}-{until:%d}",
        verdict_id="v1",
        gate=gate_name,
        alias=ALIAS,
        run_id="r1",
        reason="The service only codes.",
        by="J. Doe",
        at=NOW - DAY / 2,
        until=until,
    )
    return replace(made, **changes)


def state(status: str = "finished", **changes: object) -> RunState:
    fields: dict[str, object] = {
        "run_id": "r1",
        "experiment": "icd10-coding",
        "experiment_id": "e",
        "system": "lora",
        "inputs_hash": "i",
        "golden_set": "icd10_coding",
        "golden_version": "1.0",
        "golden_sha256": "g" * 64,
        "system_config": {},
        "provenance": {},
        "started_at": NOW - 3 * DAY,
    }
    run = Run(**{**fields, **changes})
    return RunState(run=run, status=status, reason=None, ended_at=NOW - 2 * DAY, facts={})


def case(**changes: object) -> PromotionCase:
    made = PromotionCase(
        alias=ALIAS,
        run=state(),
        verdict=verdict(),
        waivers=(),
        verdicts=(),
        standing=Standing(
            policy_name="promote",
            policy_sha256="p" * 64,
            golden_sha256="g" * 64,
            where="suites/experiments/icd10_coding",
        ),
        now=NOW,
    )
    return replace(made, **changes)


def test_a_pass_of_this_run_policy_and_golden_set_is_promoted() -> None:
    assert refusals(case()) == []


def test_where_nothing_is_known_of_policy_and_golden_set_now_nothing_is_held_against_them() -> None:
    assert (
        refusals(case(standing=Standing(policy_name=None, policy_sha256=None, golden_sha256=None, where="the ledger")))
        == []
    )


def test_a_policy_without_an_alias_lets_any_alias_be_promoted() -> None:
    assert refusals(case(alias="other@canary", verdict=verdict(alias=None))) == []


CHANGED = Standing(policy_name="promote", policy_sha256="q" * 64, golden_sha256="h" * 64, where="here")
UNCHANGED = Standing(policy_name="promote", policy_sha256="p" * 64, golden_sha256="g" * 64, where="here")

REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "no stage": ({"alias": "icd10"}, '"icd10" is not an alias; write NAME@STAGE'),
    "a path for an alias": ({"alias": "../a@b", "verdict": verdict(alias=None)}, "is not an alias"),
    "two stages": ({"alias": "a@b@c", "verdict": verdict(alias=None)}, "is not an alias"),
    "another alias": (
        {"alias": "icd10-coding@canary"},
        f"verdict v1 is for {ALIAS}, as policy promote says, not for icd10-coding@canary. Promote to {ALIAS}, or gate "
        "by a policy with `alias: icd10-coding@canary`.",
    ),
    "another run": (
        {"run": state(run_id="r2")},
        "verdict v1 is of run r1 (lora), not of r2. Promote that run, or gate this one: "
        "`harness gate EXPERIMENT --candidate r2`.",
    ),
    "a failed run": ({"run": state("failed")}, "run r1 is failed; only a finished run can be promoted."),
    "a running run": ({"run": state("running")}, "run r1 is running; only a finished run can be promoted."),
    "a run that ended after the verdict": (
        {"run": replace(state(), ended_at=NOW - DAY / 2)},
        "run r1 ended at 2026-11-21 00:00 UTC, after verdict v1 was made (2026-11-20 12:00 UTC). Gate it again.",
    ),
    "a verdict on another golden set than the run answered": (
        {"run": state(golden_sha256="h" * 64, golden_version="2.0")},
        "run r1 answered golden set 2.0 (hhhhhhhhhhhh), and verdict v1 is about 1.0 (gggggggggggg). Gate it again.",
    ),
    "a failed gate": (
        {"verdict": verdict("v1", "fail")},
        "gate mmlu failed: 0.4 to 0.6 reaches 0.5. An exception on your word: "
        "`harness waive mmlu --verdict v1 --reason WHY --by NAME --until DATE`.",
    ),
    "an inconclusive gate": (
        {"verdict": verdict("v1", "inconclusive", gate("mmlu", "inconclusive", "About 90 items would decide it."))},
        "gate mmlu is inconclusive: 0.4 to 0.6 reaches 0.5. About 90 items would decide it. An exception",
    ),
    "a gate without a finding": (
        {"verdict": verdict("v1", "inconclusive", replace(gate("mmlu", "inconclusive"), findings=()))},
        "gate mmlu is inconclusive. An exception on your word",
    ),
    "a verdict that is no pass though its gates are": (
        {"verdict": verdict("v1", "inconclusive", gate("mmlu"))},
        "verdict v1 is inconclusive, not pass. Gate the run again.",
    ),
    "an expired waiver": (
        {"verdict": verdict("v1", "fail"), "waivers": [waiver(until=NOW - timedelta(minutes=1))]},
        "Its waiver by J. Doe expired at 2026-11-21 11:59 UTC.",
    ),
    "a waiver of another verdict": (
        {"verdict": verdict("v1", "fail"), "waivers": [waiver(verdict_id="v0")]},
        "gate mmlu failed",
    ),
    "a waiver of another run": (
        {"verdict": verdict("v1", "fail"), "waivers": [waiver(run_id="r0")]},
        "gate mmlu failed",
    ),
    "a waiver for another alias": (
        {"verdict": verdict("v1", "fail"), "waivers": [waiver(alias="icd10-coding@canary")]},
        "gate mmlu failed",
    ),
    "a waiver of another gate": (
        {"verdict": verdict("v1", "fail"), "waivers": [waiver("accuracy")]},
        "gate mmlu failed",
    ),
    "a policy that changed": (
        {"standing": replace(UNCHANGED, policy_sha256="q" * 64)},
        "policy promote has changed: qqqqqqqqqqqq in here, pppppppppppp in verdict v1. Gate again: "
        "`harness gate EXPERIMENT --candidate lora`.",
    ),
    "another policy": (
        {"standing": replace(UNCHANGED, policy_name="strict", policy_sha256="q" * 64)},
        "the policy is strict in here, and verdict v1 is by promote. Gate again: `harness gate EXPERIMENT --candidate "
        "lora`. If promote is meant, say so with `--experiment EXPERIMENT --set policy=promote`.",
    ),
    "a golden set that changed": (
        {"standing": replace(UNCHANGED, golden_sha256="h" * 64)},
        "the golden set has changed: hhhhhhhhhhhh in here, gggggggggggg (version 1.0) in verdict v1. `harness run` "
        "answers the new one; then gate again.",
    ),
    "a later verdict that came out otherwise": (
        {"verdicts": [verdict(), verdict("v2", "fail", decided_at=NOW)]},
        "verdict v1 is not the last word on run r1: v2, made 2026-11-21 12:00 UTC, is fail.",
    ),
    "a verdict that is too old": (
        {"verdict": verdict(policy_text='{"valid_for_days": 0.5}')},
        "verdict v1 was made 2026-11-20 12:00 UTC, and policy promote lets it stand for 0.5 days. Gate again",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_thing_amiss_is_one_refusal_with_its_next_step(name: str) -> None:
    changes, said = REFUSED[name]
    (problem,) = refusals(case(**changes))
    assert said in problem


def test_every_reason_is_given_at_once() -> None:
    said = refusals(
        case(
            alias="icd10@test",
            run=state("failed", run_id="r2"),
            verdict=verdict("v1", "fail", gate("a", "fail"), gate("b", "inconclusive"), gate("c")),
            standing=CHANGED,
        )
    )
    begin = ["as policy", "of run r1", "is failed", "gate a failed", "gate b is", "policy", "the golden set"]
    assert len(said) == len(begin)
    assert all(words in problem for words, problem in zip(begin, said, strict=True))


def test_a_verdict_may_be_promoted_by_until_the_last_moment_of_its_time() -> None:
    last = case(verdict=verdict(policy_text='{"valid_for_days": 1}'))
    assert refusals(last) == []
    assert len(refusals(replace(last, now=NOW + timedelta(microseconds=1)))) == 1


def test_a_waiver_holds_until_its_last_moment() -> None:
    waived = case(verdict=verdict("v1", "fail"), waivers=[waiver(until=NOW)])
    assert refusals(waived) == []
    assert len(refusals(replace(waived, now=NOW + timedelta(microseconds=1)))) == 1


def test_a_policy_without_an_alias_can_be_waived_for_one() -> None:
    open_verdict = verdict("v1", "fail", alias=None)
    of_canary = waiver(alias="icd10-coding@canary")
    assert waiver_refusals(open_verdict, of_canary) == []
    assert refusals(case(alias="icd10-coding@canary", verdict=open_verdict, waivers=[of_canary])) == []
    (said,) = refusals(case(verdict=open_verdict, waivers=[of_canary]))
    assert said.startswith("gate mmlu failed")


def test_a_command_that_is_named_can_be_typed_as_it_stands() -> None:
    (said,) = refusals(case(verdict=verdict("v1", "fail", gate("MMLU is kept", "fail"))))
    assert "`harness waive 'MMLU is kept' --verdict v1 " in said


def test_every_gate_that_did_not_pass_needs_a_waiver_of_its_own() -> None:
    two = verdict("v1", "fail", gate("a", "fail"), gate("b", "inconclusive"))
    (left,) = refusals(case(verdict=two, waivers=[waiver("a")]))
    assert left.startswith("gate b is inconclusive")
    assert refusals(case(verdict=two, waivers=[waiver("a"), waiver("b")])) == []


def test_of_two_waivers_of_a_gate_the_one_that_holds_longest_counts() -> None:
    early, late = waiver(until=NOW - DAY), waiver(until=NOW + DAY)
    for order in ([early, late], [late, early]):
        assert waivers_of(verdict(), ALIAS, order) == {"mmlu": late}


@pytest.mark.parametrize(
    "other",
    [
        verdict("v2", "fail", decided_at=NOW - 2 * DAY),  # earlier
        verdict("v2", "pass", decided_at=NOW),  # the same outcome
        verdict("v2", "fail", decided_at=NOW, policy_name="strict"),  # by another policy
        verdict("v2", "fail", decided_at=NOW, alias="icd10-coding@canary"),
    ],
)
def test_other_verdicts_do_not_stand_against_a_pass(other: Verdict) -> None:
    assert refusals(case(verdicts=[verdict(), other])) == []


OPEN = verdict("v1", "fail", gate("accuracy"), gate("mmlu", "fail"), gate("hellaswag", "inconclusive"))


def test_a_gate_that_did_not_pass_may_be_waived() -> None:
    assert waiver_refusals(OPEN, waiver("mmlu")) == []
    assert waiver_refusals(OPEN, waiver("hellaswag")) == []


NOT_WAIVED: dict[str, tuple[Verdict, Waiver, str]] = {
    "an unknown gate": (OPEN, waiver("mmul"), '"mmul" is not a gate of verdict v1; did you mean "mmlu"?'),
    "a gate that passed": (
        OPEN,
        waiver("accuracy"),
        "gate accuracy passed, so there is nothing to waive; not passed: mmlu, hellaswag.",
    ),
    "a pass": (verdict(), waiver("mmlu"), "every gate passed: promote without a waiver."),
    "no alias": (
        replace(OPEN, alias=None),
        waiver(alias=""),
        "policy promote names no alias, and a waiver holds for one only: say which with --alias.",
    ),
    "another alias than the policy's": (OPEN, waiver(alias="a@b"), f"verdict v1 is for {ALIAS}, as policy promote"),
    "no stage": (replace(OPEN, alias=None), waiver(alias="icd10"), "is not an alias; write NAME@STAGE"),
    "no reason": (OPEN, waiver(reason=" "), "--reason is empty"),
    "nobody": (OPEN, waiver(by=""), "--by is empty"),
    "the past": (OPEN, waiver(at=NOW, until=NOW - DAY), "--until 2026-11-20 has passed; name a day from today"),
    "too long": (
        OPEN,
        waiver(at=NOW, until=NOW + timedelta(days=367)),
        "--until 2027-11-23 is more than 365 days away; an exception has an end that somebody remembers: "
        "2027-11-21 at the latest.",
    ),
}


@pytest.mark.parametrize("name", NOT_WAIVED)
def test_a_waiver_that_says_too_little_or_too_much_is_refused(name: str) -> None:
    judged, asked, said = NOT_WAIVED[name]
    (problem,) = waiver_refusals(judged, asked)
    assert said in problem


def test_the_day_a_year_from_now_may_be_named_to_its_end() -> None:
    end = datetime(2027, 11, 21, 23, 59, 59, 999999, tzinfo=UTC)
    assert waiver_refusals(OPEN, waiver(at=NOW, until=end)) == []


def pointers(*acts: str) -> list[Promotion]:
    """`r1` promotes run r1, `back r1` is a rollback to it."""
    return [
        Promotion(
            promotion_id=f"p{number}",
            alias=ALIAS,
            run_id=act.removeprefix("back "),
            verdict_id="v",
            waiver_ids=(),
            rollback=act.startswith("back"),
            base_model={},
            adapter_sha256=None,
            adapter_path=None,
            by="J. Doe",
            at=NOW,
        )
        for number, act in enumerate(acts)
    ]


@pytest.mark.parametrize(
    ("acts", "goes_to"),
    [
        ([], None),
        (["r1"], None),
        (["r1", "r2"], "p0"),
        (["r1", "r2", "r3"], "p1"),
        (["r1", "r2", "r3", "back r2"], "p0"),
        (["r1", "r2", "r3", "back r2", "back r1"], None),
        (["r1", "r2", "back r1", "r3"], "p0"),  # r2 was rolled back: not gone back to
        (["r1", "r2", "r2"], "p0"),  # promoted twice: the same run is no way back
        (["r1", "r2", "r2", "back r1"], None),
        (["r1", "r1"], None),
        (["r1", "r2", "r1"], "p1"),
        (["back r1"], None),  # a registry that was edited
    ],
)
def test_a_rollback_goes_to_the_last_run_that_was_not_itself_rolled_back(acts: list[str], goes_to: str | None) -> None:
    found = promotion_before(pointers(*acts))
    assert (found.promotion_id if found else None) == goes_to
