"""How many items: for a planned comparison, and to decide one that is inconclusive so far."""

import math
from collections.abc import Callable

import numpy as np

from harness.stats.intervals import two_sided_z
from harness.stats.paired import tango_score
from harness.stats.power import paired_mean_power, paired_proportions_power

MOST_ITEMS = 100_000


def noninferiority_items_binary(
    margin: float, discordance: float, power: float = 0.8, *, difference: float = 0.0, confidence: float = 0.95
) -> int | None:
    """Items at which a pass/fail non-inferiority gate passes with the power given.

    Args:
        margin: The loss not accepted, a proportion above 0.
        discordance: Share of items that exactly one of the two gets right, in [0, 1].
        power: In (0, 1).
        difference: The true difference, candidate minus baseline.
        confidence: Two-sided, in (0, 1).

    Returns:
        A number of items, at least 1; None beyond 100,000. Power rises with n in small steps back and forth, so a few
        items less may also do.

    Raises:
        ValueError: As `paired_proportions_power`.
    """

    def power_of(n: int) -> float:
        return paired_proportions_power(n, difference, discordance, confidence=confidence, margin=margin)

    return _fewest(power_of, power, start=1)


def noninferiority_items_mean(
    margin: float, sd: float, power: float = 0.8, *, difference: float = 0.0, confidence: float = 0.95
) -> int | None:
    """Items at which a non-inferiority gate on a mean passes with the power given, by the paired t test.

    Args:
        margin: The loss not accepted, in the metric's unit, above 0.
        sd: Standard deviation of the differences of single items, above 0.
        power: In (0, 1).
        difference: The true mean difference, candidate minus baseline.
        confidence: Two-sided, in (0, 1).

    Returns:
        A number of items, at least 2; None beyond 100,000.

    Raises:
        ValueError: As `paired_mean_power`.
    """

    def power_of(n: int) -> float:
        return paired_mean_power(n, difference, sd, confidence=confidence, margin=margin)

    return _fewest(power_of, power, start=2)


def items_to_decide(*, value: float, low: float, high: float, limit: float, n: int) -> int | None:
    """About how many items in total would put the interval on one side of a limit, if the present value held.

    The half of the interval that faces the limit is taken to shrink with the square root of n, which is close for
    intervals that are not cut at the end of a range. For pass/fail differences `items_to_decide_binary` is exact.

    Args:
        value: The present estimate.
        low: Its lower bound.
        high: Its upper bound.
        limit: What the interval is held against: `by`, -margin or a threshold.
        n: Items so far, at least 1.

    Returns:
        Items in total, at least n; n itself where the interval is on one side already. None where the value stands
        exactly on the limit: then no number of items would do.

    Raises:
        ValueError: n under 1, or a value outside its interval.
    """
    if n < 1 or not low <= value <= high:
        raise ValueError(
            f"n is {n}, and {value} has the interval {low} to {high}; allowed: n of 1 or more, value inside"
        )
    if value == limit:
        return None
    half = value - low if value > limit else high - value
    return max(n, _beyond(n * (half / (value - limit)) ** 2))


def items_to_decide_binary(b: int, c: int, n: int, *, limit: float = 0.0, confidence: float = 0.95) -> int | None:
    """How many items in total would put Tango's interval on one side of a limit, if the present shares held.

    Exact, since the score statistic grows with the square root of n while the shares of b and c stay.

    Args:
        b: Pairs in which only the candidate succeeds.
        c: Pairs in which only the baseline succeeds.
        n: All pairs so far, at least 1.
        limit: What the interval is held against: `by` or -margin, in (-1, 1).
        confidence: Two-sided, in (0, 1).

    Returns:
        Items in total, at least n; None where the difference stands exactly on the limit.

    Raises:
        ValueError: n is 0, a count is negative, or b + c exceeds n.
    """
    if n < 1 or b < 0 or c < 0 or b + c > n:
        raise ValueError(f"b is {b}, c is {c} and n is {n}; allowed: counts of at least 0 with b + c <= n")
    score = abs(float(tango_score(np.array(float(b)), np.array(float(c)), n, limit)))
    if score == 0:
        return None
    return max(n, _beyond(n * (two_sided_z(confidence) / score) ** 2))


def _beyond(items: float) -> int:
    """The first whole number above: at the number itself the bound would stand on the limit."""
    return math.floor(items) + 1


def _fewest(power_of: Callable[[int], float], power: float, *, start: int) -> int | None:
    """Doubles n until the power is reached, then halves the gap."""
    if not 0 < power < 1:
        raise ValueError(f"power is {power}; allowed: a proportion inside (0, 1), such as 0.8")
    low, high = start, start
    while power_of(high) < power:
        if high >= MOST_ITEMS:
            return None
        low, high = high, min(2 * high, MOST_ITEMS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle) >= power else (middle, high)
    return high
