from pathlib import Path

import pytest

from harness.assets import shipped
from harness.config.augment import Plan, load_plan
from harness.errors import ConfigError

HEAD = "name: mine\nsteps:\n"


def plan(tmp_path: Path, steps: str, head: str = HEAD) -> Plan:
    path = tmp_path / "augment.yaml"
    path.write_text(head + steps)
    return load_plan(path)


def problem(tmp_path: Path, steps: str, head: str = HEAD) -> str:
    with pytest.raises(ConfigError) as caught:
        plan(tmp_path, steps, head)
    return str(caught.value)


def test_a_shipped_plan_is_there_to_be_tested() -> None:
    assert list(shipped("suites").glob("experiments/*/augment.yaml"))


def test_a_step_says_what_it_makes_and_whether_it_asks(tmp_path: Path) -> None:
    read = plan(
        tmp_path,
        "  - {name: a, template: {prompt: 'Why {x}?', completion: So, variables: {x: [1, 2.5, red]}}}\n"
        "  - {name: b, paraphrase: {requests: 'Say {input}'}}\n"
        "  - {name: c, back_translation: {through: French}}\n"
        "  - {name: d, refusal: {answer: None known, cut: {where: last}}}\n",
    )
    assert [step.origin for step in read.steps] == ["template", "paraphrase", "back_translation", "refusal"]
    assert [step.asks is not None for step in read.steps] == [False, True, True, False]
    assert not read.makes_negatives
    template, paraphrase = read.steps[0].template, read.steps[1].paraphrase
    assert template is not None
    assert paraphrase is not None
    assert template.variables == {"x": ("1", "2.5", "red")}
    assert paraphrase.requests == ("Say {input}",)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("  - {name: a, tempate: {}}\n", 'line 3: "steps.0.tempate" is not a known key; did you mean "template"?'),
        ("  - {name: a, paraphrase: {checks: {keeep: []}}}\n", 'did you mean "keep"?'),
        ("  - {name: a}\n", 'step "a" does none; say exactly one of template, paraphrase'),
        (
            "  - {name: a, paraphrase: {}, refusal: {answer: Unknown, cut: {where: last}}}\n",
            "does paraphrase and refusal",
        ),
        (
            "  - {name: a, paraphrase: {}}\n  - {name: a, back_translation: {through: French}}\n",
            "a: a step's name stands twice",
        ),
        ("  - {name: a b, paraphrase: {}}\n", "should match pattern"),
        ("  - {name: a, paraphrase: {}}\n  - {name: n, negative: {by: other_record}}\n", "a file has one format"),
        (
            "  - {name: a, template: {prompt: 'Of {colr}', completion: c, variables: {colour: [red]}}}\n",
            '{colr} is neither a variable nor a column of the table; did you mean "colour"?',
        ),
        (
            "  - {name: a, template: {prompt: Why, completion: c, variables: {colour: [red]}}}\n",
            '"colour" stands in no text of the template; use it as {colour}, or remove it.',
        ),
        ("  - {name: a, template: {prompt: '{x}', completion: c, variables: {x: [b, b]}}}\n", '"x" has "b" twice'),
        ("  - {name: a, template: {prompt: ' ', completion: c}}\n", "is empty; text is needed"),
        (
            "  - {name: a, paraphrase: {requests: 'Say {inptu}'}}\n",
            '{inptu} is not filled in here; did you mean "input"',
        ),
        ("  - {name: a, paraphrase: {checks: {length_ratio: [2, 1]}}}\n", "is no range"),
        ("  - {name: a, back_translation: {through: French, request: '{input}'}}\n", "{language} is missing"),
        ("  - {name: a, negative: {by: damage}}\n", "`by: damage` needs rules"),
        ("  - {name: a, negative: {by: damage, rules: [wrap]}}\n", "need each other"),
        ("  - {name: a, negative: {by: other_record, rules: [repeat]}}\n", "rules: not used by `by: other_record`"),
        ("  - {name: a, refusal: {answer: Unknown}}\n", "written by `prompt` or made by `cut`"),
        ("  - {name: a, refusal: {answer: Unknown, cut: {where: terms}}}\n", "`terms` belongs to `where: terms`"),
        (
            "  - {name: a, refusal: {answer: Unknown, cut: {where: pattern, pattern: '('}}}\n",
            "not a regular expression",
        ),
        ("  - {name: a, refusal: {answer: Unknown, prompt: Why, tags: [b]}}\n", "tags choose records to `cut`"),
    ],
)
def test_what_is_wrong_is_said_with_what_was_meant(tmp_path: Path, steps: str, said: str) -> None:
    assert said in problem(tmp_path, steps)


def test_a_plan_without_steps_is_none(tmp_path: Path) -> None:
    assert "steps is empty" in problem(tmp_path, "", "name: mine\nsteps: []\n")


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    said = problem(tmp_path, "  - {name: a, tempate: {}}\n  - {name: b, negative: {by: damage}}\n")
    assert "tempate" in said
    assert "needs rules" in said
