"""A forest plot: differences with their intervals, a metric a row, over a common scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.records.estimates import Comparison
from reports import wording
from reports.markup import Forest, Ticks

_ROOM = 0.06
_TICKS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """From `low` to `high`, in the unit of the differences."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Where a value stands, as a share of the width in [0, 1]; values beyond the ends stand at the ends."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def scale_of(comparisons: Sequence[Comparison]) -> Scale:
    """A scale that holds every bound and zero."""
    bounds = [one.difference for one in comparisons]
    bounds += [bound for one in comparisons for bound in (one.ci_low, one.ci_high) if bound is not None]
    low, high = min([*bounds, 0.0]), max([*bounds, 0.0])
    room = _ROOM * ((high - low) or 1.0)
    return Scale(low=low - room, high=high + room)


def ticks(scale: Scale, *, percent: bool) -> Ticks:
    """Round numbers over the scale: points for pass/fail metrics, else the metric's own unit."""
    step = _round_step((scale.high - scale.low) / _TICKS)
    numbers = [step * count for count in range(math.ceil(scale.low / step), math.floor(scale.high / step) + 1)]
    decimals = max(0, -math.floor(math.log10(step)))
    labels = [f"{100 * number:+.0f}" if percent else f"{number:+.{decimals}f}" for number in numbers]
    return Ticks(
        labels=tuple(
            (scale.place(number), label if abs(number) > step / 2 else "0")
            for number, label in zip(numbers, labels, strict=True)
        )
    )


def row(comparison: Comparison, scale: Scale) -> Forest:
    """One difference on the scale, with its numbers on hover."""
    bounds = (comparison.ci_low, comparison.ci_high)
    return Forest(
        at=scale.place(comparison.difference),
        low=None if bounds[0] is None else scale.place(bounds[0]),
        high=None if bounds[1] is None else scale.place(bounds[1]),
        zero=scale.place(0.0),
        tone=wording.standing(comparison),
        tip=f"{comparison.metric}: {wording.difference(comparison)}; n {comparison.n}; {comparison.test}",
    )


def _round_step(rough: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= rough * (1 - 1e-9))
