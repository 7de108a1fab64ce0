"""Slices: the same comparison within subjects, languages or lengths, and what may be said of many at once.

Two questions, two answers.

*Does no slice lose more than a margin?* All slices must pass, so this is an intersection-union test: it passes wrongly
only if some slice truly loses the margin or more and still passes its own test, which happens at most at that one
test's rate (2.5 % at confidence 0.95), however many slices there are. So the interval of each slice is read as it is,
without correction (`no_slice_loses`). The price is power: with many small slices some are inconclusive by chance, and
then so is the whole. Failing is the other way round: one slice out of many fails by chance more often than one alone.
Hence a fail needs a slice whose interval at the Bonferroni-corrected confidence lies beyond the margin.

*Which slices changed?* That is a search among many, so p-values are adjusted by Benjamini-Hochberg: of the slices
called changed, a share of at most `rate` is expected to be a false call.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from harness.stats.bounded import bounded_mean_interval
from harness.stats.claims import Outcome, noninferiority
from harness.stats.intervals import Interval, check_confidence
from harness.stats.multiplicity import benjamini_hochberg
from harness.stats.paired import clustered_sign_flip_p


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """Candidate minus baseline on the items of one slice, positive where the candidate is better.

    `clusters` has the cluster of each item; None where each stands alone.
    """

    name: str
    differences: Sequence[float]
    clusters: Sequence[Hashable] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceDifference:
    """The mean difference within one slice.

    `interval` is at the confidence asked for, `family` at the one at which all slices' intervals hold together
    (Bonferroni). `p_value` is of sign flips, `adjusted_p` that of Benjamini and Hochberg over all slices.
    """

    name: str
    n: int
    difference: float
    interval: Interval
    family: Interval
    p_value: float
    adjusted_p: float


def slice_differences(
    slices: Sequence[Slice], *, minimum: float, maximum: float, confidence: float = 0.95, rate: float = 0.05
) -> list[SliceDifference]:
    """The paired difference within each slice, with interval and adjusted p-value.

    Assumes independent items (or clusters) within a slice. Slices may share items: a false pass stays as rare.

    Args:
        slices: Each with at least one difference; they may overlap.
        minimum: The least possible difference (-1 for a metric in [0, 1]).
        maximum: The greatest possible difference.
        confidence: Two-sided, in (0, 1).
        rate: The false discovery rate aimed at, in (0, 1).

    Returns:
        In the order given.

    Raises:
        ValueError: A slice without items, two of one name, or a difference outside its bounds.
    """
    check_confidence(confidence)
    if len({one.name for one in slices}) < len(slices):
        raise ValueError("two slices have the same name; give each its own")
    together = 1 - (1 - confidence) / max(1, len(slices))
    p_values = [clustered_sign_flip_p(one.differences, _clusters(one)) for one in slices]
    found: list[SliceDifference] = []
    for one, p_value, adjusted in zip(slices, p_values, benjamini_hochberg(p_values, rate=rate), strict=True):
        narrow, wide = (
            bounded_mean_interval(
                one.differences, minimum=minimum, maximum=maximum, confidence=level, clusters=_clusters(one)
            )
            for level in (confidence, together)
        )
        found.append(
            SliceDifference(
                name=one.name,
                n=len(one.differences),
                difference=sum(one.differences) / len(one.differences),
                interval=narrow,
                family=wide,
                p_value=p_value,
                adjusted_p=adjusted,
            )
        )
    return found


def no_slice_loses(slices: Sequence[SliceDifference], *, margin: float) -> Outcome:
    """Whether every slice is worse by less than `margin`; the module says why no correction is needed to pass.

    Args:
        slices: From `slice_differences`, at least one.
        margin: The loss not accepted in any slice, in the metric's unit, above 0 (0.1 for 10 points).

    Returns:
        "pass" if each slice's own interval lies above -margin; "fail" if any slice's `family` interval lies below it;
        else "inconclusive".

    Raises:
        ValueError: No slice, or a margin that is not above 0.
    """
    if not slices:
        raise ValueError("there is no slice to judge")
    own = [noninferiority(one.interval.low, one.interval.high, margin=margin) for one in slices]
    if all(outcome == "pass" for outcome in own):
        return "pass"
    together = [noninferiority(one.family.low, one.family.high, margin=margin) for one in slices]
    return "fail" if "fail" in together else "inconclusive"


def _clusters(one: Slice) -> Sequence[Hashable]:
    return range(len(one.differences)) if one.clusters is None else one.clusters
