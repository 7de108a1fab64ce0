"""Judgements of a campaign as scores: one for each run, criterion, item and rater."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from harness.rating.current import (
    CRITICAL,
    OVERALL,
    Adjudication,
    Judgement,
    Rating,
    bottom_value,
    top_value,
)
from harness.records.items import Item
from harness.records.rubric import Rubric
from harness.records.scores import Metric, Score

TASK = "rating"
PREFERENCE = "preference"
ADJUDICATED = "adjudicated"
_WORTH = {"left": 1.0, "right": 0.0, "tie": 0.5, "both_bad": 0.5}


def number_raters(judgements: Iterable[Judgement]) -> dict[str, int]:
    """A number from 0 for each rater of a campaign who judged anything that counts, by name."""
    names = {one.assignment.rater for one in judgements if one.assignment.purpose == "scored"}
    return {name: number for number, name in enumerate(sorted(names))}


def rubric_metrics(rubric: Rubric) -> tuple[Metric, ...]:
    """What the rubric's criteria measure, in level units; `overall` is from 0 to 1, `critical_error` a share."""
    metrics = [
        Metric(
            name=f"{TASK}/{criterion.criterion_id}",
            kind="graded",
            minimum=bottom_value(criterion),
            maximum=top_value(criterion),
            description=criterion.question,
        )
        for criterion in rubric.criteria
    ]
    weights = ", ".join(f"{one.criterion_id} {one.weight:g}" for one in rubric.criteria)
    about = f"weighted mean of the criteria, each from 0 (worst level) to 1 (best); weights: {weights}"
    metrics.append(Metric(name=f"{TASK}/{OVERALL}", kind="graded", description=about))
    if rubric.critical_question is not None:
        metrics.append(
            Metric(
                name=f"{TASK}/{CRITICAL}",
                kind="graded",
                direction="lower_is_better",
                description=f"share of raters who said yes: {rubric.critical_question}",
            )
        )
    return tuple(metrics)


def rubric_scores(
    ratings: Sequence[Rating], judgements: Iterable[Judgement], numbers: Mapping[str, int], items: Mapping[str, Item]
) -> dict[str, list[Score]]:
    """Scores by run id. Where a rater judged an answer but not this criterion, there is no score of hers.

    An answer that was shown, and of which nobody answered a criterion that others were judged by, has one score without
    a value: `failed`, which gates count as missing, where somebody said that it cannot be judged; `unparsed` where a
    criterion that is not required was left out.

    Args:
        ratings: Those that count.
        judgements: The current ones.
        numbers: Of raters, as `number_raters` gives them.
        items: The campaign's, by id.
    """
    found: dict[str, list[Score]] = {}
    known: set[tuple[str, str, str]] = set()
    for one in ratings:
        found.setdefault(one.run_id, []).append(
            _score(items[one.item_id], one.criterion_id, one.value, sample_index=numbers[one.rater])
        )
        known.add((one.run_id, one.item_id, one.criterion_id))
    beyond: dict[tuple[str, str], set[str]] = {}  # criteria that an answer cannot be judged by, as somebody said
    for one in judgements:
        if one.assignment.kind == "rubric" and one.assignment.purpose == "scored":
            key = one.assignment.run_ids[0], one.assignment.item_id
            said = [str(name) for name in cast("list[object]", one.event.answer.get("cannot_judge") or [])]
            beyond.setdefault(key, set()).update(said, [OVERALL] if said else [])
    criteria = sorted({criterion for _, _, criterion in known})
    for (run_id, item_id), not_judged in sorted(beyond.items()):
        for criterion in criteria:
            if (run_id, item_id, criterion) not in known:
                score = _score(items[item_id], criterion, None)
                found.setdefault(run_id, []).append(
                    replace(score, status="failed") if criterion in not_judged else score
                )
    return found


def preference_scores(
    judgements: Iterable[Judgement], numbers: Mapping[str, int], items: Mapping[str, Item]
) -> dict[str, list[Score]]:
    """Scores by run id, each choice under both runs: 1 chosen, 0.5 a tie or both bad, 0 the other chosen."""
    found: dict[str, list[Score]] = {}
    for one in judgements:
        shown = one.assignment
        if shown.kind != "pairwise" or shown.purpose != "scored":
            continue
        left, right = shown.run_ids
        worth = _WORTH[str(one.event.answer["choice"])]
        for ours, theirs, value in ((left, right, worth), (right, left, 1.0 - worth)):
            scorer = f"{PREFERENCE}:{theirs}"
            score = _score(items[shown.item_id], scorer, value, sample_index=numbers[shown.rater])
            found.setdefault(ours, []).append(score)
    return found


def preference_metrics(scores: Mapping[str, Sequence[Score]]) -> tuple[Metric, ...]:
    """One for each run that another was compared with."""
    scorers = sorted({score.scorer for of_run in scores.values() for score in of_run})
    about = "chosen over the answer of that run: 1 yes, 0.5 a tie or both bad, 0 no"
    return tuple(Metric(name=f"{TASK}/{scorer}", kind="graded", description=about) for scorer in scorers)


def adjudicated_scores(raw: Mapping[str, Sequence[Score]], settled: Sequence[Adjudication]) -> dict[str, list[Score]]:
    """The scores of adjudicated criteria again, as `<criterion>:adjudicated`: what was settled, else the raw ones.

    Raw scores stay as they are; agreement is about those alone.
    """
    by_answer = {(one.run_id, one.item_id, one.criterion_id): one for one in settled}
    criteria = {one.criterion_id for one in settled}
    found: dict[str, list[Score]] = {}
    for run_id, scores in raw.items():
        put: set[tuple[str, str]] = set()
        for score in scores:
            if score.scorer not in criteria:
                continue
            one = by_answer.get((run_id, score.item_id, score.scorer))
            value, detail, sample = score.value, score.detail, score.sample_index
            if one is not None:
                if (score.item_id, score.scorer) in put:
                    continue
                put.add((score.item_id, score.scorer))
                value, detail, sample = one.value, f"adjudicated ({one.method.replace('_', ' ')})", 0
            found.setdefault(run_id, []).append(
                Score(
                    task=TASK,
                    item_id=score.item_id,
                    item_hash=score.item_hash,
                    scorer=f"{score.scorer}:{ADJUDICATED}",
                    value=value,
                    status=score.status if value is None else "scored",
                    sample_index=sample,
                    group=score.group,
                    detail=detail,
                )
            )
    return found


def _score(item: Item, scorer: str, value: float | None, *, sample_index: int = 0) -> Score:
    return Score(
        task=TASK,
        item_id=item.item_id,
        item_hash=item.item_hash,
        scorer=scorer,
        value=value,
        status="unparsed" if value is None else "scored",
        sample_index=sample_index,
        group=item.group,
        detail="nobody could judge it" if value is None else f"rater {sample_index + 1}",
    )
