"""From events to what counts: the newest judgement of each screen, its answers as numbers, and what was adjudicated."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast

from harness.records.rating import Assignment, CampaignState, Purpose, RatingEvent
from harness.records.rubric import Criterion, Rubric

CRITICAL = "critical_error"
OVERALL = "overall"

Method = Literal["third_rater", "consensus"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """A screen with its newest answer, the first one given, and how many differ from the one before."""

    assignment: Assignment
    event: RatingEvent
    first: RatingEvent
    changes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Rating:
    """One answer of one rater to one criterion about one system's answer to one item.

    `value` is a level from 1 up; 0 or 1 for fail or pass, and for no critical error or one; in [0, 1] for `overall`.
    """

    criterion_id: str
    rater: str
    run_id: str
    item_id: str
    value: float
    assignment_id: str
    purpose: Purpose
    repeat_of: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Adjudication:
    """What a third rater, or the raters in consensus, settled on where ratings differed."""

    criterion_id: str
    run_id: str
    item_id: str
    value: float
    method: Method
    by: str


def current_judgements(state: CampaignState) -> tuple[Judgement, ...]:
    """The newest judgement of each screen, in the order of the assignments.

    The highest revision counts; of equal ones (two tabs at one moment) the one stored last.
    """
    by_screen: dict[str, list[RatingEvent]] = {}
    for event in state.events:
        by_screen.setdefault(event.assignment_id, []).append(event)
    found: list[Judgement] = []
    for assignment in state.assignments:
        if events := by_screen.get(assignment.assignment_id):
            ordered = sorted(events, key=lambda event: event.revision)
            changes = sum(one.answer != before.answer for before, one in pairwise(ordered))
            found.append(Judgement(assignment=assignment, event=ordered[-1], first=ordered[0], changes=changes))
    return tuple(found)


def ratings(judgements: Iterable[Judgement], rubric: Rubric, *, purposes: Sequence[Purpose]) -> tuple[Rating, ...]:
    """Every answer to a criterion, to the question about critical errors, and the weighted overall.

    What a rater could not judge has no rating. A rubric screen without an answer about critical errors says there is
    none. `overall` is there where every required criterion was judged.

    Args:
        judgements: Current ones; those of other kinds than `rubric` are passed by.
        rubric: The campaign's.
        purposes: Which screens count.
    """
    found: list[Rating] = []
    for judgement in judgements:
        shown = judgement.assignment
        if shown.kind != "rubric" or shown.purpose not in purposes:
            continue
        for criterion_id, value in values_of(judgement.event.answer, rubric).items():
            rating = Rating(
                criterion_id=criterion_id,
                rater=shown.rater,
                run_id=shown.run_ids[0],
                item_id=shown.item_id,
                value=value,
                assignment_id=shown.assignment_id,
                purpose=shown.purpose,
                repeat_of=shown.repeat_of,
            )
            found.append(rating)
    return tuple(found)


def values_of(answer: Mapping[str, object], rubric: Rubric) -> dict[str, float]:
    """One rubric answer as numbers, by criterion, with `critical_error` where it is asked, and `overall`."""
    levels = cast("Mapping[str, object]", answer.get("levels") or {})
    values = {
        criterion.criterion_id: level_value(levels[criterion.criterion_id])
        for criterion in rubric.criteria
        if levels.get(criterion.criterion_id) is not None
    }
    overall = _overall(values, rubric)
    if rubric.critical_question is not None:
        values[CRITICAL] = float(bool(answer.get("critical_error")))
    return values if overall is None else values | {OVERALL: overall}


def level_value(level: object) -> float:
    """A level as a number: itself, or 1 for pass and true, 0 for fail and false.

    Raises:
        ValueError: It is no level.
    """
    if level in ("pass", "fail"):
        return float(level == "pass")
    if isinstance(level, int | float):
        return float(level)
    raise ValueError(f"{level!r} is no level; allowed: a number, pass or fail")


def top_value(criterion: Criterion) -> float:
    """The best level as a number."""
    return level_value(criterion.levels[-1].value)


def bottom_value(criterion: Criterion) -> float:
    """The worst level as a number."""
    return level_value(criterion.levels[0].value)


def adjudications(state: CampaignState) -> tuple[Adjudication, ...]:
    """What was settled; of several about the same answer and criterion, the last."""
    found: dict[tuple[str, str, str], Adjudication] = {}
    for event in state.campaign_events:
        if event.kind != "adjudicated":
            continue
        said = event.payload
        one = Adjudication(
            criterion_id=str(said["criterion"]),
            run_id=str(said["run_id"]),
            item_id=str(said["item_id"]),
            value=level_value(said["value"]),
            method="consensus" if said.get("method") == "consensus" else "third_rater",
            by=event.by,
        )
        found[one.criterion_id, one.run_id, one.item_id] = one
    return tuple(found.values())


def _overall(values: Mapping[str, float], rubric: Rubric) -> float | None:
    """The weighted mean over the criteria judged, each on its own range from 0 (worst) to 1 (best)."""
    if not values or any(one.required and one.criterion_id not in values for one in rubric.criteria):
        return None
    judged = [one for one in rubric.criteria if one.criterion_id in values]
    shares = [
        one.weight * (values[one.criterion_id] - bottom_value(one)) / (top_value(one) - bottom_value(one))
        for one in judged
    ]
    return sum(shares) / sum(one.weight for one in judged)
