import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from harness.stats.bounded import bounded_mean_interval, unvarying_interval
from harness.stats.means import student_t_interval
from harness.stats.paired import tango_interval
from harness.stats.proportions import wilson_interval


def test_unvarying_observations_are_worked_by_hand() -> None:
    """n = 10: up to 3.8415 / 13.8415 = 0.27753 may differ."""
    interval = unvarying_interval(3.0, 10, minimum=1.0, maximum=5.0)
    assert (interval.low, interval.high) == pytest.approx((3 - 0.27753 * 2, 3 + 0.27753 * 2), abs=1e-4)


@given(st.integers(1, 300))
def test_unvarying_proportions_have_wilsons_interval(n: int) -> None:
    none, every = unvarying_interval(0, n, minimum=0, maximum=1), unvarying_interval(1, n, minimum=0, maximum=1)
    assert none.high == pytest.approx(wilson_interval(0, n).high)
    assert every.low == pytest.approx(wilson_interval(n, n).low)


@given(st.floats(-1, 1), st.integers(1, 300))
def test_an_unvarying_interval_holds_its_value_and_stays_in_range(value: float, n: int) -> None:
    interval = unvarying_interval(value, n, minimum=-1, maximum=1)
    larger = unvarying_interval(value, n + 1, minimum=-1, maximum=1)
    assert -1 <= interval.low <= value <= interval.high <= 1
    assert larger.high - larger.low < interval.high - interval.low


@pytest.mark.parametrize(
    ("value", "n", "minimum", "maximum"), [(0, 0, 0, 1), (2, 5, 0, 1), (0, 5, 1, 0), (0, 5, 0, math.inf)]
)
def test_an_unvarying_interval_needs_observations_and_bounds(
    value: float, n: int, minimum: float, maximum: float
) -> None:
    with pytest.raises(ValueError, match=r"n is|value is|bounds are"):
        unvarying_interval(value, n, minimum=minimum, maximum=maximum)


def graded_score_statistic(values: list[float], mean: float, low_end: float, high_end: float) -> float:
    """The score statistic with the restricted likelihood maximised numerically over probabilities, not by its dual."""
    support = sorted({*values, low_end, high_end})
    counts = np.array([values.count(value) for value in support], dtype=float)
    levels = np.array(support)
    start = optimize.linprog(
        -np.ones(len(levels) + 1),
        A_eq=np.array([[*np.ones(len(levels)), 0], [*levels, 0]]),
        b_eq=[1, mean],
        A_ub=np.c_[-np.eye(len(levels)), np.ones(len(levels))],
        b_ub=np.zeros(len(levels)),
    ).x[:-1]
    found = optimize.minimize(
        lambda p: -float(np.sum(counts * np.log(np.maximum(p, 1e-12)))),
        start,
        jac=lambda p: -counts / np.maximum(p, 1e-12),
        bounds=[(0, 1)] * len(levels),
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1, "jac": lambda p: np.ones_like(p)},
            {"type": "eq", "fun": lambda p: p @ levels - mean, "jac": lambda p: levels},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    ).x
    variance = float(found @ (levels - mean) ** 2)
    return (sum(values) / len(values) - mean) / np.sqrt(variance / len(values))


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(max_examples=60, deadline=None)
def test_on_passes_and_failures_the_bounded_interval_is_wilsons(counts: tuple[int, int]) -> None:
    successes, n = counts
    values = [1.0] * successes + [0.0] * (n - successes)
    interval, wilson = bounded_mean_interval(values, minimum=0, maximum=1), wilson_interval(successes, n)
    assert (interval.low, interval.high) == pytest.approx((wilson.low, wilson.high), abs=1e-9)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_on_wins_ties_and_losses_the_bounded_interval_is_tangos(wins: int, losses: int, ties: int) -> None:
    values = [1.0] * wins + [-1.0] * losses + [0.0] * ties
    interval, tango = bounded_mean_interval(values, minimum=-1, maximum=1), tango_interval(wins, losses, len(values))
    assert (interval.low, interval.high) == pytest.approx((tango.low, tango.high), abs=1e-8)


def test_without_variation_the_bounded_interval_is_that_of_unvarying_observations() -> None:
    interval, unvarying = (
        bounded_mean_interval([3.0] * 10, minimum=1, maximum=5),
        unvarying_interval(3.0, 10, minimum=1, maximum=5),
    )
    assert (interval.low, interval.high) == pytest.approx((unvarying.low, unvarying.high))


def test_the_bounded_interval_of_values_near_each_other_is_worked_by_hand() -> None:
    """Values within 0.4 to 0.6: the tilt reaches its end first, so the bounds are (n mean + z^2 end) / (n + z^2)."""
    interval = bounded_mean_interval([0.4, 0.6] * 10, minimum=0, maximum=1)
    assert (interval.low, interval.high) == pytest.approx((10 / 23.84146, 13.84146 / 23.84146), abs=1e-6)


@pytest.mark.parametrize("values", [[0.1, 0.1, 0.5, 0.9, 1.0, 0.3], [-0.5, 0.2, 0.2, 0.9], [0.0] * 9 + [0.4]])
def test_the_bounded_interval_agrees_with_the_restricted_likelihood_maximised_numerically(values: list[float]) -> None:
    interval = bounded_mean_interval(values, minimum=-1, maximum=1)
    for bound in (interval.low, interval.high):
        assert abs(graded_score_statistic(values, bound, -1, 1)) == pytest.approx(1.959964, abs=2e-3)
    middle = (interval.low + interval.high) / 2
    assert abs(graded_score_statistic(values, middle, -1, 1)) < 1.9


def test_with_many_values_the_bounded_interval_is_the_t_interval() -> None:
    values = [float(value) for value in np.random.default_rng(3).beta(2, 3, 5000)]
    interval, t = bounded_mean_interval(values, minimum=0, maximum=1), student_t_interval(values)
    assert (interval.low, interval.high) == pytest.approx((t.low, t.high), abs=2e-4)


def test_a_few_differing_items_give_a_wider_interval_than_t_says() -> None:
    """57 of 60 differences are 0. The t interval all but excludes what 60 items cannot exclude."""
    values = [0.0] * 57 + [0.5, 0.6, 0.7]
    interval, t = bounded_mean_interval(values, minimum=-1, maximum=1), student_t_interval(values)
    assert interval.low < t.low - 0.02
    assert interval.high > t.high


@given(st.lists(st.floats(-1, 1).map(lambda value: round(value, 3)), min_size=1, max_size=30))
@settings(max_examples=80, deadline=None)
def test_the_bounded_interval_holds_the_mean_stays_inside_and_mirrors(values: list[float]) -> None:
    interval = bounded_mean_interval(values, minimum=-1, maximum=1)
    mirrored = bounded_mean_interval([-value for value in values], minimum=-1, maximum=1)
    wider = bounded_mean_interval(values, minimum=-1, maximum=1, confidence=0.99)
    assert -1 <= interval.low <= np.mean(values) + 1e-12
    assert np.mean(values) - 1e-12 <= interval.high <= 1
    assert interval.high - interval.low > 0
    assert (mirrored.low, mirrored.high) == pytest.approx((-interval.high, -interval.low), abs=1e-9)
    assert wider.low <= interval.low + 1e-12
    assert wider.high >= interval.high - 1e-12


def test_the_bounded_interval_scales_with_its_range() -> None:
    one, four = [0.0, 0.25, 0.5, 1.0], [1.0, 2.0, 3.0, 5.0]
    interval, scaled = (
        bounded_mean_interval(one, minimum=0, maximum=1),
        bounded_mean_interval(four, minimum=1, maximum=5),
    )
    assert (scaled.low, scaled.high) == pytest.approx((1 + 4 * interval.low, 1 + 4 * interval.high))


def test_clusters_widen_the_bounded_interval_and_singletons_change_nothing() -> None:
    values, alone = [1.0, 1.0, 0.0, 0.0, 0.5, 0.5] * 6, range(36)
    plain = bounded_mean_interval(values, minimum=0, maximum=1)
    grouped = bounded_mean_interval(values, minimum=0, maximum=1, clusters=[index // 2 for index in alone])
    assert bounded_mean_interval(values, minimum=0, maximum=1, clusters=alone) == plain
    assert grouped.low < plain.low < plain.high < grouped.high


def test_the_graded_rule_covers_where_the_t_interval_does_not() -> None:
    """3 % of 50 items differ, by 0.5 to 1; seeded. The study in tests/benchmarks has more."""
    generator = np.random.default_rng(12)
    held, t_held = 0, 0
    for _ in range(300):
        values = [float(v) for v in (generator.random(50) < 0.03) * generator.uniform(0.5, 1, 50)]
        interval = bounded_mean_interval(values, minimum=-1, maximum=1)
        held += interval.low <= 0.0225 <= interval.high
        if len(set(values)) > 1:
            t = student_t_interval(values)
            t_held += t.low <= 0.0225 <= t.high
    assert held >= 0.95 * 300
    assert t_held < 0.85 * 300


@pytest.mark.parametrize(
    ("values", "minimum", "maximum", "said"),
    [
        ([], 0, 1, "too few"),
        ([math.nan], 0, 1, "finite"),
        ([1.2], 0, 1, "allowed: 0 to 1"),
        ([0.5], 1, 0, "bounds"),
        ([0.5], 0, math.inf, "bounds"),
    ],
)
def test_the_bounded_interval_refuses_what_has_none(values: list[float], minimum, maximum, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        bounded_mean_interval(values, minimum=minimum, maximum=maximum)
