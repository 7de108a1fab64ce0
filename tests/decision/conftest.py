"""Builders of metrics and scores."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from harness.records.scores import Metric, Score

ScoresOf = Callable[..., list[Score]]


@pytest.fixture
def binary() -> Metric:
    return Metric(name="golden/exact_match", kind="binary")


@pytest.fixture
def graded() -> Metric:
    return Metric(name="golden/exact_match", kind="graded")


@pytest.fixture
def count() -> Metric:
    return Metric(name="golden/exact_match", kind="count", direction="lower_is_better", maximum=None)


@pytest.fixture
def scores_of() -> ScoresOf:
    """Scores of items i00, i01, ... with the values given; None stands for a failed item."""

    def build(
        values: Sequence[float | None],
        *,
        groups: Sequence[str | None] | None = None,
        hashes: Mapping[int, str] | None = None,
    ) -> list[Score]:
        return [
            Score(
                task="golden",
                scorer="exact_match",
                item_id=f"i{index:02}",
                item_hash=(hashes or {}).get(index, f"h{index}"),
                value=value,
                status="failed" if value is None else "scored",
                group=None if groups is None else groups[index],
            )
            for index, value in enumerate(values)
        ]

    return build
