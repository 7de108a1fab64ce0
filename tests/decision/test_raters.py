from collections.abc import Callable

import numpy as np
import pytest

from harness.decision.compare import compare
from harness.decision.estimate import estimate
from harness.records.scores import Metric, Score

ACCURACY = Metric(name="rating/accuracy", kind="graded", minimum=1.0, maximum=5.0)
CRITICAL = Metric(name="rating/critical_error", kind="graded", direction="lower_is_better")


def rated(of: Callable[[int, int], float], *, raters: int, items: int = 20, scorer: str = "accuracy") -> list[Score]:
    """Each item by two of the raters, in turn."""
    return [
        Score(
            task="rating",
            item_id=f"i{item:02}",
            item_hash=f"h{item}",
            scorer=scorer,
            value=of(item, rater),
            sample_index=rater,
        )
        for item in range(items)
        for rater in {item % raters, (item + 1) % raters}
    ]


def held(ours: list[Score], theirs: list[Score], metric: Metric = ACCURACY):
    return compare(metric, ours, theirs, candidate_name="lora", baseline_name="rag")


def test_few_raters_are_fixed_and_it_is_said() -> None:
    found = held(rated(lambda i, r: 4.0, raters=4), rated(lambda i, r: 3.0 + i % 2, raters=4))
    assert any(one.startswith("Only 4 raters: they are taken as fixed") for one in found.warnings)
    assert found.p_value is not None
    assert "raters" not in found.test


def test_five_raters_are_a_sample_that_widens_the_interval_where_they_differ() -> None:
    rng = np.random.default_rng(0)
    noise = {(item, rater): float(rng.integers(0, 2)) for item in range(20) for rater in range(5)}
    theirs = rated(lambda i, r: 1.0 + noise[i, r], raters=5)
    alike = held(rated(lambda i, r: 2.5 + noise[(i + 1) % 20, r], raters=5), theirs)
    divided = held(rated(lambda i, r: 1.0 + noise[(i + 1) % 20, r] + 0.75 * r, raters=5), theirs)
    assert not any("fixed" in one for one in divided.warnings)
    assert divided.p_value is None
    assert divided.test.endswith("with the variance of 5 raters")
    width = divided.ci_high - divided.ci_low
    assert width > 1.3 * (alike.ci_high - alike.ci_low)
    assert divided.difference == pytest.approx(alike.difference, abs=0.3)


def test_an_interval_is_never_narrower_than_that_of_the_items() -> None:
    ours, theirs = rated(lambda i, r: 4.0, raters=5), rated(lambda i, r: 3.0, raters=5)
    found = held(ours, theirs)
    assert found.difference == 1.0
    assert found.ci_low < 1.0 < found.ci_high  # nothing varies, and the range of the metric still does
    assert found.ci_high <= 4.0


def test_critical_errors_are_signed_so_that_fewer_are_better() -> None:
    ours = rated(lambda i, r: float(i == 0), raters=5, scorer="critical_error")
    theirs = rated(lambda i, r: float(i % 2), raters=5, scorer="critical_error")
    found = held(ours, theirs, CRITICAL)
    assert found.difference == pytest.approx(0.45)
    assert found.ci_low > 0


def test_one_systems_mean_is_widened_in_the_same_way() -> None:
    few = estimate(ACCURACY, rated(lambda i, r: 2.0 + 0.5 * r, raters=4))
    many = estimate(ACCURACY, rated(lambda i, r: 2.0 + 0.5 * r, raters=5))
    assert "Only 4 raters" in str(few.note)
    assert many.note is None
    assert many.method.endswith("with the variance of 5 raters")
    assert many.high - many.low > 1.5 * (few.high - few.low)
    assert 1.0 <= many.low < many.value < many.high <= 5.0


def test_other_metrics_are_left_alone() -> None:
    metric = Metric(name="golden/overlap", kind="graded")
    scores = [
        Score(task="golden", item_id=f"i{item}", item_hash="h", scorer="overlap", value=0.5, sample_index=sample)
        for item in range(10)
        for sample in range(2)
    ]
    assert estimate(metric, scores).note is None or "raters" not in str(estimate(metric, scores).note)
    assert "raters" not in estimate(metric, scores).method


def test_the_order_of_the_scores_changes_no_digit() -> None:
    rng = np.random.default_rng(5)
    noise = {(item, rater): float(rng.integers(1, 6)) for item in range(20) for rater in range(5)}
    ours, theirs = rated(lambda i, r: noise[i, r], raters=5), rated(lambda i, r: noise[(i + 3) % 20, r], raters=5)
    assert held(ours, theirs) == held(list(reversed(ours)), list(reversed(theirs)))
