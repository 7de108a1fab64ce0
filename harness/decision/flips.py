"""Which answers were lost, and which were won: the items behind a difference in accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.records.scores import Score

WHOLE = "all"  # the stratum of items that have none


@dataclass(frozen=True, kw_only=True, slots=True)
class StratumFlips:
    """Flips within one stratum (a subject): item ids, out of `n` items that both runs answered."""

    stratum: str
    n: int
    lost: tuple[str, ...]
    gained: tuple[str, ...]


def find_flips(candidate: Sequence[Score], baseline: Sequence[Score]) -> list[StratumFlips]:
    """Right-to-wrong (`lost`) and wrong-to-right (`gained`) items of one pass/fail metric, by stratum.

    Items pair by id and hash; an item that either run has no value on is left out.

    Returns:
        Strata with the most lost items first, then by name; strata without flips too.
    """
    before = {(score.item_id, score.item_hash): score for score in baseline if score.value is not None}
    strata: dict[str, list[tuple[str, float]]] = {}
    for score in candidate:
        other = before.get((score.item_id, score.item_hash))
        if score.value is not None and other is not None and other.value is not None:
            change = score.value - other.value
            strata.setdefault(score.stratum or WHOLE, []).append((score.item_id, change))
    flips = [
        StratumFlips(
            stratum=stratum,
            n=len(changes),
            lost=tuple(item_id for item_id, change in changes if change < 0),
            gained=tuple(item_id for item_id, change in changes if change > 0),
        )
        for stratum, changes in strata.items()
    ]
    return sorted(flips, key=lambda one: (-len(one.lost), one.stratum))


def flip_sentence(metric: str, strata: Sequence[StratumFlips], *, shown: int = 8) -> str:
    """How many answers were lost and won, with the strata that lost most; empty strata are left out."""
    flipped = [one for one in strata if one.lost or one.gained]
    lost, gained = sum(len(one.lost) for one in flipped), sum(len(one.gained) for one in flipped)
    named = "; ".join(f"{one.stratum} -{len(one.lost)} +{len(one.gained)}" for one in flipped[:shown])
    rest = f"; and {len(flipped) - shown} more strata" if len(flipped) > shown else ""
    where = f" ({named}{rest})" if named else ""
    return f"{metric}: {lost} right to wrong, {gained} wrong to right{where}"
