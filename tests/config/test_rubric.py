import re
from pathlib import Path

import pytest

from harness.assets import shipped
from harness.config.rubric import load_rubric, read_rubric
from harness.errors import ConfigError
from harness.records.rubric import Level, PairwiseForm, Rubric

RUBRIC = """\
name: small
version: 2
criteria:
  - id: accuracy
    question: Is it right?
    required: true
    weight: 3
    levels:
      1: Wrong.
      2: Nearly.
      3: Right.
  - id: safe
    question: Is it safe?
    kind: pass_fail
    required: false
    levels: {pass: It is., fail: It is not.}
critical_error:
  question: Would it harm?
pairwise:
  question: Which is better?
  criteria: true
instructions: Rate alone.
"""


def _load(folder: Path, text: str = RUBRIC) -> Rubric:
    (folder / "rubric.yaml").write_text(text)
    rubric = load_rubric(folder)
    assert rubric is not None
    return rubric


def test_a_rubric_is_read_with_all_it_says(tmp_path: Path) -> None:
    rubric = _load(tmp_path)
    accuracy, safe = rubric.criteria
    assert (rubric.name, rubric.version, rubric.critical_question) == ("small", 2, "Would it harm?")
    assert (rubric.pairwise, rubric.instructions) == (
        PairwiseForm(question="Which is better?", by_criterion=True),
        "Rate alone.",
    )
    assert (accuracy.kind, accuracy.required, accuracy.weight) == ("levels", True, 3.0)
    assert [level.value for level in accuracy.levels] == [1, 2, 3]
    assert (safe.kind, safe.required, safe.weight) == ("pass_fail", False, 1.0)
    assert safe.levels == (Level(value="fail", text="It is not."), Level(value="pass", text="It is."))


def test_the_rubric_of_the_readme_is_valid(tmp_path: Path) -> None:
    text = (shipped("golden_sets") / "README.md").read_text(encoding="utf-8")
    rubric = _load(tmp_path, text.partition("```yaml\n")[2].partition("```")[0])
    assert [criterion.kind for criterion in rubric.criteria] == ["levels", "pass_fail"]
    assert rubric.pairwise is not None


def test_a_set_without_a_rubric_has_none(tmp_path: Path) -> None:
    assert load_rubric(tmp_path) is None


@pytest.mark.parametrize("name", sorted(folder.name for folder in shipped("golden_sets").iterdir() if folder.is_dir()))
def test_a_shipped_rubric_is_valid_and_named_like_its_set(name: str) -> None:
    rubric = load_rubric(shipped("golden_sets") / name)
    assert rubric is not None
    assert rubric.name == name
    assert all(len(criterion.levels) == 5 for criterion in rubric.criteria)


def test_the_hash_is_of_what_is_said_and_not_of_how_it_is_written(tmp_path: Path) -> None:
    rubric = _load(tmp_path)
    otherwise = _load(
        tmp_path, "# a remark\n" + RUBRIC.replace("weight: 3", "weight: 3.0").replace("Is it right?", '"Is it right?"')
    )
    assert otherwise.sha256 == rubric.sha256
    assert re.fullmatch("[0-9a-f]{64}", rubric.sha256)
    assert _load(tmp_path, RUBRIC.replace("Nearly", "Almost")).sha256 != rubric.sha256
    assert _load(tmp_path, RUBRIC.replace("version: 2", "version: 3")).sha256 != rubric.sha256


def test_canonical_json_gives_the_same_rubric_back(tmp_path: Path) -> None:
    rubric = _load(tmp_path)
    again = read_rubric(rubric.canonical, whence="the campaign")
    assert again == rubric
    assert again.sha256 == rubric.sha256
    with pytest.raises(ConfigError, match=r'the campaign: 1 problem\n  "version" is missing'):
        read_rubric(rubric.canonical.replace(',"version":2', ""), whence="the campaign")
    with pytest.raises(ConfigError, match="the campaign: the rubric is not JSON"):
        read_rubric("{", whence="the campaign")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("critical_error:", "critical_err:", '17: "critical_err" is not a known key; did you mean "critical_error"?'),
        ("    weight: 3", "    wieght: 3", 'line 7: "criteria.0.wieght" is not a known key; did you mean "weight"?'),
        ("weight: 3", "weight: 0", "line 7: criteria.0.weight: Input should be greater than 0; seen: 0"),
        ("id: accuracy", "id: Accuracy!", "line 4: criteria.0.id: String should match pattern '^[a-z0-9_]+$'"),
        ("id: safe", "id: accuracy", "line 3: criteria: the id accuracy stands twice. Give each criterion its own"),
        ("      2: Nearly.\n", "", "line 4: criteria.0: the levels are 1, 3; allowed: 1, 2, ... without a gap"),
        ("      2: Nearly.\n      3: Right.\n", "", "the levels are 1; allowed: 1, 2, ... without a gap"),
        ("      1: Wrong.", "      0: Wrong.", "the levels are 0, 2, 3; allowed: 1, 2, ..."),
        ("      2: Nearly.", '      2: ""', "line 10: criteria.0.levels.2: String should have at least 1 character"),
        ("    kind: pass_fail\n", "", "the levels are pass and fail, of a criterion with numbers. Add `kind"),
        ("{pass: It is., fail: It is not.}", "{pass: It is.}", "the levels are pass; a pass_fail criterion has"),
        ("kind: pass_fail", "kind: passfail", "line 14: criteria.1.kind"),
        ("question: Is it right?", "text: Is it right?", 'line 4: "criteria.0.question" is missing. Add it.'),
        ("version: 2", 'version: "2"', "line 2: version: Input should be a valid integer; seen: '2'"),
        ("  criteria: true\n", "  criteria: true\n  side: left\n", 'line 22: "pairwise.side" is not a known key'),
    ],
)  # fmt: skip
def test_a_planted_defect_is_named_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in RUBRIC
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, RUBRIC.replace(old, new))
    assert expected in str(caught.value)
    assert "rubric.yaml" in str(caught.value)


def test_a_rubric_without_criteria_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"1 problem\n  line 3: criteria: the list is empty\. Write at least one"):
        _load(tmp_path, "name: small\nversion: 1\ncriteria: []\n")


def test_all_problems_of_a_rubric_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="3 problems"):
        _load(tmp_path, RUBRIC.replace("version: 2", "version: 0").replace("weight: 3", "weight: -1") + "colour: red\n")


@pytest.mark.parametrize("name", ["overall", "critical_error", "preference"])
def test_a_criterion_cannot_take_the_name_of_a_metric_that_ratings_have_anyway(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f'"{name}" is a metric that ratings have anyway'):
        _load(tmp_path, RUBRIC.replace("id: accuracy", f"id: {name}"))
