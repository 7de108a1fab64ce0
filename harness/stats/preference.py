"""Preferences: which of two answers was chosen, over two systems or many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np

from harness.stats.intervals import Interval, two_sided_z
from harness.stats.libraries import Table, Values
from harness.stats.paired import tango_interval
from harness.stats.rating_libraries import bradley_terry_strengths

Edges: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.bool_]]

PSEUDO_WINS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Strength:
    """One system's strength in a Bradley-Terry model, as log-odds, with its two-sided interval.

    Against a system of strength s it wins with probability 1 / (1 + exp(s - strength)).
    """

    name: str
    strength: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """Strengths, strongest first. They are relative to `reference`, or to their own mean where that is None.

    `regularised` says that half a win each way was added to every pair compared, without which no strength is finite.
    """

    strengths: tuple[Strength, ...]
    reference: str | None
    regularised: bool
    confidence: float


def win_rate(wins: int, losses: int, ties: int = 0) -> float:
    """The share of wins, a tie counting as half a win.

    Raises:
        ValueError: A negative count, or nothing compared.
    """
    total = wins + losses + ties
    if min(wins, losses, ties) < 0 or total == 0:
        raise ValueError(f"wins {wins}, losses {losses}, ties {ties}; allowed: counts of at least 0, one above 0")
    return (wins + ties / 2) / total


def win_rate_interval(wins: int, losses: int, ties: int = 0, *, confidence: float = 0.95) -> Interval:
    """Score interval of a win rate with ties.

    A win rate is (1 + share of wins - share of losses) / 2, so that Tango's interval of the latter difference gives it;
    without ties it is Wilson's interval. `mcnemar_midp(wins, losses)` is the test beside it. Assumes independent
    comparisons: one per item, not several raters' on the same.

    Args:
        wins: Comparisons that the first won.
        losses: Comparisons that it lost.
        ties: Comparisons without a winner.
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds as proportions in [0, 1], around `win_rate`. Never of width zero.

    Raises:
        ValueError: A negative count, or nothing compared.

    Source: Tango (1998), Statistics in Medicine 17:891.
    """
    win_rate(wins, losses, ties)
    interval = tango_interval(wins, losses, wins + losses + ties, confidence=confidence)
    return Interval(low=(1 + interval.low) / 2, high=(1 + interval.high) / 2, confidence=confidence)


def bradley_terry(
    wins: Mapping[tuple[str, str], float], *, reference: str | None = None, confidence: float = 0.95
) -> Ranking:
    """Strengths of several systems from who was preferred to whom, by maximum likelihood, with normal intervals.

    Assumes independent comparisons, and one strength for each system whatever it is compared with. Give a tie as half a
    win to each. Where some systems never lose to the others, the likelihood has no maximum: then half a win each way is
    added to every pair that was compared, which draws strengths towards each other, and `regularised` says so.

    Args:
        wins: How often (winner, loser) occurred, at least 0.
        reference: The system whose strength is 0, with an interval of width zero; intervals are then those of
            differences from it. None: strengths have mean 0.
        confidence: Two-sided, in (0, 1).

    Returns:
        The strengths, strongest first, then by name.

    Raises:
        ValueError: Fewer than 2 systems, a system against itself, a negative count, an unknown reference, or systems
            that no chain of comparisons connects (the message has the groups).

    Source: Bradley and Terry (1952); existence by Ford (1957); estimates by choix, intervals from the Fisher
    information.
    """
    names, table = _win_table(wins)
    if reference is not None and reference not in names:
        raise ValueError(f"reference is {reference}; allowed: {', '.join(names)}")
    compared = table + table.T > 0
    groups = _groups(names, compared)
    if len(groups) > 1:
        said = "; ".join(", ".join(group) for group in groups)
        raise ValueError(f"systems fall into {len(groups)} groups never compared with each other: {said}")
    regularised = not bool(np.all(_reachable(table > 0)))
    if regularised:
        table = table + PSEUDO_WINS * compared
    strengths = bradley_terry_strengths(table)
    covariance = _covariance(strengths, table + table.T)
    contrast = np.eye(len(names)) - 1 / len(names)
    if reference is not None:
        contrast = np.eye(len(names))
        contrast[:, names.index(reference)] -= 1
    values = contrast @ strengths
    errors = np.sqrt(np.maximum(0.0, np.diag(contrast @ covariance @ contrast.T)))
    z = two_sided_z(confidence)
    found = [
        Strength(name=name, strength=float(value), low=float(value - z * error), high=float(value + z * error))
        for name, value, error in zip(names, values, errors, strict=True)
    ]
    ordered = tuple(sorted(found, key=lambda one: (-one.strength, one.name)))
    return Ranking(strengths=ordered, reference=reference, regularised=regularised, confidence=confidence)


def _win_table(wins: Mapping[tuple[str, str], float]) -> tuple[list[str], Table]:
    names = sorted({name for pair in wins for name in pair})
    if len(names) < 2:
        raise ValueError(f"{len(names)} systems; a ranking needs at least 2")
    table = np.zeros((len(names), len(names)))
    for (winner, loser), count in wins.items():
        if winner == loser:
            raise ValueError(f"{winner} is compared with itself")
        if not count >= 0:
            raise ValueError(f"{winner} won {count} times against {loser}; allowed: at least 0")
        table[names.index(winner), names.index(loser)] += count
    return names, table


def _groups(names: Sequence[str], compared: Edges) -> list[tuple[str, ...]]:
    """Systems that a chain of comparisons connects, by group, in order of their names."""
    rows = _reachable(compared).tolist()
    return sorted({tuple(name for name, reached in zip(names, row, strict=True) if reached) for row in rows})


def _reachable(edges: Edges) -> Edges:
    """Whether a path of edges leads from the row to the column; each reaches itself."""
    reached = edges | np.eye(len(edges), dtype=np.bool_)
    for middle in range(len(edges)):
        reached = reached | (reached[:, [middle]] & reached[[middle], :])
    return reached


def _covariance(strengths: Values, games: Table) -> Table:
    """Of the strengths around their mean: the pseudo-inverse of the Fisher information."""
    odds = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    weights = games * odds * (1 - odds)
    return cast("Table", np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights, hermitian=True))
