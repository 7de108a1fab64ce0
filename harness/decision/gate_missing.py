"""Answers that a gate ought to have and does not: counted, never left out in silence.

Missing is an item that failed, that was never asked, or that only one of the two systems has a score on. An answer
without a readable form is none of these: what it is worth, its scorer says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.decision.gate_reading import Sides
from harness.decision.raters import RATING
from harness.decision.versions import shared_items
from harness.records.evidence import Evidence
from harness.records.scores import Metric, Score
from harness.records.verdicts import Finding


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """How many items of a metric are missing, each counted once, by the first reason that applies.

    `across_versions` says that the two systems answered different versions of the golden set.
    """

    metric: str
    failed: int
    one_sided: int
    changed: int
    unasked: int
    across_versions: bool = False

    @property
    def total(self) -> int:
        """All of them."""
        return self.failed + self.one_sided + self.changed + self.unasked

    @property
    def can_be_filled(self) -> bool:
        """Whether a worst case can be told: an item that changed, or that nobody was asked, has none."""
        return self.changed == 0 and self.unasked == 0

    @property
    def is_rated(self) -> bool:
        """Whether people give the scores."""
        return self.metric.startswith(RATING)

    @property
    def sentence(self) -> str:
        """How many are missing and why."""
        reasons = {
            "that nobody could judge" if self.is_rated else "failed": self.failed,
            "answered by one of the two only": self.one_sided,
            "changed between the runs": self.changed,
            "never rated" if self.is_rated else "not asked yet": self.unasked,
        }
        said = ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
        return f"{self.total} {'items are' if self.total != 1 else 'item is'} missing ({said})."

    @property
    def remedy(self) -> str:
        """The next step."""
        if self.changed or (self.across_versions and self.one_sided):
            return "The runs answered different versions of these items: run the older one again, on the present ones."
        if self.is_rated:
            return (
                "A closed campaign stays as it is: open another with `harness rate open EXPERIMENT --runs ...`, and "
                "close it once `harness rate status` shows all items done."
            )
        return "`harness show RUN` names what failed; `harness run EXPERIMENT` goes on with what is left."


def find_missing(sides: Sides, candidate: Evidence, baseline: Evidence | None, *, left_out: int = 0) -> Missing:
    """What is missing of the items that the gate is about; `left_out` of those that were asked are not in `sides`."""
    ours = {score.item_id: score.item_hash for score in sides.ours}
    theirs = ours if sides.theirs is None else {score.item_id: score.item_hash for score in sides.theirs}
    both = ours.keys() & theirs.keys()
    changed = {item_id for item_id in both if ours[item_id] != theirs[item_id]}
    failed = {
        score.item_id
        for score in (*sides.ours, *(sides.theirs or ()))
        if score.status == "failed" and score.item_id in both and score.item_id not in changed
    }
    name = sides.metric.name
    asked = max(candidate.asked.get(name, 0), baseline.asked.get(name, 0) if baseline else 0) - left_out
    return Missing(
        metric=name,
        failed=len(failed),
        one_sided=len(ours.keys() ^ theirs.keys()),
        changed=len(changed),
        unasked=max(0, asked - len(ours.keys() | theirs.keys())),
        across_versions=baseline is not None and shared_items(name, candidate, baseline) is not None,
    )


def fill_worst(sides: Sides) -> Sides | None:
    """The same with every missing answer counted against the candidate: its own as the worst, a baseline's as the best.

    Returns:
        None where the metric has no worst or best value.
    """
    worst, best = _ends(sides.metric)
    if worst is None or (best is None and sides.theirs is not None):
        return None
    ours = _fill(sides.ours, sides.theirs or (), worst)
    theirs = None if sides.theirs is None or best is None else _fill(sides.theirs, sides.ours, best)
    return replace(sides, ours=ours, theirs=theirs)


def settle_worst(filled: Sequence[Finding], left_out: Sequence[Finding], candidate: str) -> list[Finding]:
    """The outcome by the worst case: a pass holds; a fail holds only if it is one without the missing items too.

    Args:
        filled: Findings with missing answers counted against the candidate.
        left_out: Findings on the items that are there.
        candidate: Its name.
    """
    failing = {(finding.subject, finding.limit) for finding in left_out if finding.outcome == "fail"}
    settled: list[Finding] = []
    for finding in filled:
        softened = finding.outcome == "fail" and (finding.subject, finding.limit) not in failing
        words = f"{finding.words} Missing answers count against {candidate} here, as the policy asks."
        settled.append(replace(finding, outcome="inconclusive" if softened else finding.outcome, words=words))
    return settled


def _fill(scores: Sequence[Score], others: Sequence[Score], value: float) -> list[Score]:
    known = {score.item_id for score in scores}
    filled = [replace(one, value=value, status="scored") if one.status == "failed" else one for one in scores]
    absent = {score.item_id: score for score in others if score.item_id not in known}
    return filled + [replace(one, value=value, status="scored", sample_index=0) for one in absent.values()]


def _ends(metric: Metric) -> tuple[float | None, float | None]:
    low, high = (0.0, 1.0) if metric.kind == "binary" else (metric.minimum, metric.maximum)
    return (low, high) if metric.direction == "higher_is_better" else (high, low)
