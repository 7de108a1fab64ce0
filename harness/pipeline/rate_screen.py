"""What a rater sees now, from a campaign's plan and what she did so far."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from harness.pipeline.rate_rubric import CLOSING_QUESTION, PAIRWISE_QUESTION, VALIDATE_QUESTION, rubric_of
from harness.rating.blocks import Blocks, Progress
from harness.rating.design import open_screen, screens_left
from harness.records.rating import Assignment, JudgedAt, Screen, ShownAnswer, ShownCriterion
from harness.records.rating_plan import PlannedItem
from harness.records.rubric import Criterion, Rubric
from harness.store.rating_live import LiveCampaign

_PACE_FROM = 3  # screens, before an estimate of the time left says anything
_LONGEST_PACE_S = 600.0  # a screen that was left open over lunch is no pace

_NOTHING_LEFT = "There is nothing left for you to rate. Thank you."
_ALL_TAKEN = (
    "All that is left is with other raters just now. Should one of them stop, her items come back: look again later."
)


def progress_of(live: LiveCampaign) -> Progress:
    """A campaign as the design looks at it. Only inside `live.turn`."""
    return Progress(
        campaign=live.campaign,
        assignments=tuple(live.assignments.values()),
        judged=live.latest.keys(),
        last_sign=live.last_sign,
    )


def waiting_screen(live: LiveCampaign, rater: str, *, now: datetime) -> tuple[Assignment, JudgedAt] | None:
    """The screen that a rater has before her already, and at which stage; None where she is to get a new one."""
    for assignment in live.of_rater(rater):
        if _is_to_be_revised(live, assignment):
            return assignment, "revise"
    assignment = open_screen(progress_of(live), rater, now=now)
    return (assignment, "judge") if assignment else None


def earlier_screen(live: LiveCampaign, rater: str, assignment_id: str) -> tuple[Assignment, JudgedAt] | None:
    """A screen of hers to go back to; None where it is not hers."""
    assignment = live.assignments.get(assignment_id)
    if assignment is None or assignment.rater != rater:
        return None
    return assignment, "revise" if _is_revealed(live, assignment) else "judge"


def build_screen(
    live: LiveCampaign, rater: str, shown: tuple[Assignment, JudgedAt] | None, *, key: str, now: datetime
) -> Screen:
    """The screen, with how far she has come.

    Args:
        live: The campaign, in a turn.
        rater: Who looks.
        shown: The assignment and its stage; None where there is nothing for her.
        key: Her place in the browser's storage.
        now: The moment.
    """
    hers = live.of_rater(rater)
    judged = [one for one in hers if one.assignment_id in live.latest]
    if shown is None:
        left = screens_left(progress_of(live), rater, now=now)
        message = _ALL_TAKEN if _may_come_back(live, rater, now) else _NOTHING_LEFT
        return _finished(live, key, judged, left, message)
    left = _left(live, rater, (len(hers), len(judged)), now)
    revised, to_revise = _revisions(live, judged, left)
    assignment, stage = shown
    rubric, item = rubric_of(live.campaign), live.plan.items[assignment.item_id]
    revision, draft = _newest(live, assignment.assignment_id)
    return Screen(
        storage_key=key,
        campaign=live.campaign.campaign_id,
        assignment_id=assignment.assignment_id,
        kind=assignment.kind,
        stage=stage,
        turns=item.turns,
        answers=_answers(assignment, item),
        reference=_reference(live, assignment, item, stage),
        criteria=_criteria(assignment, rubric),
        critical_question=rubric.critical_question if assignment.kind == "rubric" else None,
        question=_question(assignment, rubric),
        instructions=rubric.instructions,
        draft=draft,
        acknowledged=tuple(one.assignment_id for one in judged),
        done=len(judged) + revised,
        total=len(judged) + left + revised + to_revise,
        minutes_left=_minutes_left(live, judged, left + to_revise),
        can_go_back=any(one.position < assignment.position for one in judged),
        revision=revision,
    )


def _left(live: LiveCampaign, rater: str, at: tuple[int, int], now: datetime) -> int:
    """How many screens a rater has before her: worked out once a screen, as each draft of hers shows it again."""
    known = live.estimates.get(rater)
    if known is None or known[0] != at:
        known = live.estimates[rater] = at, screens_left(progress_of(live), rater, now=now)
    return known[1]


def _revisions(live: LiveCampaign, judged: Sequence[Assignment], left: int) -> tuple[int, int]:
    """Screens that came again with their reference, and about how many are still to come again.

    Of the screens that are left, hidden repeats and the closing question do not, and are too few to be told apart.
    """
    if live.campaign.reference != "after" or live.campaign.kind == "validate":
        return 0, 0
    again = [
        one
        for one in judged
        if one.kind != "closing" and one.purpose != "repeat" and live.plan.items[one.item_id].reference is not None
    ]
    revised = sum(live.latest[one.assignment_id].stage == "revise" for one in again)
    return revised, len(again) - revised + left


def _finished(live: LiveCampaign, key: str, judged: Sequence[Assignment], left: int, message: str) -> Screen:
    return Screen(
        storage_key=key,
        campaign=live.campaign.campaign_id,
        assignment_id=None,
        kind=None,
        stage="finished",
        turns=(),
        answers=(),
        reference=None,
        criteria=(),
        critical_question=None,
        question=None,
        instructions=None,
        draft=None,
        acknowledged=tuple(one.assignment_id for one in judged),
        done=len(judged) + _revisions(live, judged, 0)[0],
        total=len(judged) + _revisions(live, judged, 0)[0] + left,
        minutes_left=None if left else 0.0,
        can_go_back=bool(judged),
        message=message,
    )


def _may_come_back(live: LiveCampaign, rater: str, now: datetime) -> bool:
    """Whether others hold items that this rater never had."""
    blocks = Blocks(progress_of(live), now=now)
    return any(block.is_held and blocks.of(rater, block.item_id) is None for block in blocks)


def _is_revealed(live: LiveCampaign, assignment: Assignment) -> bool:
    """Whether the rater has seen the reference of this screen, or is to see it now.

    It waits until she has judged every answer to the item: seen after the first one, it would colour the others.
    """
    return (
        live.campaign.reference == "after"
        and assignment.kind in ("rubric", "pairwise")
        and assignment.purpose != "repeat"
        and live.plan.items[assignment.item_id].reference is not None
        and all(
            one.assignment_id in live.latest
            for one in live.of_rater(assignment.rater)
            if one.item_id == assignment.item_id and one.kind != "closing" and one.purpose != "repeat"
        )
    )


def _is_to_be_revised(live: LiveCampaign, assignment: Assignment) -> bool:
    return _is_revealed(live, assignment) and live.latest[assignment.assignment_id].stage == "judge"


def _reference(live: LiveCampaign, assignment: Assignment, item: PlannedItem, stage: JudgedAt) -> str | None:
    if assignment.kind not in ("rubric", "pairwise"):
        return None
    shown = live.campaign.reference == "shown" or (live.campaign.reference == "after" and stage == "revise")
    return item.reference if shown else None


def _answers(assignment: Assignment, item: PlannedItem) -> tuple[ShownAnswer, ...]:
    run_ids = ("",) if assignment.kind == "validate" else assignment.run_ids
    found = [item.answers[run_id] for run_id in run_ids if run_id in item.answers]
    return tuple(
        ShownAnswer(label=chr(ord("A") + place), text=answer.text, masked=answer.masked)
        for place, answer in enumerate(found)
    )


def _criteria(assignment: Assignment, rubric: Rubric) -> tuple[ShownCriterion, ...]:
    if assignment.kind == "rubric":
        return tuple(_shown(one) for one in rubric.criteria)
    if assignment.kind == "pairwise" and rubric.pairwise and rubric.pairwise.by_criterion:
        sides: tuple[tuple[str, str], ...] = (("left", "A"), ("tie", "the same"), ("right", "B"))
        return tuple(
            ShownCriterion(
                criterion_id=one.criterion_id, question=one.question, required=False, kind="levels", levels=sides
            )
            for one in rubric.criteria
        )
    return ()


def _shown(criterion: Criterion) -> ShownCriterion:
    return ShownCriterion(
        criterion_id=criterion.criterion_id,
        question=criterion.question,
        required=criterion.required,
        kind=criterion.kind,
        levels=tuple((level.value, level.text) for level in criterion.levels),
    )


def _question(assignment: Assignment, rubric: Rubric) -> str | None:
    match assignment.kind:
        case "pairwise":
            return rubric.pairwise.question if rubric.pairwise else PAIRWISE_QUESTION
        case "closing":
            return CLOSING_QUESTION
        case "validate":
            return VALIDATE_QUESTION
        case "rubric":
            return None


def _newest(live: LiveCampaign, assignment_id: str) -> tuple[int, dict[str, object] | None]:
    """What was given or typed last on a screen, with its revision; 0 and None where nothing was."""
    given, typed = live.latest.get(assignment_id), live.drafts.get(assignment_id)
    if typed is not None and (given is None or typed.revision > given.revision):
        return typed.revision, dict(typed.answer)
    return (given.revision, dict(given.answer)) if given is not None else (0, None)


def _minutes_left(live: LiveCampaign, judged: Sequence[Assignment], left: int) -> float | None:
    paces = [min(live.latest[one.assignment_id].seconds, _LONGEST_PACE_S) for one in judged]
    known = [pace for pace in paces if pace > 0]
    return left * median(known) / 60 if len(known) >= _PACE_FROM else None
