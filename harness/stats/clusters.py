"""Items that stand together: cluster-robust standard errors, intervals, and how many items they count as."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from harness.stats.intervals import Interval, check_confidence, finite_values, t_interval
from harness.stats.libraries import t_quantile

FEW_DIFFERING_CLUSTERS = 5
_ROUNDING = 1e-12


def cluster_sums(values: Sequence[float], clusters: Sequence[Hashable]) -> list[float]:
    """The sum of `values` in each cluster, in order of first appearance.

    Raises:
        ValueError: `values` and `clusters` differ in length.
    """
    if len(values) != len(clusters):
        raise ValueError(f"{len(values)} values but {len(clusters)} cluster labels; each value needs one")
    if len(set(clusters)) == len(values):
        return list(values)
    members: dict[Hashable, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        members.setdefault(cluster, []).append(value)
    return [math.fsum(member) for member in members.values()]


def clustered_standard_error(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Cluster-robust standard error of a mean (CR1): sqrt(G / (G - 1) * sum of squared cluster residuals) / n.

    Assumes that clusters are independent of each other; within a cluster any dependence is allowed. With one value in
    each cluster it is the usual s / sqrt(n).

    Args:
        values: Finite numbers; each counts the same, so that large clusters weigh more.
        clusters: The cluster of each value.

    Returns:
        In the unit of `values`, at least 0; exactly 0 when the cluster residuals vanish up to rounding.

    Raises:
        ValueError: Fewer than 2 clusters, lengths that differ, or a value that is not finite.

    Source: Liang and Zeger (1986); Cameron and Miller (2015), Journal of Human Resources 50:317, section II.
    """
    data = finite_values(values, at_least=2)
    mean = math.fsum(values) / len(data)
    residuals = np.asarray(cluster_sums([value - mean for value in values], clusters))
    count = len(residuals)
    if count < 2:
        raise ValueError("all values stand in 1 cluster; a standard error needs at least 2")
    if float(np.max(np.abs(residuals))) <= _ROUNDING * float(np.sum(np.abs(data))):
        return 0.0
    return math.sqrt(count / (count - 1) * float(np.sum(residuals**2))) / len(data)


def clustered_mean_interval(
    values: Sequence[float], clusters: Sequence[Hashable], *, confidence: float = 0.95
) -> Interval:
    """Cluster-robust t interval for a mean, with G - 1 degrees of freedom for G clusters.

    Assumes independent clusters, about 20 or more of them and of similar size: with fewer the interval tends to be too
    narrow. With one value in each cluster it is the Student t interval.

    Args:
        values: Finite numbers; each counts the same.
        clusters: The cluster of each value (a document, a patient).
        confidence: Two-sided, in (0, 1).

    Returns:
        Bounds in the unit of `values`; they may lie beyond the range of a bounded metric.

    Raises:
        ValueError: Fewer than 2 clusters, lengths that differ, a value that is not finite, or no variation between
            clusters (see `unvarying_interval`).

    Source: as `clustered_standard_error`; degrees of freedom as in Cameron and Miller (2015), section VI.
    """
    check_confidence(confidence)
    error = clustered_standard_error(values, clusters)
    if error == 0:
        raise ValueError("the clusters do not differ: without variation there is no cluster-robust interval")
    return t_interval(math.fsum(values) / len(values), error, len(set(clusters)) - 1, confidence)


def equal_clusters(clusters: Sequence[Hashable]) -> float:
    """How many clusters of one size the clusters are worth: n^2 / sum of squared sizes.

    Args:
        clusters: The cluster of each value, at least one.

    Returns:
        In [1, number of clusters]; the number itself where all are of one size.
    """
    return len(clusters) ** 2 / sum(size**2 for size in Counter(clusters).values())


def effective_items(values: Sequence[float], clusters: Sequence[Hashable], *, confidence: float = 0.95) -> float:
    """How many independent items the items in clusters are worth, for the mean of `values`.

    The items divided by the design effect (cluster-robust over ordinary variance of the mean; not under 1, as clusters
    add no evidence), and made fewer again by the squared ratio of the t quantiles with n - 1 and G* - 1 degrees of
    freedom, since the design effect is itself an estimate. G* = n^2 / sum of squared cluster sizes is how many clusters
    of one size theirs are worth. Where fewer than 5 clusters hold any value but the commonest, nothing is known of how
    items of a cluster go together: then they count as G* at most.

    Assumes independent clusters, about 20 or more of them and of similar size.

    Args:
        values: Finite numbers, at least 1; each counts the same.
        clusters: The cluster of each value.
        confidence: Of the interval that the number is for, in (0, 1).

    Returns:
        In [1, n]. n where each cluster holds one value; G* where all values are equal; 1 where there is one cluster.

    Raises:
        ValueError: No value, one that is not finite, or lengths that differ.

    Source: Korn and Graubard (1998), Survey Methodology 24:193; Dean and Pagano (2015), Journal of Survey Statistics
    and Methodology 3:484; G* for the degrees of freedom as in Carter, Schnepel and Steigerwald (2017), Review of
    Economics and Statistics 99:698, with clusters wholly alike.
    """
    check_confidence(confidence)
    n, count = len(finite_values(values, at_least=1)), len(set(clusters))
    if len(clusters) != n:
        raise ValueError(f"{n} values but {len(clusters)} cluster labels; each value needs one")
    if count in (1, n):
        return float(count)
    worth = equal_clusters(clusters)
    alone = clustered_standard_error(values, range(n))
    if alone == 0:
        return worth
    design_effect = max(1.0, (clustered_standard_error(values, clusters) / alone) ** 2)
    probability = 0.5 + confidence / 2
    fewer = (t_quantile(probability, n - 1) / t_quantile(probability, worth - 1)) ** 2
    most = worth if _differing_clusters(values, clusters) < FEW_DIFFERING_CLUSTERS else n
    return max(1.0, min(most, n / design_effect * fewer))


def _differing_clusters(values: Sequence[float], clusters: Sequence[Hashable]) -> int:
    """Clusters that hold any value but the commonest."""
    commonest = Counter(values).most_common(1)[0][0]
    return len({cluster for value, cluster in zip(values, clusters, strict=True) if value != commonest})
