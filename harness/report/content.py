"""What an evidence report says, before it becomes a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from harness.records.estimates import Comparison, Estimate
from harness.records.evidence import Agreement
from harness.records.registry import Promotion, Waiver
from harness.records.runs import RunState, TrainingMetric
from harness.records.scores import Metric, Score
from harness.records.verdicts import Verdict

if TYPE_CHECKING:
    from harness.stats.preference import Ranking  # it loads numpy, and `harness --help` loads this module

ReportFormat = Literal["html", "md", "junit", "csv", "parquet"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemSection:
    """One system: how it answers, its run, and what was measured.

    `how` is a list of (what, value) to show; `estimates` are keyed by metric; `notes` are sentences to show with them.
    `recorded` is what the run recorded of its configuration, provenance and facts, without folders of the machine.
    """

    name: str
    state: RunState
    how: tuple[tuple[str, str], ...]
    estimates: Mapping[str, Estimate]
    probes: tuple[Score, ...]
    training: tuple[TrainingMetric, ...]
    notes: tuple[str, ...]
    recorded: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class DataCard:
    """Some data: its name, what identifies it, and what its authors say of it (Markdown, shown as text)."""

    kind: str
    name: str
    facts: tuple[tuple[str, str], ...]
    text: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LostItem:
    """An item that the candidate answered worse than a baseline. Texts are shown as they are, never as HTML."""

    item_id: str
    metric: str
    baseline: str
    question: str
    reference: str
    candidate_answer: str
    baseline_answer: str
    candidate_value: float
    baseline_value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RatedSystem:
    """One system on one rating metric: its mean as rated, and beside it the mean without the raters' severity."""

    metric: str
    system: str
    estimate: Estimate
    adjusted: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RaterOffset:
    """How many level units a rater gives more (or less, negative) than the raters' mean on the same answers."""

    rater: str
    metric: str
    offset: float | None
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Win:
    """How often one system's answer was chosen over another's: a share in [0, 1], a tie counting half."""

    winner: str
    loser: str
    share: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RatingSection:
    """What experts said in one campaign.

    `agreement` is by metric. `wins` has each pair of systems once. `strengths` are Bradley and Terry's, of three or
    more systems, with the systems' names. `notes` are sentences: what was not complete, and whether raters were blind.
    """

    campaign_id: str
    raters: int
    systems: tuple[RatedSystem, ...]
    agreement: Mapping[str, Agreement]
    offsets: tuple[RaterOffset, ...]
    wins: tuple[Win, ...]
    strengths: "Ranking | None"
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceReport:
    """Everything that a reviewer needs to judge a candidate.

    `systems` has the candidate first. `comparisons` are candidate minus baseline, positive is better. `limits` are
    sentences on what the evidence cannot show; `flips` are sentences on regression answers lost and gained.
    """

    experiment: str
    question: str
    candidate: str
    metrics: Mapping[str, Metric]
    systems: Sequence[SystemSection]
    comparisons: Sequence[Comparison]
    set_apart: Sequence[str]
    flips: Sequence[str]
    lost_items: Sequence[LostItem]
    verdict: Verdict | None
    waivers: Sequence[Waiver]
    promotions: Sequence[Promotion]
    cards: Sequence[DataCard]
    limits: Sequence[str]
    tests: Sequence[str]
    made_at: datetime
    version: str
    ratings: Sequence[RatingSection] = ()
