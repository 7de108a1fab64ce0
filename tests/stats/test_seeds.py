import math

import numpy as np
import pytest
from scipy import stats

from harness.stats.bounded import bounded_mean_interval
from harness.stats.seeds import seed_interval


def test_the_interval_over_seeds_is_worked_by_hand() -> None:
    """Seeds' means 1, 3, 5 (variance 4, over 3: 4/3), items' means 2, 3, 4 (variance 1, over 3: 1/3).

    Mean 3, standard error sqrt(5/3), degrees of freedom (25/9) / ((16/9)/2 + (1/9)/2).
    """
    interval = seed_interval([[0, 1, 2], [2, 3, 4], [4, 5, 6]])
    margin = stats.t.ppf(0.975, (25 / 9) / (17 / 18)) * math.sqrt(5 / 3)
    assert (interval.low, interval.high) == pytest.approx((3 - margin, 3 + margin))


def test_two_seeds_have_one_degree_of_freedom() -> None:
    """Seeds' means 1 and 3 (variance 2, over 2: 1), items' 1, 2, 3 (over 3: 1/3); t is 12.7062."""
    interval = seed_interval([[0, 1, 2], [2, 3, 4]])
    assert interval.high == pytest.approx(2 + 12.7062 * math.sqrt(4 / 3), abs=1e-3)


def test_seeds_that_agree_leave_the_variation_of_items() -> None:
    row = [0.1, 0.5, -0.2, 0.4, 0.3, 0.0]
    interval, one = seed_interval([row, row, row]), stats.ttest_1samp(row, 0).confidence_interval()
    assert (interval.low, interval.high) == pytest.approx((one.low, one.high))


def test_seeds_that_differ_widen_the_interval_beyond_that_of_any_single_seed() -> None:
    generator = np.random.default_rng(2)
    items = generator.normal(0.1, 0.05, 200)
    table = [(items + shift).tolist() for shift in (-0.1, 0.0, 0.1)]
    interval = seed_interval(table)
    assert interval.low < 0.0 < interval.high
    assert np.mean(table) == pytest.approx((interval.low + interval.high) / 2)


def test_a_bounded_metric_is_never_surer_than_its_items_allow_and_stays_in_range() -> None:
    table = [[0.0] * 49 + [0.1], [0.0] * 49 + [0.2]]
    interval = seed_interval(table, minimum=-1, maximum=1)
    items = bounded_mean_interval([0.0] * 49 + [0.15], minimum=-1, maximum=1)
    assert interval.low <= items.low
    assert interval.high >= items.high
    assert seed_interval([[1.0, 0.9], [0.2, 1.0]], minimum=-1, maximum=1).high == 1


def test_without_variation_the_range_decides_or_nothing_does() -> None:
    interval = seed_interval([[0.0] * 50, [0.0] * 50], minimum=-1, maximum=1)
    assert (interval.low, interval.high) == pytest.approx((-0.071347, 0.071347), abs=1e-6)
    with pytest.raises(ValueError, match="no interval is defined"):
        seed_interval([[0.0] * 50, [0.0] * 50])


@pytest.mark.parametrize("of_seeds", [0.0, 0.1])
def test_three_seeds_cover_about_as_promised(of_seeds: float) -> None:
    """Seeded simulation; the study in tests/benchmarks has more."""
    generator = np.random.default_rng(9)
    held = 0
    for _ in range(600):
        table = generator.normal(0, 0.2, (3, 50)) + generator.normal(0, 0.1, 50) + generator.normal(0, of_seeds, (3, 1))
        interval = seed_interval(table.tolist())
        held += interval.low <= 0 <= interval.high
    assert held >= 0.92 * 600


@pytest.mark.parametrize(
    ("table", "bounds", "said"),
    [
        ([[0.1, 0.2]], {}, "1 seeds"),
        ([[0.1], [0.2]], {}, "too few"),
        ([[0.1, 0.2], [0.1, 0.2, 0.3]], {}, "same items"),
        ([[0.1, math.nan], [0.1, 0.2]], {}, "finite"),
        ([[0.1, 0.3], [0.1, 0.2]], {"minimum": -1}, "both or neither"),
    ],
)
def test_the_interval_over_seeds_refuses_what_is_no_table(table, bounds, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        seed_interval(table, **bounds)
