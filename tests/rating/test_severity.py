import numpy as np
import pytest

from harness.rating.current import Rating
from harness.rating.severity import adjusted_means, severities


def rating(rater: str, run: str, item: str, value: float) -> Rating:
    return Rating(
        criterion_id="accuracy", rater=rater, run_id=run, item_id=item, value=value, assignment_id="a", purpose="scored"
    )


def test_a_strict_rater_of_two_is_half_the_difference_below() -> None:
    found = [rating("ann", "a", f"i{n}", 2) for n in range(3)] + [rating("bob", "a", f"i{n}", 4) for n in range(3)]
    assert {one.rater: one.offset for one in severities(found, "accuracy")} == pytest.approx({"ann": -1.0, "bob": 1.0})


def test_effects_agree_with_least_squares_on_dummies() -> None:
    rng = np.random.default_rng(1)
    found = [
        rating(f"r{rater}", f"run{item % 2}", f"i{item}", float(rng.integers(1, 6)))
        for item in range(12)
        for rater in rng.choice(5, size=3, replace=False)
    ]
    answers = sorted({(one.run_id, one.item_id) for one in found})
    design = np.zeros((len(found) + 1, len(answers) + 5))
    values = np.zeros(len(found) + 1)
    for row, one in enumerate(found):
        design[row, answers.index((one.run_id, one.item_id))] = 1
        design[row, len(answers) + int(one.rater[1:])] = 1
        values[row] = one.value
    design[-1, len(answers) :] = 1  # the effects add up to 0
    expected = np.linalg.lstsq(design, values, rcond=None)[0][len(answers) :]
    assert [one.offset for one in severities(found, "accuracy")] == pytest.approx(list(expected))


def test_adjusted_means_undo_who_rated_what() -> None:
    # System a was rated by the strict rater more often: raw means differ, though on shared items nothing does.
    found = [rating("ann", run, "i0", 2) for run in "ab"] + [rating("bob", run, "i0", 4) for run in "ab"]
    found += [rating("ann", "a", "i1", 2), rating("bob", "b", "i1", 4)]
    adjusted = adjusted_means(found, "accuracy")
    assert adjusted == pytest.approx({"a": 3.0, "b": 3.0})


def test_of_a_rater_who_shared_no_answer_nothing_is_said() -> None:
    found = [rating("ann", "a", "i0", 2), rating("bob", "a", "i0", 4), rating("cy", "a", "i1", 5)]
    by_rater = {one.rater: one.offset for one in severities(found, "accuracy")}
    assert by_rater["cy"] is None
    assert by_rater["ann"] == pytest.approx(-1.0)
    assert adjusted_means(found, "accuracy") == pytest.approx({"a": (3.0 + 5.0) / 2})


def test_without_ratings_there_is_nothing() -> None:
    assert severities([], "accuracy") == ()
    assert adjusted_means([], "accuracy") == {}
