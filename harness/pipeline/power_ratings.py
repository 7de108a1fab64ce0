"""How much systems differ in what raters say of them, and how much of that is the raters' own disagreement."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.records.scores import Metric, Score

SpreadKind = Literal["binary", "graded", "preference"]

RATING = "rating"
PREFERENCE = "rating/preference"
_MADE_OF_RATINGS = ("overall", ":adjudicated")

_Rated = Mapping[str, Mapping[int, float]]  # by item, the value of each rater


@dataclass(frozen=True, kw_only=True, slots=True)
class RatingParts:
    """What the variance of an item's rated difference is made of, in squared units of the metric.

    `items` is that of the systems' true difference from item to item, `raters` that of one rater's difference around
    what raters say on average.
    """

    items: float
    raters: float

    def sd(self, raters: int) -> float:
        """Standard deviation of an item's difference, each system's score being the mean of so many raters."""
        return math.sqrt(self.items + self.raters / raters)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """How far apart two systems are from item to item, on one metric.

    `value` is the share of items that exactly one system gets right (binary), the standard deviation of an item's
    difference (graded) or the share of ties (preference). `width` is the largest difference an item can have, None
    where there is none. `effective_share` is how many independent items an item counts as, in (0, 1]. `basis` says
    where the numbers come from. `rating` is there where `value` depends on how many raters are averaged.
    """

    kind: SpreadKind
    metric: str
    value: float
    width: float | None
    effective_share: float
    basis: str
    is_measured: bool
    rating: RatingParts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RatedPair:
    """What raters say of two runs on one metric: variances, or the share of ties of a preference.

    `sd` is that of an item's difference of means over `raters` raters (the harmonic mean). `rater_variance` is None
    where no answer was rated by two.
    """

    metric: str
    sd: float
    raters: float
    rater_variance: float | None
    ties: float | None = None


def rated_pairs(
    one: tuple[str, Mapping[str, Sequence[Score]]],
    other: tuple[str, Mapping[str, Sequence[Score]]],
    definitions: Mapping[str, Metric],
) -> list[RatedPair]:
    """What two runs' rating scores show, metric by metric; adjudicated and overall scores are not raters' answers.

    Args:
        one: A run's id and its rating scores by metric; the sample index of a score is its rater.
        other: The other run's.
        definitions: Of metrics; others are left out.
    """
    (_, ours), (their_id, theirs) = one, other
    found: list[RatedPair] = []
    for name in sorted(ours.keys() & theirs.keys() & definitions.keys()):
        if not name.startswith(PREFERENCE) and not name.endswith(_MADE_OF_RATINGS):
            pair = _rated(name, _by_rater(ours[name]), _by_rater(theirs[name]))
            found += [pair] if pair else []
    choices = [score.value for score in ours.get(f"{PREFERENCE}:{their_id}", ()) if score.value is not None]
    if choices:
        ties = sum(value == 0.5 for value in choices) / len(choices)
        found.append(RatedPair(metric=PREFERENCE, sd=0.0, raters=1.0, rater_variance=None, ties=ties))
    return found


def rating_spreads(
    pairs: Sequence[RatedPair], definitions: Mapping[str, Metric], *, share: float, raters: int
) -> list[Spread]:
    """The median over pairs of systems, by metric; a criterion on which no two differ is left out.

    Args:
        pairs: Of all pairs of runs.
        definitions: Of metrics.
        share: How many independent items an item counts as, in (0, 1].
        raters: Who will rate each answer.
    """
    by_metric: dict[str, list[RatedPair]] = {}
    for pair in pairs:
        by_metric.setdefault(pair.metric, []).append(pair)
    found: list[Spread] = []
    for name, some in by_metric.items():
        if name == PREFERENCE:
            found.append(_preference(some, share))
        elif spread := _criterion(definitions[name], some, share, raters):
            found.append(spread)
    return found


def _preference(pairs: Sequence[RatedPair], share: float) -> Spread:
    ties = statistics.median(pair.ties or 0.0 for pair in pairs)
    return Spread(
        kind="preference",
        metric=PREFERENCE,
        value=ties,
        width=1.0,
        effective_share=share,
        basis=f"measured: {100 * ties:.0f} % ties, one choice for each item {_of(pairs)}",
        is_measured=True,
    )


def _criterion(metric: Metric, pairs: Sequence[RatedPair], share: float, raters: int) -> Spread | None:
    sd = statistics.median(pair.sd for pair in pairs)
    if sd == 0:
        return None
    low, high = metric.minimum, metric.maximum
    rated_twice = [pair for pair in pairs if pair.rater_variance is not None]
    parts = None
    basis = f"measured: two systems differ with sd {sd:.3g} {_of(pairs)}; raters' own part not known, none rated twice"
    if rated_twice:
        of_raters = statistics.median(pair.rater_variance or 0.0 for pair in rated_twice)
        of_items = statistics.median(
            max(0.0, pair.sd**2 - (pair.rater_variance or 0.0) / pair.raters) for pair in rated_twice
        )
        parts = RatingParts(items=of_items, raters=of_raters)
        sd = parts.sd(raters)
        plural = "s" if raters != 1 else ""
        basis = (
            f"measured: sd {sd:.3g} with {raters} rater{plural}; from item to item {math.sqrt(of_items):.3g}, from "
            f"rater to rater {math.sqrt(of_raters):.3g} {_of(rated_twice)}"
        )
    return Spread(
        kind="graded",
        metric=metric.name,
        value=sd,
        width=None if low is None or high is None else high - low,
        effective_share=share,
        basis=basis,
        is_measured=True,
        rating=parts,
    )


def _of(pairs: Sequence[RatedPair]) -> str:
    return f"(median of {len(pairs)} pair{'s' if len(pairs) != 1 else ''})"


def _by_rater(scores: Sequence[Score]) -> _Rated:
    found: dict[str, dict[int, float]] = {}
    for score in scores:
        if score.value is not None:
            found.setdefault(score.item_id, {})[score.sample_index] = score.value
    return found


def _rated(name: str, ours: _Rated, theirs: _Rated) -> RatedPair | None:
    """None where fewer than two items were rated on both sides."""
    shared = sorted(ours.keys() & theirs.keys())
    if len(shared) < 2:
        return None
    differences = [statistics.fmean(ours[item].values()) - statistics.fmean(theirs[item].values()) for item in shared]
    within = [one for item in shared if (one := _within(ours[item], theirs[item])) is not None]
    counts = [2 / (1 / len(ours[item]) + 1 / len(theirs[item])) for item in shared]
    return RatedPair(
        metric=name,
        sd=statistics.stdev(differences),
        raters=statistics.harmonic_mean(counts),
        rater_variance=statistics.fmean(within) if within else None,
    )


def _within(ours: Mapping[int, float], theirs: Mapping[int, float]) -> float | None:
    """Variance of one rater's difference around the raters' mean, on one item.

    Where the same raters rated both answers their severity cancels, so that their own differences are looked at.
    """
    both = sorted(ours.keys() & theirs.keys())
    if len(both) > 1:
        return statistics.variance([ours[rater] - theirs[rater] for rater in both])
    if len(ours) > 1 and len(theirs) > 1:
        return statistics.variance(ours.values()) + statistics.variance(theirs.values())
    return None
