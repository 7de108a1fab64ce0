"""Which two systems a rater compares on an item, and which of them stands left."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations

from harness.rating.blocks import Blocks, Progress, in_block
from harness.rating.order import draw
from harness.records.rating import Assignment

Duel = tuple[str, str]


def draw_duel(progress: Progress, blocks: Blocks, rater: str, item_id: str) -> Duel:
    """The two runs for a rater on an item, the left one first.

    First of all the pairs that she compared least, so that she sees each pair, and each system, equally often. Among
    those, on every other item the pair that others compare there, so that agreement can be measured; on the rest one
    that nobody compares there, so that each pair is judged on as many items as possible. The sides are balanced for
    each of her pairs first, then against what others saw on the item, then over everybody.
    """
    campaign = progress.campaign
    hers = _duels(one for one in progress.of_rater(rater) if progress.is_judged(one))
    there = [duel for block in blocks.on(item_id) if block.is_done or block.is_held for duel in _duels(block.screens)]
    everywhere = _duels(one for block in blocks if block.is_done or block.is_held for one in block.screens)
    of_her, of_all = Counter(map(_pair, hers)), Counter(map(_pair, everywhere))
    seen = Counter(run_id for duel in hers for run_id in duel)
    on_item = {_pair(duel) for duel in there}
    is_shared = draw(campaign.seed, "shared", item_id) % 2 == 0

    def by_need(pair: Duel) -> tuple[int, int, bool, int, int]:
        unfit = bool(on_item) and (pair in on_item) != is_shared
        luck = draw(campaign.seed, rater, item_id, *pair)
        return of_her[pair], seen[pair[0]] + seen[pair[1]], unfit, of_all[pair], luck

    first, second = min(all_pairs(progress), key=by_need)

    def by_side(duel: Duel) -> tuple[int, int, int, int, int]:
        luck = draw(campaign.seed, rater, item_id, "side", duel[0])
        left = sum(shown[0] == duel[0] for shown in hers) + sum(shown[1] == duel[1] for shown in hers)
        return hers.count(duel), left, there.count(duel), everywhere.count(duel), luck

    return min((first, second), (second, first), key=by_side)


def calibration_duel(progress: Progress, rater: str, item_id: str) -> Duel:
    """The pair of a calibration item, the same for everybody; its sides are drawn for each rater."""
    campaign, pairs = progress.campaign, all_pairs(progress)
    first, second = pairs[campaign.calibration_ids.index(item_id) % len(pairs)]
    return (first, second) if draw(campaign.seed, rater, item_id, "side") % 2 else (second, first)


def all_pairs(progress: Progress) -> Sequence[Duel]:
    """Every two runs of the campaign."""
    return list(combinations(sorted(progress.campaign.runs.values()), 2))


def _pair(duel: Duel) -> Duel:
    return (duel[0], duel[1]) if duel[0] < duel[1] else (duel[1], duel[0])


def _duels(assignments: Iterable[Assignment]) -> list[Duel]:
    return [
        (one.run_ids[0], one.run_ids[1])
        for one in assignments
        if one.kind == "pairwise" and one.purpose == "scored" and in_block(one)
    ]
