"""A sample of one number per item: what an interval is made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.decision.values import ItemValue
from harness.records.scores import Metric, MetricKind
from harness.stats.clusters import equal_clusters

FEW_CLUSTERS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One number per item, the cluster each item stands in, and what the numbers may be.

    `clusters` numbers the clusters from 0; items without a shared group are clusters of their own. `minimum` and
    `maximum` are None where the metric has no bounds on both sides. `kind` is binary only where each item has one
    sample: the mean of several is graded.
    """

    values: tuple[float, ...]
    clusters: tuple[int, ...]
    kind: MetricKind
    minimum: float | None
    maximum: float | None

    @property
    def n_clusters(self) -> int:
        """Clusters, at most one per item."""
        return len(set(self.clusters))

    @property
    def is_clustered(self) -> bool:
        """Whether any cluster holds several items."""
        return self.n_clusters < len(self.values)

    @property
    def mean(self) -> float:
        """The mean over items, each counting the same."""
        return math.fsum(self.values) / len(self.values)


def draw_sample(metric: Metric, items: Sequence[ItemValue], clusters: Sequence[int]) -> Sample:
    """The sample of one system on the items that have a value (others are left out by the caller)."""
    minimum, maximum = (0.0, 1.0) if metric.kind == "binary" else (metric.minimum, metric.maximum)
    bounded = minimum is not None and maximum is not None
    return Sample(
        values=tuple(item.value for item in items if item.value is not None),
        clusters=tuple(clusters),
        kind=kind_of(metric, items),
        minimum=minimum if bounded else None,
        maximum=maximum if bounded else None,
    )


def kind_of(metric: Metric, items: Sequence[ItemValue]) -> MetricKind:
    """The kind of the values after averaging: several samples of a binary metric make a graded value."""
    averaged = any(item.samples + item.lost > 1 for item in items)
    return "graded" if metric.kind == "binary" and averaged else metric.kind


def number_clusters(groups: Sequence[str | None]) -> tuple[int, ...]:
    """A cluster number for each item: the same for items that share a group, its own for an item without one."""
    numbers: dict[str, int] = {}
    clusters: list[int] = []
    following = 0
    for group in groups:
        known = None if group is None else numbers.get(group)
        if known is None:
            known, following = following, following + 1
            if group is not None:
                numbers[group] = known
        clusters.append(known)
    return tuple(clusters)


def cluster_warnings(clusters: Sequence[int]) -> list[str]:
    """A sentence where items stand in fewer than 20 clusters, or in more that are worth fewer, being so unequal.

    Args:
        clusters: The cluster of each item, at least one.
    """
    n, n_clusters, worth = len(clusters), len(set(clusters)), equal_clusters(clusters)
    if n_clusters == n or worth >= FEW_CLUSTERS:
        return []
    plural = "s" if n_clusters != 1 else ""
    risk = f"under {FEW_CLUSTERS} clusters an interval may be too narrow."
    if n_clusters < FEW_CLUSTERS:
        return [f"The {n} items stand in only {n_clusters} cluster{plural} (items that share a group); {risk}"]
    return [
        f"The {n} items stand in {n_clusters} clusters (items that share a group) of such different sizes that they "
        f"are worth only {worth:.1f} of one size; {risk}"
    ]
