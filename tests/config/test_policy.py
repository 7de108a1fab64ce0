from pathlib import Path
from typing import get_args

import pytest

from harness.assets import shipped
from harness.config.experiment import load_experiment
from harness.config.policy import Gate, Method, Policy, load_policy, policy_hash, read_policy_text
from harness.decision.choice import METHOD_NAMES
from harness.errors import ConfigError

SHIPPED = sorted((shipped("suites") / "policies").glob("*.yaml"))
GATE = "{metric: golden/format_valid, at_least: 0.9}"


def load(folder: Path, text: str) -> Policy:
    (folder / "mine.yaml").write_text(text)
    return load_policy("mine", beside=folder)


def problem_of(folder: Path, gate: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, f"gates:\n  - {gate}\n")
    message = str(caught.value)
    assert "line 2: " in message
    assert "gates.0" in message
    return message


@pytest.mark.parametrize("file", [file for file in SHIPPED if "workflow" not in file.stem], ids=lambda file: file.stem)
def test_every_shipped_policy_can_be_read(file: Path) -> None:
    policy = load_policy(file.stem, beside=file.parent)
    assert policy.name == file.stem
    assert len(set(policy.gate_names)) == len(policy.gates)


def test_the_shipped_experiment_names_its_policy() -> None:
    experiment = load_experiment(Path("icd10_coding"))
    assert experiment.policy is not None
    assert experiment.policy.name == "demo"
    assert set(experiment.policy.baselines) <= {*experiment.systems, "base"}


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    policy = load(tmp_path, f"gates: [{GATE}]")
    assert (policy.name, policy.alias, policy.confidence, policy.on_missing, policy.seed) == (
        "mine",
        None,
        0.95,
        "inconclusive",
        0,
    )
    assert policy.valid_for_days is None


def test_names_are_made_from_the_rule_and_are_unique(tmp_path: Path) -> None:
    policy = load(
        tmp_path,
        """\
gates:
  - {metric: golden/exact_match, test: superiority, against: rag}
  - {metric: golden/exact_match, test: superiority, against: [few_shot, zero_shot]}
  - {metric: golden/exact_match, at_least: 0.5, at_most: 0.9}
  - {metric: golden/exact_match, at_least: 0.5, at_most: 0.9}
  - {metric: golden/exact_match, test: noninferiority, against: [rag], margin: 0.1, slices: tag}
  - {metric: probe/adapter_active, require: true}
  - {metric: golden/format_valid, at_least: 0.9, name: readable}
""",
    )
    assert policy.gate_names == (
        "golden/exact_match superiority against rag",
        "golden/exact_match superiority against few_shot, zero_shot",
        "golden/exact_match at least 0.5 and at most 0.9",
        "golden/exact_match at least 0.5 and at most 0.9 (2)",
        "golden/exact_match noninferiority by tag",
        "probe/adapter_active required",
        "readable",
    )
    assert policy.baselines == ("rag", "few_shot", "zero_shot")


def test_a_policy_comes_back_from_its_text(tmp_path: Path) -> None:
    policy = load(tmp_path, "alias: icd10@production\ngates:\n  - {metric: golden/f1, at_least: 1}\nvalid_for_days: 90")
    again = read_policy_text(policy.text, name="mine")
    assert again == policy
    assert again.sha256 == policy.sha256 == policy_hash(policy.text)
    assert '"at_least":1.0' in policy.text
    assert "margin" not in policy.text  # what is not said is not in it, so that a key added later changes no hash


def test_the_hash_is_that_of_the_rules_and_not_of_how_they_are_written(tmp_path: Path) -> None:
    one = load(tmp_path, f"# a comment\ngates: [{GATE}]\nconfidence: 0.95")
    other = load(tmp_path, "gates:\n  - at_least: 0.90\n    metric: golden/format_valid\n")
    assert one.sha256 == other.sha256
    assert load(tmp_path, f"gates: [{GATE}]\nconfidence: 0.9").sha256 != one.sha256


def test_a_stored_text_that_is_no_policy_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="Gate again with the present policy"):
        read_policy_text('{"gates": [], "old_key": 1}', name="mine")


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("{metric: golden/f1}", "nothing is asked of the metric. Add `require: true`"),
        ("{metric: golden/f1, test: superiority}", "needs baselines. Add `against: [zero_shot]`"),
        ("{metric: golden/f1, against: [rag]}", "nothing is asked"),
        ("{metric: golden/f1, at_least: 0.5, against: [rag]}", "against needs a comparison"),
        ("{metric: golden/f1, test: noninferiority, against: [base]}", "Add `margin: 0.02` (2 points)"),
        ("{metric: golden/f1, test: noninferiority, against: [base], margin: 0}", "margin is 0; allowed: above 0"),
        ("{metric: golden/f1, test: noninferiority, against: [base], margin: 0.1, by: 0.1}", "by is for superiority"),
        ("{metric: golden/f1, test: superiority, against: [rag], margin: 0.1}", "margin is for noninferiority"),
        ("{metric: golden/f1, test: superiority, against: [rag], by: -0.1}", "write `test: noninferiority`"),
        ("{metric: golden/f1, test: superiority, against: [rag], by: 0.1, worthwhile: 0.05}", "above `by` (0.1)"),
        ("{metric: golden/f1, test: superiority, against: [rag], at_least: 0.1}", "Make two gates of it"),
        ("{metric: golden/f1, test: superiority, against: [rag, rag]}", "against names rag twice"),
        ("{metric: golden/f1, at_least: 0.9, at_most: 0.1}", "no value keeps both"),
        ("{metric: golden/f1, at_least: .nan}", "finite number"),
        ("{metric: golden/f1, require: true}", "require is for probe/ metrics"),
        ("{metric: probe/x, at_least: 1}", "Write `require: true` and no limit"),
        ("{metric: probe/x, require: true, at_least: 1, min_items: 3}", "at_least and min_items cannot stand beside"),
        ("{metric: golden/f1, at_least: 0.9, min_raters: 2}", "min_raters is for rating/ metrics"),
        ("{metric: cost/wall_s, test: superiority, against: [rag]}", "cannot be asked of a cost"),
        ("{metric: golden/f1, at_least: 0.9, slices: tags}", "Input should be 'tag'"),
        ("{metric: goldn/f1, at_least: 0.9}", 'did you mean "golden"?'),
        ("{metric: regression/mmlu, at_least: 0.9}", "write it like regression/hellaswag/acc_norm"),
        ("{metric: golden/f1, at_leest: 0.9}", 'did you mean "at_least"?'),
    ],
)
def test_a_gate_that_contradicts_itself_is_refused_with_the_next_step(tmp_path: Path, gate: str, said: str) -> None:
    assert said in problem_of(tmp_path, gate)


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            tmp_path,
            """\
alias: production
confidence: 95
gates:
  - {metric: golden/f1, test: noninferiority, by: 0.1}
  - {metric: golden/f1}
""",
        )
    message = str(caught.value)
    for said in (
        "4 problems",
        '"production" is not an alias; write NAME@STAGE',
        "line 2: confidence",
        "needs baselines",
        "by is for superiority",
        "Add `margin: 0.02`",
        "line 5: gates.1: nothing is asked",
    ):
        assert said in message


def test_a_policy_without_gates_would_pass_anything(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a policy without gates would pass anything"):
        load(tmp_path, "gates: []")


def test_two_gates_of_one_name_are_refused(tmp_path: Path) -> None:
    named = "{metric: golden/f1, at_least: 0.9, name: good}"
    with pytest.raises(ConfigError, match="good: a gate's name stands twice"):
        load(tmp_path, f"gates: [{named}, {named}]")


def test_a_policy_that_does_not_exist_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='"promte" is not a policy; did you mean "promote"'):
        load_policy("promte", beside=tmp_path)


def test_a_file_beside_the_experiment_goes_before_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(f"gates: [{GATE}]")
    assert len(load_policy("demo", beside=tmp_path).gates) == 1
    assert len(load_policy("demo.yaml", beside=tmp_path).gates) == 1


def test_an_interval_may_be_fixed_by_any_name_that_decisions_know() -> None:
    assert get_args(Method) == METHOD_NAMES


def test_one_baseline_needs_no_list_and_a_slice_no_mapping() -> None:
    gate = Gate.model_validate(
        {"metric": "golden/f1", "test": "superiority", "against": "rag", "slices": "kind"},
    )
    assert gate.against == ("rag",)
    assert gate.slices is not None
    assert gate.slices.by == "kind"
