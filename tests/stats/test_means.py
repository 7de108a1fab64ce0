import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.clusters import clustered_mean_interval
from harness.stats.means import bca_interval, is_skewed, skew_t_interval, student_t_interval

SLEEP = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
numbers = st.floats(-100, 100).map(lambda value: round(value, 3))


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


def test_the_rule_for_skewed_samples_is_cochrans() -> None:
    """Zeros and ones with a share p of ones have skewness (1 - 2p) / sqrt(p (1 - p)): 1.5 at p = 0.2, so n < 56.25."""
    assert is_skewed([1.0] * 11 + [0.0] * 44)
    assert not is_skewed([1.0] * 12 + [0.0] * 48)
    assert not is_skewed([float(value) for value in range(30)]), "symmetric"
    assert not is_skewed([0.5] * 30), "no variation"
    assert not is_skewed([0.5])


def test_the_skewness_correction_is_worked_by_hand() -> None:
    """0 0 0 4: mean 1, standard error 1, skewness (24 / 4) / 3^1.5 = 1.1547, a third of it 0.3849; t is 3.18245.

    Upper: 2 (1 - cbrt(1 + 1.1547 (-1.591225 - 0.048113))) / 0.3849; cbrt(-0.892943) = -0.962959, so 1 + 10.2.
    """
    interval = skew_t_interval([0.0, 0.0, 0.0, 4.0])
    third = 2 / math.sqrt(3) / 3
    upper = 1 + 2 * (1 + 0.962959) / third
    lower = 1 - 2 * (np.cbrt(1 + 3 * third * (3.182446 / 2 - third / 8)) - 1) / third
    assert (interval.low, interval.high) == pytest.approx((lower, upper), abs=1e-4)


def test_without_skewness_the_correction_is_the_t_interval() -> None:
    values = [-3.0, -1.0, 0.0, 1.0, 3.0]
    assert skew_t_interval(values) == student_t_interval(values)
    nearly = [float(value) for value in np.random.default_rng(3).normal(size=4000)]
    corrected, plain = skew_t_interval(nearly), student_t_interval(nearly)
    assert (corrected.low, corrected.high) == pytest.approx((plain.low, plain.high), abs=2e-4)


@given(st.lists(numbers, min_size=2, max_size=40).filter(lambda values: len(set(values)) > 1))
@settings(max_examples=50, deadline=None)
def test_the_correction_mirrors_scales_and_holds_the_mean(values: list[float]) -> None:
    interval, mirrored = skew_t_interval(values), skew_t_interval([-value for value in values])
    assert (mirrored.low, mirrored.high) == pytest.approx((-interval.high, -interval.low), rel=1e-6, abs=1e-6)
    doubled = skew_t_interval([2 * value for value in values])
    assert (doubled.low, doubled.high) == pytest.approx((2 * interval.low, 2 * interval.high), rel=1e-6, abs=1e-6)
    assert interval.low <= np.mean(values) <= interval.high


def test_the_correction_covers_a_long_tail_better_than_t() -> None:
    """400 seeded samples of 50 from lognormal(0, 1), whose mean is exp(1/2)."""
    generator, mean, held, plainly = np.random.default_rng(11), math.exp(0.5), 0, 0
    for _ in range(400):
        sample = generator.lognormal(0, 1, 50).tolist()
        corrected, plain = skew_t_interval(sample), student_t_interval(sample)
        held += corrected.low <= mean <= corrected.high
        plainly += plain.low <= mean <= plain.high
    assert held >= 0.91 * 400
    assert held > plainly


@pytest.mark.parametrize("values", [[], [1.0], [0.1] * 30, [1.0, math.nan]])
def test_the_correction_refuses_what_has_no_interval(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"too few|variation|finite"):
        skew_t_interval(values)


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
