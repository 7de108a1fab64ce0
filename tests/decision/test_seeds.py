from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from harness.decision.compare import compare
from harness.decision.seeds import compare_seeds, merge_seeds
from harness.records.scores import Metric, Score
from harness.stats.seeds import seed_interval

ScoresOf = Callable[..., list[Score]]
NAMES = {"candidate_name": "lora", "baseline_name": "base"}


def marks(text: str) -> list[float]:
    return [float(mark) for mark in text]


def test_one_run_on_each_side_is_an_ordinary_comparison(binary: Metric, scores_of: ScoresOf) -> None:
    ours, theirs = scores_of(marks("1101011011")), scores_of(marks("0100011001"))
    assert compare_seeds(binary, [ours], [theirs], **NAMES) == compare(binary, ours, theirs, **NAMES)


def test_the_interval_is_that_of_seeds_and_items(binary: Metric, scores_of: ScoresOf) -> None:
    # Two seeds that gain 4 and 2 of 8 items over a baseline that has none.
    seeds = [scores_of(marks("11110000")), scores_of(marks("11000000"))]
    found = compare_seeds(binary, seeds, [scores_of(marks("00000000"))], **NAMES)
    expected = seed_interval([marks("11110000"), marks("11000000")], minimum=-1.0, maximum=1.0)
    assert found.difference == pytest.approx(0.375)
    assert found.ci_low is not None
    assert found.ci_low <= expected.low
    assert found.ci_high is not None
    assert found.ci_high >= expected.high
    assert (found.better, found.worse, found.same, found.n) == (4, 0, 4, 8)
    assert found.p_value is None
    assert "2 training seeds" in found.test


def test_seeds_that_disagree_make_the_interval_wider_than_items_alone(binary: Metric, scores_of: ScoresOf) -> None:
    base = scores_of([0.0] * 40)
    lucky, unlucky = [1.0] * 36 + [0.0] * 4, [0.0] * 36 + [1.0] * 4
    apart = compare_seeds(binary, [scores_of(lucky), scores_of(unlucky)], [base], **NAMES)
    alike = compare_seeds(binary, [scores_of([1.0, 0.0] * 20), scores_of([0.0, 1.0] * 20)], [base], **NAMES)
    assert apart.difference == alike.difference == pytest.approx(0.5)
    assert _width(apart) > 2 * _width(alike)


def test_the_sign_is_turned_where_lower_is_better(count: Metric, scores_of: ScoresOf) -> None:
    ours = [scores_of([1.0, 2.0, 1.0, 0.0]), scores_of([1.0, 1.0, 1.0, 1.0])]
    found = compare_seeds(count, ours, [scores_of([3.0, 4.0, 3.0, 3.0])], **NAMES)
    assert found.difference == pytest.approx(2.25)
    assert found.ci_low is not None
    assert 0 < found.ci_low < 2.25


def test_an_item_that_one_seed_failed_is_averaged_over_the_others_and_said(binary: Metric, scores_of: ScoresOf) -> None:
    ours: Sequence[list[Score]] = [scores_of([1.0, None, 1.0, 0.0]), scores_of([1.0, 1.0, 0.0, 0.0])]
    found = compare_seeds(binary, ours, [scores_of(marks("0000"))], **NAMES)
    assert found.n == 4
    assert any("lost some of its samples" in warning for warning in found.warnings)


def test_seeds_on_both_sides_are_paired_in_order(binary: Metric, scores_of: ScoresOf) -> None:
    ours = [scores_of(marks("1100")), scores_of(marks("1110")), scores_of(marks("1111"))]
    theirs = [scores_of(marks("0000")), scores_of(marks("1000"))]
    found = compare_seeds(binary, ours, theirs, **NAMES)
    assert found.difference == pytest.approx(0.75 - 0.125)
    assert "3 training seeds" in found.test


def test_too_few_items_in_every_seed_is_said_rather_than_guessed(binary: Metric, scores_of: ScoresOf) -> None:
    ours = [scores_of([1.0, None]), scores_of([None, 1.0])]
    found = compare_seeds(binary, ours, [scores_of([0.0, 0.0])], **NAMES)
    assert any("their variance is not in the interval" in warning for warning in found.warnings)


def test_merged_seeds_keep_every_sample_apart(scores_of: ScoresOf) -> None:
    first = scores_of(marks("10"))
    merged = merge_seeds([first, [replace(score, sample_index=1) for score in first]])
    assert len({(score.item_id, score.sample_index) for score in merged}) == 4


def _width(comparison) -> float:
    return comparison.ci_high - comparison.ci_low
