"""Looks at sealed items: how they are counted, and what each one costs."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.decision.looks import MOST_RISK, false_pass_risk, look_notes, number_look
from harness.records.verdicts import EvidenceRead, Look, Verdict

READ = (EvidenceRead(run_id="run-a", metric="golden/exact_match", rows=40, sha256="a" * 64),)


def verdict_of(number: int, **changes: object) -> Verdict:
    fields: dict[str, object] = {
        "verdict_id": f"v-{number}",
        "experiment": "e",
        "alias": None,
        "candidate": "lora",
        "run_id": "run-a",
        "outcome": "fail",
        "gates": (),
        "notes": (),
        "policy_name": "p",
        "policy_text": "{}",
        "policy_sha256": "p" * 64,
        "runs": {},
        "evidence": READ,
        "golden_version": "1",
        "golden_sha256": "g" * 64,
        "versions": {},
        "seed": 0,
        "confidence": 0.95,
        "decided_at": datetime(2026, 11, 21, number, tzinfo=UTC),
    }
    return Verdict(**{**fields, **changes})


def looked(verdict: Verdict, *earlier: Verdict) -> Verdict:
    return replace(verdict, look=number_look(verdict, earlier, by="ann", items=40))


def test_the_first_look_costs_the_risky_side_of_one_interval() -> None:
    assert number_look(verdict_of(1), [], by="ann", items=40) == Look(
        number=1, candidates=1, by="ann", items=40, risk=0.025
    )


def test_the_same_run_policy_and_sealed_scores_are_the_same_look() -> None:
    first = looked(verdict_of(1))
    again = looked(verdict_of(2), first)
    assert again.look == Look(number=1, candidates=1, by="ann", items=40, risk=0.025, repeats="v-1")
    # A third time it is still the first look that is repeated, and other looks in between do not move it.
    other = looked(verdict_of(3, run_id="run-b"), first, again)
    third = looked(verdict_of(4), first, again, other)
    assert other.look is not None
    assert other.look.number == 2
    assert third.look == again.look


def test_other_evidence_than_golden_scores_does_not_make_a_new_look() -> None:
    first = looked(verdict_of(1))
    suite = EvidenceRead(run_id="run-a", metric="regression/mmlu/acc", rows=9, sha256="b" * 64, evaluation="k")
    again = looked(verdict_of(2, evidence=(*READ, suite)), first)
    assert again.look is not None
    assert again.look.repeats == "v-1"


@pytest.mark.parametrize(
    "other",
    [
        {"run_id": "run-b"},
        {"policy_sha256": "q" * 64},
        {"golden_sha256": "h" * 64},
        {"evidence": (replace(READ[0], sha256="c" * 64),)},
    ],
)
def test_another_run_policy_version_or_other_scores_are_a_new_look(other: dict[str, object]) -> None:
    first = looked(verdict_of(1))
    second = looked(verdict_of(2, **other), first)
    assert second.look is not None
    assert (second.look.number, second.look.repeats, second.look.risk) == (2, None, 0.05)


def test_candidates_are_told_apart_by_their_adapters_else_by_their_runs() -> None:
    first = looked(verdict_of(1, adapter_sha256="x"))
    copy = looked(verdict_of(2, adapter_sha256="x", run_id="run-b"), first)
    other = looked(verdict_of(3, run_id="run-c"), first, copy)
    assert [one.look and (one.look.number, one.look.candidates) for one in (first, copy, other)] == [
        (1, 1),
        (2, 1),
        (3, 2),
    ]


def test_the_risk_adds_up_over_confidences_and_ends_at_one() -> None:
    assert false_pass_risk([]) == 0.0
    assert false_pass_risk([0.95, 0.9]) == 0.075
    assert false_pass_risk([0.5] * 5) == 1.0


@pytest.mark.parametrize("looks", [1, 2, 3, 4, 5])
def test_the_bound_holds_for_any_dependence_of_the_candidates(looks: int) -> None:
    """Exact over all ways in which passes can go together: independent ones pass less often than disjoint ones."""
    a = 0.025
    independent = sum(
        a ** sum(passes) * (1 - a) ** (looks - sum(passes))
        for passes in itertools.product((0, 1), repeat=looks)
        if any(passes)
    )
    disjoint = looks * a  # no two null candidates ever pass together: the worst case
    risk = false_pass_risk([0.95] * looks)
    assert independent == pytest.approx(1 - (1 - a) ** looks)
    assert independent <= risk + 1e-12
    assert risk == pytest.approx(disjoint)


def test_four_looks_at_95_percent_are_trusted_and_the_fifth_is_warned_of() -> None:
    def notes(number: int) -> str:
        risk = false_pass_risk([0.95] * number)
        look = Look(number=number, candidates=number, by="ann", items=40, risk=risk)
        return " ".join(look_notes(look, most_risk=MOST_RISK))

    assert notes(4).startswith(
        "Look 4 at these 40 sealed items; asked for by ann. 4 looks: the chance that a candidate"
    )
    assert "is up to 10 %" in notes(4)
    assert "worn" not in notes(4)
    assert (
        "The sealed items are worn: 5 looks, and a chance of up to 12.5 % is above the 10 % that is allowed" in notes(5)
    )
    assert "Seal other items in a new version" in notes(5)
