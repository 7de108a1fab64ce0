"""What the calibration study measures with: intervals by population, coverage, likely tables, and rows of a table."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from scipy import stats
from stats_populations import Population

from harness.stats.bounded import bounded_mean_interval
from harness.stats.intervals import Interval
from harness.stats.means import is_skewed, skew_t_interval, student_t_interval
from harness.stats.paired import tango_interval

IntervalOf: TypeAlias = Callable[[list[float]], Interval]


def covered(draws: np.ndarray, population: Population, method: IntervalOf) -> tuple[float, float]:
    """The share of samples whose interval holds the true mean, and the mean width."""
    found = [method(sample) for sample in draws.tolist()]
    held = [one.low - 1e-9 <= population.mean <= one.high + 1e-9 for one in found]
    return float(np.mean(held)), float(np.mean([one.high - one.low for one in found]))


def bounded(population: Population, labels: Sequence[int] | None = None) -> IntervalOf:
    """The score interval within the population's range."""
    ends = {"minimum": population.minimum, "maximum": population.maximum}
    return lambda sample: bounded_mean_interval(sample, **ends, clusters=labels)


def unbounded(sample: list[float]) -> Interval:
    """What is chosen where a metric has no bounds."""
    return unless_unvarying(sample, skew_t_interval if is_skewed(sample) else student_t_interval)


def bounded_within(widest: float) -> IntervalOf:
    """The score interval of differences that cannot be beyond `widest`."""
    return lambda sample: bounded_mean_interval(sample, minimum=-widest, maximum=widest)


def unless_unvarying(sample: list[float], method: IntervalOf) -> Interval:
    """What a t or bootstrap interval comes to without variation: no width."""
    return method(sample) if len(set(sample)) > 1 else Interval(low=sample[0], high=sample[0], confidence=0.95)


@cache
def tango(b: int, c: int, n: int) -> tuple[float, float]:
    """The bounds, computed once for each table."""
    interval = tango_interval(b, c, n)
    return interval.low, interval.high


def likely_tables(n: int, won: float, lost: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tables (b, c) of n pairs that are not negligibly rare, with their probabilities."""
    b, c = (np.arange(*stats.binom.ppf([1e-9, 1 - 1e-9], n, share)) for share in (won, lost))
    b, c = (side.ravel() for side in np.meshgrid(b, c))
    possible = b + c <= n
    b, c = b[possible], c[possible]
    return b, c, stats.multinomial.pmf(np.stack([b, c, n - b - c], axis=1), n, [won, lost, 1 - won - lost])


def head(title: str, columns: Iterable[str]) -> None:
    """The title and head of a Markdown table."""
    names = list(columns)
    print(f"\n### {title}\n\n| {' | '.join(names)} |\n|{' --- |' * len(names)}")  # noqa: T201


def row(*cells: object) -> None:
    """One row; shares as per cent, what was not measured as a dash."""
    print(f"| {' | '.join(map(_cell, cells))} |", flush=True)  # noqa: T201


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if np.isnan(value) else f"{100 * value:.2f} %"
    return str(value)
