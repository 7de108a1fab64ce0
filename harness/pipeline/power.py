"""What a golden set can show: the smallest difference that is likely to be seen, and how many items see a smaller."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from harness.assets import golden_set_folder
from harness.data.golden import load_golden_set
from harness.decision.sample import number_clusters
from harness.errors import ConfigError
from harness.pipeline.power_ratings import RATING, Spread, SpreadKind
from harness.pipeline.power_spread import assumed_spreads, measured_spreads
from harness.records.items import GoldenSet
from harness.stats.libraries import find_root
from harness.stats.power import (
    paired_proportions_power,
    smallest_detectable_difference_binary,
    smallest_detectable_mean,
)
from harness.stats.sample_size import MOST_ITEMS

POWER = 0.8
CONFIDENCE = 0.95
RATERS = 2
MOST_RATERS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerLine:
    """What one metric can show on the set.

    `effective_items` are the independent items that the set's count as. `smallest` is a proportion (binary), a
    difference in the metric's unit (graded) or a win rate (preference); None where no difference would be seen.
    `target` is in the same unit, None where none was asked for. `items_needed` and `raters_needed` (with the items
    there are) are for the target: None where up to 100,000 items or 50 raters do not do, or where raters do not matter.
    """

    spread: Spread
    effective_items: float
    smallest: float | None
    target: float | None = None
    items_needed: int | None = None
    raters_needed: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SetPower:
    """The power of a golden set for two-sided intervals. An item without a group is a group of its own.

    `on_sealed` says what its sealed items alone can show, by assumption; None where it has none.
    """

    golden_set: str
    version: str
    items: int
    groups: int
    raters: int
    power: float
    confidence: float
    lines: tuple[PowerLine, ...]
    on_sealed: str | None = None


def named_set_power(
    name: str, home: Path, *, raters: int = RATERS, target: float | None = None, experiment: str | None = None
) -> SetPower:
    """The power of the golden set of that name, or in that folder.

    Args:
        name: As an experiment names it; a path is relative to the current folder.
        home: Where runs are looked for; it need not exist.
        raters: As for `set_power`.
        target: As for `set_power`.
        experiment: Only its runs are looked at, given by name, file or folder.

    Raises:
        DataError: The golden set cannot be read.
        ConfigError: As `set_power`, or there is no such experiment.
    """
    golden_set = load_golden_set(golden_set_folder(name, beside=Path.cwd()))
    measured = measured_spreads(golden_set, home, raters=max(1, raters), experiment=experiment)
    power = set_power(golden_set, measured, raters=raters, target=target)
    return replace(power, on_sealed=_judged_sentence(golden_set) if golden_set.part("sealed") else None)


def set_power(
    golden_set: GoldenSet, measured: Sequence[Spread] = (), *, raters: int = RATERS, target: float | None = None
) -> SetPower:
    """The smallest differences that a set can show with 80 % power at 95 % confidence, and what a target needs.

    Pass/fail and preference by exact enumeration of what verdicts read; means by the paired t test or the score
    interval of bounded metrics, whichever sees less.

    Args:
        golden_set: The set.
        measured: What runs and raters say of metrics. Where a pass/fail metric is among them, none is assumed, and
            likewise for a rubric and a preference.
        raters: Who answer the rubric for each answer and are averaged, at least 1.
        target: A share of a metric's range, in (0, 0.5): 0.1 is 10 points pass/fail, 0.4 points of a rubric from 1 to
            5, a win rate of 60 %; in the metric's own unit where it has no bounds.

    Raises:
        ConfigError: `raters` or `target` is outside its range.
    """
    if raters < 1:
        raise ConfigError(f"--raters is {raters}; allowed: 1 or more. Say how many people rate each answer.")
    if target is not None and not 0 < target < 0.5:
        raise ConfigError(
            f"--target is {target:g}; allowed: above 0 and below 0.5, a share of the metric's range. "
            "Write 0.1 for 10 points pass/fail."
        )
    known = {spread.kind for spread in measured if spread.kind != "graded" or spread.metric.startswith(RATING)}
    assumed = [one for one in assumed_spreads(golden_set, raters=raters) if one.kind not in known]
    items = len(golden_set.items)
    return SetPower(
        golden_set=golden_set.name,
        version=golden_set.version,
        items=items,
        groups=len(set(number_clusters([item.group for item in golden_set.items]))),
        raters=raters,
        power=POWER,
        confidence=CONFIDENCE,
        lines=tuple(_line(spread, items, target) for spread in (*measured, *assumed)),
    )


def power_sentence(golden_set: GoldenSet) -> str:
    """The smallest differences in one sentence, from what is assumed of any set.

    Of a set with sealed items these are meant, since gates judge by them alone.
    """
    whence = "`harness golden power` says what is assumed"
    return f"{_judged_sentence(golden_set)} ({100 * POWER:.0f} % power; {whence})"


def _judged_sentence(golden_set: GoldenSet) -> str:
    sealed = golden_set.part("sealed")
    lines = set_power(replace(golden_set, items=sealed) if sealed else golden_set).lines
    count = "1 sealed item" if len(sealed) == 1 else f"{len(sealed)} sealed items"
    on = f"on the {count}, which gates judge by, " if sealed else ""
    said = ", ".join(f"{line.spread.metric} {value_text(line.spread.kind, line.smallest)}" for line in lines)
    return f"{on}smallest difference likely to be seen: {said}"


def value_text(kind: SpreadKind, value: float | None) -> str:
    """`21.3 points`, `0.43`, `a win rate of 68 %`; `none` for None."""
    if value is None:
        return "none"
    match kind:
        case "binary":
            return f"{100 * value:.1f} points"
        case "graded":
            return f"{value:.2f}"
        case "preference":
            return f"a win rate of {100 * value:.0f} %"
        case _:
            assert_never(kind)


def _line(spread: Spread, items: int, target: float | None) -> PowerLine:
    effective = items * spread.effective_share
    smallest = _smallest(spread, effective)
    if target is None:
        return PowerLine(spread=spread, effective_items=effective, smallest=smallest)
    in_unit = 0.5 + target if spread.kind == "preference" else target * (spread.width or 1.0)
    independent = _fewest(lambda n: _sees(spread, n, in_unit), start=2, most=MOST_ITEMS)
    return PowerLine(
        spread=spread,
        effective_items=effective,
        smallest=smallest,
        target=in_unit,
        items_needed=None if independent is None else math.ceil(independent / spread.effective_share),
        raters_needed=_raters_needed(spread, effective, in_unit),
    )


def _smallest(spread: Spread, effective: float) -> float | None:
    whole = max(1, math.floor(effective))
    match spread.kind:
        case "binary":
            return _smallest_share(whole, spread.value)
        case "graded":
            return _smallest_mean(effective, spread.value, spread.width)
        case "preference":
            difference = _smallest_share(whole, 1 - spread.value)
            return None if difference is None else 0.5 + difference / 2
        case _:
            assert_never(spread.kind)


def _smallest_share(n: int, discordance: float) -> float | None:
    """Systems further apart than `discordance` disagree on as many items as they are apart; None: nothing is shown."""
    if (found := smallest_detectable_difference_binary(n, discordance, POWER, confidence=CONFIDENCE)) is not None:
        return found

    def lacking(difference: float) -> float:
        return paired_proportions_power(n, difference, difference, confidence=CONFIDENCE) - POWER

    return find_root(lacking, discordance, 1.0) if lacking(1.0) > 0 else None


def _smallest_mean(effective: float, sd: float, width: float | None) -> float | None:
    """None where it is beyond the largest difference there can be, or there are fewer than 2 items."""
    if effective < 2:
        return None
    smallest = smallest_detectable_mean(effective, sd, POWER, confidence=CONFIDENCE, widest=width)
    return None if width is not None and smallest > width else smallest


def _sees(spread: Spread, n: int, target: float) -> bool:
    """Whether so many independent items show the target."""
    match spread.kind:
        case "binary":
            return _shows_share(n, target, spread.value)
        case "graded":
            smallest = _smallest_mean(n, spread.value, spread.width)
            return smallest is not None and smallest <= target
        case "preference":
            return _shows_share(n, 2 * target - 1, 1 - spread.value)
        case _:
            assert_never(spread.kind)


def _shows_share(n: int, difference: float, discordance: float) -> bool:
    return paired_proportions_power(n, difference, max(difference, discordance), confidence=CONFIDENCE) >= POWER


def _raters_needed(spread: Spread, effective: float, target: float) -> int | None:
    """Raters make a rubric more exact, as far as is known how much they differ; a preference is one settled choice."""
    parts = spread.rating
    if parts is None:
        return None

    def enough(raters: int) -> bool:
        smallest = _smallest_mean(effective, parts.sd(raters), spread.width)
        return smallest is not None and smallest <= target

    return _fewest(enough, start=1, most=MOST_RATERS)


def _fewest(enough: Callable[[int], bool], *, start: int, most: int) -> int | None:
    """The fewest that are enough: doubles, then halves the gap. More is taken to be no worse."""
    low, high = start - 1, start
    while not enough(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
