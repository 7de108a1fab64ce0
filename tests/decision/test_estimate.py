from dataclasses import replace

import pytest

from harness.decision.estimate import estimate
from harness.errors import ComparisonError
from harness.records.scores import Metric, Score
from harness.stats.bounded import bounded_mean_interval, unvarying_interval
from harness.stats.means import bca_interval, skew_t_interval, student_t_interval
from harness.stats.proportions import clopper_pearson_interval, modified_wilson_interval


def test_a_pass_fail_metric_has_wilsons_interval(binary: Metric, scores_of) -> None:
    result = estimate(binary, scores_of([1] * 8 + [0] * 2))
    interval = modified_wilson_interval(8, 10)
    assert (result.value, result.low, result.high, result.n) == (0.8, interval.low, interval.high, 10)
    assert result.method == "modified Wilson score interval"
    assert result.note is None


def test_confidence_is_passed_on(binary: Metric, scores_of) -> None:
    assert (
        estimate(binary, scores_of([1, 0]), confidence=0.5).high == modified_wilson_interval(1, 2, confidence=0.5).high
    )


def test_a_graded_metric_has_a_score_interval(graded: Metric, scores_of) -> None:
    values = [0.2, 0.4, 0.6, 0.5]
    result, interval = estimate(graded, scores_of(values)), bounded_mean_interval(values, minimum=0, maximum=1)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))
    assert result.method == "bounded-mean score interval"


def test_an_unbounded_metric_has_a_t_interval_or_where_it_is_skewed_the_corrected_one(count: Metric, scores_of) -> None:
    even, skewed = [1.0, 2.0, 3.0, 4.0], [0.0] * 27 + [1.0, 4.0, 9.0]
    result, interval = estimate(count, scores_of(even)), student_t_interval(even)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))
    assert result.method == "Student t interval"
    result, interval = estimate(count, scores_of(skewed)), skew_t_interval(skewed)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))
    assert result.method == "skewness-corrected t interval"
    result, interval = estimate(count, scores_of(skewed), method="bca"), bca_interval(skewed)
    assert (result.low, result.high) == (interval.low, interval.high)
    assert result.method == "BCa bootstrap interval (fixed by the policy)"


def test_the_policy_may_ask_for_the_exact_interval(binary: Metric, scores_of) -> None:
    result = estimate(binary, scores_of([1] * 8 + [0] * 2), method="clopper_pearson")
    interval = clopper_pearson_interval(8, 10)
    assert (result.low, result.high) == (interval.low, interval.high)
    assert result.method == "Clopper-Pearson interval (fixed by the policy)"
    with pytest.raises(ComparisonError, match=r"modified_wilson, wilson, clopper_pearson, bounded_score, student_t"):
        estimate(binary, scores_of([1, 0]), method="tango")


def test_the_order_of_scores_does_not_matter(graded: Metric, scores_of) -> None:
    scores = scores_of([1.0] * 27 + [0.0, 0.1, 0.5])
    assert estimate(graded, scores[::-1]) == estimate(graded, scores)


def test_failed_items_are_left_out_and_said_and_never_zero(binary: Metric, scores_of) -> None:
    result = estimate(binary, scores_of([1, 1, 0, None]))
    assert result.value == pytest.approx(2 / 3)
    assert result.n == 3
    assert result.note == "1 of 4 items has no value and is left out."


def test_an_unparsed_answer_counts_with_its_value_and_is_missing_without_one(binary: Metric, scores_of) -> None:
    wrong_form = replace(scores_of([0])[0], item_id="x", status="unparsed")
    unreadable = replace(wrong_form, item_id="y", value=None)
    result = estimate(binary, [*scores_of([1, 1, 1]), wrong_form, unreadable])
    assert (result.value, result.n) == (0.75, 4)


def test_several_samples_of_an_item_are_averaged_first(binary: Metric, scores_of) -> None:
    """Item 0: 1 of 4; item 1: 1 of 1; item 2: 0 of 1. The mean over items is (0.25 + 1 + 0) / 3."""
    samples = [replace(scores_of([value])[0], sample_index=index) for index, value in enumerate([1, 0, 0, 0])]
    result = estimate(binary, [*samples, *scores_of([0, 1, 0])[1:]])
    assert result.value == pytest.approx(1.25 / 3)
    assert result.n == 3
    assert result.method == "bounded-mean score interval"


def test_items_that_share_a_group_give_a_cluster_robust_interval(graded: Metric, scores_of) -> None:
    values, groups = [0.1, 0.2, 0.6, 0.7, 0.4], ["p", "p", "q", "q", None]
    interval = bounded_mean_interval(values, minimum=0, maximum=1, clusters="ppqqr")
    result = estimate(graded, scores_of(values, groups=groups))
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))
    assert result.method == "cluster-robust score interval (5 items count as 1.0)"
    assert result.note is not None
    assert "only 3 clusters" in result.note


def test_groups_of_one_item_are_no_clusters(graded: Metric, scores_of) -> None:
    values = [0.2, 0.4, 0.6, 0.5]
    assert estimate(graded, scores_of(values, groups=list("abcd"))) == estimate(graded, scores_of(values))


def test_twenty_clusters_are_enough(graded: Metric, scores_of) -> None:
    groups = [f"g{index // 2}" for index in range(40)]
    assert estimate(graded, scores_of([index % 7 / 7 for index in range(40)], groups=groups)).note is None


def test_a_clustered_proportion_is_never_surer_than_wilson(binary: Metric, scores_of) -> None:
    """Each cluster holds one right and one wrong answer: without variation between them, 40 items prove little."""
    groups = [f"g{index // 2}" for index in range(40)]
    result, wilson = estimate(binary, scores_of([0, 1] * 20, groups=groups)), modified_wilson_interval(20, 40)
    assert result.low is not None
    assert result.high is not None
    assert result.low <= wilson.low < wilson.high <= result.high


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_a_bounded_metric_without_variation_has_an_interval_from_its_range(
    graded: Metric, scores_of, value: float
) -> None:
    result = estimate(graded, scores_of([value] * 12))
    interval = unvarying_interval(value, 12, minimum=0, maximum=1)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))


def test_one_item_of_a_bounded_metric_has_a_wide_interval(graded: Metric, scores_of) -> None:
    result = estimate(graded, scores_of([1.0]))
    assert (result.low, result.high) == pytest.approx((0.206549, 1.0), abs=1e-5)


def test_one_item_of_an_unbounded_metric_has_no_interval_and_says_why(count: Metric, scores_of) -> None:
    result = estimate(count, scores_of([7]))
    assert (result.value, result.low, result.high, result.n) == (7, None, None, 1)
    assert result.note is not None
    assert "one independent observation" in result.note


def test_the_interval_of_a_bounded_metric_stays_in_its_range(graded: Metric, scores_of) -> None:
    result = estimate(graded, scores_of([1.0, 1.0, 0.5]), method="student_t")
    assert result.high == 1
    assert result.low is not None
    assert 0 <= result.low < result.value


def test_nothing_to_estimate_is_an_error_with_a_next_step(binary: Metric, scores_of) -> None:
    for scores in ([], scores_of([None, None])):
        with pytest.raises(ComparisonError, match=r"golden/exact_match: none of .*`harness show RUN`"):
            estimate(binary, scores)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [("binary", 0.5, "0 or 1"), ("graded", 1.2, "0 to 1"), ("graded", float("inf"), "finite")],
)
def test_a_value_the_metric_cannot_take_is_an_error(kind, value: float, said: str, scores_of) -> None:
    with pytest.raises(ComparisonError, match=f"i00 has the value .* allowed: .*{said}"):
        estimate(Metric(name="golden/exact_match", kind=kind), scores_of([value]))


def test_rounding_at_the_edge_of_a_range_is_no_error(graded: Metric, scores_of) -> None:
    result = estimate(graded, scores_of([1.0000001, 1.0000001]))
    assert result.high is not None
    assert result.high >= result.value


def test_scores_of_another_metric_are_an_error(binary: Metric, scores_of) -> None:
    with pytest.raises(ComparisonError, match="a score of golden/f1"):
        estimate(binary, [replace(scores_of([1])[0], scorer="f1")])


def test_two_scores_for_one_sample_or_two_versions_of_one_item_are_an_error(binary: Metric, scores_of) -> None:
    score: Score = scores_of([1])[0]
    with pytest.raises(ComparisonError, match="two scores for sample 0"):
        estimate(binary, [score, score])
    with pytest.raises(ComparisonError, match="two versions"):
        estimate(binary, [score, replace(score, sample_index=1, item_hash="other")])
