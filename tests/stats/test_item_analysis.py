import numpy as np
import pytest
from scipy.stats import pearsonr, pointbiserialr

from harness.stats.item_analysis import FEWEST_RUNS, discrimination


def test_a_hand_worked_item() -> None:
    # Item 0 is right in the last three of six runs; the means over the other two items are 0, 0.5, 0.5, 0.5, 1, 1.
    # Means of the others where right: 5/6, where wrong: 1/3; their standard deviation (n) is sqrt(1/3 - ...) = 0.3436.
    others = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (1.0, 1.0)]
    rows = [[float(run >= 3), *other] for run, other in enumerate(others)]
    first = discrimination(rows)[0]
    assert first is not None
    spread = np.std([0.0, 0.5, 0.5, 0.5, 1.0, 1.0])
    assert first.value == pytest.approx((5 / 6 - 1 / 3) / spread * 0.5)
    assert first.runs == 6


def test_it_agrees_with_scipy_on_value_and_interval() -> None:
    draw = np.random.default_rng(3)
    ability = draw.normal(size=12)
    rows = [[float(one) for one in draw.random(9) < 1 / (1 + np.exp(-each))] for each in ability]
    for item, found in enumerate(discrimination(rows)):
        on_item = [row[item] for row in rows]
        on_others = [float(np.mean([one for place, one in enumerate(row) if place != item])) for row in rows]
        if found is None:
            assert len(set(on_item)) == 1
            continue
        assert found.value == pytest.approx(pointbiserialr(on_item, on_others)[0])
        low, high = pearsonr(on_item, on_others).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((low, high))


def test_an_item_is_not_correlated_with_itself() -> None:
    # With the item in the total its correlation would be positive; without it there is none.
    rows = [[float(run % 2), 1.0, 0.0] for run in range(8)]
    assert discrimination(rows) == [None, None, None]


def test_an_item_that_better_runs_miss_is_below_zero() -> None:
    rows = [[float(run < 4), *(float(run > place) for place in range(6))] for run in range(8)]
    first = discrimination(rows)[0]
    assert first is not None
    assert first.value < 0
    assert first.high < 0


def test_a_perfect_correlation_has_an_interval_too() -> None:
    rows = [[float(run > 2), float(run > 2)] for run in range(6)]
    first = discrimination(rows)[0]
    assert first is not None
    assert first.value == pytest.approx(1.0)
    assert -1 <= first.low <= first.high <= 1


def test_missing_scores_are_left_out_and_few_runs_say_nothing() -> None:
    rows: list[list[float | None]] = [[float(run > 2), float(run > 3)] for run in range(FEWEST_RUNS + 1)]
    assert discrimination(rows[:-2]) == [None, None]
    rows[0][0] = None
    first, second = discrimination(rows)
    assert first is not None
    assert first.runs == FEWEST_RUNS
    assert second is not None
    assert second.runs == FEWEST_RUNS


def test_no_runs_are_no_items() -> None:
    assert discrimination([]) == []
