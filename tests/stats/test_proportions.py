import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.proportions import clopper_pearson_interval, modified_wilson_interval, wilson_interval


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


def test_clopper_pearson_of_none_of_n_is_worked_by_hand() -> None:
    """(1 - p)^20 = 0.025 at p = 0.16843, the published upper limit for 0 of 20."""
    interval = clopper_pearson_interval(0, 20)
    assert (interval.low, interval.high) == (0, pytest.approx(1 - 0.025 ** (1 / 20)))
    assert interval.high == pytest.approx(0.16843, abs=5e-6)
    assert clopper_pearson_interval(20, 20).high == 1


def test_clopper_pearson_gives_newcombes_published_values() -> None:
    """Newcombe (1998), Statistics in Medicine 17:857, table I, method 5."""
    for (successes, trials), published in {(81, 263): (0.2527, 0.3676), (15, 148): (0.0578, 0.1617)}.items():
        interval = clopper_pearson_interval(successes, trials)
        assert (interval.low, interval.high) == pytest.approx(published, abs=5e-5)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(max_examples=50, deadline=None)
def test_clopper_pearson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    interval, oracle = clopper_pearson_interval(*counts), stats.binomtest(*counts).proportion_ci(0.95, "exact")
    assert (interval.low, interval.high) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_the_other_intervals_refuse_such_counts_too(successes: int, trials: int) -> None:
    for method in (clopper_pearson_interval, modified_wilson_interval):
        with pytest.raises(ValueError, match=r"trials|successes"):
            method(successes, trials)


def test_the_modified_interval_is_worked_by_hand_for_one_success() -> None:
    """Poisson: 1 - exp(-mean) = 0.05 at mean 0.051293, so the lower bound of 1 of 29 is 0.0017687; the rest stays."""
    modified, plain = modified_wilson_interval(1, 29), wilson_interval(1, 29)
    assert modified.low == pytest.approx(0.051293 / 29, abs=1e-7)
    assert modified.high == plain.high
    mirrored = modified_wilson_interval(28, 29)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - modified.high, 1 - modified.low))


@given(st.integers(8, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(max_examples=50, deadline=None)
def test_the_modified_interval_holds_wilsons_and_differs_only_near_the_ends(counts: tuple[int, int]) -> None:
    modified, plain = modified_wilson_interval(*counts), wilson_interval(*counts)
    assert 0 <= modified.low <= plain.low < plain.high <= modified.high <= 1
    near = min(counts[0], counts[1] - counts[0]) in (1, 2, 3)
    assert (modified == plain) != near


@pytest.mark.parametrize("n", [50, 100])
def test_the_intervals_cover_as_promised_by_enumeration(n: int) -> None:
    grid = np.arange(1, 400) / 400
    chances = stats.binom.pmf(np.arange(n + 1), n, grid[:, None])

    def coverage(method) -> np.ndarray:
        found = [method(successes, n) for successes in range(n + 1)]
        low, high = np.array([one.low for one in found]), np.array([one.high for one in found])
        return (chances * ((low <= grid[:, None]) & (grid[:, None] <= high))).sum(axis=1)

    assert 0.94 < coverage(wilson_interval).mean() < 0.96
    assert 0.94 < coverage(modified_wilson_interval).mean() < 0.96
    assert coverage(modified_wilson_interval).min() > 0.92 > coverage(wilson_interval).min()
    assert coverage(clopper_pearson_interval).min() >= 0.95
