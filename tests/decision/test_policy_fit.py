from collections.abc import Callable, Mapping

import pytest

from harness.config.policy import Policy
from harness.decision.policy_fit import policy_problems
from harness.records.evidence import Evidence
from harness.records.scores import Metric

EvidenceOf = Callable[..., Evidence]
METRICS = {
    "golden/exact_match": Metric(name="golden/exact_match", kind="binary"),
    "golden/f1": Metric(name="golden/f1", kind="graded"),
    "golden/invented": Metric(name="golden/invented", kind="graded", direction="lower_is_better"),
    "golden/words": Metric(name="golden/words", kind="count", maximum=None),
    "regression/hellaswag/acc_norm": Metric(name="regression/hellaswag/acc_norm", kind="binary"),
}


@pytest.fixture
def problems_of(evidence_of: EvidenceOf) -> Callable[..., list[str]]:
    lora = evidence_of("lora", {name: [0.0] for name in METRICS}, metrics=list(METRICS.values()))

    def problems(**gate: object) -> list[str]:
        compared: Mapping[str, object] = {"against": ["rag"]} if "test" in gate else {}
        policy = Policy.model_validate({"name": "mine", "gates": [{"name": "gate", **gate, **compared}]})
        return policy_problems(policy, lora.metrics)

    return problems


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (
            {"metric": "golden/exact_match", "test": "noninferiority", "margin": 2},
            "margin: 2 looks like percentage points; write 0.02 for 2 points",
        ),
        (
            {"metric": "golden/exact_match", "test": "superiority", "worthwhile": 5},
            "worthwhile: 5 looks like percentage points; write 0.05",
        ),
        ({"metric": "golden/f1", "test": "superiority", "by": 1}, "by: 1 looks like percentage points"),
        ({"metric": "golden/exact_match", "at_least": 90}, "is above the greatest value of golden/exact_match (1)"),
        ({"metric": "golden/exact_match", "at_least": 90}, "write 0.9 for 90 %"),
        ({"metric": "golden/exact_match", "at_least": -1}, "is below the least value"),
        ({"metric": "golden/invented", "at_least": 0.1}, "lower is better, and this asks for the opposite"),
        ({"metric": "golden/exact_match", "at_most": 0.1}, "Write `at_least:`"),
        ({"metric": "golden/exact_mach", "at_least": 0.1}, 'did you mean "golden/exact_match"?'),
        (
            {"metric": "regression/hellaswag/acc_nrm", "at_least": 0.1},
            'did you mean "regression/hellaswag/acc_norm"?',
        ),
    ],
)
def test_what_cannot_be_meant_is_said_with_what_to_write(
    problems_of: Callable[..., list[str]], gate: dict[str, object], said: str
) -> None:
    [problem] = problems_of(**gate)
    assert problem.startswith("gate: ")
    assert said in problem


@pytest.mark.parametrize(
    "gate",
    [
        {"metric": "golden/exact_match", "test": "noninferiority", "margin": 0.02},
        {"metric": "golden/words", "test": "noninferiority", "margin": 2},
        {"metric": "golden/exact_match", "at_least": 0.2, "at_most": 0.8},
        {"metric": "regression/mmlu/acc", "at_least": 0.5},  # a task not evaluated yet
        {"metric": "rating/accuracy", "at_least": 3.5},  # nobody has rated yet
        {"metric": "probe/adapter_active", "require": True},
    ],
)
def test_what_can_be_meant_is_no_problem(problems_of: Callable[..., list[str]], gate: dict[str, object]) -> None:
    assert problems_of(**gate) == []
