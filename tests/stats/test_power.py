import itertools
import math

import numpy as np
import pytest
from scipy import stats

from harness.stats.claims import equivalence, noninferiority, superiority
from harness.stats.paired import tango_interval
from harness.stats.power import (
    equivalence_power,
    paired_mean_power,
    paired_proportions_power,
    preference_power,
    smallest_detectable_difference_binary,
    smallest_detectable_mean,
    smallest_detectable_win_rate,
    threshold_power,
)
from harness.stats.preference import win_rate_interval
from harness.stats.proportions import wilson_interval


def added_up(n: int, difference: float, discordance: float, passes) -> float:
    """The probability of every table whose interval passes, one by one."""
    favour, against = (discordance + difference) / 2, (discordance - difference) / 2
    total = 0.0
    for b, c in itertools.product(range(n + 1), repeat=2):
        if b + c <= n and passes(*tango(b, c, n)):
            total += stats.multinomial.pmf([b, c, n - b - c], n, [favour, against, max(0.0, 1 - favour - against)])
    return total


def tango(b: int, c: int, n: int) -> tuple[float, float]:
    interval = tango_interval(b, c, n)
    return interval.low, interval.high


@pytest.mark.parametrize(("difference", "discordance"), [(0.3, 0.4), (0.0, 0.3), (0.2, 0.2), (-0.1, 0.5), (0.6, 1.0)])
def test_pass_fail_power_is_the_sum_over_tables_that_pass(difference: float, discordance: float) -> None:
    n = 14

    def superior(low: float, high: float) -> bool:
        return superiority(low, high, by=0.05) == "pass"

    def inferior(low: float, high: float) -> bool:
        return noninferiority(low, high, margin=0.2) == "pass"

    def equal(low: float, high: float) -> bool:
        return equivalence(low, high, margin=0.35) == "pass"

    assert paired_proportions_power(n, difference, discordance, by=0.05) == pytest.approx(
        added_up(n, difference, discordance, superior), abs=1e-8
    )
    assert paired_proportions_power(n, difference, discordance, margin=0.2) == pytest.approx(
        added_up(n, difference, discordance, inferior), abs=1e-8
    )
    assert equivalence_power(n, difference, discordance, margin=0.35) == pytest.approx(
        added_up(n, difference, discordance, equal), abs=1e-8
    )


def test_pass_fail_power_is_worked_by_hand() -> None:
    """All pairs discordant: 6 pairs pass with 6 wins only (z = 6 / sqrt 6 = 2.449; with 5 wins 4 / sqrt 6 = 1.633)."""
    assert paired_proportions_power(6, 0.0, 1.0) == pytest.approx(0.5**6)
    assert paired_proportions_power(6, 0.8, 1.0) == pytest.approx(0.9**6)
    assert paired_proportions_power(50, 0.0, 0.0) == 0, "without discordance nothing is superior"
    assert paired_proportions_power(50, 0.0, 0.0, margin=0.08) == 1, "0 of 50 excludes a loss of 3.84 / 53.84"
    assert paired_proportions_power(50, 0.0, 0.0, margin=0.07) == 0


def test_power_grows_with_the_difference_and_large_n_is_no_trouble() -> None:
    powers = [paired_proportions_power(50, difference, 0.3) for difference in (0.0, 0.1, 0.2, 0.3)]
    assert powers == sorted(powers)
    assert powers[0] < 0.03
    assert powers[-1] > 0.95
    z = (0.01 - 1.959964 * math.sqrt(0.1 / 20_000)) / math.sqrt((0.1 - 0.01**2) / 20_000)
    assert paired_proportions_power(20_000, 0.01, 0.1) == pytest.approx(stats.norm.cdf(z), abs=2e-3)


@pytest.mark.parametrize(
    ("n", "difference", "discordance"), [(0, 0.0, 0.1), (10, 0.2, 0.1), (10, 0.0, 1.1), (10, -0.2, 0.1)]
)
def test_power_refuses_what_cannot_be(n: int, difference: float, discordance: float) -> None:
    with pytest.raises(ValueError, match=r"n is|difference is"):
        paired_proportions_power(n, difference, discordance)


def test_fifty_items_see_nothing_under_about_sixteen_to_twenty_points() -> None:
    at_20, at_30 = (smallest_detectable_difference_binary(50, discordance) for discordance in (0.2, 0.3))
    assert (at_20, at_30) == (pytest.approx(0.163, abs=1e-3), pytest.approx(0.205, abs=1e-3))
    assert at_20 is not None
    assert paired_proportions_power(50, at_20, 0.2) == pytest.approx(0.8, abs=1e-9)


def test_where_even_winning_every_disagreement_is_not_seen_there_is_no_smallest_difference() -> None:
    assert smallest_detectable_difference_binary(50, 0.05) is None
    assert smallest_detectable_difference_binary(50, 0.05, by=0.1) is None


@pytest.mark.parametrize("power", [0.0, 1.0, 80.0])
def test_a_power_outside_zero_and_one_is_refused(power: float) -> None:
    for ask in (smallest_detectable_difference_binary, smallest_detectable_mean):
        with pytest.raises(ValueError, match="power is"):
            ask(50, 0.3, power)


def test_the_power_of_a_threshold_is_the_sum_over_counts_that_pass() -> None:
    chances = stats.binom.pmf(np.arange(61), 60, 0.95)
    expected = sum(chances[x] for x in range(61) if wilson_interval(x, 60).low >= 0.85)
    assert threshold_power(60, 0.95, at_least=0.85) == pytest.approx(expected)
    with pytest.raises(ValueError, match="at_least 1"):
        threshold_power(60, 0.95, at_least=1)


def test_the_power_of_a_mean_is_that_of_the_noncentral_t() -> None:
    critical = stats.t.ppf(0.975, 49)
    expected = stats.nct.sf(critical, 49, 0.4 * math.sqrt(50))
    assert paired_mean_power(50, 0.4, 1.0) == pytest.approx(expected, abs=1e-9)
    assert paired_mean_power(50, 0.1, 1.0, margin=0.3) == pytest.approx(expected, abs=1e-9)
    assert paired_mean_power(50, 0.5, 1.0, by=0.1) == pytest.approx(expected, abs=1e-9)
    for n, sd in ((1, 1.0), (50, 0.0)):
        with pytest.raises(ValueError, match="allowed"):
            paired_mean_power(n, 0.1, sd)


def test_fifty_items_see_nothing_under_about_four_tenths_of_a_rubric_point() -> None:
    """At 0.404 standard deviations the noncentral t puts 80 % beyond its critical value 2.0096."""
    assert smallest_detectable_mean(50, 1.0) == pytest.approx(0.4042, abs=5e-4)
    assert stats.nct.sf(stats.t.ppf(0.975, 49), 49, 0.4042 * math.sqrt(50)) == pytest.approx(0.8, abs=5e-4)
    assert smallest_detectable_mean(50, 2.0) == pytest.approx(2 * smallest_detectable_mean(50, 1.0))


def test_a_bounded_mean_is_seen_only_beyond_what_unseen_items_could_undo() -> None:
    """z^2 / 50 of 4 is 0.3073; with hardly any spread that is what remains."""
    assert smallest_detectable_mean(50, 0.001, widest=4) == pytest.approx(0.3073, abs=5e-4)
    assert smallest_detectable_mean(500, 1.0, widest=4) == smallest_detectable_mean(500, 1.0)


def test_the_power_of_a_preference_is_the_sum_over_wins_ties_and_losses_that_pass() -> None:
    total = 0.0
    for won, lost in itertools.product(range(13), repeat=2):
        if won + lost <= 12 and win_rate_interval(won, lost, 12 - won - lost).low > 0.5:
            total += stats.multinomial.pmf([won, lost, 12 - won - lost], 12, [0.65, 0.15, 0.2])
    assert preference_power(12, 0.75, 0.2) == pytest.approx(total, abs=1e-8)


def test_the_smallest_win_rate_has_the_power_asked_for() -> None:
    rate = smallest_detectable_win_rate(100, 0.2)
    assert rate is not None
    assert preference_power(100, rate, 0.2) == pytest.approx(0.8, abs=1e-9)
    assert smallest_detectable_win_rate(3) is None
