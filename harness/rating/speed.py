"""Signs that a rater did not look: too fast, the same level for everything, the same answer again and again."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from harness.hashing import canonical_json
from harness.rating.current import Judgement

LEAST_SECONDS = 2.0
FAST_SHARE = 0.25  # of the campaign's median seconds for this kind of screen
FEWEST_SCREENS = 10  # under which nothing is said
MANY_FAST = 0.2
MANY_STRAIGHT = 0.8
LONG_RUN = 10
_CRITERIA = 3  # under which equal levels on one screen mean nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How one rater works.

    `seconds` is her median time a screen, by her browser's clock. `fast` counts screens done in under a quarter of the
    campaign's median for their kind, or under 2 s. `straight` of `straight_of` rubric screens with three criteria or
    more have one level throughout; `longest_run` is how many screens in a row got the very same answer. `warnings` are
    sentences.
    """

    rater: str
    screens: int
    seconds: float
    fast: int
    straight: int
    straight_of: int
    longest_run: int
    warnings: tuple[str, ...]


def paces(judgements: Sequence[Judgement]) -> tuple[Pace, ...]:
    """Each rater with a judgement, by name. The time of the first answer counts, not of later changes."""
    by_kind: dict[str, list[float]] = {}
    by_rater: dict[str, list[Judgement]] = {}
    for one in judgements:
        by_kind.setdefault(one.assignment.kind, []).append(one.first.seconds)
        by_rater.setdefault(one.assignment.rater, []).append(one)
    limits = {kind: max(LEAST_SECONDS, FAST_SHARE * statistics.median(found)) for kind, found in by_kind.items()}
    return tuple(_pace(rater, found, limits) for rater, found in sorted(by_rater.items()))


def _pace(rater: str, judged: Sequence[Judgement], limits: dict[str, float]) -> Pace:
    ordered = sorted(judged, key=lambda one: one.assignment.position)
    fast = sum(one.first.seconds < limits[one.assignment.kind] for one in ordered)
    leveled = [levels for one in ordered if len(levels := _levels(one)) >= _CRITERIA]
    straight = sum(len(set(levels)) == 1 for levels in leveled)
    run = _longest_run([_form(one) for one in ordered if one.assignment.kind == "rubric"])
    warnings: list[str] = []
    if len(ordered) >= FEWEST_SCREENS and fast > MANY_FAST * len(ordered):
        warnings.append(f"{fast} of {len(ordered)} screens were done in a quarter of the usual time or less.")
    if len(leveled) >= FEWEST_SCREENS and straight > MANY_STRAIGHT * len(leveled):
        warnings.append(f"{straight} of {len(leveled)} screens got one level on every criterion.")
    if run >= LONG_RUN:
        warnings.append(f"{run} screens in a row got the very same answer.")
    return Pace(
        rater=rater,
        screens=len(ordered),
        seconds=statistics.median(one.first.seconds for one in ordered),
        fast=fast,
        straight=straight,
        straight_of=len(leveled),
        longest_run=run,
        warnings=tuple(warnings),
    )


def _levels(judgement: Judgement) -> list[object]:
    """The numbered levels of a rubric screen."""
    given = judgement.event.answer.get("levels")
    if judgement.assignment.kind != "rubric" or not isinstance(given, dict):
        return []
    return [level for level in cast("dict[str, object]", given).values() if isinstance(level, int)]


def _form(judgement: Judgement) -> str:
    """What was ticked on a screen; what was written is left out."""
    answer = judgement.event.answer
    return canonical_json({key: answer.get(key) for key in ("levels", "cannot_judge", "critical_error")})


def _longest_run(forms: Sequence[str]) -> int:
    longest = run = 0
    for at, form in enumerate(forms):
        run = run + 1 if at and form == forms[at - 1] else 1
        longest = max(longest, run)
    return longest
