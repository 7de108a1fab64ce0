"""How consistently raters rate: Krippendorff's alpha, Cohen's and Fleiss' kappa, each with an interval.

All three compare the disagreement seen with the one that chance would give: 1 is perfect agreement, 0 what chance
gives, below 0 less than that. Where chance itself cannot disagree (all ratings are equal) they are undefined, and that
is said instead of a number: raters who never use but one level have shown nothing about their agreement.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

import numpy as np

from harness.stats.intervals import check_confidence, two_sided_z
from harness.stats.libraries import Table, Values
from harness.stats.rating_libraries import alpha_of_counts, cohen_of_table, fleiss_of_counts

Level: TypeAlias = Literal["nominal", "ordinal", "interval"]
Weights: TypeAlias = Literal["linear", "quadratic"]

RESAMPLES = 2000
_MOST_UNDEFINED = 0.1
_AT_ONCE = 100
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """A coefficient of agreement, at most 1, with its two-sided interval.

    `value` is None where the coefficient is undefined, `low` and `high` where no interval is; `note` then says why.
    `units` counts what at least two raters rated.
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    units: int
    note: str | None = None


def krippendorff_alpha(
    ratings: Sequence[Sequence[float]],
    level: Level = "ordinal",
    *,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Agreement:
    """Krippendorff's alpha: agreement of any number of raters, who need not all have rated everything.

    The interval is the percentile bootstrap over units, or over clusters of them (2,000 resamples). Assumes units, or
    clusters, that are independent of each other. With few units, or few that raters disagree on, it is too narrow.
    After perfect agreement it reaches as low as it would if z^2 / (n + z^2) of the units (clusters) were disagreed on
    as far as the levels seen allow.

    Args:
        ratings: For each unit the ratings it got, in any order; units with fewer than two are left out.
        level: What the levels mean: names ("nominal"), ranks ("ordinal") or equal steps ("interval").
        clusters: For each unit what it belongs to (several systems' answers to one item); None: each stands alone.
        confidence: Two-sided, in (0, 1).
        seed: Of the resampling; the same ratings and seed give the same interval.

    Returns:
        In [-1, 1]. Undefined where no unit has two ratings or all ratings are equal.

    Raises:
        ValueError: A rating that is not finite, a confidence outside (0, 1), or clusters of another length.

    Source: Krippendorff (2011), Computing Krippendorff's alpha-reliability; computed by the krippendorff package.
    """
    check_confidence(confidence)
    labels = range(len(ratings)) if clusters is None else clusters
    pairable = [unit for unit in ratings if len(unit) >= 2]
    stands_in = [label for unit, label in zip(ratings, labels, strict=True) if len(unit) >= 2]
    if not pairable:
        return _undefined("No unit was rated by two raters.", 0, confidence)
    levels, counts = _count_levels(pairable)
    if len(levels) == 1:
        return _undefined(
            f"Every rating is {levels[0]:g}, which shows nothing about agreement.", len(counts), confidence
        )
    value = alpha_of_counts(counts, levels, level)
    places = {label: place for place, label in enumerate(dict.fromkeys(stands_in))}
    if value >= 1 - _ROUNDING:
        used = counts.sum(axis=0)
        chance = _chance_disagreement(used, _distances(used[None], levels, level)[0])
        return replace(_perfect(chance, len(places), confidence), units=len(counts))
    alphas, members = _alphas(counts, levels, level), np.array([places[label] for label in stands_in])
    found = _bootstrap(value, lambda drawn: alphas(drawn[:, members]), len(places), confidence, seed)
    return replace(found, units=len(counts))


def cohen_kappa(
    first: Sequence[float],
    second: Sequence[float],
    *,
    weights: Weights | None = None,
    levels: Sequence[float] | None = None,
    confidence: float = 0.95,
) -> Agreement:
    """Cohen's kappa of two raters who rated the same units.

    The interval is the percentile bootstrap over units, as for `krippendorff_alpha`.

    Args:
        first: Ratings of the first rater, by unit.
        second: Ratings of the second rater on the same units.
        weights: How much a disagreement counts: all the same (None), by its steps ("linear"), or by their square.
        levels: All levels of the scale in order, at least those used; weights count steps along them. None: those used.
        confidence: Two-sided, in (0, 1). The resampling is seeded with 0.

    Returns:
        In [-1, 1]. Undefined where nothing was rated, or both raters gave one and the same level throughout; without an
        interval where one of them did, since kappa is then 0 whatever the other does.

    Raises:
        ValueError: Lengths that differ, or a rating that is not among `levels`.

    Source: Cohen (1960), Educational and Psychological Measurement 20:37, and (1968), Psychological Bulletin 70:213;
    computed by statsmodels.
    """
    check_confidence(confidence)
    if len(first) != len(second):
        raise ValueError(
            f"{len(first)} ratings by one rater, {len(second)} by the other; both must rate the same units"
        )
    used = sorted({*first, *second})
    scale = used if levels is None else list(levels)
    if not set(used) <= set(scale):
        raise ValueError(f"ratings {sorted(set(used) - set(scale))} are not among the levels {scale}")
    if not used:
        return _undefined("No unit was rated by two raters.", 0, confidence)
    if len(used) == 1:
        return _undefined(f"Every rating is {used[0]:g}, which shows nothing about agreement.", len(first), confidence)
    cells = np.zeros((len(first), len(scale), len(scale)))
    for unit, (one, other) in enumerate(zip(first, second, strict=True)):
        cells[unit, scale.index(one), scale.index(other)] = 1
    table, distances = cells.sum(axis=0), _steps(len(scale), weights)
    value = cohen_of_table(table, weights)
    if 1 in (len(set(first)), len(set(second))):
        note = "One rater gave the same level throughout, so no interval is defined."
        return Agreement(value=value, low=None, high=None, confidence=confidence, units=len(first), note=note)
    if value >= 1 - _ROUNDING:
        chance = float(table.sum(axis=1) @ distances @ table.sum(axis=0)) / len(first) ** 2
        seen = np.flatnonzero(table.sum(axis=1))
        return _perfect(chance / float(np.max(distances[np.ix_(seen, seen)])), len(first), confidence)

    def kappas(drawn: Table) -> Values:
        tables = np.einsum("ru,uij->rij", drawn, cells)
        expected = np.einsum("ri,ij,rj->r", tables.sum(axis=2), distances, tables.sum(axis=1)) / len(first)
        with np.errstate(invalid="ignore", divide="ignore"):
            return cast("Values", 1 - (tables * distances).sum(axis=(1, 2)) / expected)

    return _bootstrap(value, kappas, len(first), confidence, seed=0)


def fleiss_kappa(counts: Sequence[Sequence[int]], *, confidence: float = 0.95, seed: int = 0) -> Agreement:
    """Fleiss' kappa: agreement on names, where every unit has the same number of ratings.

    The interval is the percentile bootstrap over units, as for `krippendorff_alpha`.

    Args:
        counts: For each unit how often each category was chosen.
        confidence: Two-sided, in (0, 1).
        seed: Of the resampling.

    Returns:
        In [-1, 1]. Undefined without units, with one rating a unit, or where all ratings are equal.

    Raises:
        ValueError: Units with different numbers of ratings or categories (`krippendorff_alpha` takes those).

    Source: Fleiss (1971), Psychological Bulletin 76:378; computed by statsmodels.
    """
    check_confidence(confidence)
    if len({(len(unit), sum(unit)) for unit in counts}) > 1:
        raise ValueError("units have different numbers of ratings or categories; use krippendorff_alpha")
    if not counts or sum(counts[0]) < 2:
        return _undefined("No unit was rated by two raters.", 0, confidence)
    table = np.array(counts, dtype=np.float64)
    if int(np.count_nonzero(table.sum(axis=0))) == 1:
        return _undefined("Every rating is the same, which shows nothing about agreement.", len(table), confidence)
    raters = float(table[0].sum())
    agreed = ((table**2).sum(axis=1) - raters) / (raters * (raters - 1))

    def kappas(drawn: Table) -> Values:
        chance = ((drawn @ table / (len(table) * raters)) ** 2).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return cast("Values", (drawn @ agreed / len(table) - chance) / (1 - chance))

    value = fleiss_of_counts(table)
    if value >= 1 - _ROUNDING:
        chance = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
        return _perfect(1 - chance, len(table), confidence)
    return _bootstrap(value, kappas, len(table), confidence, seed)


def _count_levels(units: Sequence[Sequence[float]]) -> tuple[Values, Table]:
    """The levels used, and how often each unit (row) got each (column)."""
    flat = np.array([rating for unit in units for rating in unit], dtype=np.float64)
    if not bool(np.all(np.isfinite(flat))):
        raise ValueError("a rating is not finite; leave missing ratings out")
    levels, positions = np.unique(flat, return_inverse=True)
    owners = np.repeat(np.arange(len(units)), [len(unit) for unit in units])
    counts = np.zeros((len(units), len(levels)))
    np.add.at(counts, (owners, positions), 1.0)
    return levels, counts


def _distances(
    marginals: Table, levels: Values, level: Level
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """Krippendorff's squared distance of every two levels, given how often each was used (one row a resample)."""
    match level:
        case "nominal":
            return np.broadcast_to(1.0 - np.eye(len(levels)), (len(marginals), len(levels), len(levels)))
        case "interval":
            return np.broadcast_to((levels[:, None] - levels) ** 2, (len(marginals), len(levels), len(levels)))
        case "ordinal":
            ranks = np.cumsum(marginals, axis=1) - marginals / 2
            return (ranks[:, :, None] - ranks[:, None, :]) ** 2


def _alphas(counts: Table, levels: Values, level: Level) -> Callable[[Table], Values]:
    """Alpha of many resamples at once, given how often each draws each unit."""
    sizes = counts.sum(axis=1)
    within = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(counts.shape[1])
    coincidences = (within / (sizes - 1)[:, None, None]).reshape(len(counts), -1)

    def alphas(drawn: Table) -> Values:
        marginals = cast("Table", drawn @ counts)
        distances = _distances(marginals, levels, level)
        observed = ((drawn @ coincidences).reshape(distances.shape) * distances).sum(axis=(1, 2))
        expected = np.einsum("rv,rw,rvw->r", marginals, marginals, distances)
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1.0 - (marginals.sum(axis=1) - 1) * observed / expected

    return alphas


def _chance_disagreement(marginals: Values, distances: Table) -> float:
    """The disagreement that chance gives, as a share of the largest there can be between the levels seen."""
    total = float(marginals.sum())
    return float(marginals @ distances @ marginals) / (total * (total - 1)) / float(np.max(distances))


def _steps(count: int, weights: Weights | None) -> Table:
    """How much two levels of a scale disagree: not at all or wholly, by their steps, or by the square of those."""
    steps = np.abs(np.arange(count)[:, None] - np.arange(count)).astype(np.float64)
    match weights:
        case None:
            return np.minimum(steps, 1.0)
        case "linear":
            return steps
        case "quadratic":
            return steps**2


def _perfect(chance_disagreement: float, units: int, confidence: float) -> Agreement:
    z2 = two_sided_z(confidence) ** 2
    low = max(-1.0, 1.0 - z2 / (units + z2) / chance_disagreement)
    note = "The raters agreed on everything; the lower bound allows for units not seen on which they would not."
    return Agreement(value=1.0, low=low, high=1.0, confidence=confidence, units=units, note=note)


def _bootstrap(
    value: float, statistic: Callable[[Table], Values], units: int, confidence: float, seed: int
) -> Agreement:
    if units < 2:
        note = "Only 1 unit was rated by two raters, so no interval is defined."
        return Agreement(value=value, low=None, high=None, confidence=confidence, units=units, note=note)
    generator = np.random.default_rng(seed)
    found: list[Values] = []
    for _ in range(RESAMPLES // _AT_ONCE):
        drawn = generator.multinomial(units, np.full(units, 1 / units), size=_AT_ONCE).astype(np.float64)
        found.append(statistic(drawn))
    values = np.concatenate(found)
    defined = values[np.isfinite(values)]
    if len(defined) < (1 - _MOST_UNDEFINED) * RESAMPLES:
        note = "In many resamples all ratings are equal, so no interval is defined; rate more units."
        return Agreement(value=value, low=None, high=None, confidence=confidence, units=units, note=note)
    low, high = np.quantile(defined, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Agreement(
        value=value, low=min(value, float(low)), high=max(value, float(high)), confidence=confidence, units=units
    )


def _undefined(note: str, units: int, confidence: float) -> Agreement:
    return Agreement(value=None, low=None, high=None, confidence=confidence, units=units, note=note)
