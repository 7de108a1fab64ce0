"""A policy applied to a small ledger that is filled by hand, without any model."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.config.experiment import BASE
from harness.config.policy import Policy
from harness.errors import ComparisonError, ConfigError
from harness.pipeline.evidence import Chosen, read_evidence
from harness.pipeline.gate import GateRequest, gate, rederive
from harness.pipeline.gate_evidence import read_gate_evidence
from harness.pipeline.prepare import Prepared, prepare
from harness.pipeline.verify import verdict_differences
from harness.records.generations import Generation
from harness.records.regression import Engine, EvaluationInputs, ItemResult
from harness.records.runs import Artifact, Run, RunEvent
from harness.records.scores import Metric, Score
from harness.records.verdicts import Finding, Verdict
from harness.store.artifacts import record_artifact
from harness.store.evaluations import open_evaluation, record_results
from harness.store.generations import record_generations
from harness.store.golden import record_golden_set
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.registry import verdicts
from harness.store.runs import append_event, find_run, start_run
from harness.store.scores import record_metrics, record_scores

STARTED = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
EXACT = "golden/exact_match"
ACC = Metric(name="regression/hellaswag/acc", kind="binary", chance=0.25)
BETTER = {"metric": EXACT, "test": "superiority", "against": ["zero_shot", "rag"]}

Stored = Callable[..., tuple[Prepared, Path]]


def run_of(prepared: Prepared, name: str, number: int = 0) -> Run:
    system = prepared.experiment.systems["lora" if name == BASE else name]
    return Run(
        run_id=f"run-{name}-{number}",
        experiment=prepared.experiment.name,
        experiment_id=prepared.experiment.experiment_id,
        system=name,
        inputs_hash=prepared.base_hash(system) if name == BASE else prepared.inputs_hash(system),
        golden_set=prepared.golden_set.name,
        golden_version=prepared.golden_set.version,
        golden_sha256=prepared.golden_set.sha256,
        system_config=system.model_dump(mode="json"),
        provenance={},
        started_at=STARTED + timedelta(minutes=number),
    )


def finish(ledger: Ledger, run: Run, facts: Mapping[str, object] | None = None) -> None:
    append_event(
        ledger, RunEvent(run_id=run.run_id, status="finished", at=run.started_at, reason=None, facts=facts or {})
    )


def answer(prepared: Prepared, ledger: Ledger, name: str, right: str, number: int = 0) -> Run:
    """A finished run; `right` has a digit for each golden item, or `-` for one that failed."""
    run = run_of(prepared, name, number)
    start_run(ledger, run)
    record_scores(
        ledger,
        run.run_id,
        [
            Score(
                task="golden",
                item_id=item.item_id,
                item_hash=item.item_hash,
                scorer="exact_match",
                value=None if mark == "-" else float(mark),
                status="failed" if mark == "-" else "scored",
            )
            for item, mark in zip(prepared.golden_set.items, right, strict=False)
        ],
    )
    finish(ledger, run, {"wall_s": 12.5, "device": "cpu", "resumed": True})
    return run


def evaluate(ledger: Ledger, run: Run, right: int, n: int, *, asked: str = "quick", offset: int = 0) -> str:
    """An evaluation of `n` items of hellaswag, the first `right` of them right; its key."""
    inputs = EvaluationInputs(
        weights="w" * 64,
        adapter_sha256=run.system,
        task="hellaswag",
        shots=0,
        template_sha256="t" * 64,
        items_sha256=asked,
        dtype="float32",
        engine=Engine(name="lm-eval-hf", version="0.4.13"),
    )
    open_evaluation(ledger, run.run_id, inputs, asked=f'"{asked}"', n_items=n, whole_items=10_042)
    results = [
        ItemResult(
            item_id=f"hellaswag/{number}",
            item_hash=f"h{number}",
            stratum="wikihow",
            group=None,
            gold=0,
            loglikelihoods=(-1.0, -2.0),
            greedy=(True, False),
            option_chars=(1, 1),
            option_bytes=(2, 2),
            values={"acc": float(number < right)},
            doc_hash="d",
            prompt_hash="p",
            target_hash="g",
        )
        for number in range(offset, n)
    ]
    scores = [
        Score(
            task="regression/hellaswag",
            item_id=one.item_id,
            item_hash=one.item_hash,
            scorer="acc",
            value=one.values["acc"],
            stratum="wikihow",
        )
        for one in results
    ]
    record_results(ledger, inputs.key, results, scores)
    return inputs.key


@pytest.fixture
def stored(experiment_folder: Path, tmp_path: Path) -> Stored:
    def build(**right: str) -> tuple[Prepared, Path]:
        prepared, home = prepare(experiment_folder), tmp_path / "home"
        ledger = open_ledger(home, create=True)
        record_golden_set(ledger, prepared.golden_set)
        record_metrics(ledger, [Metric(name=EXACT, kind="binary"), ACC])
        for name, marks in (right or {"lora": "111111", "zero_shot": "000000", "rag": "000000"}).items():
            answer(prepared, ledger, name, marks)
        return prepared, home

    return build


def policy_of(*gates: Mapping[str, object], **said: object) -> Policy:
    return Policy.model_validate({"name": "mine", "gates": list(gates), **said})


def apply(stored: tuple[Prepared, Path], *gates: Mapping[str, object], **pinned: str) -> Verdict:
    return gate(*stored, GateRequest(candidate="lora", policy=policy_of(*gates), pinned=pinned))


def findings(verdict: Verdict) -> list[Finding]:
    return [finding for result in verdict.gates for finding in result.findings]


def test_a_verdict_is_recorded_and_follows_from_the_ledger_again(stored: Stored) -> None:
    prepared, home = stored()
    verdict = apply(
        (prepared, home), BETTER, {"metric": EXACT, "at_least": 0.9}, {"metric": "cost/wall_s", "at_most": 60}
    )
    assert [result.outcome for result in verdict.gates] == ["pass", "inconclusive", "pass"]
    assert verdict.outcome == "inconclusive"
    assert verdict.runs == {"lora": "run-lora-0", "zero_shot": "run-zero_shot-0", "rag": "run-rag-0"}
    [recorded] = verdicts(open_ledger(home, create=False))
    assert recorded == verdict
    assert rederive(home, recorded) == verdict


def test_a_score_that_came_later_shows_when_the_verdict_is_derived_again(stored: Stored) -> None:
    prepared, home = stored(lora="11111", zero_shot="000000", rag="000000")
    verdict = apply((prepared, home), BETTER)
    item = prepared.golden_set.items[5]
    late = Score(task="golden", item_id=item.item_id, item_hash=item.item_hash, scorer="exact_match", value=1.0)
    record_scores(open_ledger(home, create=False), "run-lora-0", [late])
    different = " ".join(verdict_differences(verdict, rederive(home, verdict)))
    assert "evidence[0].rows: recorded 5, now 6" in different
    assert "evidence[0].sha256" in different


def test_later_runs_and_evaluations_do_not_change_what_a_verdict_is_derived_from(stored: Stored) -> None:
    prepared, home = stored()
    ledger = open_ledger(home, create=False)
    base = run_of(prepared, BASE)
    start_run(ledger, base)
    finish(ledger, base)
    lora = find_run(ledger, "run-lora-0").run
    for run in (base, lora):
        evaluate(ledger, run, 50, 100)
    kept = {"metric": ACC.name, "test": "noninferiority", "against": [BASE], "margin": 0.05}
    unseen = {"metric": "regression/mmlu/acc", "at_least": 0.1}
    verdict = apply((prepared, home), BETTER, kept, unseen)
    assert verdict.gates[1].outcome == "pass"
    answer(prepared, ledger, "zero_shot", "111111", number=9)
    for run in (base, lora):
        evaluate(ledger, run, 500, 1000, asked="full")
    assert rederive(home, verdict) == verdict
    assert apply((prepared, home), BETTER).outcome != "pass"


def test_evaluations_of_two_suites_are_not_mixed(stored: Stored) -> None:
    _, home = stored()
    ledger = open_ledger(home, create=False)
    lora = find_run(ledger, "run-lora-0")
    quick = evaluate(ledger, lora.run, 10, 20)
    full = evaluate(ledger, lora.run, 30, 50, asked="full")

    def read(chosen: Chosen) -> tuple[str, int, int]:
        evidence = read_evidence(ledger, lora, name="lora", chosen=chosen)
        return evidence.evaluations[ACC.name], len(evidence.scores[ACC.name]), evidence.asked[ACC.name]

    assert read(Chosen(asked=['"quick"'])) == (quick, 20, 20)
    assert read(Chosen(asked=['"full"'])) == (full, 50, 50)
    assert read(Chosen()) == (full, 50, 50)
    assert read(Chosen(keys={quick})) == (quick, 20, 20)
    assert ACC.name not in read_evidence(ledger, lora, name="lora", chosen=Chosen(keys=())).scores


def test_an_interrupted_suite_is_missing_items_not_a_small_suite(stored: Stored) -> None:
    prepared, home = stored()
    ledger = open_ledger(home, create=False)
    evaluate(ledger, find_run(ledger, "run-lora-0").run, 100, 100, offset=60)
    [finding] = findings(apply((prepared, home), {"metric": ACC.name, "at_least": 0.01}))
    assert finding.outcome == "inconclusive"
    assert "60 items are missing (60 not asked yet)" in finding.words


def test_a_golden_item_that_failed_is_missing(stored: Stored) -> None:
    [finding, *_] = findings(apply(stored(lora="11111-", zero_shot="000000", rag="000000"), BETTER))
    assert finding.n_missing == 1
    assert finding.outcome == "inconclusive"


def test_a_baseline_that_was_never_run_is_inconclusive(stored: Stored) -> None:
    verdict = apply(stored(lora="111111", zero_shot="000000"), BETTER)
    assert [finding.outcome for finding in findings(verdict)] == ["pass", "inconclusive"]
    assert "rag has no finished run" in findings(verdict)[1].words
    assert "rag" not in verdict.runs


def test_a_baseline_without_a_finished_run_stays_one_when_derived_again(stored: Stored) -> None:
    prepared, home = stored(lora="111111", zero_shot="000000")
    verdict = apply((prepared, home), BETTER)
    answer(prepared, open_ledger(home, create=False), "rag", "000000")
    assert rederive(home, verdict) == verdict


@pytest.mark.parametrize(
    ("gate_said", "said"),
    [
        (
            {**BETTER, "against": ["zero_shto"]},
            '"zero_shto" is no system of colours and no run; did you mean "zero_shot"?',
        ),
        ({**BETTER, "against": ["lora"]}, '"lora" is the candidate and a baseline too'),
        ({"metric": EXACT, "test": "noninferiority", "against": ["rag"], "margin": 2}, "looks like percentage points"),
        ({"metric": "golden/exact_mach", "at_least": 0.5}, 'did you mean "golden/exact_match"?'),
        ({"metric": "cost/wall", "at_most": 5}, 'did you mean "cost/wall_s"?'),
    ],
)
def test_a_policy_that_does_not_fit_is_refused_and_no_verdict_is_recorded(
    stored: Stored, gate_said: dict[str, object], said: str
) -> None:
    prepared, home = stored()
    with pytest.raises(ConfigError) as caught:
        apply((prepared, home), gate_said)
    assert said in str(caught.value)
    assert verdicts(open_ledger(home, create=False)) == []


def test_a_run_may_be_pinned_for_a_baseline_or_named_in_the_policy(stored: Stored) -> None:
    prepared, home = stored()
    ledger = open_ledger(home, create=False)
    answer(prepared, ledger, "zero_shot", "111111", number=9)
    against = {**BETTER, "against": ["zero_shot"]}
    assert apply((prepared, home), against).runs["zero_shot"] == "run-zero_shot-9"
    assert apply((prepared, home), against, zero_shot="run-zero_shot-0").runs["zero_shot"] == "run-zero_shot-0"
    by_id = apply((prepared, home), {**BETTER, "against": ["run-zero_shot-0"]})
    assert by_id.outcome == "pass"
    assert findings(by_id)[0].subject == "lora - run-zero_shot-0"
    with pytest.raises(ConfigError, match='the policy has no baseline "few_shot"'):
        apply((prepared, home), against, few_shot="run-zero_shot-0")
    with pytest.raises(ComparisonError, match="no-such-run"):
        apply((prepared, home), against, zero_shot="no-such-run")


def test_a_run_is_not_held_against_itself_under_another_name(stored: Stored) -> None:
    prepared, home = stored()
    policy = policy_of({**BETTER, "against": ["lora"]})
    with pytest.raises(ConfigError, match="baseline lora stands for run run-lora-0, the candidate itself"):
        gate(prepared, home, GateRequest(candidate="run-lora-0", policy=policy))


def test_a_candidate_without_a_finished_run_is_an_error(stored: Stored) -> None:
    with pytest.raises(ComparisonError, match='"lora" has no finished run'):
        apply(stored(zero_shot="000000"), BETTER)


def test_an_experiment_without_a_policy_is_told_how_to_name_one(stored: Stored) -> None:
    with pytest.raises(ConfigError, match="Add `policy: demo`"):
        gate(*stored(), GateRequest(candidate="lora"))


def test_the_policy_of_the_experiment_is_used(stored: Stored, experiment_folder: Path) -> None:
    _, home = stored()
    (experiment_folder / "mine.yaml").write_text(f"gates: [{{metric: {EXACT}, at_least: 0.1}}]")
    with (experiment_folder / "experiment.yaml").open("a") as stream:
        stream.write("policy: mine\n")
    verdict = gate(prepare(experiment_folder), home, GateRequest(candidate="lora"))
    assert (verdict.policy_name, verdict.outcome) == ("mine", "pass")


def test_costs_are_numbers_of_the_run_and_batches_of_latency_are_clusters(stored: Stored) -> None:
    prepared, home = stored()
    ledger = open_ledger(home, create=False)
    items = prepared.golden_set.items
    record_generations(
        ledger,
        "run-lora-0",
        [
            Generation(item_id=item.item_id, item_hash=item.item_hash, text="x", latency_s=seconds)
            for item, seconds in zip(items, (0.5, 0.5, 0.5, 1.0, 1.0, 1.0), strict=True)
        ],
    )
    evidence = read_gate_evidence(ledger, find_run(ledger, "run-lora-0"), name="lora", chosen=Chosen())
    assert {name for name in evidence.scores if name.startswith("cost/")} == {"cost/wall_s", "cost/latency_s"}
    assert [score.value for score in evidence.scores["cost/wall_s"]] == [12.5]
    [finding] = findings(apply((prepared, home), {"metric": "cost/latency_s", "at_most": 100}))
    assert finding.value == pytest.approx(0.75)
    # Two batches: t with 1 degree of freedom, and the standard error of two clusters of three.
    assert finding.high == pytest.approx(0.75 + 12.7062 * math.sqrt(2 * 2 * 0.75**2) / 6, rel=1e-4)
    assert "cluster" in finding.test


def test_slices_by_tag_come_from_the_golden_set_that_the_run_answered(stored: Stored) -> None:
    prepared, home = stored()
    evidence = read_gate_evidence(
        open_ledger(home, create=False),
        find_run(open_ledger(home, create=False), "run-lora-0"),
        name="lora",
        chosen=Chosen(),
    )
    assert evidence.labels["item-1"] == {"tag": (), "kind": ("typical",), "difficulty": ()}
    assert evidence.asked == {EXACT: len(prepared.golden_set.items)}
    verdict = apply((prepared, home), {"metric": EXACT, "at_least": 0.1, "slices": "kind"})
    assert [finding.subject for finding in findings(verdict)] == ["lora by kind", "lora on kind typical"]


def test_versions_of_what_computes_are_recorded(stored: Stored) -> None:
    verdict = apply(stored(), BETTER)
    assert set(verdict.versions) == {"harness", "numpy", "scipy", "statsmodels"}
    assert replace(verdict, versions={}) != verdict


KEPT = {"metric": "regression/hellaswag/acc", "test": "noninferiority", "against": ["base"], "margin": 0.02}
RATED = {"metric": "rating/accuracy", "test": "superiority", "against": ["zero_shot"], "min_raters": 2}


@pytest.mark.parametrize(
    ("rule", "lora", "of_base", "of_lora", "n", "outcome", "said"),
    [
        (BETTER, "111111", 1200, 1200, 2000, "pass", "superior, the whole interval lies above 0"),
        (KEPT, "111111", 1200, 1200, 2000, "pass", "less than the margin of 2.0 points"),
        (KEPT, "111111", 1200, 1000, 2000, "fail", "10.0 points worse than base"),
        (KEPT, "111111", 500, 500, 2000, "inconclusive", "base is at chance"),
        (BETTER, "000000", 1200, 1200, 2000, "fail", "worse than zero_shot"),
        (KEPT, "111111", 60, 60, 120, "inconclusive", "the margin is 2.0 points"),
        (RATED, "111111", 1200, 1200, 2000, "inconclusive", "no ratings of lora are there"),
    ],
    ids=["gain", "nothing forgotten", "forgetting", "base at chance", "no gain", "few items", "no ratings"],
)
def test_stored_runs_end_in_the_verdict_that_they_carry_and_it_is_derived_again(
    stored: Stored,
    rule: Mapping[str, object],
    lora: str,
    of_base: int,
    of_lora: int,
    n: int,
    outcome: str,
    said: str,
) -> None:
    # In the no-gain story the baselines are right where lora is wrong.
    others = "".join("0" if mark == "1" else "1" for mark in lora)
    prepared, home = stored(lora=lora, zero_shot=others, rag=others)
    ledger = open_ledger(home, create=False)
    base = run_of(prepared, BASE)
    start_run(ledger, base)
    finish(ledger, base)
    evaluate(ledger, base, of_base, n)
    evaluate(ledger, find_run(ledger, "run-lora-0").run, of_lora, n)
    verdict = apply((prepared, home), rule)
    words = " ".join(f"{one.words} {one.remedy or ''}" for one in findings(verdict))
    assert verdict.outcome == outcome, words
    assert said in words
    assert list(verdict_differences(verdict, rederive(home, verdict))) == []


def test_a_suite_too_small_for_its_margin_says_how_many_items_would_do(stored: Stored) -> None:
    prepared, home = stored()
    ledger = open_ledger(home, create=False)
    base = run_of(prepared, BASE)
    start_run(ledger, base)
    finish(ledger, base)
    evaluate(ledger, base, 60, 120)
    evaluate(ledger, find_run(ledger, "run-lora-0").run, 60, 120)
    [finding] = findings(apply((prepared, home), KEPT))
    assert finding.remedy is not None
    assert "more hellaswag items would resolve this margin" in finding.remedy
    assert "`--set regression=full`" in finding.remedy


def test_answers_that_never_came_are_missing_from_latency_too(stored: Stored) -> None:
    prepared, home = stored()
    ledger = open_ledger(home, create=False)
    items = prepared.golden_set.items
    record_generations(
        ledger,
        "run-lora-0",
        [
            Generation(item_id=one.item_id, item_hash=one.item_hash, text="red", latency_s=0.1)
            if number < 2
            else Generation(item_id=one.item_id, item_hash=one.item_hash, error="timed out")
            for number, one in enumerate(items)
        ],
    )
    [finding] = findings(apply((prepared, home), {"metric": "cost/latency_s", "at_most": 60}))
    assert (finding.outcome, finding.n, finding.n_missing) == ("inconclusive", 2, 4)


def test_a_pinned_run_of_another_system_is_refused(stored: Stored) -> None:
    prepared, home = stored()
    with pytest.raises(ConfigError, match="that is a run of zero_shot of colours, and rag would be judged by it"):
        gate(
            prepared,
            home,
            GateRequest(candidate="lora", policy=policy_of(BETTER), pinned={"rag": "run-zero_shot-0"}),
        )


def test_a_run_on_another_base_model_is_not_held_against_the_present_one(stored: Stored) -> None:
    prepared, home = stored()
    ledger = open_ledger(home, create=False)
    old = replace(run_of(prepared, "lora", 3), provenance={"base_model": {"identity": "of another model"}})
    start_run(ledger, old)
    finish(ledger, old)
    evaluate(ledger, old, 1200, 2000)
    base = run_of(prepared, BASE)
    start_run(ledger, base)
    finish(ledger, base)
    evaluate(ledger, base, 1000, 2000)
    verdict = gate(prepared, home, GateRequest(candidate=old.run_id, policy=policy_of(KEPT)))
    [finding] = findings(verdict)
    assert finding.outcome == "inconclusive"
    assert f"base has no finished run that {old.run_id} can be held against" in finding.words


def test_a_verdict_binds_the_adapter_that_was_recorded(stored: Stored) -> None:
    prepared, home = stored()
    ledger = open_ledger(home, create=False)
    record_artifact(ledger, "run-lora-0", Artifact(kind="adapter", path="runs/a", sha256="a" * 64, size_bytes=1))
    verdict = apply((prepared, home), BETTER)
    assert verdict.adapter_sha256 == "a" * 64
    record_artifact(ledger, "run-lora-0", Artifact(kind="adapter", path="runs/a", sha256="b" * 64, size_bytes=1))
    assert any("adapter_sha256" in one for one in verdict_differences(verdict, rederive(home, verdict)))
