"""Items that a run was allowed to learn from: which overlaps concern a system, and what they mark."""

from collections.abc import Iterable, Mapping, Sequence

from harness.config.system import System
from harness.data.overlap import Overlap
from harness.errors import OverlapError
from harness.pipeline.prepare import Prepared
from harness.records.estimates import Comparison
from harness.records.evidence import Evidence
from harness.records.overlaps import RunOverlap, Scored
from harness.records.runs import RunState
from harness.records.scores import Score
from harness.report.numbers import difference_text, interval_text
from harness.store.ledger import Ledger
from harness.store.overlaps import run_overlaps
from harness.systems.shots import drawn_records

Found = Mapping[str, Sequence[Overlap]]
"""Overlaps by the path of their training set."""


def learned_overlaps(prepared: Prepared, system: System, found: Found) -> dict[str, list[Overlap]]:
    """The overlaps that concern one system, by training set.

    A system that is fine-tuned is concerned by every record of every set, whether drawn for validation or left out by
    a share; one that only shows examples by the records it shows; one that does neither by none. What an adapter that
    was trained elsewhere has learned is not known here.
    """
    if system.finetune:
        return {path: list(overlaps) for path, overlaps in found.items() if overlaps}
    if not system.prompt.shots or prepared.training_set is None:
        return {}
    training_set = prepared.training_set
    shown = {one.line for one in drawn_records(training_set.records, system.prompt.shots, seed=system.seed)}
    overlaps = [one for one in found.get(training_set.path, ()) if one.line in shown]
    return {training_set.path: overlaps} if overlaps else {}


def require_marked(prepared: Prepared, ledger: Ledger, system: System, state: RunState) -> None:
    """Refuses a run that learned golden items without anybody having allowed it: its scores would show memory.

    Raises:
        OverlapError: With the number of pairs, and the next step.
    """
    hashes = {training_set.path: training_set.sha256 for training_set in prepared.training_sets}
    concerned = {
        (hashes[path], one.line, one.item_id)
        for path, overlaps in learned_overlaps(prepared, system, prepared.overlaps).items()
        for one in overlaps
    }
    if not concerned:
        return
    marked = {(one.training_sha256, one.line, one.item_id) for one in run_overlaps(ledger, state.run.run_id)}
    if missing := concerned - marked:
        count = f"{len(missing)} training record{'s share' if len(missing) != 1 else ' shares'} text with golden items"
        raise OverlapError(
            f"run {state.run.run_id} ({state.run.system}): {count}, and nobody has allowed it for this run. `harness "
            f"check {prepared.experiment.folder}` lists them. Remove them and run again, or allow them with `harness "
            f"run {prepared.experiment.folder} --only {system.name} --allow-overlap REASON`, which marks the items."
        )


def marked_items(overlaps: Iterable[RunOverlap], by_metric: Mapping[str, Sequence[Score]]) -> dict[str, frozenset[str]]:
    """By metric, the scored items that the run was allowed to learn from; metrics without any are left out."""
    known: dict[Scored, set[str]] = {"golden": set(), "regression": set()}
    for one in overlaps:
        known[one.scored].add(one.item_id)
    found: dict[str, frozenset[str]] = {}
    for metric, scores in by_metric.items():
        match metric.partition("/")[0]:
            case "golden" | "rating":
                found[metric] = frozenset(score.item_id for score in scores) & known["golden"]
            case "regression":
                found[metric] = frozenset(score.item_id for score in scores) & known["regression"]
            case _:
                pass
    return {metric: marked for metric, marked in found.items() if marked}


def learned_items(metric: str, evidence: Evidence) -> frozenset[str]:
    """The items of a metric that any run of a system, whatever its seed, was allowed to learn."""
    none: frozenset[str] = frozenset()
    return none.union(*(one.overlapping.get(metric, none) for one in (evidence, *evidence.replicates)))


def learned_sentence(comparison: Comparison) -> str:
    """A difference with and without the items that either system was allowed to learn."""
    without, kind = comparison.without, comparison.kind
    names = f"{comparison.candidate} - {comparison.baseline} on {comparison.metric}"
    shown = difference_text(comparison.difference, kind)
    if without is None:
        return f"{names}: {shown}, all on items that also stand in a training set."
    interval = interval_text(without.ci_low, without.ci_high, kind, signed=True)
    count = f"{comparison.overlapping} item{'s' if comparison.overlapping != 1 else ''}"
    return (
        f"{names}: {shown} on all {comparison.n} items; {difference_text(without.difference, kind)} ({interval}, "
        f"n {without.n}) without {count} that also stand in a training set."
    )


def marks_sentence(name: str, metric: str, marked: int, of: int, overlaps: Sequence[RunOverlap]) -> str:
    """How many items of a metric are marked, and who allowed it, when and why."""
    scored: Scored = "regression" if metric.startswith("regression/") else "golden"
    allowed = dict.fromkeys(one.allowance for one in overlaps if one.scored == scored)
    said = "; ".join(f"{one.by} allowed it on {one.at:%Y-%m-%d}: {one.reason}" for one in allowed)
    verb = "share their text" if marked != 1 else "shares its text"
    return f"{metric}: {marked} of {of} items {verb} with what {name} learned ({said})."
