"""What the ledger holds of one run, as decisions read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.records.runs import RunState
from harness.records.scores import Metric, Score


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A run's scores, with what they mean and what must be said of them.

    `name` is the name the run was asked for by: a system's, `base`, or a run id. `metrics` and `scores` are keyed by
    metric name (`golden/exact_match`, `regression/mmlu/acc`, `probe/adapter_active`); only metrics with scores are
    there. `notes` are sentences by metric to show with every number of it: a subset, an interruption, a base at chance.
    """

    name: str
    state: RunState
    metrics: Mapping[str, Metric]
    scores: Mapping[str, Sequence[Score]]
    notes: Mapping[str, Sequence[str]]
