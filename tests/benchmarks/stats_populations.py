"""Made-up items whose true mean is known: what the calibration study draws from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Draws: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Draw: TypeAlias = Callable[[np.random.Generator, tuple[int, int]], Draws]


@dataclass(frozen=True, kw_only=True, slots=True)
class Population:
    """Independent items: how to draw a table of them, their mean, and the ends of the metric's range."""

    draw: Draw
    mean: float
    minimum: float
    maximum: float


def _levels(levels: list[int], shares: list[float]) -> Population:
    values, weights = np.array(levels, dtype=float), np.array(shares) / sum(shares)
    return Population(
        draw=lambda generator, size: generator.choice(values, p=weights, size=size),
        mean=float(values @ weights),
        minimum=min(levels),
        maximum=max(levels),
    )


def _some_differ(share: float, draw: Draw, mean: float) -> Population:
    return Population(
        draw=lambda generator, size: (generator.random(size) < share) * draw(generator, size),
        mean=share * mean,
        minimum=-1,
        maximum=1,
    )


def _normal(mean: float, sd: float) -> Population:
    return Population(draw=lambda generator, size: generator.normal(mean, sd, size), mean=mean, minimum=-1, maximum=1)


def _beta(a: float, b: float) -> Population:
    return Population(draw=lambda g, size: g.beta(a, b, size), mean=a / (a + b), minimum=0, maximum=1)


def _jitter_and_failures(generator: np.random.Generator, size: tuple[int, int]) -> Draws:
    return np.where(generator.random(size) < 0.02, -1.0, generator.normal(0, 0.02, size))


_UNBOUNDED = {"minimum": -np.inf, "maximum": np.inf}

VALUES: Mapping[str, Population] = {
    "score, mildly skewed: beta(8, 2)": _beta(8, 2),
    "score, mostly near 1: beta(5, 0.2)": _beta(5, 0.2),
    "score, mostly near 0: beta(0.5, 5)": _beta(0.5, 5),
    "rubric 1-5, 80 % give 5": _levels([1, 2, 3, 4, 5], [2, 3, 5, 10, 80]),
    "rubric 1-5, even": _levels([1, 2, 3, 4, 5], [10, 20, 40, 20, 10]),
}
DIFFERENCES: Mapping[str, Population] = {
    "normal, sd 0.25": _normal(0.05, 0.25),
    "normal, sd 0.05": _normal(0.01, 0.05),
    "rubric difference, sd 1.1": _levels(list(range(-4, 5)), [0, 1, 5, 15, 40, 25, 10, 4, 0]),
    "3 % differ, by 0.5 to 1": _some_differ(0.03, lambda g, size: g.uniform(0.5, 1, size), 0.75),
    "5 % differ, by -0.5 to 1": _some_differ(0.05, lambda g, size: g.uniform(-0.5, 1, size), 0.25),
    "10 % differ, by beta(2, 3)": _some_differ(0.1, lambda g, size: g.beta(2, 3, size), 0.4),
    "jitter of 0.02, and 2 % fail (-1)": Population(draw=_jitter_and_failures, mean=-0.02, minimum=-1, maximum=1),
}


COUNTS: Mapping[str, Population] = {
    "count: Poisson(2)": Population(draw=lambda g, size: g.poisson(2, size).astype(float), mean=2, **_UNBOUNDED),
    "count: negative binomial, sd 3.7": Population(
        draw=lambda g, size: g.negative_binomial(0.5, 0.16, size).astype(float), mean=0.5 * 0.84 / 0.16, **_UNBOUNDED
    ),
    "length: lognormal(0, 0.7)": Population(
        draw=lambda g, size: g.lognormal(0, 0.7, size), mean=float(np.exp(0.245)), **_UNBOUNDED
    ),
    "length: lognormal(0, 1)": Population(
        draw=lambda g, size: g.lognormal(0, 1, size), mean=float(np.exp(0.5)), **_UNBOUNDED
    ),
}


def _shared_levels(icc: float) -> Draw:
    """Pass/fail at 80 %, with clusters that share a beta-distributed chance of passing."""
    weight = (1 - icc) / icc

    def draw(generator: np.random.Generator, sizes: tuple[int, int]) -> Draws:
        count, each = sizes
        chances = generator.beta(0.8 * weight, 0.2 * weight, (count, 1))
        return (generator.random((count, each)) < chances).astype(float)

    return draw


def _shared_shift(icc: float) -> Draw:
    def draw(generator: np.random.Generator, sizes: tuple[int, int]) -> Draws:
        shared = generator.normal(0, 0.25 * icc**0.5, (sizes[0], 1))
        return np.clip(shared + generator.normal(0, 0.25 * (1 - icc) ** 0.5, sizes), -1, 1)

    return draw


def _some_clusters_lose(generator: np.random.Generator, sizes: tuple[int, int]) -> Draws:
    hit = generator.random((sizes[0], 1)) < 0.1
    return -(hit * (generator.random(sizes) < 0.7)).astype(float)


# Each draws one sample: clusters x items of each.
CLUSTERED: Mapping[str, Population] = {
    "pass/fail at 80 %, icc 0.1": Population(draw=_shared_levels(0.1), mean=0.8, minimum=0, maximum=1),
    "pass/fail at 80 %, icc 0.5": Population(draw=_shared_levels(0.5), mean=0.8, minimum=0, maximum=1),
    "graded difference, icc 0.5": Population(draw=_shared_shift(0.5), mean=0.0, minimum=-1, maximum=1),
    "10 % of clusters lose 70 % of items": Population(draw=_some_clusters_lose, mean=-0.07, minimum=-1, maximum=1),
}
