"""Raters and items as two samples: worked by hand, by oracle, and by how often the truth is covered."""

from dataclasses import replace

import numpy as np
import pytest

from harness.stats.clusters import clustered_standard_error
from harness.stats.libraries import t_quantile
from harness.stats.raters import FEWEST_RATERS, items_to_tell, rater_interval, two_way


def test_a_small_table_is_worked_by_hand() -> None:
    # Items A (1, 3) and B (5, 7) by raters x, y: mean 4, residuals -3, -1, 1, 3, each at weight 1/4.
    parts = two_way([1, 3, 5, 7], ["A", "A", "B", "B"], ["x", "y", "x", "y"])
    by_items = 2 / 1 * (1.0**2 + 1.0**2)  # (-3 - 1) / 4 and (1 + 3) / 4
    by_raters = 2 / 1 * (0.5**2 + 0.5**2)
    single = 4 / 3 * (0.75**2 + 0.25**2 + 0.25**2 + 0.75**2)
    assert parts.mean == 4.0
    assert parts.of_items == by_items
    assert parts.variance == max(by_items + by_raters - single, by_items)
    assert parts.raters == 2.0


def test_with_one_rating_an_item_the_part_of_items_is_the_usual_standard_error() -> None:
    values = [1.0, 2.0, 4.0, 5.0, 3.0, 2.0]
    parts = two_way(values, range(6), ["x", "y"] * 3)
    assert parts.of_items == pytest.approx(clustered_standard_error(values, range(6)) ** 2)


def test_an_item_with_more_ratings_counts_no_more() -> None:
    assert two_way([1, 1, 1, 5], ["A", "A", "A", "B"], ["x", "y", "z", "x"]).mean == 3.0


def test_unequal_work_is_worth_fewer_raters() -> None:
    even = two_way([1, 2, 3, 4], range(4), ["x", "y", "x", "y"])
    uneven = two_way([1, 2, 3, 4], range(4), ["x", "x", "x", "y"])
    assert even.raters == 2.0
    assert uneven.raters == pytest.approx(1 / (0.75**2 + 0.25**2))


def test_items_of_one_group_are_one_cluster() -> None:
    values, items, raters = [1, 2, 5, 6, 3, 3], ["A", "B", "C", "D", "E", "F"], ["x", "y"] * 3
    alone = two_way(values, items, raters)
    grouped = two_way(values, items, raters, clusters=["g", "g", "h", "h", "i", "i"])
    assert grouped.of_items > alone.of_items


@pytest.mark.parametrize(
    ("values", "items", "raters"),
    [([1.0, 2.0], "AB", "xx"), ([1.0, 2.0], "AA", "xy"), ([1.0, 2.0], "ABC", "xy"), ([1.0, float("nan")], "AB", "xy")],
)
def test_what_has_no_two_samples_is_refused(values, items, raters) -> None:
    with pytest.raises(ValueError, match=r"allowed|finite"):
        two_way(values, list(items), list(raters))


def test_equal_ratings_have_no_variance() -> None:
    parts = two_way([3, 3, 3, 3], "AABB", "xyxy")
    interval = rater_interval(parts)
    assert (parts.variance, interval.low, interval.high) == (0.0, 3.0, 3.0)


@pytest.mark.parametrize("of_raters", [0.0, 0.3, 0.6])
def test_intervals_cover_the_truth_about_as_often_as_they_say(of_raters: float) -> None:
    """600 campaigns of 30 items by 2 of 5 raters with unequal work: 95 % expected, at least 93 % seen of them all."""
    rng, covered = np.random.default_rng(17), 0
    work = np.linspace(1, 3, FEWEST_RATERS)
    for _ in range(600):
        raters = [
            rater for _ in range(30) for rater in rng.choice(FEWEST_RATERS, 2, replace=False, p=work / work.sum())
        ]
        items = [item for item in range(30) for _ in range(2)]
        of_item, of_rater = rng.normal(0, 0.6, 30), rng.normal(0, of_raters, FEWEST_RATERS)
        noise = rng.normal(0, 0.8, 60)
        values = [float(of_item[i] + of_rater[r] + e) for i, r, e in zip(items, raters, noise, strict=True)]
        interval = rater_interval(two_way(values, items, raters))
        covered += interval.low <= 0 <= interval.high
    assert covered / 600 >= 0.93


def test_items_to_tell_solves_for_the_number_of_items() -> None:
    values = [1.0, -1.0, 1.0, 0.0] * 10
    parts = replace(two_way(values, range(40), ["x", "y"] * 20), of_raters=0.001, freedom=39.0)
    total = items_to_tell(parts, n=40)
    assert total is not None
    assert total > 40
    quantile = t_quantile(0.975, parts.freedom)

    def half(items: int) -> float:
        return quantile * (parts.of_items * 40 / items + parts.of_raters) ** 0.5

    assert half(total) < abs(parts.mean) <= half(total - 1)


def test_raters_who_differ_too_much_are_not_made_up_for_by_items() -> None:
    values = [2.0 if rater == "x" else 0.0 for _ in range(20) for rater in "xyzuv"]
    items = [item for item in range(20) for _ in range(5)]
    parts = two_way(values, items, list("xyzuv") * 20)
    assert parts.of_items == pytest.approx(0.0)
    assert items_to_tell(parts, n=20) is None


def test_a_difference_without_variance_needs_no_more_items() -> None:
    assert items_to_tell(two_way([1, 1, 1, 1], "AABB", "xyxy"), n=2) == 2
