"""Whether there are enough ratings, said blind: no system is named, no direction given, and the goal stays.

The size of a campaign is fixed when it is opened. What is said here is about pairs of systems without their names, so
that it can be shown while raters are at work; who looks and then extends has looked, and the extension is recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from harness.rating.current import CRITICAL, Rating
from harness.stats.raters import FEWEST_RATERS, items_to_tell, two_way

FEWEST_ITEMS = 10
MOST_ITEMS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Enough:
    """How far a criterion is from telling the systems apart.

    `more_items` has, for each pair of systems, about how many more items would decide it at the present difference and
    variances: 0 where it is decided, None where no number of items would. In order of size, so that no place stands
    for a system. `items` counts those that both of a pair were rated on, the fewest of all pairs.
    """

    criterion_id: str
    items: int
    more_items: tuple[int | None, ...]
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pair:
    values: tuple[float, ...]
    items: tuple[str, ...]
    raters: tuple[str, ...]
    clusters: tuple[str, ...]


def enough(
    ratings: Sequence[Rating], criterion_id: str, *, groups: Mapping[str, str | None], planned: int
) -> Enough | None:
    """What more items would decide, for one criterion.

    Args:
        ratings: Those that count.
        criterion_id: Which criterion.
        groups: By item id, the group it stands in.
        planned: Items of the campaign, as fixed.

    Returns:
        None where fewer than two systems were rated.
    """
    by_run: dict[str, dict[tuple[str, str], float]] = {}
    for one in ratings:
        if one.criterion_id == criterion_id:
            by_run.setdefault(one.run_id, {})[one.item_id, one.rater] = one.value
    if len(by_run) < 2:
        return None
    pairs = [_pair(by_run[first], by_run[second], groups) for first, second in combinations(sorted(by_run), 2)]
    items = min(len(set(pair.items)) for pair in pairs)
    if items < FEWEST_ITEMS or any(len(set(pair.clusters)) < 2 for pair in pairs):
        early = f"{items} items were rated on both sides of every pair; under {FEWEST_ITEMS} nothing is said."
        return Enough(criterion_id=criterion_id, items=items, more_items=(), sentence=early)
    more = sorted((_more(pair) for pair in pairs), key=lambda one: (one is None, one or 0))
    return Enough(
        criterion_id=criterion_id,
        items=items,
        more_items=tuple(more),
        sentence=_sentence(criterion_id, more, planned),
    )


def _pair(
    ours: Mapping[tuple[str, str], float], theirs: Mapping[tuple[str, str], float], groups: Mapping[str, str | None]
) -> _Pair:
    shared = sorted(ours.keys() & theirs.keys())
    return _Pair(
        values=tuple(ours[key] - theirs[key] for key in shared),
        items=tuple(item_id for item_id, _ in shared),
        raters=tuple(rater for _, rater in shared),
        clusters=tuple(
            f"item {item_id}" if groups.get(item_id) is None else f"group {groups[item_id]}" for item_id, _ in shared
        ),
    )


def _more(pair: _Pair) -> int | None:
    """More items for one pair; fewer than five raters are fixed, so that items alone vary."""
    n, fixed = len(set(pair.items)), len(set(pair.raters)) < FEWEST_RATERS
    parts = two_way(pair.values, pair.items, pair.items if fixed else pair.raters, clusters=pair.clusters)
    if fixed:
        parts = replace(parts, of_raters=0.0, freedom=float(len(set(pair.clusters)) - 1))
    total = items_to_tell(parts, n=n)
    return None if total is None or total > MOST_ITEMS else total - n


def _sentence(criterion_id: str, more: Sequence[int | None], planned: int) -> str:
    name = "critical errors" if criterion_id == CRITICAL else criterion_id
    fixed = f"The size stays as it was fixed, {planned} items; an extension after this look is recorded."
    if len(more) == 1:
        if more[0] is None:
            return f"{name}: no number of items would tell the systems apart at the present difference. {fixed}"
        said = f"About {more[0]:,} more items would decide {name} at the present difference."
        return f"{said if more[0] else f'{name}: the systems are told apart.'} {fixed}"
    decided, never = more.count(0), more.count(None)
    open_ones = [f"{one:,}" for one in more if one]
    parts = [f"{decided} of {len(more)} pairs of systems {'is' if decided == 1 else 'are'} told apart"]
    if open_ones:
        shown = " and ".join([*([", ".join(open_ones[:-1])] if len(open_ones) > 1 else []), open_ones[-1]])
        parts.append(f"about {shown} more items would decide {len(open_ones)} at the present difference")
    if never:
        parts.append(f"of {never} no number of items would at the present difference")
    return f"{name}: {'; '.join(parts)}. {fixed}"
