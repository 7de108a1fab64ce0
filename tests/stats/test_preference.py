import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.paired import tango_interval
from harness.stats.preference import bradley_terry, win_rate, win_rate_interval
from harness.stats.proportions import wilson_interval

# Agresti, Categorical Data Analysis, table 10.10: baseball 1987, wins of the first over the second.
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WON = [
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
]
BASEBALL = {
    (TEAMS[i], TEAMS[j]): float(WON[i][j]) for i in range(len(TEAMS)) for j in range(len(TEAMS)) if i != j
}  # fmt: skip


def test_a_tie_is_half_a_win() -> None:
    assert win_rate(3, 1) == 0.75
    assert win_rate(1, 1, 8) == 0.5
    assert win_rate(0, 0, 4) == 0.5


@pytest.mark.parametrize(("wins", "losses"), [(0, 1), (7, 3), (20, 20), (30, 0)])
def test_without_ties_the_interval_is_wilsons(wins: int, losses: int) -> None:
    interval, wilson = win_rate_interval(wins, losses), wilson_interval(wins, wins + losses)
    assert (interval.low, interval.high) == pytest.approx((wilson.low, wilson.high), abs=1e-9)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_with_ties_the_interval_is_tangos_on_another_scale(wins: int, losses: int, ties: int) -> None:
    interval, tango = win_rate_interval(wins, losses, ties), tango_interval(wins, losses, wins + losses + ties)
    assert (interval.low, interval.high) == pytest.approx(((1 + tango.low) / 2, (1 + tango.high) / 2))
    assert 0 <= interval.low <= win_rate(wins, losses, ties) <= interval.high <= 1
    assert interval.high > interval.low


@pytest.mark.parametrize(("wins", "losses", "ties"), [(0, 0, 0), (-1, 2, 0), (1, 1, -1)])
def test_nothing_compared_has_no_win_rate(wins: int, losses: int, ties: int) -> None:
    for ask in (win_rate, win_rate_interval):
        with pytest.raises(ValueError, match="allowed"):
            ask(wins, losses, ties)


def test_two_systems_have_the_log_odds_worked_by_hand() -> None:
    """8 to 2: the strengths differ by log 4, with a standard error of sqrt(1/8 + 1/2)."""
    ranking = bradley_terry({("a", "b"): 8, ("b", "a"): 2}, reference="b")
    first, second = ranking.strengths
    margin = 1.959964 * math.sqrt(1 / 8 + 1 / 2)
    assert (first.name, first.strength) == ("a", pytest.approx(math.log(4)))
    assert (first.low, first.high) == pytest.approx((math.log(4) - margin, math.log(4) + margin), abs=1e-5)
    assert (second.name, second.strength, second.low, second.high) == ("b", 0, 0, 0)
    assert not ranking.regularised


def test_baseball_has_agrestis_strengths() -> None:
    """His estimates against Baltimore: 1.58, 1.44, 1.29, 1.25, 1.11, 0.68."""
    strengths = {one.name: one.strength for one in bradley_terry(BASEBALL, reference="Baltimore").strengths}
    assert [strengths[team] for team in TEAMS] == pytest.approx([1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0], abs=6e-3)


def test_strengths_and_intervals_agree_with_logistic_regression() -> None:
    rows, outcomes = [], []
    for (winner, loser), count in BASEBALL.items():
        design = np.zeros(7)
        design[TEAMS.index(winner)], design[TEAMS.index(loser)] = 1, -1
        if TEAMS.index(winner) < TEAMS.index(loser):
            rows.append(design[:6])
            outcomes.append((count, BASEBALL[loser, winner]))
    fit = sm.GLM(np.array(outcomes), np.array(rows), family=sm.families.Binomial()).fit()
    found = {one.name: one for one in bradley_terry(BASEBALL, reference="Baltimore").strengths}
    for team, strength, (low, high) in zip(TEAMS, fit.params, fit.conf_int(), strict=False):
        assert (found[team].strength, found[team].low, found[team].high) == pytest.approx(
            (strength, low, high), abs=1e-5
        )


def test_strengths_have_mean_zero_without_a_reference_and_stand_in_order() -> None:
    strengths = [one.strength for one in bradley_terry(BASEBALL).strengths]
    assert sum(strengths) == pytest.approx(0, abs=1e-9)
    assert strengths == sorted(strengths, reverse=True)


def test_ties_as_half_wins_draw_strengths_together() -> None:
    apart = bradley_terry({("a", "b"): 8, ("b", "a"): 2}, reference="b").strengths[0]
    tied = bradley_terry({("a", "b"): 13, ("b", "a"): 7}, reference="b").strengths[0]
    assert 0 < tied.strength < apart.strength


def test_a_system_that_wins_everything_is_regularised_and_said() -> None:
    """10 to 0 becomes 10.5 to 0.5: log 21."""
    ranking = bradley_terry({("a", "b"): 10}, reference="b")
    assert ranking.regularised
    assert ranking.strengths[0].strength == pytest.approx(math.log(21))
    three = bradley_terry({("a", "b"): 10, ("a", "c"): 10, ("b", "c"): 5, ("c", "b"): 5})
    assert three.regularised
    assert three.strengths[0].name == "a"
    assert all(math.isfinite(bound) for one in three.strengths for bound in (one.low, one.high))


def test_systems_that_nothing_connects_are_an_error_with_the_groups() -> None:
    with pytest.raises(ValueError, match="2 groups never compared with each other: a, b; c, d"):
        bradley_terry({("a", "b"): 3, ("b", "a"): 1, ("d", "c"): 2})
    with pytest.raises(ValueError, match="2 groups"):
        bradley_terry({("a", "b"): 3, ("b", "c"): 0})


@pytest.mark.parametrize(
    ("wins", "reference", "said"),
    [
        ({}, None, "at least 2"),
        ({("a", "a"): 1, ("a", "b"): 1}, None, "with itself"),
        ({("a", "b"): -1}, None, "at least 0"),
        ({("a", "b"): 1}, "z", "allowed: a, b"),
    ],
)
def test_a_ranking_refuses_what_is_none(wins, reference, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        bradley_terry(wins, reference=reference)
