"""Power: how often a comparison of n items would pass, and the smallest difference it can be relied on to see.

Where outcomes can be counted (pass/fail, win/tie/loss) power is exact: the probability of every table is added up on
which the interval that verdicts read would pass. For means it is that of the t test.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from harness.stats.intervals import check_confidence, two_sided_z
from harness.stats.libraries import (
    Values,
    binomial_probabilities,
    binomial_quantile,
    find_root,
    normal_quantile,
    t_test_power,
)
from harness.stats.paired import Counts, tango_score

Passes: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

_NEGLIGIBLE = 1e-10
_WIDEST_EFFECT = 1e3


def paired_proportions_power(
    n: int,
    difference: float,
    discordance: float,
    *,
    confidence: float = 0.95,
    by: float = 0.0,
    margin: float | None = None,
) -> float:
    """How often a pass/fail comparison passes, by enumeration of all tables that Tango's interval may be made of.

    Assumes independent pairs. Clustered items count as fewer (`effective_items`).

    Args:
        n: Items, at least 1.
        difference: True difference of proportions, candidate minus baseline, in [-discordance, discordance].
        discordance: True share of items that exactly one of the two gets right, in [0, 1].
        confidence: Two-sided, in (0, 1).
        by: For superiority: what the difference has to exceed.
        margin: For non-inferiority: the loss not accepted, above 0; `by` is then not used.

    Returns:
        The probability that the lower bound is above `by` (above -margin), in [0, 1].

    Raises:
        ValueError: n under 1, a discordance outside [0, 1], or a difference that it does not allow.

    Source: Tango (1998) for the interval; exact but for tables of a probability under 1e-10 in all.
    """
    z, limit = two_sided_z(confidence), by if margin is None else -margin
    return _probability_of(lambda b, c: tango_score(b, c, n, limit) > z, n, difference, discordance)


def equivalence_power(
    n: int, difference: float, discordance: float, *, margin: float, confidence: float = 0.95
) -> float:
    """How often Tango's interval lies inside (-margin, margin), by enumeration of all tables.

    Args:
        n: Items, at least 1.
        difference: True difference of proportions, in [-discordance, discordance].
        discordance: True share of items that exactly one of the two gets right, in [0, 1].
        margin: The difference that would matter, a proportion in (0, 1).
        confidence: Two-sided, in (0, 1).

    Returns:
        A probability; 0 where n is too small for the interval to fit between the margins.

    Raises:
        ValueError: As `paired_proportions_power`.
    """
    z = two_sided_z(confidence)

    def passes(b: Counts, c: Counts) -> Passes:
        return (tango_score(b, c, n, -margin) > z) & (tango_score(b, c, n, margin) < -z)

    return _probability_of(passes, n, difference, discordance)


def smallest_detectable_difference_binary(
    n: int, discordance: float, power: float = 0.8, *, confidence: float = 0.95, by: float = 0.0
) -> float | None:
    """The smallest true difference at which a pass/fail superiority comparison passes with the power given.

    Args:
        n: Items, at least 1.
        discordance: Share of items that exactly one of the two gets right, in (0, 1].
        power: In (0, 1).
        confidence: Two-sided, in (0, 1).
        by: What the difference has to exceed.

    Returns:
        A proportion in (by, discordance], not percentage points. None where even a candidate that wins every item on
        which the two disagree would not be seen.

    Raises:
        ValueError: As `paired_proportions_power`, or a power outside (0, 1).
    """
    _check_power(power)

    def lacking(difference: float) -> float:
        return paired_proportions_power(n, difference, discordance, confidence=confidence, by=by) - power

    if discordance <= by or lacking(discordance) < 0:
        return None
    return find_root(lacking, by, discordance) if lacking(by) < 0 else by


def threshold_power(n: int, proportion: float, *, at_least: float, confidence: float = 0.95) -> float:
    """How often Wilson's lower bound reaches `at_least`, by enumeration of all counts.

    The modified interval decides alike wherever `at_least` is above Wilson's lower bound for 3 successes.

    Args:
        n: Items, at least 1.
        proportion: The true value, in [0, 1].
        at_least: The limit, in (0, 1).
        confidence: Two-sided, in (0, 1).

    Returns:
        A probability.

    Raises:
        ValueError: n under 1, or a proportion outside its range.
    """
    z = two_sided_z(confidence)
    if n < 1 or not 0 <= proportion <= 1 or not 0 < at_least < 1:
        raise ValueError(
            f"n is {n}, proportion {proportion}, at_least {at_least}; allowed: n of 1 or more, proportions"
        )
    successes = np.arange(n + 1, dtype=np.float64)
    passes = successes - n * at_least >= z * math.sqrt(n * at_least * (1 - at_least))
    return float(np.sum(binomial_probabilities(successes, n, proportion)[passes]))


def paired_mean_power(
    n: float,
    difference: float,
    sd: float,
    *,
    confidence: float = 0.95,
    by: float = 0.0,
    margin: float | None = None,
) -> float:
    """How often a comparison of means passes, by the power of the paired t test.

    Assumes independent, normal differences. The score interval that bounded metrics get is at least as wide, so their
    power is at most this; `smallest_detectable_mean` allows for that with `widest`.

    Args:
        n: Items, at least 2; for clustered items `effective_items`.
        difference: True mean of candidate minus baseline, positive where the candidate is better.
        sd: Standard deviation of the differences of single items, above 0.
        confidence: Two-sided, in (0, 1).
        by: For superiority: what the difference has to exceed.
        margin: For non-inferiority: the loss not accepted, above 0; `by` is then not used.

    Returns:
        The probability that the lower bound is above `by` (above -margin), in [0, 1].

    Raises:
        ValueError: n under 2, or a standard deviation that is not above 0.

    Source: the noncentral t distribution, computed by statsmodels.
    """
    check_confidence(confidence)
    if n < 2 or not sd > 0:
        raise ValueError(f"n is {n} and sd is {sd}; allowed: n of 2 or more, sd above 0")
    limit = by if margin is None else -margin
    return t_test_power((difference - limit) / sd, n, (1 - confidence) / 2)


def smallest_detectable_mean(
    n: float, sd: float, power: float = 0.8, *, confidence: float = 0.95, widest: float | None = None
) -> float:
    """The smallest true mean difference at which a superiority comparison passes with the power given.

    Args:
        n: Items, at least 2; for clustered items `effective_items`.
        sd: Standard deviation of the differences of single items, above 0.
        power: In (0, 1).
        confidence: Two-sided, in (0, 1).
        widest: For bounded metrics, the largest difference an item can have (4 for a rubric from 1 to 5). Their
            score interval lies above 0 only where the mean exceeds z^2 / n of it, however little the items vary.

    Returns:
        In the metric's unit, above 0. With `widest` it may be more than `widest`: n is then far too small.

    Raises:
        ValueError: n under 2, a standard deviation that is not above 0, or a power outside (0, 1).
    """
    _check_power(power)

    def lacking(effect: float) -> float:
        return paired_mean_power(n, effect * sd, sd, confidence=confidence) - power

    by_t = sd * find_root(lacking, 0.0, _WIDEST_EFFECT)
    if widest is None:
        return by_t
    floor = two_sided_z(confidence) ** 2 / n * widest
    return max(by_t, floor + max(0.0, normal_quantile(power)) * sd / math.sqrt(n))


def preference_power(n: int, win_rate: float, ties: float = 0.0, *, confidence: float = 0.95) -> float:
    """How often the interval of a win rate lies above one half, by enumeration.

    Args:
        n: Items compared, at least 1.
        win_rate: True share of wins, a tie counting as half a win, in [ties / 2, 1 - ties / 2].
        ties: True share of ties, in [0, 1].
        confidence: Two-sided, in (0, 1).

    Returns:
        A probability.

    Raises:
        ValueError: n under 1, ties outside [0, 1], or a win rate that they do not allow.
    """
    return paired_proportions_power(n, 2 * win_rate - 1, 1 - ties, confidence=confidence)


def smallest_detectable_win_rate(
    n: int, ties: float = 0.0, power: float = 0.8, *, confidence: float = 0.95
) -> float | None:
    """The smallest true win rate (a tie is half a win) that is seen to be above one half with the power given.

    Args:
        n: Items compared, at least 1.
        ties: Share of ties, in [0, 1).
        power: In (0, 1).
        confidence: Two-sided, in (0, 1).

    Returns:
        In (0.5, 1 - ties / 2]; None where even a candidate that loses nowhere would not be seen.

    Raises:
        ValueError: As `smallest_detectable_difference_binary`.
    """
    difference = smallest_detectable_difference_binary(n, 1 - ties, power, confidence=confidence)
    return None if difference is None else 0.5 + difference / 2


def _probability_of(passes: Callable[[Counts, Counts], Passes], n: int, difference: float, discordance: float) -> float:
    """The probability of the tables (b, c) that pass, where b and c are trinomial."""
    if n < 1 or not 0 <= discordance <= 1:
        raise ValueError(f"n is {n} and discordance is {discordance}; allowed: n of 1 or more, a share in [0, 1]")
    if abs(difference) > discordance:
        raise ValueError(f"difference is {difference}; with a discordance of {discordance} it cannot be beyond that")
    favour, against = (discordance + difference) / 2, (discordance - difference) / 2
    b = _likely_counts(n, favour)
    c = _likely_counts(n, against)
    of_b = binomial_probabilities(b, n, favour)
    rest = np.broadcast_to((n - b)[:, None], (len(b), len(c)))
    given_b = binomial_probabilities(np.broadcast_to(c, rest.shape), rest, min(1.0, against / max(1 - favour, 1e-300)))
    decided = passes(np.minimum(b[:, None], n) + np.zeros_like(given_b), np.minimum(c, rest) + np.zeros_like(given_b))
    return float(min(1.0, np.sum(of_b[:, None] * given_b * decided)))


def _likely_counts(n: int, probability: float) -> Values:
    low = binomial_quantile(_NEGLIGIBLE, n, probability)
    high = binomial_quantile(1 - _NEGLIGIBLE, n, probability)
    return np.arange(max(0, low), max(0, high) + 1, dtype=np.float64)


def _check_power(power: float) -> None:
    if not 0 < power < 1:
        raise ValueError(f"power is {power}; allowed: a proportion inside (0, 1), such as 0.8")
