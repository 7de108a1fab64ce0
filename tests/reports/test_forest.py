import math

import pytest

from harness.records.estimates import Comparison
from reports import forest, wording


def difference(value: float, low: float | None, high: float | None, kind: str = "binary") -> Comparison:
    return Comparison(
        metric="golden/exact_match", kind=kind, candidate="lora", baseline="rag", n=20, n_clusters=20,
        candidate_value=0.5, baseline_value=0.5, candidate_interval=None, baseline_interval=None, difference=value,
        ci_low=low, ci_high=high, confidence=0.95, p_value=0.5, test="a test", better=1, worse=1, same=18, n_missing=0,
    )  # fmt: skip


def test_the_scale_holds_every_bound_and_zero() -> None:
    scale = forest.scale_of([difference(0.2, 0.1, 0.4), difference(0.3, 0.25, 0.5)])
    assert scale.low < 0 < 0.5 < scale.high
    assert scale.place(scale.low) == 0
    assert scale.place(scale.high) == 1
    assert scale.place(9.0) == 1


def test_ticks_are_round_and_in_points_for_pass_fail_metrics() -> None:
    scale = forest.scale_of([difference(0.2, -0.12, 0.4)])
    assert [label for _, label in forest.ticks(scale, percent=True).labels] == ["0", "+20", "+40"]
    assert [label for _, label in forest.ticks(scale, percent=False).labels] == ["0", "+0.2", "+0.4"]


def test_differences_of_nothing_still_have_a_scale() -> None:
    scale = forest.scale_of([difference(0.0, None, None)])
    assert scale.place(0.0) == pytest.approx(0.5)
    assert all(math.isfinite(at) for at, _ in forest.ticks(scale, percent=False).labels)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.1, 0.2, "better"),
        (-0.2, -0.1, "worse"),
        (-0.1, 0.1, "unclear"),
        (0.0, 0.2, "unclear"),
        (None, None, "unclear"),
    ],
)
def test_only_an_interval_without_zero_is_clear(low: float | None, high: float | None, said: str) -> None:
    assert wording.standing(difference(0.0, low, high)) == said


def test_a_row_carries_its_numbers() -> None:
    row = forest.row(difference(0.2, 0.1, 0.3), forest.scale_of([difference(0.2, 0.1, 0.3)]))
    assert row.tip == "golden/exact_match: ▲ +20.0 points (+10.0 to +30.0); n 20; a test"
    assert row.low is not None
    assert row.zero < row.low < row.at < row.high


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59.4, "59 s"), (366.0, "6 min 6 s"), (7260, "2 h 1 min")])
def test_durations_are_short(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


@pytest.mark.parametrize(("count", "said"), [(9, "9 B"), (19_599_702, "19.6 MB"), (4_307_771_392, "4.3 GB")])
def test_sizes_are_in_powers_of_ten(count: int, said: str) -> None:
    assert wording.size(count) == said
