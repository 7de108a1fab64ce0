"""Blocks: a rater's screens of one item, whether she finished them, and whether the item is held for her."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from harness.records.rating import Assignment, Campaign


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """A campaign as far as it has come: all that the design looks at.

    `assignments` are all of the campaign, oldest first. `judged` are the ids of those with a judgement. `last_sign`
    says by assignment when its rater last typed, opened or answered; without an entry it is when it was assigned.
    """

    campaign: Campaign
    assignments: Sequence[Assignment]
    judged: Collection[str]
    last_sign: Mapping[str, datetime]

    def of_rater(self, rater: str) -> list[Assignment]:
        """Her assignments, oldest first."""
        return [one for one in self.assignments if one.rater == rater]

    def is_judged(self, assignment: Assignment) -> bool:
        """Whether there is a judgement."""
        return assignment.assignment_id in self.judged


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """The screens that one rater got of one item at once; hidden repeats and the closing question belong to none.

    `is_done` where every screen is judged. `is_held` where one is not, and its rater gave a sign of life within the
    campaign's lease: nobody else gets the item in her place. A block that is neither has lapsed.
    """

    rater: str
    item_id: str
    screens: tuple[Assignment, ...]
    is_done: bool
    is_held: bool


class Blocks:
    """Every block of a campaign at one moment, by rater and item."""

    def __init__(self, progress: Progress, *, now: datetime) -> None:
        screens: dict[tuple[str, str], list[Assignment]] = {}
        for one in progress.assignments:
            if in_block(one):
                screens.setdefault((one.rater, one.item_id), []).append(one)
        lease = timedelta(seconds=progress.campaign.lease_s)
        self._by_item: dict[str, list[Block]] = {}
        self._by_key: dict[tuple[str, str], Block] = {}
        for (rater, item_id), shown in screens.items():
            done = all(progress.is_judged(one) for one in shown)
            sign = max(progress.last_sign.get(one.assignment_id, one.assigned_at) for one in shown)
            block = Block(
                rater=rater,
                item_id=item_id,
                screens=tuple(shown),
                is_done=done,
                is_held=not done and now - sign <= lease,
            )
            self._by_key[rater, item_id] = block
            self._by_item.setdefault(item_id, []).append(block)

    def __iter__(self) -> Iterator[Block]:
        return iter(self._by_key.values())

    def of(self, rater: str, item_id: str) -> Block | None:
        """Her block on an item."""
        return self._by_key.get((rater, item_id))

    def on(self, item_id: str) -> Sequence[Block]:
        """Everybody's blocks on an item."""
        return self._by_item.get(item_id, ())

    def done_on(self, item_id: str) -> int:
        """How many raters finished an item."""
        return sum(block.is_done for block in self.on(item_id))

    def lacking(self, campaign: Campaign, item_id: str, *, rater: str | None = None) -> int:
        """How many raters an item still needs, those not counted who hold it; `rater` is left out of the count."""
        others = [block for block in self.on(item_id) if block.rater != rater]
        taken = sum(block.is_done or block.is_held for block in others)
        return max(0, campaign.raters_per_item - taken)


def in_block(assignment: Assignment) -> bool:
    """Whether it is part of a block: no hidden repeat, not the closing question."""
    return assignment.purpose != "repeat" and assignment.kind != "closing"
