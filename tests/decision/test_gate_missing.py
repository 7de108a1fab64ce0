from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from harness.config.policy import Gate
from harness.decision.gate import Case, judge_gate
from harness.decision.gate_missing import fill_worst, find_missing
from harness.decision.gate_reading import Sides
from harness.records.evidence import Evidence
from harness.records.scores import Metric, Score
from harness.records.verdicts import Finding

EvidenceOf = Callable[..., Evidence]
EXACT = "golden/exact_match"
BETTER = {"metric": EXACT, "test": "superiority", "against": ["rag"]}
BINARY = Metric(name=EXACT, kind="binary")


def judge(gate: Mapping[str, object], lora: Evidence, *others: Evidence, on_missing: str = "inconclusive") -> Finding:
    case = Case(
        candidate=lora,
        baselines={one.name: one for one in others},
        confidence=0.95,
        on_missing=on_missing,  # pyright: ignore[reportArgumentType]
    )
    [finding] = judge_gate(Gate.model_validate(gate), "missing", case).findings
    return finding


def scores_of(values: Sequence[float | None]) -> list[Score]:
    return [
        Score(
            task="golden",
            scorer="exact_match",
            item_id=f"i{place}",
            item_hash=f"h{place}",
            value=value,
            status="failed" if value is None else "scored",
        )
        for place, value in enumerate(values)
    ]


@pytest.fixture
def two_failed(evidence_of: EvidenceOf) -> tuple[Evidence, Evidence]:
    lora = evidence_of("lora", {EXACT: [1.0] * 30 + [0.0] * 8 + [None, None]})
    return lora, evidence_of("rag", {EXACT: [0.0] * 40})


def test_a_failed_answer_makes_a_pass_inconclusive(two_failed: tuple[Evidence, Evidence]) -> None:
    finding = judge(BETTER, *two_failed)
    assert finding.outcome == "inconclusive"
    assert finding.n_missing == 2
    assert finding.n == 38
    assert finding.words.startswith("2 items are missing (2 failed). Of the items that are there, lora is ")
    assert "harness show" in (finding.remedy or "")


def test_the_policy_may_make_it_a_fail(two_failed: tuple[Evidence, Evidence]) -> None:
    assert judge(BETTER, *two_failed, on_missing="fail").outcome == "fail"


def test_a_gate_may_say_otherwise_than_its_policy(two_failed: tuple[Evidence, Evidence]) -> None:
    assert judge({**BETTER, "on_missing": "inconclusive"}, *two_failed, on_missing="fail").outcome == "inconclusive"


def test_the_worst_case_passes_where_the_missing_answers_could_not_change_it(
    two_failed: tuple[Evidence, Evidence],
) -> None:
    finding = judge(BETTER, *two_failed, on_missing="worst_case")
    assert finding.outcome == "pass"
    assert finding.n == 40
    assert finding.value == pytest.approx(30 / 40)
    assert "Missing answers count against lora here" in finding.words


def test_the_worst_case_never_turns_missing_answers_into_a_fail(evidence_of: EvidenceOf) -> None:
    # All there is says better; if the 30 missing answers of lora were wrong and rag's right, it would be worse.
    lora = evidence_of("lora", {EXACT: [1.0] * 10 + [None] * 30})
    finding = judge(BETTER, lora, evidence_of("rag", {EXACT: [0.0] * 10 + [1.0] * 30}), on_missing="worst_case")
    assert finding.value == pytest.approx(-0.5)
    assert finding.outcome == "inconclusive"


def test_a_baseline_that_failed_counts_as_right_in_the_worst_case() -> None:
    lora, rag = scores_of([1.0, None, 0.0]), scores_of([None, 0.0, 0.0])
    filled = fill_worst(Sides(metric=BINARY, candidate="lora", ours=lora, baseline="rag", theirs=rag))
    assert filled is not None
    assert [score.value for score in filled.ours] == [1.0, 0.0, 0.0]
    assert [score.value for score in filled.theirs or ()] == [1.0, 0.0, 0.0]


def test_where_lower_is_better_the_worst_is_the_greatest_value() -> None:
    metric = Metric(name=EXACT, kind="binary", direction="lower_is_better")
    filled = fill_worst(Sides(metric=metric, candidate="lora", ours=scores_of([None, 0.0])))
    assert filled is not None
    assert [score.value for score in filled.ours] == [1.0, 0.0]


def test_a_metric_without_bounds_has_no_worst_case(evidence_of: EvidenceOf) -> None:
    metric = Metric(name=EXACT, kind="count", direction="lower_is_better", maximum=None)
    lora = evidence_of("lora", {EXACT: [1.0, 2.0, 3.0, None]}, metrics=[metric])
    finding = judge({"metric": EXACT, "at_most": 50}, lora, on_missing="worst_case")
    assert finding.outcome == "inconclusive"


def test_items_of_one_side_only_changed_ones_and_those_never_asked_are_missing(evidence_of: EvidenceOf) -> None:
    lora = evidence_of("lora", {EXACT: scores_of([1.0, 1.0, 1.0])}, asked={EXACT: 6})
    theirs = scores_of([1.0, 1.0, 1.0, 1.0])
    theirs[0] = replace(theirs[0], item_hash="changed")
    rag = evidence_of("rag", {EXACT: theirs})
    sides = Sides(metric=BINARY, candidate="lora", ours=lora.scores[EXACT], baseline="rag", theirs=theirs)
    missing = find_missing(sides, lora, rag)
    assert (missing.failed, missing.one_sided, missing.changed, missing.unasked) == (0, 1, 1, 2)
    assert missing.total == 4
    assert not missing.can_be_filled
    assert "1 answered by one of the two only, 1 changed between the runs, 2 not asked yet" in missing.sentence


def test_an_answer_without_a_readable_form_is_not_missing(evidence_of: EvidenceOf) -> None:
    scores = [replace(one, status="unparsed") for one in scores_of([0.0] * 5)]
    sides = Sides(metric=BINARY, candidate="lora", ours=scores)
    assert find_missing(sides, evidence_of("lora", {EXACT: scores}), None).total == 0


def test_only_failed_items_are_nothing_to_judge_by(evidence_of: EvidenceOf) -> None:
    finding = judge({"metric": EXACT, "at_least": 0.1}, evidence_of("lora", {EXACT: [None, None]}))
    assert finding.outcome == "inconclusive"
    assert "2 items are missing (2 failed)" in finding.words
