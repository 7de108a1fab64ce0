"""Whether a rater agrees with herself: hidden repeats, and choices by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.rating.current import CRITICAL, OVERALL, Judgement, values_of
from harness.records.rubric import Rubric
from harness.stats.intervals import Interval
from harness.stats.proportions import clopper_pearson_interval

_TURNED = {"left": "right", "right": "left", "tie": "tie", "both_bad": "both_bad"}


@dataclass(frozen=True, kw_only=True, slots=True)
class SelfConsistency:
    """One rater's hidden repeats.

    `repeats` counts screens shown twice and judged twice; `same` of `answers` single answers (levels, choices) were the
    same. `distance` is the mean absolute difference of levels, in level units; None without criteria with levels.
    """

    rater: str
    repeats: int
    answers: int
    same: int
    distance: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SideChoices:
    """How often a rater chose the left answer, out of her choices for one side; about half if sides do not matter."""

    rater: str
    left: int
    decided: int
    interval: Interval | None


def self_consistency(judgements: Sequence[Judgement], rubric: Rubric | None) -> tuple[SelfConsistency, ...]:
    """Each rater with a judged repeat, by name."""
    by_id = {one.assignment.assignment_id: one for one in judgements}
    pairs: dict[str, list[tuple[Judgement, Judgement]]] = {}
    for one in judgements:
        first = by_id.get(one.assignment.repeat_of or "")
        if first is not None:
            pairs.setdefault(one.assignment.rater, []).append((first, one))
    return tuple(_consistency(rater, found, rubric) for rater, found in sorted(pairs.items()))


def side_choices(judgements: Sequence[Judgement]) -> tuple[SideChoices, ...]:
    """Each rater with pairwise choices, by name; the interval is Clopper and Pearson's at 95 %."""
    chosen: dict[str, list[str]] = {}
    for one in judgements:
        if one.assignment.kind == "pairwise" and one.event.answer["choice"] in ("left", "right"):
            chosen.setdefault(one.assignment.rater, []).append(str(one.event.answer["choice"]))
    return tuple(
        SideChoices(
            rater=rater,
            left=found.count("left"),
            decided=len(found),
            interval=clopper_pearson_interval(found.count("left"), len(found)),
        )
        for rater, found in sorted(chosen.items())
    )


def _consistency(rater: str, pairs: Sequence[tuple[Judgement, Judgement]], rubric: Rubric | None) -> SelfConsistency:
    same = answers = 0
    distances: list[float] = []
    graded = {one.criterion_id for one in rubric.criteria if one.kind == "levels"} if rubric else set[str]()
    for first, again in pairs:
        before, after = _said(first, rubric), _said(again, rubric)
        for key in before.keys() & after.keys():
            answers += 1
            same += before[key] == after[key]
            was, now = before[key], after[key]
            if key in graded and isinstance(was, float) and isinstance(now, float):
                distances.append(abs(was - now))
    return SelfConsistency(
        rater=rater,
        repeats=len(pairs),
        answers=answers,
        same=same,
        distance=sum(distances) / len(distances) if distances else None,
    )


def _said(judgement: Judgement, rubric: Rubric | None) -> Mapping[str, object]:
    """Single answers by what was asked; those about a pair from the side of the run whose id comes first."""
    answer = judgement.event.answer
    match judgement.assignment.kind:
        case "rubric" if rubric is not None:
            values = values_of(answer, rubric)
            asked = {one.criterion_id for one in rubric.criteria} | {CRITICAL}
            return {key: value for key, value in values.items() if key in asked and key != OVERALL}
        case "pairwise":
            left, right = judgement.assignment.run_ids
            choice = str(answer["choice"])
            return {"choice": choice if left < right else _TURNED[choice]}
        case "validate":
            return {"decision": answer["decision"]}
        case _:
            return {}
