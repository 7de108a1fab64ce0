"""What the ledger holds of one run, as decisions read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.records.runs import RunState
from harness.records.scores import Metric, Score


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How consistently raters answered one criterion.

    `alpha` is Krippendorff's, at most 1 (0: as if by chance); `low` and `high` bound it, None where no interval is
    defined. `raters` counts people who rated, `items` the items that two or more of them rated.
    """

    raters: int
    items: int
    alpha: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenItems:
    """The items of the version of a golden set that a run saw.

    `hashes` are those of the items that every run answers, by id; `sealed` are the ids of those that it does not, and
    `retired` says by id why the others are no longer asked.
    """

    hashes: Mapping[str, str]
    sealed: frozenset[str] = frozenset()
    retired: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A run's scores, with what they mean and what must be said of them.

    `name` is the name the run was asked for by: a system's, `base`, or a run id. `metrics` and `scores` are keyed by
    metric name (`golden/exact_match`, `regression/mmlu/acc`, `probe/adapter_active`); only metrics with scores are
    there. `notes` are sentences by metric to show with every number of it: a subset, an interruption, a base at chance.

    A run may refer to several evaluations of one task, such as a quick suite's and a full one's; `evaluations` says by
    metric which one was read, and `conditions` in which number format and by what it was scored. `asked` is the number
    of items that were to be scored, by metric: fewer scores than that are missing ones. `whole` is the number of items
    there are to ask, by metric, where the task is larger than what was asked. `labels` says by item id and key (`tag`,
    `kind`, `difficulty`) which slices an item belongs to. `agreement` is by rating metric. `adapter_sha256` is that of
    the adapter that the run recorded. `replicates` are the runs of the same system with other training seeds. `seen`
    are the items of its golden set, None where the ledger does not hold them.

    `overlapping` has by metric the items whose text the run was allowed to learn. `sealed_items` counts the items of
    the golden set that are sealed, where the golden scores are of these and not of the development items; `withheld`
    is why the golden scores were not read, and the next step.
    """

    name: str
    state: RunState
    metrics: Mapping[str, Metric]
    scores: Mapping[str, Sequence[Score]]
    notes: Mapping[str, Sequence[str]]
    evaluations: Mapping[str, str] = field(default_factory=dict[str, str])
    asked: Mapping[str, int] = field(default_factory=dict[str, int])
    whole: Mapping[str, int] = field(default_factory=dict[str, int])
    labels: Mapping[str, Mapping[str, tuple[str, ...]]] = field(
        default_factory=dict[str, Mapping[str, tuple[str, ...]]]
    )
    agreement: Mapping[str, Agreement] = field(default_factory=dict[str, Agreement])
    conditions: Mapping[str, str] = field(default_factory=dict[str, str])
    adapter_sha256: str | None = None
    replicates: tuple["Evidence", ...] = ()
    overlapping: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    sealed_items: int = 0
    withheld: tuple[str, str] | None = None
    seen: SeenItems | None = None
