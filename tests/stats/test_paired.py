import itertools
import math
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

import harness.stats
from harness.stats.clusters import clustered_mean_interval
from harness.stats.paired import (
    clustered_difference_interval,
    clustered_sign_flip_p,
    mcnemar_midp,
    paired_t,
    sign_flip_p,
    tango_interval,
    tango_score,
)

counts = st.integers(1, 80).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda b: st.tuples(st.just(b), st.integers(0, n - b), st.just(n)))
)
# Student (1908): hours of sleep gained under two drugs, by patient.
SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]


def score_statistic(b: int, c: int, n: int, delta: float) -> float:
    """Tango's statistic with the restricted likelihood maximised numerically, not by his formula."""

    def negative_log_likelihood(share: float) -> float:
        cells = ((b, share + delta), (c, share), (n - b - c, 1 - 2 * share - delta))
        return -sum(count * math.log(max(cell, 1e-300)) for count, cell in cells if count)

    lowest, highest = max(0.0, -delta), (1 - delta) / 2
    share = optimize.minimize_scalar(
        negative_log_likelihood, bounds=(lowest, highest), method="bounded", options={"xatol": 1e-12}
    ).x
    return (b - c - n * delta) / math.sqrt(n * max(2 * share + delta - delta**2, 1e-12))


def test_tango_gives_the_worked_example_of_his_paper() -> None:
    """Tango (1998), section 6.1, soft contact lenses: b = 0, c = 1, n = 44, lower 90% limit -0.096."""
    assert tango_interval(0, 1, 44, confidence=0.9).low == pytest.approx(-0.096, abs=5e-4)


@pytest.mark.parametrize(
    ("b", "c", "n", "confidence", "low", "high"),
    [
        # Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables, chapter 8 (Cavo et al., 2012).
        (6, 16, 161, 0.95, -0.1240, -0.0054),
        # R, PropCIs::scoreci.mp(25, 28, 618, conf.level = 0.9), which takes the counts the other way round.
        (28, 25, 618, 0.90, -0.0148, 0.0247),
    ],
)
def test_tango_gives_published_intervals(b: int, c: int, n: int, confidence: float, low: float, high: float) -> None:
    interval = tango_interval(b, c, n, confidence=confidence)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_tango_without_discordant_pairs_is_worked_by_hand() -> None:
    """-/+ z^2 / (n + z^2): 3.8415 / 53.8415 at n = 50."""
    interval = tango_interval(0, 0, 50)
    assert (interval.low, interval.high) == pytest.approx((-0.071347, 0.071347), abs=1e-6)


def test_tango_with_all_pairs_discordant_one_way_is_worked_by_hand() -> None:
    """(n - z^2) / (n + z^2): 46.1585 / 53.8415 at n = 50, and -0.5869 for a single pair."""
    assert tango_interval(50, 0, 50).low == pytest.approx(0.857305, abs=1e-6)
    assert tango_interval(50, 0, 50).high == 1
    assert tango_interval(0, 50, 50).low == -1
    assert tango_interval(1, 0, 1).low == pytest.approx(-0.586901, abs=1e-6)


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_tango_agrees_with_the_score_test_inverted_on_a_grid(n: int) -> None:
    grid = np.linspace(-0.9995, 0.9995, 400)
    for b, c in itertools.product(range(n + 1), repeat=2):
        if b + c > n:
            continue
        interval = tango_interval(b, c, n)
        away = [delta for delta in grid if min(abs(delta - interval.low), abs(delta - interval.high)) > 1e-3]
        for delta in away[:: 1 if n < 5 else 9]:
            kept = abs(score_statistic(b, c, n, float(delta))) <= 1.959964
            assert kept == (interval.low <= delta <= interval.high), (b, c, n, delta)


def test_tango_covers_as_it_should_by_full_enumeration() -> None:
    """Exact coverage over all tables of 25 pairs: about 95% on average, nowhere far below."""
    n = 25
    tables = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
    intervals = {table: tango_interval(*table, n) for table in tables}
    b, c = np.array(tables).T
    low = np.array([intervals[table].low for table in tables])
    high = np.array([intervals[table].high for table in tables])
    coverages: list[float] = []
    for favour, against in [
        (0.02, 0.02),
        (0.05, 0.05),
        (0.1, 0.1),
        (0.25, 0.25),
        (0.1, 0.02),
        (0.2, 0.05),
        (0.5, 0.1),
        (0.3, 0.0),
    ]:
        share = stats.multinomial.pmf(np.stack([b, c, n - b - c], axis=1), n, [favour, against, 1 - favour - against])
        delta = favour - against
        coverages.append(float(share[(low <= delta) & (delta <= high)].sum()))
    assert min(coverages) > 0.925
    assert 0.94 < float(np.mean(coverages)) < 0.985


@given(counts)
@settings(max_examples=60, deadline=None)
def test_swapping_the_systems_mirrors_tangos_interval(table: tuple[int, int, int]) -> None:
    b, c, n = table
    interval, swapped = tango_interval(b, c, n), tango_interval(c, b, n)
    assert (interval.low, interval.high) == pytest.approx((-swapped.high, -swapped.low), abs=1e-9)


@given(counts)
@settings(max_examples=60, deadline=None)
def test_tango_holds_the_difference_and_has_width_and_shrinks_with_n(table: tuple[int, int, int]) -> None:
    b, c, n = table
    interval, larger = tango_interval(b, c, n), tango_interval(4 * b, 4 * c, 4 * n)
    assert -1 <= interval.low <= (b - c) / n <= interval.high <= 1
    assert interval.high - interval.low > larger.high - larger.low > 0


def test_tango_stays_exact_with_many_pairs() -> None:
    """For 100,000 pairs it is the normal interval: 0.01 -/+ 1.96 * sqrt(0.05 - 0.0001) / sqrt(100000)."""
    interval = tango_interval(3000, 2000, 100_000)
    margin = 1.959964 * math.sqrt((0.05 - 0.0001) / 100_000)
    assert (interval.low, interval.high) == pytest.approx((0.01 - margin, 0.01 + margin), abs=1e-5)


@pytest.mark.parametrize(("b", "c", "n"), [(0, 0, 0), (-1, 0, 5), (3, 3, 5)])
def test_tango_refuses_counts_that_contradict_each_other(b: int, c: int, n: int) -> None:
    with pytest.raises(ValueError, match="n is"):
        tango_interval(b, c, n)


@pytest.mark.parametrize("delta", [-0.3, -0.05, 0.0, 0.1, 0.5])
def test_tangos_statistic_decides_as_his_interval_does_for_every_table(delta: float) -> None:
    n = 15
    for b, c in itertools.product(range(n + 1), repeat=2):
        if b + c > n:
            continue
        score, interval = float(tango_score(np.array(float(b)), np.array(float(c)), n, delta)), tango_interval(b, c, n)
        assert (score > 1.959964) == (interval.low > delta), (b, c)
        assert (score < -1.959964) == (interval.high < delta), (b, c)


def test_tangos_statistic_for_no_difference_is_mcnemars_z() -> None:
    b, c = np.array([0.0, 9.0, 3.0]), np.array([0.0, 3.0, 9.0])
    assert tango_score(b, c, 40, 0.0).tolist() == pytest.approx([0, 6 / math.sqrt(12), -6 / math.sqrt(12)])


@pytest.mark.parametrize(("b", "c", "published"), [(1, 7, 0.0391), (6, 16, 0.034690)])
def test_the_midp_test_gives_published_values(b: int, c: int, published: float) -> None:
    """Fagerland et al. (2013): Bentur et al. 2009 (1, 7), Cavo et al. 2012 (6, 16)."""
    assert mcnemar_midp(b, c) == pytest.approx(published, abs=5e-5 if b == 1 else 5e-7)


def test_the_midp_test_is_worked_by_hand() -> None:
    assert mcnemar_midp(0, 5) == pytest.approx(2 / 32 - 1 / 32)
    assert mcnemar_midp(1, 1) == pytest.approx(1 - 0.5 * 0.5)
    assert mcnemar_midp(0, 0) == 1


@given(st.integers(0, 60), st.integers(0, 60))
@settings(deadline=None)
def test_the_midp_test_is_the_exact_test_less_half_of_what_was_as_extreme(b: int, c: int) -> None:
    if b + c == 0:
        return
    exact = stats.binomtest(b, b + c).pvalue
    equally = stats.binom.pmf(b, b + c, 0.5) * (1 if b == c else 2)
    assert mcnemar_midp(b, c) == pytest.approx(exact - equally / 2)
    assert mcnemar_midp(b, c) == pytest.approx(mcnemar_midp(c, b))
    assert 0 < mcnemar_midp(b, c) <= 1


def test_the_midp_test_refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar_midp(-1, 2)


def test_the_paired_t_test_gives_the_published_p_of_students_sleep_data() -> None:
    """t = 4.0621 with 9 degrees of freedom, p = 0.002833, as R prints it."""
    assert paired_t(SLEEP) == pytest.approx(0.002833, abs=5e-7)


def test_the_paired_t_test_without_variation_is_defined_or_refused() -> None:
    assert paired_t([0.0, 0.0]) == 1
    with pytest.raises(ValueError, match="infinite"):
        paired_t([1.0, 1.0])
    with pytest.raises(ValueError, match="too few"):
        paired_t([1.0])


def test_sign_flips_are_worked_by_hand() -> None:
    """1 + 2 + 3: of the 8 flips only +++ and --- reach 6. With 1, 1, -1: 6 of 8 reach 1, and 2 more reach 3."""
    assert sign_flip_p([1, 2, 3]) == pytest.approx(2 / 8)
    assert sign_flip_p([1, 1, -1]) == 1
    assert sign_flip_p([0.5]) == 1
    assert sign_flip_p([0, 0]) == 1
    assert sign_flip_p([0, 1, 2, 3, 0]) == pytest.approx(2 / 8), "ties add nothing"


def test_sign_flips_reproduce_fishers_analysis_of_darwins_maize() -> None:
    """Fisher (1935), section 21: 835 + 28 of 32768 flips are more extreme and as extreme, on one side."""
    maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert sign_flip_p(maize) == pytest.approx(2 * 863 / 32768)


def test_exact_sign_flips_agree_with_scipy() -> None:
    oracle = stats.permutation_test((np.array(SLEEP),), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(SLEEP) == pytest.approx(oracle.pvalue)


def test_random_sign_flips_come_near_the_exact_binomial_answer() -> None:
    """40 differences of one size are a sign test: 13 against 27."""
    differences = [1.0] * 27 + [-1.0] * 13
    assert sign_flip_p(differences) == pytest.approx(stats.binomtest(13, 40).pvalue, abs=0.006)
    assert sign_flip_p(differences, seed=5) == sign_flip_p(differences, seed=5)


@pytest.mark.parametrize("n", [24, 61, 203, 1600])
def test_random_sign_flips_of_unequal_differences_come_near_scipys(n: int) -> None:
    """Both are random: 0.03 is over four standard errors of their difference at most."""
    draw = np.random.default_rng(n)
    differences = draw.exponential(size=n) - 1 + 0.9 / math.sqrt(n)
    oracle = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=9999, batch=500, rng=draw
    )
    assert 0.01 < oracle.pvalue < 0.99
    assert sign_flip_p(differences.tolist()) == pytest.approx(oracle.pvalue, abs=0.03)


def test_random_sign_flips_never_give_zero() -> None:
    assert sign_flip_p([1.0 + i / 100 for i in range(60)]) == pytest.approx(1 / 10_000)


@given(st.lists(st.integers(-8, 8), min_size=1, max_size=10))
@settings(max_examples=50, deadline=None)
def test_sign_flips_do_not_care_which_system_comes_first_nor_about_scale(differences: list[int]) -> None:
    p_value = sign_flip_p(differences)
    assert 0 < p_value <= 1
    assert sign_flip_p([-difference for difference in differences]) == p_value
    assert sign_flip_p([difference * 0.1 for difference in differences]) == pytest.approx(p_value)


@pytest.mark.parametrize("differences", [[], [math.nan], [math.inf, 1.0]])
def test_sign_flips_refuse_what_is_no_sample(differences: list[float]) -> None:
    with pytest.raises(ValueError, match=r"too few|finite"):
        sign_flip_p(differences)


def test_flipping_whole_clusters_is_worked_by_hand() -> None:
    """Clusters sum to 2, 1 and 1: of 8 flips two reach 4. Flipped one by one, four items would give 2 / 16."""
    assert clustered_sign_flip_p([1, 1, 1, 1], "aabc") == pytest.approx(2 / 8)
    assert clustered_sign_flip_p([1, 1, 1, 1], "abcd") == sign_flip_p([1, 1, 1, 1]) == pytest.approx(2 / 16)
    assert clustered_sign_flip_p([0.3, -0.3, 1, -1], "aabb") == 1


def test_a_clustered_difference_has_the_clustered_interval_of_the_differences() -> None:
    differences, clusters = [1.0, 0.0, -1.0, 1.0, 1.0], "aabbc"
    expected = clustered_mean_interval(differences, clusters, confidence=0.9)
    assert clustered_difference_interval(differences, clusters, confidence=0.9) == expected


def test_importing_the_statistics_loads_no_heavy_library() -> None:
    """Every module of the layer; the names are read from its folder."""
    names = [module.name for module in pkgutil.iter_modules(harness.stats.__path__, "harness.stats.")]
    assert len(names) >= 15
    heavy = "{'scipy', 'statsmodels', 'krippendorff', 'choix', 'pandas', 'torch'}"
    script = f"import sys, {', '.join(names)}; print({heavy} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
