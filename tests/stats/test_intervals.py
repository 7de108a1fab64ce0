import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.intervals import (
    bca_interval,
    cluster_sums,
    clustered_mean_interval,
    clustered_standard_error,
    prefers_bootstrap,
    student_t_interval,
    two_sided_z,
    unvarying_interval,
    wilson_interval,
)

SLEEP = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
numbers = st.floats(-100, 100).map(lambda value: round(value, 3))


def test_wilson_gives_newcombes_published_values() -> None:
    """Newcombe (1998), Statistics in Medicine 17:857, table I, method 3."""
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (successes, trials), (low, high) in published.items():
        interval = wilson_interval(successes, trials)
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_none_of_n_reaches_from_zero_to_z2_over_n_plus_z2() -> None:
    interval = wilson_interval(0, 10)
    assert interval.low == 0
    assert interval.high == pytest.approx(3.841459 / 13.841459, abs=1e-6)
    assert wilson_interval(10, 10).high == 1


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(max_examples=50, deadline=None)
def test_wilson_agrees_with_scipy_and_holds_the_proportion(counts: tuple[int, int]) -> None:
    successes, trials = counts
    interval = wilson_interval(successes, trials, confidence=0.9)
    oracle = stats.binomtest(successes, trials).proportion_ci(0.9, method="wilson")
    assert (interval.low, interval.high) == pytest.approx((oracle.low, oracle.high), abs=1e-9)
    assert 0 <= interval.low <= successes / trials <= interval.high <= 1
    assert interval.high > interval.low


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_counts_that_contradict_each_other(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match=r"trials|successes"):
        wilson_interval(successes, trials)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, -0.5, math.nan])
def test_a_confidence_outside_zero_and_one_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        wilson_interval(1, 2, confidence=confidence)
    with pytest.raises(ValueError, match="confidence"):
        student_t_interval([1, 2], confidence=confidence)
    with pytest.raises(ValueError, match="confidence"):
        two_sided_z(confidence)


def test_student_t_gives_the_published_interval_of_students_sleep_data() -> None:
    """Student (1908), hours of sleep gained: mean 0.75, 95% interval -0.53 to 2.03 as R prints it for group 1."""
    interval = student_t_interval(SLEEP)
    assert (interval.low, interval.high) == pytest.approx((-0.5297804, 2.0297804), abs=1e-6)


def test_student_t_of_two_values_is_worked_by_hand() -> None:
    """Mean 1, standard error 1, t with one degree of freedom 12.7062."""
    interval = student_t_interval([0.0, 2.0])
    assert (interval.low, interval.high) == pytest.approx((1 - 12.7062, 1 + 12.7062), abs=1e-4)


@pytest.mark.parametrize("values", [[], [1.0], [0.1] * 10, [1.0, math.inf], [1.0, math.nan]])
def test_student_t_refuses_what_has_no_interval(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"too few|variation|finite"):
        student_t_interval(values)


@given(st.lists(numbers, min_size=2, max_size=40).filter(lambda values: len(set(values)) > 1))
@settings(max_examples=50, deadline=None)
def test_student_t_agrees_with_scipy_and_one_cluster_per_value_changes_nothing(values: list[float]) -> None:
    interval = student_t_interval(values, confidence=0.9)
    oracle = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (interval.low, interval.high) == pytest.approx((oracle.low, oracle.high), rel=1e-9, abs=1e-9)
    assert clustered_mean_interval(values, range(len(values)), confidence=0.9) == interval


def test_a_t_interval_shrinks_with_n() -> None:
    short, long = student_t_interval([0.0, 1.0] * 10), student_t_interval([0.0, 1.0] * 40)
    assert (long.high - long.low) == pytest.approx((short.high - short.low) / 2, rel=0.08)


def test_the_bootstrap_is_preferred_for_skewed_samples_that_are_not_tiny() -> None:
    skewed = [0.0] * 27 + [1.0] * 3
    assert prefers_bootstrap(skewed)
    assert not prefers_bootstrap(skewed[-19:]), "under 20 values the t interval is the safer"
    assert not prefers_bootstrap([float(value) for value in range(30)]), "symmetric"
    assert not prefers_bootstrap([0.5] * 30), "no variation"


def test_the_rule_for_the_bootstrap_is_cochrans() -> None:
    """Zeros and ones with a share p of ones have skewness (1 - 2p) / sqrt(p (1 - p)): 1.5 at p = 0.2, so n < 56.25."""
    assert prefers_bootstrap([1.0] * 11 + [0.0] * 44)
    assert not prefers_bootstrap([1.0] * 12 + [0.0] * 48)


def test_bca_reaches_further_on_the_side_of_the_long_tail() -> None:
    values = [float(value) for value in np.random.default_rng(5).lognormal(0, 1, 40)]
    interval, mean = bca_interval(values), float(np.mean(values))
    assert interval.low < mean < interval.high
    assert interval.high - mean > 1.2 * (mean - interval.low)


def test_bca_agrees_with_the_formula_of_efron_worked_out_here() -> None:
    values = np.array([0.0] * 25 + [0.2, 0.3, 0.5, 0.9, 1.0])
    draws = np.random.default_rng(99).choice(values, size=(200_000, len(values))).mean(axis=1)
    mean = values.mean()
    z0 = stats.norm.ppf((np.mean(draws < mean) + np.mean(draws <= mean)) / 2)
    left_out = (values.sum() - values) / (len(values) - 1)
    deviations = left_out.mean() - left_out
    acceleration = (deviations**3).sum() / (6 * ((deviations**2).sum()) ** 1.5)
    limits = [
        float(np.quantile(draws, stats.norm.cdf(z0 + (z0 + z) / (1 - acceleration * (z0 + z)))))
        for z in (-1.959964, 1.959964)
    ]
    interval = bca_interval([float(value) for value in values])
    assert (interval.low, interval.high) == pytest.approx(limits, abs=0.012)


def test_bca_is_the_same_for_the_same_seed_and_moves_little_with_another() -> None:
    values = [0.0] * 25 + [0.2, 0.3, 0.5, 0.9, 1.0]
    assert bca_interval(values, seed=3) == bca_interval(values, seed=3)
    first, second = bca_interval(values, seed=3), bca_interval(values, seed=4)
    assert (first.low, first.high) == pytest.approx((second.low, second.high), abs=0.01)


@pytest.mark.parametrize("values", [[], [1.0], [0.1] * 30])
def test_bca_refuses_what_has_no_interval(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"too few|variation"):
        bca_interval(values)


def test_the_clustered_standard_error_is_worked_by_hand() -> None:
    """Two clusters of two, (0, 0) and (1, 1): residual sums -1 and 1, so sqrt(2 / 1 * 2) / 4 = 0.5."""
    assert clustered_standard_error([0, 0, 1, 1], ["a", "a", "b", "b"]) == pytest.approx(0.5)
    interval = clustered_mean_interval([0, 0, 1, 1], ["a", "a", "b", "b"])
    assert (interval.low, interval.high) == pytest.approx((0.5 - 6.3531, 0.5 + 6.3531), abs=1e-4)


def test_the_clustered_interval_agrees_with_statsmodels() -> None:
    generator = np.random.default_rng(8)
    clusters = generator.integers(0, 25, 120)
    values = generator.normal(size=120) + generator.normal(size=25)[clusters]
    fit = sm.OLS(values, np.ones(120)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    interval = clustered_mean_interval([float(value) for value in values], [int(cluster) for cluster in clusters])
    assert (interval.low, interval.high) == pytest.approx(tuple(fit.conf_int()[0]), rel=1e-9)


def test_items_that_repeat_within_clusters_add_no_evidence() -> None:
    once = clustered_mean_interval([0.0, 1.0, 3.0], "abc")
    twice = clustered_mean_interval([0.0, 0.0, 1.0, 1.0, 3.0, 3.0], "aabbcc")
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))


@pytest.mark.parametrize(
    ("values", "clusters", "said"),
    [
        ([0, 1], "aa", "1 cluster"),
        ([0, 1, 0, 1], "aabb", "variation"),
        ([0, 1], "abc", "labels"),
        ([1], "a", "too few"),
    ],
)
def test_the_clustered_interval_refuses_what_has_none(values: list[float], clusters: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        clustered_mean_interval(values, clusters)


def test_cluster_sums_keep_the_order_of_appearance() -> None:
    assert cluster_sums([1, 2, 3, 4], ["x", "y", "x", "z"]) == [4, 2, 4]


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
