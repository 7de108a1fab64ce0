import pytest

from harness.rating.answers import check_answer

GOOD = {"levels": {"accuracy": 3, "safe": "pass"}, "critical_error": False, "comment": "fine", "corrected": ""}


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("rubric", GOOD),
        ("rubric", {"levels": {"accuracy": 3}, "cannot_judge": ["safe"]}),
        ("rubric", {"levels": {"accuracy": 1, "clarity": 5, "safe": "fail"}, "critical_error": None}),
        ("pairwise", {"choice": "left", "strength": 2, "criteria": {"accuracy": "tie"}}),
        ("pairwise", {"choice": "both_bad", "strength": None}),
        ("validate", {"decision": "correct", "corrected": "better"}),
        ("closing", {"guess": 2}),
        ("closing", {"guess": None, "comment": "no idea"}),
    ],
)
def test_a_complete_answer_has_no_problems(rubric, kind, answer) -> None:
    assert check_answer(kind, answer, rubric, answers=3) == []


@pytest.mark.parametrize(
    ("kind", "answer", "said"),
    [
        ("rubric", {"levels": {"accuracy": 3}}, "safe is still open"),
        ("rubric", {}, "accuracy is still open"),
        ("rubric", {"levels": {"accuracy": 6, "safe": "pass"}}, "accuracy is 6; allowed: 1, 2, 3, 4, 5"),
        ("rubric", {"levels": {"accuracy": True, "safe": "pass"}}, "accuracy is True"),
        ("rubric", {"levels": {"accuracy": "5", "safe": "pass"}}, "accuracy is 5; allowed"),
        ("rubric", {"levels": {"accuracy": 3, "safe": 1}}, "safe is 1; allowed: fail, pass"),
        ("rubric", {**GOOD, "levels": {**GOOD["levels"], "style": 1}}, "style is not a criterion"),
        ("rubric", {**GOOD, "cannot_judge": ["safe"]}, "safe has a level and is marked"),
        ("rubric", {**GOOD, "cannot_judge": "safe"}, "cannot_judge must be a list"),
        ("rubric", {**GOOD, "critical_error": "yes"}, "yes or no"),
        ("rubric", {**GOOD, "comment": 5}, "The comment must be text"),
        ("rubric", {**GOOD, "corrected": "x" * 20_001}, "at most 20,000 characters"),
        ("rubric", {**GOOD, "run_id": "x"}, "run_id is not part of this form"),
        ("rubric", {"levels": [1]}, "levels must be an object"),
        ("pairwise", {}, "Choose one of the answers"),
        ("pairwise", {"choice": "A"}, "choice is A; allowed: left, right, tie, both_bad"),
        ("pairwise", {"choice": "tie", "strength": 2}, "so there is no strength"),
        ("pairwise", {"choice": "left", "strength": 4}, "strength is 4; allowed: 1, 2, 3"),
        ("pairwise", {"choice": "left", "criteria": {"accuracy": "both"}}, "accuracy is both"),
        ("pairwise", {"choice": "left", "criteria": {"style": "left"}}, "style is not a criterion"),
        ("pairwise", {"choice": "left", "criteria": ["accuracy"]}, "criteria must be an object"),
        ("validate", {}, "Accept the record"),
        ("validate", {"decision": "maybe"}, "decision is maybe"),
        ("validate", {"decision": "correct", "corrected": "  "}, "needs the corrected answer"),
        ("closing", {"guess": 3}, "guess is 3; allowed: 0 to 2"),
        ("closing", {"guess": True}, "guess is True"),
        ("closing", {"guess": "0"}, "guess is 0"),
    ],
)
def test_what_is_missing_or_wrong_is_said_in_a_sentence(rubric, kind, answer, said: str) -> None:
    problems = check_answer(kind, answer, rubric, answers=3)
    assert any(said in problem for problem in problems)
    assert all(problem.endswith(".") for problem in problems)


def test_every_problem_of_an_answer_is_said_at_once(rubric) -> None:
    assert len(check_answer("rubric", {"levels": {"accuracy": 9, "style": 1}, "comment": 1}, rubric)) == 4


def test_a_critical_error_that_is_not_asked_for_is_refused() -> None:
    from tests.rating.room import make_rubric

    problems = check_answer("rubric", {**GOOD, "critical_error": True}, make_rubric(critical=False))
    assert problems == ["Critical errors are not asked for."]


def test_data_are_validated_without_a_rubric_and_systems_are_not() -> None:
    assert check_answer("validate", {"decision": "accept"}, None) == []
    with pytest.raises(ValueError, match="rubric"):
        check_answer("rubric", GOOD, None)
