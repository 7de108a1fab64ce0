"""Strict and lenient raters: how far each stands from the others on the same answers, and means without that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.rating.current import Rating
from harness.stats.libraries import Values

_TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Severity:
    """One rater on one criterion.

    `offset` is how many level units she gives more (positive, lenient) or less (negative, strict) than the raters of
    the campaign on average, on the same answers; None where nothing that she rated was rated by another, so that
    nothing can be said. `n` counts her ratings.
    """

    rater: str
    criterion_id: str
    offset: float | None
    n: int


def severities(ratings: Sequence[Rating], criterion_id: str) -> tuple[Severity, ...]:
    """Additive rater effects by least squares: rating = answer + rater, the raters' effects adding up to 0.

    Args:
        ratings: Those that count; of one rater and answer one at most.
        criterion_id: Which criterion.

    Returns:
        One for each rater with a rating, by name. Where raters fall into groups that share no answer, each group's
        effects add up to 0.
    """
    about = [one for one in ratings if one.criterion_id == criterion_id]
    names = sorted({one.rater for one in about})
    answers = sorted({(one.run_id, one.item_id) for one in about})
    place, column = {key: at for at, key in enumerate(answers)}, {name: at for at, name in enumerate(names)}
    given = np.zeros((len(answers), len(names)))
    values = np.zeros((len(answers), len(names)))
    for one in about:
        row, rater = place[one.run_id, one.item_id], column[one.rater]
        given[row, rater], values[row, rater] = 1.0, one.value
    # Answers are swept out, which leaves equations in raters alone; the least-norm solution adds up to 0 in a group.
    counts = given.sum(axis=1)
    laplacian = np.diag(given.sum(axis=0)) - given.T @ (given / np.maximum(counts, 1.0)[:, None])
    right = values.sum(axis=0) - given.T @ (values.sum(axis=1) / np.maximum(counts, 1.0))
    offsets = cast("Values", np.linalg.pinv(laplacian, hermitian=True) @ right) if names else right
    return tuple(
        Severity(
            rater=name,
            criterion_id=criterion_id,
            offset=float(offsets[at]) if laplacian[at, at] > _TOLERANCE else None,
            n=int(given[:, at].sum()),
        )
        for at, name in enumerate(names)
    )


def adjusted_means(ratings: Sequence[Rating], criterion_id: str) -> dict[str, float]:
    """Each run's mean over items with the raters' effects taken out, to show beside the raw means, never instead.

    Returns:
        By run id, in level units. May lie a little outside the levels.
    """
    offsets: Mapping[str, float] = {one.rater: one.offset or 0.0 for one in severities(ratings, criterion_id)}
    by_answer: dict[str, dict[str, list[float]]] = {}
    for one in ratings:
        if one.criterion_id == criterion_id:
            of_run = by_answer.setdefault(one.run_id, {})
            of_run.setdefault(one.item_id, []).append(one.value - offsets[one.rater])
    return {
        run_id: sum(sum(found) / len(found) for found in of_run.values()) / len(of_run)
        for run_id, of_run in sorted(by_answer.items())
    }
