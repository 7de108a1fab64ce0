import inspect

import pytest

from harness import errors
from harness.errors import HarnessError, nearest, problems_message


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("referense", 'did you mean "reference"?'),
        ("promt", 'did you mean "prompt"?'),
        ("xyz", "allowed: prompt, reference, seed"),
    ],
)
def test_a_hint_is_the_nearest_name_or_all_of_them(value: str, hint: str) -> None:
    assert nearest(value, ["seed", "reference", "prompt"]) == hint


def test_where_nothing_is_allowed_the_hint_says_so() -> None:
    assert nearest("x", []) == "nothing is allowed here"


def test_problems_stand_a_line_each_under_their_subject() -> None:
    assert problems_message("a.yaml", ["one"]) == "a.yaml: 1 problem\n  one"
    assert problems_message("a.yaml", ["one", "two"]) == "a.yaml: 2 problems\n  one\n  two"


def test_many_problems_are_counted_after_the_first_ones() -> None:
    said = problems_message("a.yaml", [str(number) for number in range(25)]).splitlines()
    assert said[0] == "a.yaml: 25 problems"
    assert len(said) == 22
    assert said[-1] == "  and 5 more"
    assert problems_message("a.yaml", ["x"] * 3, shown=3).count("more") == 0


def test_every_error_is_one_of_the_tree_and_stands_in_its_drawing() -> None:
    classes = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]
    assert len(classes) > 8
    for error in classes:
        assert issubclass(error, HarnessError)
        assert error.__name__ in (errors.__doc__ or "")
        assert error.__doc__
