"""Who rates what next: drawn as raters come, with a seed, so that drop-outs and late raters keep it balanced.

Every draw depends on the campaign and on what was assigned and judged so far, and on nothing else.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.rating.blocks import Block, Blocks, Progress, in_block
from harness.rating.duels import calibration_duel, draw_duel
from harness.rating.order import counterbalanced, draw, fraction, shuffled
from harness.records.rating import Assignment, AssignmentKind, Purpose

CLOSING_AFTER = (10, 14)  # items a rater finished, before the closing question comes though more are left
ITEMS_APART = 3  # a hidden repeat comes after at least so many other items


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """One screen to assign."""

    item_id: str
    kind: AssignmentKind
    run_ids: tuple[str, ...]
    purpose: Purpose = "scored"
    repeat_of: str | None = None


def open_screen(progress: Progress, rater: str, *, now: datetime) -> Assignment | None:
    """The earliest screen that a rater was assigned, did not judge, and is still asked for.

    A block that lapsed is still asked for as long as its item lacks raters; once others took it over, it is passed by.
    """
    blocks = Blocks(progress, now=now)
    return next((one for one in progress.of_rater(rater) if _is_open(progress, blocks, one)), None)


def next_assignments(
    progress: Progress, rater: str, *, now: datetime, new_id: Callable[[], str]
) -> tuple[Assignment, ...]:
    """The screens that a rater gets next: those of one item, one hidden repeat, or the closing question.

    Calibration items come first, in the same order for everybody. Then items that lack raters, those first that others
    have finished most of, in an order drawn for each rater; she never gets an item twice but as a hidden repeat. The
    closing question comes once: when nothing is left, or after so many items that a rater who stops early was asked
    too (drawn for the campaign, see `CLOSING_AFTER`).

    Args:
        progress: The campaign so far; no screen of hers may be open.
        rater: Who asks.
        now: When.
        new_id: Makes a random id.

    Returns:
        Screens in the order to show them in; none when nothing is left for her at this moment.

    Raises:
        ValueError: She has an open screen.
    """
    blocks = Blocks(progress, now=now)
    hers = progress.of_rater(rater)
    if any(_is_open(progress, blocks, one) for one in hers):
        raise ValueError(f"rater {rater} has an open screen; show that one first")
    return tuple(
        Assignment(
            assignment_id=new_id(),
            campaign_id=progress.campaign.campaign_id,
            rater=rater,
            item_id=plan.item_id,
            kind=plan.kind,
            purpose=plan.purpose,
            run_ids=plan.run_ids,
            position=position,
            assigned_at=now,
            repeat_of=plan.repeat_of,
        )
        for position, plan in enumerate(_plan(progress, blocks, rater, hers), start=len(hers))
    )


def screens_left(progress: Progress, rater: str, *, now: datetime) -> int:
    """About how many screens a rater has before her: open ones, and her share of what nobody has taken yet.

    What is left is taken to be shared by those who are rating at this moment.
    """
    campaign, blocks, hers = progress.campaign, Blocks(progress, now=now), progress.of_rater(rater)
    waiting = [one for one in hers if _is_open(progress, blocks, one)]
    calibration = sum(blocks.of(rater, item_id) is None for item_id in campaign.calibration_ids)
    free = len(_free_items(progress, blocks, rater))
    lacking = sum(blocks.lacking(campaign, item_id) for item_id in campaign.item_ids)
    at_work = {block.rater for block in blocks if block.is_held} | {rater}
    coming = min(free, math.ceil(lacking / len(at_work))) * _block_size(progress)
    scored = sum(in_block(one) and one.purpose == "scored" and progress.is_judged(one) for one in hers)
    scored += sum(in_block(one) and one.purpose == "scored" for one in waiting) + coming
    repeats = max(0, _repeats_owed(progress, rater, scored) - sum(one.purpose == "repeat" for one in hers))
    closing = _has_closing(progress) and not any(one.kind == "closing" for one in hers)
    return len(waiting) + calibration * _block_size(progress) + coming + repeats + closing


def _is_open(progress: Progress, blocks: Blocks, assignment: Assignment) -> bool:
    if progress.is_judged(assignment):
        return False
    if not in_block(assignment) or assignment.purpose == "calibration":
        return True
    block = blocks.of(assignment.rater, assignment.item_id)
    if block is None:
        return True
    # A later block on the same item was given out because hers had lapsed: it goes first, even when she is back.
    ahead = sum(
        other.is_done or (other.is_held and _began(progress, other) > _began(progress, block))
        for other in blocks.on(assignment.item_id)
        if other.rater != assignment.rater
    )
    return ahead < progress.campaign.raters_per_item


def _began(progress: Progress, block: Block) -> tuple[datetime, str]:
    return block.screens[0].assigned_at, block.screens[0].assignment_id


def _plan(progress: Progress, blocks: Blocks, rater: str, hers: Sequence[Assignment]) -> list[_Plan]:
    campaign = progress.campaign
    for item_id in campaign.calibration_ids:
        if blocks.of(rater, item_id) is None:
            return _plan_block(progress, blocks, rater, item_id, "calibration")
    if repeat := _plan_repeat(progress, rater, hers):
        return [repeat]
    free = _free_items(progress, blocks, rater)
    if (not free or _is_time_to_close(progress, blocks, rater)) and (
        closing := _plan_closing(progress, blocks, rater, hers)
    ):
        return closing
    if free:
        chosen = min(free, key=lambda item_id: (-blocks.done_on(item_id), draw(campaign.seed, rater, item_id)))
        return _plan_block(progress, blocks, rater, chosen, "scored")
    return []


def _is_time_to_close(progress: Progress, blocks: Blocks, rater: str) -> bool:
    """Whether she has rated so much that what she thinks of the systems is worth asking."""
    campaign = progress.campaign
    done = sum(block.rater == rater and block.is_done and block.item_id in campaign.item_ids for block in blocks)
    first, last = CLOSING_AFTER
    return done >= first + draw(campaign.seed, "closing after") % (last - first + 1)


def _free_items(progress: Progress, blocks: Blocks, rater: str) -> list[str]:
    """Items that lack raters, and that she never had."""
    campaign = progress.campaign
    return [
        item_id
        for item_id in campaign.item_ids
        if blocks.of(rater, item_id) is None and blocks.lacking(campaign, item_id) > 0
    ]


def _plan_block(progress: Progress, blocks: Blocks, rater: str, item_id: str, purpose: Purpose) -> list[_Plan]:
    campaign = progress.campaign
    if campaign.kind == "validate":
        return [_Plan(item_id=item_id, kind="validate", run_ids=(), purpose=purpose)]
    plans: list[_Plan] = []
    if campaign.kind in ("rubric", "both"):
        turn = sum(block.rater == rater and block.is_done and block.screens[0].purpose == purpose for block in blocks)
        order = counterbalanced(sorted(campaign.runs.values()), turn, campaign.seed, rater, purpose)
        plans += [_Plan(item_id=item_id, kind="rubric", run_ids=(run_id,), purpose=purpose) for run_id in order]
    if campaign.kind in ("pairwise", "both"):
        is_scored = purpose == "scored"
        duel = draw_duel(progress, blocks, rater, item_id) if is_scored else calibration_duel(progress, rater, item_id)
        plans.append(_Plan(item_id=item_id, kind="pairwise", run_ids=duel, purpose=purpose))
    return plans


def _plan_repeat(progress: Progress, rater: str, hers: Sequence[Assignment]) -> _Plan | None:
    """One of her earlier screens again, sides swapped, if one is owed; each system is repeated equally often."""
    judged = [one for one in hers if in_block(one) and one.purpose == "scored" and progress.is_judged(one)]
    repeats = [one for one in hers if one.purpose == "repeat"]
    if len(repeats) >= _repeats_owed(progress, rater, len(judged)):
        return None
    shown = list(dict.fromkeys(one.item_id for one in reversed(hers)))
    recent, known = set(shown[:ITEMS_APART]), {one.repeat_of for one in repeats}
    counts = Counter(run_id for one in repeats for run_id in one.run_ids)
    fit = [one for one in judged if one.item_id not in recent and one.assignment_id not in known]
    if not fit:
        return None

    def by_need(one: Assignment) -> tuple[int, int]:
        luck = draw(progress.campaign.seed, rater, "repeat", len(repeats), one.position)
        return sum(counts[run_id] for run_id in one.run_ids), luck

    again = min(fit, key=by_need)
    return _Plan(
        item_id=again.item_id,
        kind=again.kind,
        run_ids=tuple(reversed(again.run_ids)),
        purpose="repeat",
        repeat_of=again.assignment_id,
    )


def _repeats_owed(progress: Progress, rater: str, screens: int) -> int:
    """Repeats due after so many screens: the share asked for, rounded at a point drawn for each rater."""
    campaign = progress.campaign
    return math.floor(campaign.repeats * screens + fraction(campaign.seed, rater, "repeats"))


def _plan_closing(progress: Progress, blocks: Blocks, rater: str, hers: Sequence[Assignment]) -> list[_Plan]:
    if not _has_closing(progress) or any(one.kind == "closing" for one in hers):
        return []
    campaign = progress.campaign
    done = [block.item_id for block in blocks if block.rater == rater and block.is_done]
    scored = [item_id for item_id in done if item_id in campaign.item_ids]
    if not scored:
        return []
    item_id = min(scored, key=lambda one: draw(campaign.seed, rater, "closing", one))
    run_ids = shuffled(sorted(campaign.runs.values()), campaign.seed, rater, "closing", item_id)
    return [_Plan(item_id=item_id, kind="closing", run_ids=run_ids)]


def _has_closing(progress: Progress) -> bool:
    """Whether there is anything to tell apart at the end."""
    return len(progress.campaign.runs) > 1


def _block_size(progress: Progress) -> int:
    campaign = progress.campaign
    match campaign.kind:
        case "rubric":
            return len(campaign.runs)
        case "both":
            return len(campaign.runs) + 1
        case "pairwise" | "validate":
            return 1
