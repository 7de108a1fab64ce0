"""What an answer to a screen must have to be stored as a judgement."""

from collections.abc import Mapping
from typing import cast

from harness.records.rating import AssignmentKind
from harness.records.rubric import Criterion, Rubric

LONGEST_TEXT = 20_000
CHOICES = ("left", "right", "tie", "both_bad")
SIDES = ("left", "right", "tie")
STRENGTHS = (1, 2, 3)
DECISIONS = ("accept", "reject", "correct")

_KEYS: Mapping[AssignmentKind, tuple[str, ...]] = {
    "rubric": ("levels", "cannot_judge", "critical_error", "comment", "corrected"),
    "pairwise": ("choice", "strength", "criteria", "comment"),
    "validate": ("decision", "corrected", "comment"),
    "closing": ("guess", "comment"),
}


def check_answer(
    kind: AssignmentKind, answer: Mapping[str, object], rubric: Rubric | None, *, answers: int = 0
) -> list[str]:
    """What keeps an answer from being a judgement: a sentence each, for the rater. A key of None is as if not there.

    Args:
        kind: Of the assignment.
        answer: As `harness.records.rating.RatingEvent` describes it.
        rubric: The campaign's; None only for campaigns that validate data.
        answers: How many answers the screen shows; a closing question's guess is a place among them, from 0.

    Returns:
        No sentence when the answer is complete and valid.
    """
    given = {key: value for key, value in answer.items() if value is not None}
    problems = [f"{key} is not part of this form." for key in given if key not in _KEYS[kind]]
    problems += [problem for key in ("comment", "corrected") if (problem := _text_problem(key, given.get(key)))]
    match kind:
        case "rubric":
            return problems + _rubric_problems(given, _needed(rubric))
        case "pairwise":
            return problems + _pairwise_problems(given, _needed(rubric))
        case "validate":
            return problems + _validate_problems(given)
        case "closing":
            return problems + _closing_problems(given, answers)


def _needed(rubric: Rubric | None) -> Rubric:
    if rubric is None:
        raise ValueError("answers about systems are checked against a rubric, and none is given")
    return rubric


def _text_problem(key: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= LONGEST_TEXT):
        return None
    return f"The {key} must be text of at most {LONGEST_TEXT:,} characters."


def _rubric_problems(given: Mapping[str, object], rubric: Rubric) -> list[str]:
    levels, left = _mapping(given.get("levels")), given.get("cannot_judge", [])
    if levels is None:
        return ["levels must be an object of criterion and level."]
    if not isinstance(left, list | tuple):
        return ["cannot_judge must be a list of criteria."]
    open_ones = [str(one) for one in cast("list[object]", left)]
    known = {criterion.criterion_id for criterion in rubric.criteria}
    problems = [f"{name} is not a criterion." for name in dict.fromkeys([*levels, *open_ones]) if name not in known]
    for criterion in rubric.criteria:
        problems += _criterion_problems(criterion, levels.get(criterion.criterion_id), open_ones)
    critical = given.get("critical_error")
    if critical is not None and not isinstance(critical, bool):
        problems.append("Whether there is a critical error is yes or no.")
    if critical is True and rubric.critical_question is None:
        problems.append("Critical errors are not asked for.")
    return problems


def _criterion_problems(criterion: Criterion, level: object, left_open: list[str]) -> list[str]:
    name = criterion.criterion_id
    if level is None:
        if criterion.required and name not in left_open:
            return [f"{name} is still open: choose a level, or say that you cannot judge it."]
        return []
    if name in left_open:
        return [f"{name} has a level and is marked as one you cannot judge. Keep one of the two."]
    values = [one.value for one in criterion.levels]
    if isinstance(level, bool) or level not in values:
        return [f"{name} is {level}; allowed: {', '.join(str(value) for value in values)}."]
    return []


def _pairwise_problems(given: Mapping[str, object], rubric: Rubric) -> list[str]:
    choice, strength, criteria = given.get("choice"), given.get("strength"), _mapping(given.get("criteria"))
    problems: list[str] = []
    if choice is None:
        problems.append("Choose one of the answers, a tie, or both bad.")
    elif choice not in CHOICES:
        problems.append(f"choice is {choice}; allowed: {', '.join(CHOICES)}.")
    if strength is not None and (isinstance(strength, bool) or strength not in STRENGTHS):
        problems.append(f"strength is {strength}; allowed: 1, 2, 3.")
    elif strength is not None and choice in ("tie", "both_bad"):
        problems.append("Neither answer was preferred, so there is no strength.")
    if criteria is None:
        return [*problems, "criteria must be an object of criterion and side."]
    known = {criterion.criterion_id for criterion in rubric.criteria}
    problems += [f"{name} is not a criterion." for name in criteria if name not in known]
    return problems + [
        f"{name} is {side}; allowed: {', '.join(SIDES)}."
        for name, side in criteria.items()
        if name in known and side is not None and side not in SIDES
    ]


def _validate_problems(given: Mapping[str, object]) -> list[str]:
    decision, corrected = given.get("decision"), given.get("corrected")
    if decision is None:
        return ["Accept the record, reject it, or correct it."]
    if decision not in DECISIONS:
        return [f"decision is {decision}; allowed: {', '.join(DECISIONS)}."]
    if decision == "correct" and not (isinstance(corrected, str) and corrected.strip()):
        return ["A corrected record needs the corrected answer."]
    return []


def _closing_problems(given: Mapping[str, object], answers: int) -> list[str]:
    guess = given.get("guess")
    if guess is None or (isinstance(guess, int) and not isinstance(guess, bool) and 0 <= guess < answers):
        return []
    return [f"guess is {guess}; allowed: 0 to {answers - 1}, or none for one who cannot tell."]


def _mapping(value: object) -> Mapping[str, object] | None:
    if value is None:
        return {}
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None
