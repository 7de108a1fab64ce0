"""Typed doors to scipy and statsmodels, which carry no types.

Each function imports what it calls, so that importing `harness.stats` stays cheap. What is assumed and raised stands
with the callers.
"""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np

Values: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]
Table: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def normal_quantile(probability: float) -> float:
    """The z below which a standard normal variable falls with `probability`."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def t_quantile(probability: float, degrees_of_freedom: float) -> float:
    """The t below which a Student t variable falls with `probability`."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, probability))


def t_test_p(differences: Values) -> float:
    """Two-sided p-value of the one-sample t test against 0."""
    from scipy import stats

    return float(cast("Any", stats.ttest_1samp(differences, 0.0)).pvalue)


def binomial_pmf(successes: int, trials: int) -> float:
    """Probability of exactly so many successes in fair trials."""
    from scipy import stats

    return float(cast("Any", stats.binom.pmf(successes, trials, 0.5)))


def binomial_cdf(successes: int, trials: int) -> float:
    """Probability of at most so many successes in fair trials."""
    from scipy import stats

    return float(cast("Any", stats.binom.cdf(successes, trials, 0.5)))


def binomial_probabilities(successes: Values, trials: Values | float, probability: float) -> Values:
    """Probability of each number of successes, in as many trials."""
    from scipy import stats

    return cast("Values", stats.binom.pmf(successes, trials, probability))


def binomial_quantile(share: float, trials: int, probability: float) -> int:
    """The least number of successes that is not exceeded with at least probability `share`."""
    from scipy import stats

    return int(cast("Any", stats.binom.ppf(share, trials, probability)))


def find_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a continuous function that changes sign between `low` and `high` is 0, to about 1e-14."""
    from scipy.optimize import brentq

    return float(cast("Any", brentq(function, low, high, xtol=1e-14)))


def wilson_bounds(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """Lower and upper Wilson bound."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = cast("Any", proportion_confint(successes, trials, alpha=1 - confidence, method="wilson"))
    return float(low), float(high)


def clopper_pearson_bounds(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """Lower and upper Clopper-Pearson bound."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = cast("Any", proportion_confint(successes, trials, alpha=1 - confidence, method="beta"))
    return float(low), float(high)


def poisson_mean_below(count: int, confidence: float) -> float:
    """The Poisson mean that gives fewer than `count` events with the probability `confidence`."""
    from scipy.special import gammaincinv

    return float(gammaincinv(count, 1 - confidence))


def bca_bounds(values: Values, confidence: float, *, resamples: int, batch: int, seed: int) -> tuple[float, float]:
    """Lower and upper BCa bootstrap bound of the mean, drawing `batch` resamples at a time."""
    from scipy import stats

    result = cast(
        "Any",
        stats.bootstrap(
            (values,),
            np.mean,
            confidence_level=confidence,
            n_resamples=resamples,
            batch=batch,
            method="BCa",
            rng=np.random.default_rng(seed),
        ),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def t_test_power(effect: float, n: float, significance: float) -> float:
    """Power of the one-sided one-sample t test for a mean of `effect` standard deviations above the limit."""
    from statsmodels.stats.power import TTestPower

    return float(cast("Any", TTestPower().power(effect, n, significance, alternative="larger")))


def adjusted_p_values(p_values: Values, rate: float) -> Values:
    """Benjamini-Hochberg adjusted p-values, in the order given."""
    from statsmodels.stats.multitest import multipletests

    return cast("Values", multipletests(p_values, alpha=rate, method="fdr_bh")[1])
