"""Overlaps that somebody allowed: items that a run learned from, or nearly."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Scored = Literal["golden", "regression"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """Who lets a training set be learned although it overlaps what is scored, why, and when."""

    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOverlap:
    """A training record and an item that share a text, of a run that was allowed to learn the record.

    `scored` says what the item is of: the golden set or the regression suite. `line` is the record's in the training
    set with that hash. `kind` and `share` (in (0, 1]) are as the overlap guard has them.
    """

    scored: Scored
    training_sha256: str
    line: int
    item_id: str
    kind: str
    share: float
    allowance: Allowance
