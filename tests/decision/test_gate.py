"""Each outcome of a gate, with what it says to people."""

from collections.abc import Callable, Mapping

import pytest

from harness.config.policy import Gate
from harness.decision.gate import Case, judge_gate
from harness.records.evidence import Agreement, Evidence
from harness.records.scores import Metric, Score
from harness.records.verdicts import Finding, GateResult

EvidenceOf = Callable[..., Evidence]
EXACT = "golden/exact_match"
SWAG = "regression/hellaswag/acc_norm"
MMLU = "regression/mmlu/acc"
KL = "probe/adapter_active"
CHANCE = Metric(name=MMLU, kind="binary", chance=0.25)


def case_of(candidate: Evidence, *baselines: Evidence, **changes: object) -> Case:
    fields: dict[str, object] = {"confidence": 0.95, "on_missing": "inconclusive", **changes}
    return Case(candidate=candidate, baselines={one.name: one for one in baselines}, **fields)


def judge(gate: Mapping[str, object], candidate: Evidence, *baselines: Evidence, **changes: object) -> GateResult:
    return judge_gate(Gate.model_validate(gate), "the gate", case_of(candidate, *baselines, **changes))


def only(result: GateResult) -> Finding:
    [finding] = result.findings
    assert finding.outcome == result.outcome
    return finding


def first(right: int, n: int) -> list[float]:
    """The first `right` of n items answered right."""
    return [1.0] * right + [0.0] * (n - right)


BETTER = {"metric": EXACT, "test": "superiority", "against": ["rag"]}
KEPT = {"metric": SWAG, "test": "noninferiority", "against": ["base"], "margin": 0.02}


def test_a_pass_says_the_difference_its_interval_and_n(evidence_of: EvidenceOf) -> None:
    finding = only(
        judge(BETTER, evidence_of("lora", {EXACT: first(20, 72)}), evidence_of("rag", {EXACT: first(2, 72)}))
    )
    assert finding.outcome == "pass"
    assert finding.subject == "lora - rag"
    assert finding.words.startswith("lora is 25.0 points better than rag (+")
    assert "n 72): superior, the whole interval lies above 0." in finding.words
    assert "18 wrong to right, 0 right to wrong." in finding.words
    assert finding.value == pytest.approx(18 / 72)
    assert finding.low is not None
    assert finding.low > finding.limit == 0.0
    assert finding.remedy is None


def test_forgetting_is_a_fail_that_says_how_to_train_more_gently(evidence_of: EvidenceOf) -> None:
    base, lora = evidence_of("base", {SWAG: first(500, 1000)}), evidence_of("lora", {SWAG: first(400, 1000)})
    finding = only(judge(KEPT, lora, base))
    assert finding.outcome == "fail"
    assert "lora is 10.0 points worse than base" in finding.words
    assert "a loss, the whole interval lies beyond the margin of 2.0 points" in finding.words
    assert "100 right to wrong" in finding.words
    assert "Train more gently" in (finding.remedy or "")


def test_kept_ability_passes_with_the_most_that_may_be_lost(evidence_of: EvidenceOf) -> None:
    same = first(900, 2000)
    finding = only(judge(KEPT, evidence_of("lora", {SWAG: same}), evidence_of("base", {SWAG: same})))
    assert finding.outcome == "pass"
    assert finding.words.startswith("lora and base come out the same (")
    # Without a discordant pair Tango's interval is -/+ z^2 / (n + z^2) = 0.0019 for n = 2000.
    assert "at most 0.2 points are lost, less than the margin of 2.0 points" in finding.words


def test_a_suite_too_small_for_the_margin_is_never_a_pass_even_without_any_loss(evidence_of: EvidenceOf) -> None:
    same = first(50, 120)
    lora = evidence_of("lora", {SWAG: same}, whole={SWAG: 10_042})
    finding = only(judge(KEPT, lora, evidence_of("base", {SWAG: same})))
    assert finding.outcome == "inconclusive"
    assert "a loss of up to 3.1 points is possible, and the margin is 2.0 points" in finding.words
    # z^2 / (n + z^2) < 0.02 from n = 189 on: 69 more than 120.
    assert "About 69 more hellaswag items would resolve this margin" in (finding.remedy or "")
    assert "The suite asks 120 of 10,042" in (finding.remedy or "")


def test_items_that_would_decide_against_the_candidate_are_said_to(evidence_of: EvidenceOf) -> None:
    lora, base = evidence_of("lora", {SWAG: first(47, 120)}), evidence_of("base", {SWAG: first(50, 120)})
    finding = only(judge(KEPT, lora, base))
    assert finding.outcome == "inconclusive"
    assert "as a fail, if the value stays as it is" in (finding.remedy or "")
    assert "If nothing is truly lost" in (finding.remedy or "")


def test_a_base_at_chance_cannot_show_forgetting(evidence_of: EvidenceOf) -> None:
    guessed = first(250, 1000)
    gate = {**KEPT, "metric": MMLU}
    lora, base = (evidence_of(name, {MMLU: guessed}, metrics=[CHANCE]) for name in ("lora", "base"))
    finding = only(judge(gate, lora, base))
    assert finding.outcome == "inconclusive"
    assert "base is at chance (0.250, interval 0.224 to 0.278, guessing gives 0.25)" in finding.words
    assert "cannot show forgetting" in finding.words
    knows = evidence_of("base", {MMLU: first(500, 1000)}, metrics=[CHANCE])
    kept = evidence_of("lora", {MMLU: first(500, 1000)}, metrics=[CHANCE])
    assert judge(gate, kept, knows).outcome == "pass"


def test_a_loss_that_is_shown_stays_a_fail_though_the_base_is_at_chance(evidence_of: EvidenceOf) -> None:
    base = evidence_of("base", {MMLU: first(250, 1000)}, metrics=[CHANCE])
    lora = evidence_of("lora", {MMLU: first(50, 1000)}, metrics=[CHANCE])
    assert judge({**KEPT, "metric": MMLU}, lora, base).outcome == "fail"


def test_no_gain_is_a_fail(evidence_of: EvidenceOf) -> None:
    lora, rag = evidence_of("lora", {EXACT: first(5, 72)}), evidence_of("rag", {EXACT: first(30, 72)})
    finding = only(judge(BETTER, lora, rag))
    assert finding.outcome == "fail"
    assert "no gain, no part of the interval lies above 0" in finding.words
    assert "another candidate" in (finding.remedy or "")


def test_a_gain_that_is_surely_too_small_is_a_fail_by_worthwhile(evidence_of: EvidenceOf) -> None:
    same = first(500, 2000)
    gate = {**BETTER, "worthwhile": 0.05}
    finding = only(judge(gate, evidence_of("lora", {EXACT: same}), evidence_of("rag", {EXACT: same})))
    assert finding.outcome == "fail"
    assert "no worthwhile gain, even the upper end is under 5.0 points" in finding.words


def test_a_gain_between_nothing_and_worthwhile_passes_and_says_so(evidence_of: EvidenceOf) -> None:
    gate = {**BETTER, "worthwhile": 0.2}
    lora, rag = evidence_of("lora", {EXACT: first(130, 1000)}), evidence_of("rag", {EXACT: first(100, 1000)})
    finding = only(judge(gate, lora, rag))
    assert finding.outcome == "pass"
    assert "surely by less than the 20.0 points that would be worthwhile" in finding.words


def test_every_baseline_is_a_finding_and_all_must_pass(evidence_of: EvidenceOf) -> None:
    lora = evidence_of("lora", {EXACT: first(20, 72)})
    result = judge(
        {**BETTER, "against": ["zero_shot", "rag"]},
        lora,
        evidence_of("zero_shot", {EXACT: first(0, 72)}),
        evidence_of("rag", {EXACT: first(19, 72)}),
    )
    assert [(one.subject, one.outcome) for one in result.findings] == [
        ("lora - zero_shot", "pass"),
        ("lora - rag", "inconclusive"),
    ]
    assert result.outcome == "inconclusive"


def test_a_threshold_reads_the_end_of_the_interval_on_the_risky_side(evidence_of: EvidenceOf) -> None:
    gate = {"metric": "golden/format_valid", "at_least": 0.9}
    # 69 of 72 is 95.8 %, above 0.9, but Wilson's lower bound is 0.885.
    open_one = only(judge(gate, evidence_of("lora", {"golden/format_valid": first(69, 72)})))
    assert open_one.outcome == "inconclusive"
    assert "lora is at 95.8 % (88.5 to 98." in open_one.words
    assert "90.0 % lies inside the interval" in open_one.words
    assert only(judge(gate, evidence_of("lora", {"golden/format_valid": first(72, 72)}))).outcome == "pass"
    failed = only(judge(gate, evidence_of("lora", {"golden/format_valid": first(50, 72)})))
    assert failed.outcome == "fail"
    assert "even the upper end is under 90.0 %" in failed.words


def test_an_upper_limit_reads_the_upper_end(evidence_of: EvidenceOf) -> None:
    metric = Metric(name="golden/invented_codes", kind="binary", direction="lower_is_better")
    gate = {"metric": metric.name, "at_most": 0.1}
    assert judge(gate, evidence_of("lora", {metric.name: first(1, 100)}, metrics=[metric])).outcome == "pass"
    # 6 of 100: Wilson's interval is 0.028 to 0.125.
    assert judge(gate, evidence_of("lora", {metric.name: first(6, 100)}, metrics=[metric])).outcome == "inconclusive"
    assert judge(gate, evidence_of("lora", {metric.name: first(40, 100)}, metrics=[metric])).outcome == "fail"


def test_ratings_that_are_not_there_are_inconclusive_and_name_the_next_step(evidence_of: EvidenceOf) -> None:
    gate = {"metric": "rating/accuracy", "test": "superiority", "against": ["rag"], "min_raters": 2}
    finding = only(judge(gate, evidence_of("lora", {}), evidence_of("rag", {})))
    assert finding.outcome == "inconclusive"
    assert "no ratings of lora" in finding.words
    assert "Have experts rate the answers" in (finding.remedy or "")


def test_a_suite_that_was_not_evaluated_is_told_apart_from_ratings(evidence_of: EvidenceOf) -> None:
    finding = only(judge(KEPT, evidence_of("lora", {}), evidence_of("base", {SWAG: first(5, 10)})))
    assert finding.outcome == "inconclusive"
    assert "lora was not evaluated on hellaswag" in finding.words
    assert "harness run" in (finding.remedy or "")


def test_a_baseline_without_a_finished_run_is_inconclusive_or_a_fail_as_the_policy_says(
    evidence_of: EvidenceOf,
) -> None:
    lora = evidence_of("lora", {EXACT: first(20, 72)})
    finding = only(judge(BETTER, lora))
    assert finding.outcome == "inconclusive"
    assert "rag has no finished run" in finding.words
    assert "--only rag" in (finding.remedy or "")
    assert judge({**BETTER, "on_missing": "fail"}, lora).outcome == "fail"


def test_too_few_or_disagreeing_raters_cannot_carry_a_pass(evidence_of: EvidenceOf) -> None:
    gate = {"metric": "rating/accuracy", "at_least": 0.5, "min_raters": 2, "min_agreement": 0.4}

    def judged(agreement: Agreement) -> list[Finding]:
        rated = evidence_of("lora", {"rating/accuracy": first(70, 72)}, agreement={"rating/accuracy": agreement})
        return list(judge(gate, rated).findings)

    good = judged(Agreement(raters=3, items=40, alpha=0.8, low=0.7, high=0.9))
    assert [one.outcome for one in good] == ["pass", "pass", "pass"]
    alone = judged(Agreement(raters=1, items=0, alpha=None, low=None, high=None))
    assert [one.outcome for one in alone] == ["pass", "inconclusive", "inconclusive"]
    assert "1 rater has rated, and 2 are asked for" in alone[1].words
    [_, _, open_one] = judged(Agreement(raters=2, items=40, alpha=0.5, low=0.3, high=0.7))
    assert open_one.outcome == "inconclusive"
    [_, _, apart] = judged(Agreement(raters=2, items=40, alpha=0.1, low=-0.1, high=0.3))
    assert apart.outcome == "inconclusive"
    assert "cannot carry a verdict" in apart.words


def test_a_probe_that_failed_fails_and_shows_what_it_saw(evidence_of: EvidenceOf) -> None:
    def probed(value: float, detail: str) -> Evidence:
        score = Score(
            task="probe", item_id="adapter_active", item_hash="h", scorer="adapter_active", value=value, detail=detail
        )
        return evidence_of("lora", {KL: [score]})

    gate = {"metric": KL, "require": True}
    failed = only(judge(gate, probed(0.0, "KL to the base 0 nats")))
    assert failed.outcome == "fail"
    assert "FAILED: KL to the base 0 nats" in failed.words
    assert only(judge(gate, probed(1.0, "KL 3.4 nats"))).outcome == "pass"
    assert "was not probed" in only(judge(gate, evidence_of("rag", {}))).words


def test_a_cost_of_one_measurement_is_held_against_its_limit_and_said_to_have_no_interval(
    evidence_of: EvidenceOf,
) -> None:
    memory = Metric(name="cost/peak_memory_bytes", kind="count", direction="lower_is_better", maximum=None)
    gate = {"metric": memory.name, "at_most": 2e9}
    dear = only(judge(gate, evidence_of("lora", {memory.name: [4.3e9]}, metrics=[memory])))
    assert dear.outcome == "fail"
    assert "4.30 GB (no interval, n 1)" in dear.words
    assert "not kept by one measurement" in dear.words
    assert dear.remedy == "It takes a candidate that costs less."
    assert dear.test == "one measurement, no interval"
    assert only(judge(gate, evidence_of("lora", {memory.name: [1e9]}, metrics=[memory]))).outcome == "pass"


def test_latency_has_an_interval_over_items(evidence_of: EvidenceOf) -> None:
    latency = Metric(name="cost/latency_s", kind="count", direction="lower_is_better", maximum=None)
    values = [0.1, 0.2, 0.3] * 20
    finding = only(
        judge({"metric": latency.name, "at_most": 0.5}, evidence_of("lora", {latency.name: values}, metrics=[latency]))
    )
    assert finding.outcome == "pass"
    assert "0.200 s (0.1" in finding.words


def test_fewer_items_than_the_policy_asks_for_decide_nothing(evidence_of: EvidenceOf) -> None:
    lora, rag = evidence_of("lora", {EXACT: first(20, 40)}), evidence_of("rag", {EXACT: first(0, 40)})
    assert judge(BETTER, lora, rag).outcome == "pass"
    finding = only(judge({**BETTER, "min_items": 50}, lora, rag))
    assert finding.outcome == "inconclusive"
    assert "asks for 50 items, and there are 40" in finding.words
    assert finding.remedy == "10 more items."


def test_lost_formats_are_told_apart_from_lost_knowledge(evidence_of: EvidenceOf) -> None:
    def answered(statuses: str) -> list[Score]:
        return [
            Score(
                task="golden",
                scorer="exact_match",
                item_id=f"i{place}",
                item_hash=f"h{place}",
                value=float(mark == "r"),
                status="unparsed" if mark == "u" else "scored",
            )
            for place, mark in enumerate(statuses)
        ]

    # Right in rag and unreadable in lora: 2. Right in rag and wrong in lora: 1. Unreadable in rag and right in lora: 1.
    lora, rag = evidence_of("lora", {EXACT: answered("uuwr")}), evidence_of("rag", {EXACT: answered("rrru")})
    words = only(judge(BETTER, lora, rag)).words
    assert "1 wrong to right (1 of them in no readable form from rag)" in words
    assert "3 right to wrong (2 of them in no readable form from lora)" in words


def test_a_method_that_cannot_be_used_is_said_and_decides_nothing(evidence_of: EvidenceOf) -> None:
    lora, rag = evidence_of("lora", {EXACT: first(20, 40)}), evidence_of("rag", {EXACT: first(0, 40)})
    finding = only(judge({**BETTER, "method": "wilson"}, lora, rag))
    assert finding.outcome == "inconclusive"
    assert "method wilson cannot be used" in finding.words


def test_the_gate_as_resolved_stands_in_its_result(evidence_of: EvidenceOf) -> None:
    result = judge({"metric": EXACT, "at_least": 0.5}, evidence_of("lora", {EXACT: first(5, 5)}))
    assert result.gate == {"metric": EXACT, "against": [], "at_least": 0.5}


def test_numbers_of_two_number_formats_decide_nothing(evidence_of: EvidenceOf) -> None:
    lora = evidence_of("lora", {SWAG: first(1200, 2000)}, conditions={SWAG: "bfloat16 by lm-eval-hf 0.4.13"})
    base = evidence_of("base", {SWAG: first(1200, 2000)}, conditions={SWAG: "float32 by lm-eval-hf 0.4.13"})
    finding = only(judge(KEPT, lora, base))
    assert finding.outcome == "inconclusive"
    assert "lora was scored in bfloat16 by lm-eval-hf 0.4.13, base in float32" in finding.words
    alike = evidence_of("base", {SWAG: first(1200, 2000)}, conditions=lora.conditions)
    assert judge(KEPT, lora, alike).outcome == "pass"


def test_items_without_a_readable_value_are_said_with_the_number(evidence_of: EvidenceOf) -> None:
    invented = "golden/invented_codes"
    scores = [
        Score(
            task="golden",
            scorer="invented_codes",
            item_id=f"i{number}",
            item_hash="h",
            value=0.0 if number < 100 else None,
            status="scored" if number < 100 else "unparsed",
        )
        for number in range(1000)
    ]
    metric = Metric(name=invented, kind="graded", direction="lower_is_better")
    finding = only(
        judge({"metric": invented, "at_most": 0.1}, evidence_of("lora", {invented: scores}, metrics=[metric]))
    )
    assert "900 of 1000 items have no value and are left out" in finding.words


def test_few_clusters_are_said_with_the_number(evidence_of: EvidenceOf) -> None:
    scores = [
        Score(
            task="golden",
            scorer="exact_match",
            item_id=f"i{n}",
            item_hash="h",
            value=float(n % 3 > 0),
            group=f"g{n % 3}",
        )
        for n in range(60)
    ]
    finding = only(judge({"metric": EXACT, "at_least": 0.1}, evidence_of("lora", {EXACT: scores})))
    assert "3 clusters" in finding.words


def marked(*numbers: int) -> dict[str, frozenset[str]]:
    return {EXACT: frozenset(f"i{number:04}" for number in numbers)}


def test_a_verdict_is_judged_without_items_that_were_learned_and_says_both_figures(evidence_of: EvidenceOf) -> None:
    # Of 72 items lora has 20 right and rag 2: without the 18 that lora learned, both have 2 of 54 right.
    lora = evidence_of("lora", {EXACT: first(20, 72)}, overlapping=marked(*range(2, 20)))
    rag = evidence_of("rag", {EXACT: first(2, 72)})
    finding = only(judge(BETTER, lora, rag))
    assert finding.outcome == "inconclusive"
    assert (finding.value, finding.n, finding.n_missing) == (0.0, 54, 0)
    assert finding.words.startswith("Without the 18 items that also stand in a training set: lora and rag come out the")
    # Without a discordant pair Tango's interval is -/+ z^2 / (n + z^2) = 3.84 / 57.84 for n = 54.
    assert "come out the same (-6.6 to +6.6, n 54)" in finding.words
    whole = only(judge(BETTER, evidence_of("lora", {EXACT: first(20, 72)}), rag))
    assert finding.words.endswith(f"With them, {whole.words.partition(':')[0]}.")
    assert whole.words.startswith("lora is 25.0 points better than rag (")
    assert whole.outcome == "pass"


def test_what_the_baseline_learned_is_left_out_too(evidence_of: EvidenceOf) -> None:
    # rag was shown the answers to items 0 and 1, which are all it has right.
    lora = evidence_of("lora", {EXACT: first(20, 72)})
    rag = evidence_of("rag", {EXACT: first(2, 72)}, overlapping=marked(0, 1))
    finding = only(judge(BETTER, lora, rag))
    assert (finding.outcome, finding.n, finding.value) == ("pass", 70, pytest.approx(18 / 70))
    assert finding.words.startswith("Without the 2 items that also stand in a training set: lora is 25.7 points better")


def test_items_left_out_as_learned_are_not_missing_ones(evidence_of: EvidenceOf) -> None:
    lora = evidence_of("lora", {EXACT: first(9, 10)}, overlapping=marked(0), asked={EXACT: 12})
    finding = only(judge({"metric": EXACT, "at_least": 0.1}, lora))
    assert finding.n_missing == 2
    assert "2 items are missing (2 not asked yet)." in finding.words
    assert "With them, lora is at 90.0 %" in finding.words


def test_nothing_is_passed_where_every_item_was_learned(evidence_of: EvidenceOf) -> None:
    lora = evidence_of("lora", {EXACT: first(3, 3)}, overlapping=marked(0, 1, 2))
    finding = only(judge({"metric": EXACT, "at_least": 0.1}, lora))
    assert finding.outcome == "inconclusive"
    assert finding.words == "nothing is left to judge without the 3 items that also stand in a training set."


def test_a_finding_says_that_it_is_on_sealed_items(evidence_of: EvidenceOf) -> None:
    lora = evidence_of("lora", {EXACT: first(20, 72)}, sealed_items=72)
    rag = evidence_of("rag", {EXACT: first(2, 72)}, sealed_items=72)
    assert only(judge(BETTER, lora, rag)).words.startswith("On 72 sealed items: lora is 25.0 points better than rag")
    swag = {SWAG: first(900, 2000)}
    kept = only(judge(KEPT, evidence_of("lora", swag, sealed_items=72), evidence_of("base", swag)))
    assert kept.words.startswith("lora and base come out the same")


def test_sealed_scores_that_are_withheld_decide_nothing(evidence_of: EvidenceOf) -> None:
    lora = evidence_of("lora", {SWAG: [1.0]}, withheld=("lora has not answered the 2 sealed items.", "Answer them."))
    finding = only(judge({"metric": EXACT, "at_least": 0.1}, lora))
    assert (finding.outcome, finding.words) == ("inconclusive", "lora has not answered the 2 sealed items.")
    assert finding.remedy == "Answer them."
    assert only(judge({"metric": EXACT, "at_least": 0.1, "on_missing": "fail"}, lora)).outcome == "fail"
