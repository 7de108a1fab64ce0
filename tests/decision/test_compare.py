import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.decision.compare import compare
from harness.errors import ComparisonError
from harness.records.estimates import Comparison
from harness.records.scores import Metric, Score
from harness.stats.bounded import bounded_mean_interval, unvarying_interval
from harness.stats.means import skew_t_interval, student_t_interval
from harness.stats.paired import clustered_sign_flip_p, mcnemar_midp, sign_flip_p, tango_interval
from harness.stats.proportions import modified_wilson_interval


def against(metric: Metric, candidate: list[Score], baseline: list[Score], confidence: float = 0.95) -> Comparison:
    return compare(metric, candidate, baseline, candidate_name="lora", baseline_name="zero_shot", confidence=confidence)


def bounds(result: Comparison) -> tuple[float, float]:
    assert result.ci_low is not None
    assert result.ci_high is not None
    return result.ci_low, result.ci_high


def test_pass_fail_systems_are_compared_by_tango_and_the_midp_test(binary: Metric, scores_of) -> None:
    ours, theirs = [1] * 9 + [0] * 3 + [1] * 8, [0] * 9 + [1] * 3 + [1] * 8
    result, tango = against(binary, scores_of(ours), scores_of(theirs)), tango_interval(9, 3, 20)
    assert (result.better, result.worse, result.same, result.n, result.n_clusters) == (9, 3, 8, 20, 20)
    assert result.difference == pytest.approx(0.3)
    assert bounds(result) == (tango.low, tango.high)
    assert result.p_value == mcnemar_midp(9, 3)
    assert result.test == "paired proportions: Tango score interval, mid-p McNemar"
    assert (result.candidate_value, result.baseline_value) == (0.85, 0.55)
    assert result.candidate_interval == (modified_wilson_interval(17, 20).low, modified_wilson_interval(17, 20).high)
    assert result.baseline_interval == (modified_wilson_interval(11, 20).low, modified_wilson_interval(11, 20).high)
    assert (result.candidate, result.baseline, result.metric, result.kind) == (
        "lora",
        "zero_shot",
        binary.name,
        "binary",
    )
    assert (result.n_missing, result.warnings, result.confidence) == (0, (), 0.95)


def test_graded_systems_are_compared_by_the_score_interval_and_sign_flips(graded: Metric, scores_of) -> None:
    ours, theirs = [0.9, 0.8, 0.4, 0.7, 0.6], [0.5, 0.6, 0.5, 0.7, 0.1]
    differences = [0.4, 0.2, -0.1, 0.0, 0.5]
    result, interval = (
        against(graded, scores_of(ours), scores_of(theirs), 0.9),
        bounded_mean_interval(differences, minimum=-1, maximum=1, confidence=0.9),
    )
    assert bounds(result) == pytest.approx((interval.low, interval.high))
    assert result.p_value == pytest.approx(sign_flip_p(differences))
    assert (result.better, result.worse, result.same) == (3, 1, 1)
    assert result.test == "paired means: bounded-mean score interval, sign-flip permutation"
    assert result.confidence == 0.9


def test_where_lower_is_better_the_difference_is_turned_and_the_values_are_not(count: Metric, scores_of) -> None:
    result = against(count, scores_of([1, 2, 3]), scores_of([2, 4, 3]))
    assert result.difference == pytest.approx(1)
    assert (result.candidate_value, result.baseline_value) == (2, 3)
    assert (result.better, result.worse, result.same) == (2, 0, 1)


def test_where_lower_is_better_a_pass_fail_metric_is_turned_too(scores_of) -> None:
    metric = Metric(name="golden/exact_match", kind="binary", direction="lower_is_better")
    result = against(metric, scores_of([0, 0, 1, 0]), scores_of([1, 1, 1, 0]))
    assert (result.better, result.worse, result.difference) == (2, 0, 0.5)
    assert bounds(result) == (tango_interval(2, 0, 4).low, tango_interval(2, 0, 4).high)


def test_items_pair_by_id_whatever_their_order(binary: Metric, scores_of) -> None:
    ours, theirs = scores_of([1, 0, 1, 1]), scores_of([0, 1, 1, 0])
    assert against(binary, ours[::-1], theirs) == against(binary, ours, theirs)


def test_changed_items_are_counted_and_said_and_not_compared(binary: Metric, scores_of) -> None:
    result = against(binary, scores_of([1, 1, 1, 0, 1]), scores_of([0, 0, 0, 0, 0], hashes={0: "x", 1: "x", 2: "x"}))
    assert (result.n, result.n_missing) == (2, 3)
    assert result.warnings == ("3 items were changed between the runs and are not compared.",)


def test_items_on_one_side_only_are_counted_and_said(binary: Metric, scores_of) -> None:
    result = against(binary, scores_of([1, 1, 1, 0, 1]), scores_of([0, 0, 0]))
    assert (result.n, result.n_missing) == (3, 2)
    assert result.warnings == ("2 items have no score in zero_shot and are not compared.",)
    turned = against(binary, scores_of([0, 0]), scores_of([1, 1, 1]))
    assert turned.warnings == ("1 item has no score in lora and is not compared.",)


def test_failed_and_unreadable_items_are_counted_once_and_said_by_reason(binary: Metric, scores_of) -> None:
    ours, theirs = scores_of([1, None, 1, 1]), scores_of([1, None, 0, 0])
    theirs[2] = replace(theirs[2], status="unparsed", value=None)
    result = against(binary, ours, theirs)
    assert (result.n, result.n_missing) == (2, 2)
    assert result.warnings == (
        "1 item failed in lora and is not compared.",
        "1 item failed in zero_shot and is not compared.",
        "1 item has no readable value in zero_shot and is not compared.",
    )


def test_an_unparsed_answer_counts_with_its_value(binary: Metric, scores_of) -> None:
    ours, theirs = scores_of([0, 1]), scores_of([1, 1])
    result = against(binary, [replace(ours[0], status="unparsed"), ours[1]], theirs)
    assert (result.n, result.worse, result.n_missing) == (2, 1, 0)


def test_values_are_those_of_the_paired_items_only(binary: Metric, scores_of) -> None:
    result = against(binary, scores_of([1, 1, 0, 0]), scores_of([1, 0]))
    assert (result.candidate_value, result.baseline_value) == (1, 0.5)


@pytest.mark.parametrize("theirs", [[], [None, None]])
def test_nothing_to_compare_is_an_error_with_the_reason_and_a_next_step(binary: Metric, scores_of, theirs) -> None:
    with pytest.raises(ComparisonError, match=r"lora and zero_shot have no item.* 2 items .*zero_shot.*`harness runs`"):
        against(binary, scores_of([1, 0]), scores_of(theirs))


def test_runs_of_different_versions_have_nothing_to_compare(binary: Metric, scores_of) -> None:
    with pytest.raises(ComparisonError, match="2 items were changed"):
        against(binary, scores_of([1, 0]), scores_of([1, 0], hashes={0: "x", 1: "y"}))


def test_without_discordant_pairs_the_interval_has_width_and_p_is_one(binary: Metric, scores_of) -> None:
    result = against(binary, scores_of([1] * 30 + [0] * 20), scores_of([1] * 30 + [0] * 20))
    assert bounds(result) == pytest.approx((-0.071347, 0.071347), abs=1e-6)
    assert (result.p_value, result.same, result.difference) == (1, 50, 0)


def test_graded_systems_that_agree_everywhere_have_the_same_interval_as_pass_fail_ones(
    graded: Metric, scores_of
) -> None:
    values = [index / 50 for index in range(50)]
    result = against(graded, scores_of(values), scores_of(values))
    assert bounds(result) == pytest.approx((-0.071347, 0.071347), abs=1e-6)
    assert result.p_value == 1
    assert result.test == "paired means: bounded-mean score interval, sign-flip permutation"


def test_the_interval_without_variation_is_scaled_by_the_range(scores_of) -> None:
    metric = Metric(name="golden/exact_match", kind="graded", minimum=1, maximum=5)
    result = against(metric, scores_of([4] * 50), scores_of([4] * 50))
    assert bounds(result) == pytest.approx((-4 * 0.071347, 4 * 0.071347), abs=1e-5)


def test_a_constant_gain_has_an_interval_around_it_that_never_leaves_the_range(graded: Metric, scores_of) -> None:
    result = against(graded, scores_of([1.0] * 20), scores_of([0.25] * 20))
    interval = unvarying_interval(0.75, 20, minimum=-1, maximum=1)
    assert bounds(result) == pytest.approx((interval.low, interval.high))
    assert interval.low < 0.75 < interval.high <= 1


def test_one_item_never_proves_anything(binary: Metric, graded: Metric, scores_of) -> None:
    for metric in (binary, graded):
        result = against(metric, scores_of([1]), scores_of([0]))
        assert bounds(result) == pytest.approx((-0.586901, 1.0), abs=1e-6)
        assert result.p_value is not None
        assert result.p_value >= 0.5


def test_one_item_of_an_unbounded_metric_has_no_interval_and_says_so(count: Metric, scores_of) -> None:
    result = against(count, scores_of([3]), scores_of([5]))
    assert (result.difference, result.ci_low, result.ci_high, result.p_value) == (2, None, None, 1)
    assert result.candidate_interval is None
    assert any("no interval is defined" in warning for warning in result.warnings)


def test_an_unbounded_metric_without_variation_has_no_interval_and_says_so(count: Metric, scores_of) -> None:
    result = against(count, scores_of([3, 4, 5]), scores_of([4, 5, 6]))
    assert (result.difference, result.ci_low, result.ci_high) == (1, None, None)
    assert result.warnings == ("There is no variation and the metric has no bounds, so no interval is defined.",)
    assert result.candidate_interval is not None


def test_items_that_share_a_group_are_compared_by_clusters(graded: Metric, scores_of) -> None:
    groups = ["p", "p", "q", "q", "r", None]
    ours, theirs = [0.9, 0.7, 0.5, 0.6, 0.4, 0.3], [0.5, 0.5, 0.4, 0.7, 0.1, 0.2]
    differences = [0.4, 0.2, 0.1, -0.1, 0.3, 0.1]
    result = against(graded, scores_of(ours, groups=groups), scores_of(theirs, groups=groups))
    interval = bounded_mean_interval(differences, minimum=-1, maximum=1, clusters="ppqqrs")
    assert bounds(result) == pytest.approx((interval.low, interval.high))
    assert result.p_value == pytest.approx(clustered_sign_flip_p(differences, "ppqqrs"))
    assert result.test == (
        "paired means in clusters: cluster-robust score interval (6 items count as 2.2), "
        "sign-flip permutation of clusters"
    )
    assert (result.n, result.n_clusters) == (6, 4)
    assert any("only 4 clusters" in warning for warning in result.warnings)


def test_a_group_counts_only_where_several_of_its_items_are_paired(binary: Metric, scores_of) -> None:
    groups = ["p", "p", "q"]
    result = against(binary, scores_of([1, None, 0], groups=groups), scores_of([0, 1, 0], groups=groups))
    assert result.n_clusters == result.n == 2
    assert "Tango" in result.test


def test_many_clusters_give_no_warning(binary: Metric, scores_of) -> None:
    groups = [f"g{index // 2}" for index in range(40)]
    ours, theirs = [1, 1, 0, 0] * 10, [0, 0, 1, 0] * 10
    result = against(binary, scores_of(ours, groups=groups), scores_of(theirs, groups=groups))
    interval = bounded_mean_interval([1, 1, -1, 0] * 10, minimum=-1, maximum=1, clusters=groups)
    assert bounds(result) == pytest.approx((interval.low, interval.high))
    assert result.warnings == ()
    assert result.n_clusters == 20


def test_many_clusters_of_very_different_sizes_give_a_warning(graded: Metric, scores_of) -> None:
    """24 clusters of 1 and one of 16: 40^2 / (24 + 256) = 5.7 of one size."""
    groups = [f"g{min(index, 24)}" for index in range(40)]
    result = against(graded, scores_of([0.5, 0.6] * 20, groups=groups), scores_of([0.5] * 40, groups=groups))
    assert result.n_clusters == 25
    assert result.warnings == (
        "The 40 items stand in 25 clusters (items that share a group) of such different sizes that they are worth only "
        "5.7 of one size; under 20 clusters an interval may be too narrow.",
    )


def test_a_clustered_pass_fail_comparison_is_never_surer_than_tango(binary: Metric, scores_of) -> None:
    """One discordant item: the cluster-robust interval alone would be narrower than that of no discordant item."""
    groups = [f"g{index // 2}" for index in range(40)]
    theirs = scores_of([0] * 40, groups=groups)
    for gains in (0, 1, 2):
        result, tango = (
            against(binary, scores_of([1] * gains + [0] * (40 - gains), groups=groups), theirs),
            tango_interval(gains, 0, 40),
        )
        low, high = bounds(result)
        assert low <= tango.low < tango.high <= high


def test_all_items_in_one_cluster_count_as_one_observation(binary: Metric, scores_of) -> None:
    groups = ["p"] * 12
    result = against(binary, scores_of([1] * 12, groups=groups), scores_of([0] * 12, groups=groups))
    assert bounds(result) == pytest.approx((-0.586901, 1.0), abs=1e-6)
    assert result.p_value == 1
    assert any("only 1 cluster " in warning for warning in result.warnings)


def test_groups_that_changed_between_the_runs_are_said(binary: Metric, scores_of) -> None:
    ours, theirs = scores_of([1, 0], groups=["p", "q"]), scores_of([0, 0], groups=["p", "p"])
    result = against(binary, ours, theirs)
    assert result.n_clusters == 2
    assert result.warnings == (
        "1 item stands in another group in zero_shot than in lora; the groups of lora are used.",
    )


def test_several_samples_make_a_pass_fail_metric_graded(binary: Metric, scores_of) -> None:
    first, second = scores_of([1, 1, 0, 1]), [replace(score, sample_index=1) for score in scores_of([1, 0, 0, 1])]
    result = against(binary, [*first, *second], scores_of([0, 0, 0, 1]))
    interval = bounded_mean_interval([1, 0.5, 0, 0], minimum=-1, maximum=1)
    assert result.kind == "graded"
    assert result.difference == pytest.approx(0.375)
    assert bounds(result) == pytest.approx((interval.low, interval.high))
    assert any("averaged" in warning for warning in result.warnings)
    assert result.baseline_interval == (modified_wilson_interval(1, 4).low, modified_wilson_interval(1, 4).high)


def test_samples_lost_are_said(graded: Metric, scores_of) -> None:
    ours = scores_of([0.5, 0.6])
    lost = replace(ours[0], sample_index=1, value=None, status="failed")
    result = against(graded, [*ours, lost], scores_of([0.1, 0.4]))
    assert "1 item lost some of its samples in lora; the others are averaged." in result.warnings
    assert result.n_missing == 0


def test_rounding_does_not_break_a_tie(graded: Metric, scores_of) -> None:
    samples = [replace(scores_of([value])[0], sample_index=index) for index, value in enumerate([0.1, 0.2, 0.3])]
    result = against(graded, [*samples, scores_of([0, 0.4])[1]], scores_of([0.2, 0.4]))
    assert (result.better, result.worse, result.same) == (0, 0, 2)


def test_a_handful_of_differing_items_is_said_with_what_the_interval_makes_of_it(graded: Metric, scores_of) -> None:
    ours, theirs = scores_of([0.5] * 48 + [0.7, 0.9]), scores_of([0.5] * 50)
    assert against(graded, ours, theirs).warnings == (
        "Only 2 of 50 items differ: the interval allows for items at the ends of the metric's range that were not "
        "seen.",
    )
    fixed = compare(graded, ours, theirs, candidate_name="lora", baseline_name="zero_shot", method="student_t")
    assert fixed.warnings == ("Only 2 of 50 items differ: a t or bootstrap interval from so few may be too narrow.",)


def test_few_differing_items_prove_no_more_graded_than_pass_fail(graded: Metric, binary: Metric, scores_of) -> None:
    """3 of 60 items differ, by 0.3: a t interval alone would lie as if 57 ties had shown that no other item differs."""
    ours, theirs = [0.5] * 57 + [0.8] * 3, [0.5] * 60
    low, high = bounds(against(graded, scores_of(ours), scores_of(theirs)))
    none_differ = bounds(against(graded, scores_of(theirs), scores_of(theirs)))
    t = student_t_interval([our - their for our, their in zip(ours, theirs, strict=True)])
    assert low < t.low < t.high < high
    assert high > none_differ[1] > 0.06


def test_the_policy_may_name_the_method_and_the_comparison_says_so(graded: Metric, scores_of) -> None:
    ours, theirs = [0.9, 0.8, 0.4, 0.7, 0.6], [0.5, 0.6, 0.5, 0.7, 0.1]
    interval = student_t_interval([0.4, 0.2, -0.1, 0.0, 0.5])
    result = compare(
        graded,
        scores_of(ours),
        scores_of(theirs),
        candidate_name="lora",
        baseline_name="zero_shot",
        method="student_t",
    )
    assert bounds(result) == pytest.approx((interval.low, interval.high))
    assert result.test == "paired means: Student t interval (fixed by the policy), sign-flip permutation"


def test_a_method_that_does_not_fit_is_an_error_with_those_that_do(graded: Metric, scores_of) -> None:
    ours = scores_of([0.5, 0.6])
    with pytest.raises(
        ComparisonError, match=r"method tango .* graded metric .* bounded_score, student_t, skew_t, bca"
    ):
        compare(graded, ours, ours, candidate_name="a", baseline_name="b", method="tango")


def test_an_unknown_option_is_refused_and_not_ignored(graded: Metric, scores_of) -> None:
    ours = scores_of([0.5, 0.6])
    with pytest.raises(TypeError, match="methd"):
        compare(graded, ours, ours, candidate_name="a", baseline_name="b", methd="tango")  # pyright: ignore


def test_a_fixed_t_interval_without_variation_falls_back_on_the_range_and_says_so(graded: Metric, scores_of) -> None:
    ours = scores_of([0.5] * 50)
    result = compare(graded, ours, ours, candidate_name="a", baseline_name="b", method="student_t")
    assert bounds(result) == pytest.approx((-0.071347, 0.071347), abs=1e-6)
    assert result.warnings == ("There is no variation, so the interval comes from the metric's range.",)


def test_an_unbounded_metric_is_compared_by_t_or_where_it_is_skewed_by_the_corrected_t(
    count: Metric, scores_of
) -> None:
    ours, theirs = [1, 2, 3, 4, 5, 6, 7, 8], [1, 3, 2, 6, 3, 9, 4, 8]
    result, interval = (
        against(count, scores_of(ours), scores_of(theirs)),
        student_t_interval([0, 1, -1, 2, -2, 3, -3, 0]),
    )
    assert bounds(result) == pytest.approx((interval.low, interval.high))
    assert result.test == "paired means: Student t interval, sign-flip permutation"
    skewed, corrected = (
        against(count, scores_of([0] * 30), scores_of([0] * 26 + [1, 2, 4, 9])),
        [0.0] * 26 + [1, 2, 4, 9],
    )
    interval = skew_t_interval(corrected)
    assert bounds(skewed) == pytest.approx((interval.low, interval.high))
    assert skewed.test == "paired means: skewness-corrected t interval, sign-flip permutation"


def test_the_same_scores_give_the_same_comparison(graded: Metric, scores_of) -> None:
    ours, theirs = scores_of([index % 7 / 7 for index in range(60)]), scores_of([index % 5 / 5 for index in range(60)])
    assert against(graded, ours, theirs) == against(graded, ours, theirs)


pair_lists = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 9)), min_size=1, max_size=25)


@given(pairs=pair_lists, clustered=st.booleans(), kind=st.sampled_from(["binary", "graded"]))
@settings(max_examples=80, deadline=None)
def test_swapping_the_systems_turns_the_comparison_round(pairs, clustered: bool, kind) -> None:
    metric = Metric(name="golden/exact_match", kind=kind)

    def score(index: int, value: int, group: int) -> Score:
        return Score(
            task="golden", scorer="exact_match", item_id=str(index), item_hash="h", value=value,
            group=f"g{group}" if clustered else None,
        )  # fmt: skip

    ours = [score(index, our, group) for index, (our, _, group) in enumerate(pairs)]
    theirs = [score(index, their, group) for index, (_, their, group) in enumerate(pairs)]
    result, swapped = against(metric, ours, theirs), against(metric, theirs, ours)
    low, high = bounds(result)
    assert -1 <= low <= result.difference <= high <= 1
    assert high - low > 0
    assert bounds(swapped) == pytest.approx((-high, -low), abs=1e-9)
    assert math.isclose(swapped.difference, -result.difference, abs_tol=1e-12)
    assert (swapped.better, swapped.worse, swapped.same) == (result.worse, result.better, result.same)
    assert swapped.p_value == pytest.approx(result.p_value)
    assert result.better + result.worse + result.same == result.n == len(pairs)


def test_the_seed_of_a_resampling_method_is_the_callers(scores_of, count: Metric) -> None:
    ours = scores_of([math.sqrt(number) for number in range(30)])
    theirs = scores_of([math.sin(number) + 1.0 for number in range(30)])

    def bounds(seed: int) -> tuple[float | None, float | None]:
        found = compare(count, ours, theirs, candidate_name="a", baseline_name="b", method="bca", seed=seed)
        return found.ci_low, found.ci_high

    assert bounds(1) == bounds(1)
    assert bounds(1) != bounds(2)
