import numpy as np
import pytest

from harness.rating.current import Rating
from harness.rating.enough import enough

GROUPS = {f"i{number}": None for number in range(400)}


def rated(differences, *, raters: int = 2, runs=("run-a", "run-b")) -> list[Rating]:
    return [
        Rating(
            criterion_id="accuracy",
            rater=f"r{(number + turn) % raters}",
            run_id=run,
            item_id=f"i{number}",
            value=3.0 + (difference if run == runs[0] else 0.0),
            assignment_id="a",
            purpose="scored",
        )
        for number, difference in enumerate(differences)
        for turn in range(2)
        for run in runs
    ]


def test_more_items_follow_from_the_difference_and_its_variance() -> None:
    differences = [1.0, -1.0, 1.0, 0.0, 1.0, -1.0, 1.0, 0.0, 0.0, 0.0, 1.0, -1.0]
    n, mean = 12, 2 / 12
    variance = float(np.var(differences, ddof=1)) / n
    quantile = 2.200985  # t, 11 degrees of freedom
    total = n * variance / (mean / quantile) ** 2
    found = enough(rated(differences), "accuracy", groups=GROUPS, planned=40)
    assert found.more_items == (int(total) + 1 - n,)
    assert found.sentence.startswith(f"About {found.more_items[0]} more items would decide accuracy")
    assert "40 items" in found.sentence


def test_what_is_told_apart_needs_no_more_and_equal_systems_never_would() -> None:
    told = enough(rated([2.0, 1.0, 2.0, 2.0] * 5), "accuracy", groups=GROUPS, planned=20)
    assert told.more_items == (0,)
    assert "are told apart" in told.sentence
    same = enough(rated([0.0] * 20), "accuracy", groups=GROUPS, planned=20)
    assert same.more_items == (None,)
    assert "no number of items" in same.sentence


def test_of_few_items_nothing_is_said() -> None:
    found = enough(rated([2.0] * 9), "accuracy", groups=GROUPS, planned=20)
    assert found.more_items == ()
    assert "under 10 nothing is said" in found.sentence


def test_with_one_system_there_is_nothing_to_decide() -> None:
    assert enough(rated([1.0] * 20, runs=("run-a",)), "accuracy", groups=GROUPS, planned=20) is None


def test_no_system_is_named_and_swapping_the_systems_changes_nothing() -> None:
    differences = [1.0, -1.0, 1.0, 0.0, 1.0, 0.0] * 5
    runs = ("run-a", "run-b", "run-c")
    found = enough(rated(differences, runs=runs), "accuracy", groups=GROUPS, planned=30)
    turned = enough(
        rated([-one for one in differences], runs=("run-c", "run-b", "run-a")), "accuracy", groups=GROUPS, planned=30
    )
    assert found == turned
    assert "run-" not in found.sentence
    assert "pairs of systems" in found.sentence
    assert found.more_items[-1] is None  # the two equal systems


@pytest.mark.parametrize(("raters", "more"), [(4, 0), (6, None)])
def test_where_raters_are_a_sample_more_items_do_not_make_up_for_their_differences(raters: int, more) -> None:
    # Raters differ in what they think of the two systems: one loves the first, the others see nothing.
    rng = np.random.default_rng(2)
    found: list[Rating] = []
    for number in range(120):
        for rater in rng.choice(raters, size=2, replace=False):
            for run in ("run-a", "run-b"):
                liked = run == "run-a" and rater == 0
                found.append(
                    Rating(
                        criterion_id="accuracy",
                        rater=f"r{rater}",
                        run_id=run,
                        item_id=f"i{number}",
                        value=5.0 if liked else 3.0,
                        assignment_id="a",
                        purpose="scored",
                    )
                )
    assert enough(found, "accuracy", groups=GROUPS, planned=120).more_items == (more,)
