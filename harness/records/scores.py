"""What is measured (metric), and its value on one item (score)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.records.items import Item

ScoreStatus = Literal["scored", "unparsed", "failed"]
MetricKind = Literal["binary", "graded", "count"]
Direction = Literal["higher_is_better", "lower_is_better"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """What a scorer measures.

    `name` is `task/scorer`, such as `golden/exact_match`. `minimum` and `maximum` bound a value where it has bounds
    (None: unbounded). `chance` is the value that guessing gives, as a proportion, where that is known.
    """

    name: str
    kind: MetricKind
    direction: Direction = "higher_is_better"
    minimum: float | None = 0.0
    maximum: float | None = 1.0
    chance: float | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """The value of one metric on one item.

    `status` is `scored`; `unparsed` (the answer had no readable form: `value` is what the scorer declares for that,
    0 for correctness, None where a number would lie); or `failed` (never answered: `value` is None, and missing).
    `group` marks items that stand together (one patient, one document); `stratum` a subject.
    """

    task: str
    item_id: str
    item_hash: str
    scorer: str
    value: float | None
    status: ScoreStatus = "scored"
    sample_index: int = 0
    group: str | None = None
    stratum: str | None = None
    detail: str | None = None

    def __post_init__(self) -> None:
        if self.status == "scored" and self.value is None:
            raise ValueError(f"item {self.item_id}, {self.scorer}: a scored item needs a value")
        if self.status == "failed" and self.value is not None:
            raise ValueError(f"item {self.item_id}, {self.scorer}: a failed item has no value")
        if self.value is not None and self.value != self.value:
            raise ValueError(f"item {self.item_id}, {self.scorer}: NaN is not a value; use a status")

    @property
    def metric(self) -> str:
        """`task/scorer`, the name that comparisons and policies use."""
        return f"{self.task}/{self.scorer}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """What a scorer says of one text: a value, or None when the text has no readable form."""

    value: float | None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scorer:
    """A pure function (item, text) -> mark, the metric it gives, and what an unreadable text is worth."""

    name: str
    metric: Metric
    unparsed_value: float | None
    mark: Callable[[Item, str], Mark]
