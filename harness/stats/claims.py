"""What an interval says of a claim: pass, fail or inconclusive.

The rules of DESIGN.md section 9 read the interval only, so that a verdict and the interval shown beside it cannot
disagree. A bound that stands exactly on a limit never decides in favour of a claim of more than (or less than).
"""

from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["pass", "fail", "inconclusive"]


def superiority(low: float, high: float, *, by: float = 0.0, worthwhile: float | None = None) -> Outcome:
    """Whether the candidate is better by more than `by`.

    Args:
        low: Lower bound of candidate minus baseline, positive where the candidate is better.
        high: Upper bound.
        by: What the difference has to exceed, in the metric's unit (a proportion for binary metrics).
        worthwhile: The least difference that would matter. A difference that is surely smaller is a fail, even where
            it might still be above `by`. None: every difference above `by` matters.

    Returns:
        "pass" if low > by; "fail" if high <= by, or if `worthwhile` is set and high < worthwhile; else "inconclusive".
        So an interval that lies between `by` and `worthwhile` is a pass: it is surely better, and surely not by much.

    Raises:
        ValueError: Bounds out of order, or `worthwhile` under `by`.
    """
    _check_bounds(low, high)
    if worthwhile is not None and worthwhile < by:
        raise ValueError(f"worthwhile is {worthwhile}, by is {by}; a worthwhile difference is at least by")
    if low > by:
        return "pass"
    if high <= by or (worthwhile is not None and high < worthwhile):
        return "fail"
    return "inconclusive"


def noninferiority(low: float, high: float, *, margin: float) -> Outcome:
    """Whether the candidate is worse by less than `margin`.

    Args:
        low: Lower bound of candidate minus baseline, positive where the candidate is better.
        high: Upper bound.
        margin: The loss that would not be accepted, in the metric's unit, above 0.

    Returns:
        "pass" if low > -margin; "fail" if high < -margin; else "inconclusive".

    Raises:
        ValueError: Bounds out of order, or a margin that is not above 0.
    """
    _check_bounds(low, high)
    _check_margin(margin)
    if low > -margin:
        return "pass"
    return "fail" if high < -margin else "inconclusive"


def equivalence(low: float, high: float, *, margin: float) -> Outcome:
    """Whether candidate and baseline differ by less than `margin` in either direction.

    Two one-sided tests: with an interval at confidence 0.95 each is made at 2.5 %.

    Args:
        low: Lower bound of candidate minus baseline.
        high: Upper bound.
        margin: The difference that would matter, in the metric's unit, above 0.

    Returns:
        "pass" if the interval lies inside (-margin, margin); "fail" if it lies outside [-margin, margin]; else
        "inconclusive".

    Raises:
        ValueError: Bounds out of order, or a margin that is not above 0.

    Source: Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15:657.
    """
    _check_bounds(low, high)
    _check_margin(margin)
    if -margin < low and high < margin:
        return "pass"
    return "fail" if high < -margin or low > margin else "inconclusive"


def threshold(low: float, high: float, *, at_least: float | None = None, at_most: float | None = None) -> Outcome:
    """Whether a value keeps to its limits.

    Args:
        low: Lower bound of the value.
        high: Upper bound.
        at_least: The least value allowed, in the metric's unit.
        at_most: The greatest value allowed.

    Returns:
        "pass" if low >= at_least and high <= at_most; "fail" if high < at_least or low > at_most; else "inconclusive".

    Raises:
        ValueError: Bounds out of order, no limit given, or limits that no value can keep.
    """
    _check_bounds(low, high)
    if at_least is None and at_most is None:
        raise ValueError("at_least and at_most are both None; a threshold needs one of them")
    least = float("-inf") if at_least is None else at_least
    most = float("inf") if at_most is None else at_most
    if least > most:
        raise ValueError(f"at_least is {at_least} and at_most is {at_most}; no value keeps both")
    if low >= least and high <= most:
        return "pass"
    return "fail" if high < least or low > most else "inconclusive"


def _check_bounds(low: float, high: float) -> None:
    if not low <= high:
        raise ValueError(f"the interval reaches from {low} to {high}; its lower bound must not be above the upper one")


def _check_margin(margin: float) -> None:
    if not margin > 0:
        raise ValueError(f"margin is {margin}; allowed: above 0, in the metric's unit")
