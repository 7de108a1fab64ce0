"""Seeded orders: the same campaign, rater and item always give the same draw, and different raters different ones."""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import TypeVar

T = TypeVar("T")


def draw(*parts: object) -> int:
    """A number in [0, 2^64) that looks random and depends on nothing but the parts."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def fraction(*parts: object) -> float:
    """As `draw`, in [0, 1)."""
    return draw(*parts) / 2**64


def shuffled(values: Sequence[T], *parts: object) -> tuple[T, ...]:
    """The values in an order drawn from the parts and from each value's place."""
    places = sorted(range(len(values)), key=lambda place: draw(*parts, place))
    return tuple(values[place] for place in places)


@cache
def latin_rows(size: int) -> tuple[tuple[int, ...], ...]:
    """Orders of `size` things in which each stands in each place equally often, and follows each other equally often.

    Returns:
        `size` orders where that is even, twice as many where it is odd.

    Source: Williams (1949), Australian Journal of Scientific Research 2:149.
    """
    zigzag = [(place + 1) // 2 if place % 2 else -(place // 2) for place in range(size)]
    rows = tuple(tuple((start + step) % size for step in zigzag) for start in range(size))
    if size % 2 == 0 or size == 1:
        return rows
    return rows + tuple(tuple(reversed(row)) for row in rows)


def counterbalanced(values: Sequence[T], turn: int, *parts: object) -> tuple[T, ...]:
    """The order for somebody's turn: over each round of turns, each value stands in each place equally often.

    Args:
        values: What is put into an order.
        turn: Counts this person's turns from 0.
        parts: What tells her draws from those of others.
    """
    rows = latin_rows(len(values))
    row = shuffled(rows, *parts, "round", turn // len(rows))[turn % len(rows)]
    return tuple(values[place] for place in row)
