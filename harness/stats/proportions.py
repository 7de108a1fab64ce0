"""Confidence intervals for one proportion."""

from harness.stats.intervals import Interval, check_confidence
from harness.stats.libraries import clopper_pearson_bounds, poisson_mean_below, wilson_bounds

CORRECTED_UP_TO = 3


def wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Wilson score interval for a proportion.

    Assumes independent trials with one common probability of success.

    Args:
        successes: Items answered correctly, 0 <= successes <= trials.
        trials: Items answered, at least 1.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds as proportions in [0, 1], not percentage points. Never of width zero.

    Raises:
        ValueError: `trials` is 0 (the proportion is undefined), or the counts contradict each other.

    Covers 95 % on average and more than 92 % wherever both outcomes are expected a few times; where fewer than about 3
    successes (or failures) are expected it may cover as little as 84 %. `modified_wilson_interval` does not.

    Source: Wilson (1927); computed by statsmodels.
    """
    _check_counts(successes, trials)
    check_confidence(confidence)
    low, high = wilson_bounds(successes, trials, confidence)
    low = 0.0 if successes == 0 else low
    high = 1.0 if successes == trials else high
    return Interval(low=low, high=high, confidence=confidence)


def modified_wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Wilson's interval with the correction of Brown, Cai and DasGupta for 1 to 3 successes or failures.

    There the bound towards the end is replaced by the one-sided Poisson bound, which is a little wider; everything else
    is Wilson's. Assumes independent trials with one common probability of success.

    Args:
        successes: Items answered correctly, 0 <= successes <= trials.
        trials: Items answered, at least 1.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds as proportions in [0, 1], not percentage points. Never of width zero.

    Raises:
        ValueError: `trials` is 0 (the proportion is undefined), or the counts contradict each other.

    Source: Brown, Cai and DasGupta (2001), Statistical Science 16:101, section 4.1.1; they correct up to 2 successes
    where n is at most 50, here it is 3 for every n (tests/benchmarks/README.md has the coverage).
    """
    wilson = wilson_interval(successes, trials, confidence=confidence)
    low, high, failures = wilson.low, wilson.high, trials - successes
    if 1 <= successes <= CORRECTED_UP_TO:
        low = min(low, poisson_mean_below(successes, confidence) / trials)
    if 1 <= failures <= CORRECTED_UP_TO:
        high = max(high, 1 - poisson_mean_below(failures, confidence) / trials)
    return Interval(low=low, high=high, confidence=confidence)


def clopper_pearson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Clopper-Pearson (exact) interval for a proportion: never covers less than promised, so wider than Wilson's.

    For a policy that must not be wrong more often than it says at any proportion. Assumes independent trials with one
    common probability of success.

    Args:
        successes: Items answered correctly, 0 <= successes <= trials.
        trials: Items answered, at least 1.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds as proportions in [0, 1], not percentage points. Never of width zero.

    Raises:
        ValueError: `trials` is 0 (the proportion is undefined), or the counts contradict each other.

    Source: Clopper and Pearson (1934), Biometrika 26:404; computed by statsmodels.
    """
    _check_counts(successes, trials)
    check_confidence(confidence)
    low, high = clopper_pearson_bounds(successes, trials, confidence)
    low = 0.0 if successes == 0 else low
    high = 1.0 if successes == trials else high
    return Interval(low=low, high=high, confidence=confidence)


def _check_counts(successes: int, trials: int) -> None:
    if trials < 1:
        raise ValueError(f"trials is {trials}; a proportion needs at least 1")
    if not 0 <= successes <= trials:
        raise ValueError(f"successes is {successes}; allowed: 0 to {trials}")
