"""Preference pairs for DPO and reward training, from what raters chose and from how differently they rated.

Golden items are evaluation data: a model trained on pairs from them has seen what it is examined on. So each pair says
which item it comes from, and whoever writes them out says so too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.rating.current import OVERALL, Judgement, Rating

DEFAULT_MARGIN = 0.25  # of the overall, which is from 0 to 1: one level of five
GOLDEN_WARNING = (
    "These pairs come from golden items, which are evaluation data. A model trained on them has seen the examination: "
    "its scores on this golden set are no evidence any more, and the overlap guard refuses it."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PreferencePair:
    """Two answers to one item, one of which raters preferred.

    `votes` raters preferred it and none the other. `source` says from what: pairwise choices, or rubric screens whose
    overall differs by `margin` on average (None for choices).
    """

    item_id: str
    chosen_run: str
    rejected_run: str
    votes: int
    source: Literal["choice", "rubric"]
    margin: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """A better answer that a rater wrote: a candidate for training, from `run_id`'s answer (None: from a record)."""

    item_id: str
    run_id: str | None
    text: str
    rater: str


def preference_pairs(
    judgements: Sequence[Judgement], ratings: Sequence[Rating], *, margin: float = DEFAULT_MARGIN
) -> tuple[PreferencePair, ...]:
    """Every two answers to an item of which raters preferred one, by item.

    A choice for a side is a vote, and so are two rubric screens of one rater whose overall differs by at least
    `margin`. Votes for both answers cancel the pair: who learns from it would learn noise. Where raters chose, rubric
    screens do not count.

    Args:
        judgements: Current ones.
        ratings: Those that count.
        margin: Of the overall, above 0 and at most 1.

    Raises:
        ValueError: `margin` is outside its range.
    """
    if not 0 < margin <= 1:
        raise ValueError(f"margin is {margin}; allowed: above 0, at most 1, as the overall is from 0 to 1")
    choices = _choices(judgements)
    known = {(one.item_id, frozenset((one.better, one.worse))) for one in choices}
    rated = _differences(ratings, margin)
    rest = [one for one in rated if (one.item_id, frozenset((one.better, one.worse))) not in known]
    found = [*_unanimous(choices, "choice"), *_unanimous(rest, "rubric")]
    return tuple(sorted(found, key=lambda one: (one.item_id, one.chosen_run, one.rejected_run)))


def corrections(judgements: Sequence[Judgement]) -> tuple[Correction, ...]:
    """The corrected answers that raters wrote, in the order of the screens; hidden repeats are left out."""
    found: list[Correction] = []
    for one in judgements:
        text = one.event.answer.get("corrected")
        if isinstance(text, str) and text.strip() and one.assignment.purpose != "repeat":
            run_id = next(iter(one.assignment.run_ids), None)
            item_id, rater = one.assignment.item_id, one.assignment.rater
            found.append(Correction(item_id=item_id, run_id=run_id, text=text.strip(), rater=rater))
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Vote:
    item_id: str
    better: str
    worse: str
    by: float | None


def _choices(judgements: Iterable[Judgement]) -> list[_Vote]:
    votes: list[_Vote] = []
    for one in judgements:
        shown, choice = one.assignment, one.event.answer.get("choice")
        if shown.kind == "pairwise" and shown.purpose == "scored" and choice in ("left", "right"):
            left, right = shown.run_ids
            better, worse = (left, right) if choice == "left" else (right, left)
            votes.append(_Vote(item_id=shown.item_id, better=better, worse=worse, by=None))
    return votes


def _differences(ratings: Iterable[Rating], margin: float) -> list[_Vote]:
    by_screenful: dict[tuple[str, str], dict[str, float]] = {}
    for one in ratings:
        if one.criterion_id == OVERALL:
            by_screenful.setdefault((one.item_id, one.rater), {})[one.run_id] = one.value
    return [
        _Vote(item_id=item_id, better=better, worse=worse, by=values[better] - values[worse])
        for (item_id, _), values in sorted(by_screenful.items())
        for better in sorted(values)
        for worse in sorted(values)
        if values[better] - values[worse] >= margin - 1e-9
    ]


def _unanimous(votes: Sequence[_Vote], source: Literal["choice", "rubric"]) -> list[PreferencePair]:
    by_pair: dict[tuple[str, str, str], list[_Vote]] = {}
    for vote in votes:
        by_pair.setdefault((vote.item_id, vote.better, vote.worse), []).append(vote)
    found: list[PreferencePair] = []
    for (item_id, better, worse), agreed in by_pair.items():
        if (item_id, worse, better) in by_pair:
            continue
        gaps = [vote.by for vote in agreed if vote.by is not None]
        found.append(
            PreferencePair(
                item_id=item_id,
                chosen_run=better,
                rejected_run=worse,
                votes=len(agreed),
                source=source,
                margin=sum(gaps) / len(gaps) if gaps else None,
            )
        )
    return found
