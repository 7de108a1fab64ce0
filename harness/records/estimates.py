"""Numbers as evidence: never without an interval and an n."""

from dataclasses import dataclass

from harness.records.scores import MetricKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A value with its two-sided interval.

    `low` and `high` are None where no interval is defined (one item; an unbounded metric without variation); `note`
    then says why. `n` counts items, `method` names the interval.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    method: str
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Paired estimate of candidate minus baseline, signed so that positive is better.

    `difference` and its bounds are in the metric's own unit (proportion in [0, 1] for binary), with the sign turned for
    metrics where lower is better; `candidate_value` and `baseline_value` keep their own sign. `better`, `worse` and
    `same` count items (for binary metrics `better` and `worse` are the discordant pairs). `p_value` is beside the
    interval, never instead of it. `warnings` are sentences to show with the numbers.

    `overlapping` counts the compared items whose text either system was allowed to learn; `without` is the comparison
    on the other items, None where there are no overlapping ones or no others. Gates read `without`.
    """

    metric: str
    kind: MetricKind
    candidate: str
    baseline: str
    n: int
    n_clusters: int
    candidate_value: float
    baseline_value: float
    candidate_interval: tuple[float, float] | None
    baseline_interval: tuple[float, float] | None
    difference: float
    ci_low: float | None
    ci_high: float | None
    confidence: float
    p_value: float | None
    test: str
    better: int
    worse: int
    same: int
    n_missing: int
    warnings: tuple[str, ...] = ()
    overlapping: int = 0
    without: "Comparison | None" = None
