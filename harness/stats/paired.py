"""Paired comparisons: candidate minus baseline on the same items."""

import math
from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np

from harness.stats.bounded import unvarying_interval
from harness.stats.clusters import cluster_sums, clustered_mean_interval
from harness.stats.intervals import Interval, finite_values, two_sided_z
from harness.stats.libraries import Values, binomial_cdf, binomial_pmf, find_root, t_test_p

EXACT_SIGN_FLIPS_UP_TO = 18
SIGN_FLIP_RESAMPLES = 9999
Counts: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_BATCH_NUMBERS = 2_000_000
_ROUNDING = 1e-9


def tango_interval(b: int, c: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Tango's score interval for a difference of paired proportions, (b - c) / n.

    All differences that the score test does not reject, with the share of pairs that favour the second restricted to
    its maximum likelihood under the difference tested. Assumes independent pairs.

    Args:
        b: Pairs in which only the first (candidate) succeeds.
        c: Pairs in which only the second (baseline) succeeds.
        n: All pairs, concordant ones included; b + c <= n.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds as proportions in [-1, 1], positive where the first is better. Never of width zero: without discordant
        pairs they are -/+ z^2 / (n + z^2).

    Raises:
        ValueError: `n` is 0, a count is negative, or b + c exceeds n.

    Source: Tango (1998), Statistics in Medicine 17:891, equations 24 to 26; solved by root finding.
    """
    _check_counts(b, c, n)
    difference = (b - c) / n
    if b == c == 0 or n in (b, c):
        return unvarying_interval(difference, n, minimum=-1.0, maximum=1.0, confidence=confidence)
    z2 = two_sided_z(confidence) ** 2
    favour, against = np.array(float(b)), np.array(float(c))

    def excess(delta: float) -> float:
        return (b - c - n * delta) ** 2 - z2 * n * float(_restricted_variance(favour, against, n, delta))

    low = find_root(excess, -1.0, difference)
    high = find_root(excess, difference, 1.0)
    return Interval(low=low, high=high, confidence=confidence)


def tango_score(b: Counts, c: Counts, n: int, delta: float) -> Counts:
    """Tango's score statistic z of the hypothesis that the difference is `delta`, for many tables at once.

    `tango_interval` lies above `delta` exactly where the statistic is above `two_sided_z(confidence)`, and below it
    where it is under -z. It grows with the square root of n where the shares of b and c stay.

    Args:
        b: Pairs in which only the first succeeds, in each table.
        c: Pairs in which only the second succeeds, in each table.
        n: All pairs of each table.
        delta: In (-1, 1), positive where the first is better.

    Returns:
        Standard normal units, positive where the first does better than `delta`; 0 where nothing speaks either way.

    Source: Tango (1998), equation 24.
    """
    distance, variance = b - c - n * delta, n * _restricted_variance(b, c, n, delta)
    return np.where(variance > 0, distance / np.sqrt(np.where(variance > 0, variance, 1.0)), 0.0)


def mcnemar_midp(b: int, c: int) -> float:
    """Two-sided McNemar mid-p value for paired binary outcomes.

    The exact conditional test on the b + c discordant pairs, counting half of the probability of what was observed.
    Assumes independent pairs.

    Args:
        b: Pairs in which only the first succeeds.
        c: Pairs in which only the second succeeds.

    Returns:
        In (0, 1]. 1 when there is no discordant pair.

    Raises:
        ValueError: A count is negative.

    Source: Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology 13:91.
    """
    if b < 0 or c < 0:
        raise ValueError(f"b is {b} and c is {c}; counts cannot be negative")
    if b == c == 0:
        return 1.0
    observed = binomial_pmf(b, b + c)
    if b == c:
        return 1.0 - 0.5 * observed
    return 2.0 * binomial_cdf(min(b, c), b + c) - observed


def paired_t(differences: Sequence[float]) -> float:
    """Two-sided p-value of the paired t test; its interval is `student_t_interval` of the differences.

    Assumes independent differences whose mean is close to normal.

    Args:
        differences: Candidate minus baseline, at least 2 finite numbers.

    Returns:
        In [0, 1]. Without variation: 1 if every difference is 0.

    Raises:
        ValueError: Fewer than 2 differences, one that is not finite, or all equal to one number other than 0 (the
            statistic is infinite; use `sign_flip_p`).

    Source: Student (1908); computed by scipy.
    """
    data = finite_values(differences, at_least=2)
    if not bool(np.any(data)):
        return 1.0
    if bool(np.all(data == data[0])):
        raise ValueError(f"every difference is {data[0]}: without variation the t statistic is infinite")
    return t_test_p(data)


def sign_flip_p(differences: Sequence[float], *, seed: int = 0) -> float:
    """Two-sided permutation p-value for paired differences: how often flipped signs give as large a mean.

    Assumes independent pairs and, under the null hypothesis, that candidate and baseline could be swapped in each.

    Args:
        differences: Candidate minus baseline, at least 1 finite number.
        seed: Of the resampling, where there is any.

    Returns:
        In (0, 1]. Exact over all flips with up to 18 differences other than 0; else from 9,999 random flips as
        (1 + as extreme) / (1 + 9999), which is never 0. 1 when every difference is 0.

    Raises:
        ValueError: No difference, or one that is not finite.

    Source: Fisher (1935); Phipson and Smyth (2010) for the added 1.
    """
    magnitudes = np.abs(finite_values(differences, at_least=1))
    magnitudes = magnitudes[magnitudes > 0]
    if len(magnitudes) == 0:
        return 1.0
    observed = abs(math.fsum(differences))
    threshold = observed - _ROUNDING * float(np.sum(magnitudes))
    if len(magnitudes) <= EXACT_SIGN_FLIPS_UP_TO:
        sums = np.zeros(1)
        for magnitude in magnitudes:
            sums = np.concatenate((sums + magnitude, sums - magnitude))
        return float(np.mean(np.abs(sums) >= threshold))
    extreme = _count_extreme_flips(magnitudes, threshold, seed)
    return (1 + extreme) / (1 + SIGN_FLIP_RESAMPLES)


def clustered_difference_interval(
    differences: Sequence[float], clusters: Sequence[Hashable], *, confidence: float = 0.95
) -> Interval:
    """Cluster-robust t interval for a mean paired difference, where items of a cluster stand together.

    Args:
        differences: Candidate minus baseline on each item.
        clusters: The cluster of each item.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds in the unit of `differences`, positive where the candidate is better (if larger is better).

    Raises:
        ValueError: As `clustered_mean_interval`, which says what is assumed.
    """
    return clustered_mean_interval(differences, clusters, confidence=confidence)


def clustered_sign_flip_p(differences: Sequence[float], clusters: Sequence[Hashable], *, seed: int = 0) -> float:
    """Two-sided permutation p-value that flips the sign of whole clusters.

    Assumes independent clusters and, under the null hypothesis, that candidate and baseline could be swapped in each
    cluster as a whole. With one item in each cluster it is `sign_flip_p`.

    Returns:
        As `sign_flip_p`. With G clusters it cannot be under 2 / 2^G.

    Raises:
        ValueError: No difference, one that is not finite, or lengths that differ.
    """
    scale = max((abs(difference) for difference in differences), default=0.0)
    sums = cluster_sums(differences, clusters)
    return sign_flip_p([0.0 if abs(total) <= _ROUNDING * scale else total for total in sums], seed=seed)


def _restricted_variance(b: Counts, c: Counts, n: int, delta: float) -> Counts:
    """Variance of one pair's difference (-1, 0 or 1) if its mean is `delta`, by restricted maximum likelihood."""
    linear = -(b + c) + (2 * n - b + c) * delta
    constant = -c * delta * (1 - delta)
    root = np.sqrt(np.maximum(0.0, linear**2 - 8 * n * constant))
    # Two forms of the same root: each is free of cancellation on its side.
    rising = np.where(linear > 0, linear + root, 1.0)
    share = np.where(linear > 0, -2 * constant / rising, (root - linear) / (4 * n))
    return np.maximum(0.0, 2 * share + delta * (1 - delta))


def _count_extreme_flips(magnitudes: Values, threshold: float, seed: int) -> int:
    """Of 9,999 random sign flips, how many give an absolute sum of at least `threshold`.

    Equal magnitudes are flipped together, as their sum of signs is a binomial count; where there are too many different
    ones, eight neighbours are flipped together, as one random byte says which of their 256 sums it is.
    """
    sizes, counts = np.unique(magnitudes, return_counts=True)
    generator = np.random.default_rng(seed)
    sums_of_eight: Values = np.zeros(0)
    together = len(sizes) * 8 <= len(magnitudes)
    columns = len(sizes)
    if not together:
        padded = np.concatenate((magnitudes, np.zeros(-len(magnitudes) % 8))).reshape(-1, 8)
        signs = 1.0 - 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
        sums_of_eight = np.ravel(padded @ signs.T)
        columns = len(padded)
    batch = max(1, _BATCH_NUMBERS // columns)
    extreme = 0
    for start in range(0, SIGN_FLIP_RESAMPLES, batch):
        size = (min(batch, SIGN_FLIP_RESAMPLES - start), columns)
        if together:
            sums: Values = (2 * generator.binomial(counts, 0.5, size=size) - counts) @ sizes
        else:
            drawn = generator.integers(256, size=size, dtype=np.uint8)
            sums = sums_of_eight[drawn + 256 * np.arange(columns)].sum(axis=1)
        extreme += int(np.count_nonzero(np.abs(sums) >= threshold))
    return extreme


def _check_counts(b: int, c: int, n: int) -> None:
    if n < 1:
        raise ValueError(f"n is {n}; a difference of proportions needs at least 1 pair")
    if b < 0 or c < 0 or b + c > n:
        raise ValueError(f"b is {b}, c is {c} and n is {n}; allowed: counts of at least 0 with b + c <= n")
