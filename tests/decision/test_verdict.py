from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from harness.config.policy import Policy, read_policy_text
from harness.decision.verdict import Derivation, derive_verdict
from harness.hashing import content_hash
from harness.records.evidence import Evidence
from harness.records.verdicts import Verdict

EvidenceOf = Callable[..., Evidence]
EXACT = "golden/exact_match"
SWAG = "regression/hellaswag/acc_norm"
MADE = Derivation(verdict_id="v-1", decided_at=datetime(2026, 11, 21, tzinfo=UTC), versions={"scipy": "1"})
POLICY = Policy.model_validate(
    {
        "name": "mine",
        "alias": "icd10@production",
        "gates": [
            {"metric": EXACT, "test": "superiority", "against": ["rag"]},
            {"metric": EXACT, "at_least": 0.2},
            {"metric": SWAG, "test": "noninferiority", "against": ["base"], "margin": 0.05},
        ],
        "seed": 3,
    }
)


def derive(evidence_of: EvidenceOf, *, right: int = 30, kept: int = 500, policy: Policy = POLICY) -> Verdict:
    lora = evidence_of(
        "lora",
        {EXACT: [1.0] * right + [0.0] * (40 - right), SWAG: [1.0] * kept + [0.0] * (1000 - kept)},
        finetuned=True,
        notes={SWAG: ["hellaswag is a subset."]},
        evaluations={SWAG: "key-1"},
    )
    rag = evidence_of("rag", {EXACT: [0.0] * 40}, golden_sha256="o" * 64)
    base = evidence_of("base", {SWAG: [1.0] * 500 + [0.0] * 500}, notes={SWAG: ["hellaswag is a subset."]})
    return derive_verdict(policy, lora, {"rag": rag, "base": base}, MADE)


def test_all_gates_must_pass(evidence_of: EvidenceOf) -> None:
    assert derive(evidence_of).outcome == "pass"
    worse = derive(evidence_of, kept=300)
    assert [gate.outcome for gate in worse.gates] == ["pass", "pass", "fail"]
    assert worse.outcome == "fail"
    open_one = derive(evidence_of, right=9)  # 9 of 40: 0.225, whose interval holds 0.2
    assert [gate.outcome for gate in open_one.gates] == ["pass", "inconclusive", "pass"]
    assert open_one.outcome == "inconclusive"


def test_a_fail_outweighs_what_is_inconclusive(evidence_of: EvidenceOf) -> None:
    assert derive(evidence_of, right=9, kept=300).outcome == "fail"


def test_a_verdict_says_what_it_was_made_from(evidence_of: EvidenceOf) -> None:
    verdict = derive(evidence_of)
    assert verdict.runs == {"lora": "run-lora", "rag": "run-rag", "base": "run-base"}
    assert (verdict.run_id, verdict.candidate, verdict.alias) == ("run-lora", "lora", "icd10@production")
    assert (verdict.policy_name, verdict.policy_text, verdict.policy_sha256) == ("mine", POLICY.text, POLICY.sha256)
    assert verdict.seed == 3
    assert [(read.run_id, read.metric, read.rows, read.evaluation) for read in verdict.evidence] == [
        ("run-lora", EXACT, 40, None),
        ("run-rag", EXACT, 40, None),
        ("run-lora", SWAG, 1000, "key-1"),
        ("run-base", SWAG, 1000, None),
    ]
    rows = [[f"i{number:04}", f"h{number}", 0, 0.0, "scored", None, None] for number in range(40)]
    assert verdict.evidence[1].sha256 == content_hash(rows)


def test_the_hash_of_what_was_read_changes_with_any_value_but_not_with_the_order(evidence_of: EvidenceOf) -> None:
    def read(values: list[float], *, backwards: bool = False) -> str:
        evidence = evidence_of("lora", {EXACT: values})
        if backwards:
            evidence = replace(evidence, scores={EXACT: list(reversed(evidence.scores[EXACT]))})
        policy = Policy.model_validate({"name": "mine", "gates": [{"metric": EXACT, "at_least": 0.2}]})
        return derive_verdict(policy, evidence, {}, MADE).evidence[0].sha256

    assert read([1.0, 0.0]) == read([1.0, 0.0], backwards=True)
    assert read([1.0, 0.0]) != read([0.0, 1.0])


def test_what_must_be_said_with_a_verdict_is_said_once(evidence_of: EvidenceOf) -> None:
    assert derive(evidence_of).notes == (
        "lora is judged by one training run (seed 17): differences include seed noise.",
        "hellaswag is a subset.",
        "rag answered icd10_coding 1.0.0 and lora 1.0.0 with other items (gggggggggggg): only items that are the "
        "same in both are compared.",
    )


def test_deriving_again_from_the_stored_policy_gives_an_equal_verdict(evidence_of: EvidenceOf) -> None:
    verdict = derive(evidence_of)
    assert derive(evidence_of, policy=read_policy_text(verdict.policy_text, name="mine")) == verdict


def test_the_text_that_an_older_version_stored_stays_as_it_is(evidence_of: EvidenceOf) -> None:
    lora = evidence_of("lora", {EXACT: [1.0] * 40})
    policy = Policy.model_validate({"name": "mine", "gates": [{"metric": EXACT, "at_least": 0.2}]})
    stored = policy.text.replace('"seed":0', '"seed": 0')
    verdict = derive_verdict(policy, lora, {}, MADE, policy_text=stored)
    assert verdict.policy_text == stored
    assert verdict.policy_sha256 != policy.sha256
