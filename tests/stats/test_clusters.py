import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from harness.stats.clusters import (
    cluster_sums,
    clustered_mean_interval,
    clustered_standard_error,
    effective_items,
    equal_clusters,
)


def test_the_clustered_standard_error_is_worked_by_hand() -> None:
    """Two clusters of two, (0, 0) and (1, 1): residual sums -1 and 1, so sqrt(2 / 1 * 2) / 4 = 0.5."""
    assert clustered_standard_error([0, 0, 1, 1], ["a", "a", "b", "b"]) == pytest.approx(0.5)
    interval = clustered_mean_interval([0, 0, 1, 1], ["a", "a", "b", "b"])
    assert (interval.low, interval.high) == pytest.approx((0.5 - 6.3531, 0.5 + 6.3531), abs=1e-4)


def test_the_clustered_interval_agrees_with_statsmodels() -> None:
    generator = np.random.default_rng(8)
    clusters = generator.integers(0, 25, 120)
    values = generator.normal(size=120) + generator.normal(size=25)[clusters]
    fit = sm.OLS(values, np.ones(120)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    interval = clustered_mean_interval([float(value) for value in values], [int(cluster) for cluster in clusters])
    assert (interval.low, interval.high) == pytest.approx(tuple(fit.conf_int()[0]), rel=1e-9)


def test_items_that_repeat_within_clusters_add_no_evidence() -> None:
    once = clustered_mean_interval([0.0, 1.0, 3.0], "abc")
    twice = clustered_mean_interval([0.0, 0.0, 1.0, 1.0, 3.0, 3.0], "aabbcc")
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))


@pytest.mark.parametrize(
    ("values", "clusters", "said"),
    [
        ([0, 1], "aa", "1 cluster"),
        ([0, 1, 0, 1], "aabb", "variation"),
        ([0, 1], "abc", "labels"),
        ([1], "a", "too few"),
    ],
)
def test_the_clustered_interval_refuses_what_has_none(values: list[float], clusters: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        clustered_mean_interval(values, clusters)


def test_cluster_sums_keep_the_order_of_appearance() -> None:
    assert cluster_sums([1, 2, 3, 4], ["x", "y", "x", "z"]) == [4, 2, 4]


def test_effective_items_are_worked_by_hand() -> None:
    """Three clusters of two: values 0 0, 1 1, 2 2 in full agreement, so the variance of the mean is 6 / 36 * 3 / 2 of
    sums squared 4 + 0 + 4 = 8, or 1 / 3; alone 4 / 5 / 6 = 2 / 15. The design effect is 2.5, the items 2.4, times
    (2.5706 / 4.3027)^2 for 2 instead of 5 degrees of freedom: 0.857, and never under 1.
    """
    values, clusters = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0], "aabbcc"
    assert clustered_standard_error(values, clusters) ** 2 == pytest.approx(1 / 3)
    assert effective_items(values, clusters) == 1
    many = effective_items(values * 10, [f"{cluster}{index // 6}" for index, cluster in enumerate(clusters * 10)])
    error = 30 / 29 * 80 / 3600
    alone = 40 / 59 / 60
    ratio = stats.t.ppf(0.975, 59) / stats.t.ppf(0.975, 29)
    assert many == pytest.approx(60 * alone / error * ratio**2)


def test_items_alone_count_in_full_and_clusters_never_add_evidence() -> None:
    values = [0.0, 1.0] * 10
    assert effective_items(values, range(20)) == 20
    opposed = effective_items(values, [index // 2 for index in range(20)])
    assert opposed == pytest.approx(20 * (stats.t.ppf(0.975, 19) / stats.t.ppf(0.975, 9)) ** 2)


def test_items_that_are_all_alike_count_as_their_clusters() -> None:
    assert effective_items([0.5] * 12, "aaabbbcccddd") == pytest.approx(4)
    assert effective_items([0.5] * 12, "a" * 12) == 1
    assert effective_items([0.5] * 10, "aaaaaaaaab") == pytest.approx(100 / 82), (
        "9 and 1 are hardly more than 1 cluster"
    )


def test_where_few_clusters_differ_their_items_count_as_the_clusters() -> None:
    """One item of 100 differs: nothing says whether its cluster of 5 goes together, so 20 clusters count as 20."""
    clusters = [index // 5 for index in range(100)]
    for differing in (1, 4):
        few = [1.0 if index % 5 == 0 and index // 5 < differing else 0.0 for index in range(100)]
        assert effective_items(few, clusters) == 20
    enough = [1.0 if index % 5 == 0 and index // 5 < 5 else 0.0 for index in range(100)]
    assert effective_items(enough, clusters) > 80


def test_unequal_clusters_count_for_less_than_equal_ones() -> None:
    values = [float(value) for value in np.random.default_rng(4).normal(size=100)]
    equal = effective_items(values, [index // 5 for index in range(100)])
    unequal = effective_items(values, np.repeat(np.arange(20), [1, 9] * 10).tolist())
    assert 1 <= unequal < equal <= 100


@pytest.mark.parametrize(("values", "clusters"), [([], ""), ([0.1, 0.2], "a")])
def test_effective_items_need_items_with_labels(values: list[float], clusters: str) -> None:
    with pytest.raises(ValueError, match=r"too few|labels"):
        effective_items(values, clusters)


def test_clusters_of_one_size_count_in_full_and_a_large_one_hides_the_others() -> None:
    assert equal_clusters("aabbcc") == 3
    assert equal_clusters("a") == 1
    assert equal_clusters("aaaaaaaab") == pytest.approx(81 / 65)
