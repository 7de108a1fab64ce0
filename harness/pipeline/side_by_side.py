"""Two runs beside each other: every difference with its interval, and the items behind one of them; no torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.decision.flips import StratumFlips
from harness.decision.preference import face
from harness.decision.values import ItemValue, collect_values
from harness.errors import ComparisonError, nearest
from harness.pipeline.board import in_order
from harness.pipeline.decide import compare_evidence, is_shown
from harness.pipeline.describe import model_identity, model_name
from harness.pipeline.evidence import REGRESSION, read_evidence
from harness.records.estimates import Comparison
from harness.records.evidence import Evidence
from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.runs import RunState
from harness.records.scores import Metric, Score
from harness.store.generations import generations
from harness.store.golden import golden_items
from harness.store.ledger import WAIT_S, Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import find_run

Outcome = Literal["better", "worse", "same", "apart"]

_TIE_TOLERANCE = 1e-12  # as a comparison has it: rounding of averages does not break a tie


@dataclass(frozen=True, kw_only=True, slots=True)
class RunComparison:
    """Candidate minus baseline on every metric that both runs have; positive is better.

    `comparisons` and `metrics` are in the order to show them in. `set_apart` says what is not compared and why.
    `flips` has, by pass/fail regression metric, the items lost and gained in each subject.
    """

    candidate: RunState
    baseline: RunState
    candidate_name: str
    baseline_name: str
    metrics: tuple[Metric, ...]
    comparisons: tuple[Comparison, ...]
    set_apart: tuple[str, ...]
    flips: Mapping[str, Sequence[StratumFlips]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What one run has on one item.

    `value` is its score (the mean over samples), in the metric's own unit and sign; None where there is none.
    `detail` is what the scorer says of it, such as the option chosen. `generations` are its texts on a golden item.
    """

    value: float | None
    detail: str | None
    generations: tuple[Generation, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemPair:
    """One item as both runs answered it.

    `difference` is candidate minus baseline, positive is better; None where they are not compared, and `reason` says
    why. `item` is the golden item, None for one of a regression task (whose text the ledger does not hold).
    """

    item_id: str
    stratum: str | None
    outcome: Outcome
    difference: float | None
    reason: str | None
    item: Item | None
    candidate: Answer
    baseline: Answer


def compare_runs(home: Path, candidate: str, baseline: str, *, wait_s: float = WAIT_S) -> RunComparison:
    """Compares two finished runs, given by their ids, on every metric that both have.

    Raises:
        ComparisonError: They are one run, one is not finished, or nothing is in common.
        StoreError: There is no ledger, or no such run.
        StoreBusyError: Others held the ledger for longer than `wait_s` seconds.
    """
    ours, theirs = _read_both(open_ledger(home, create=False, wait_s=wait_s), candidate, baseline)
    report = compare_evidence(ours, [theirs])
    metrics = in_order(metric for name, metric in ours.metrics.items() if name in theirs.metrics)
    by_name = {one.metric: one for one in report.comparisons}
    return RunComparison(
        candidate=ours.state,
        baseline=theirs.state,
        candidate_name=ours.name,
        baseline_name=theirs.name,
        metrics=metrics,
        comparisons=tuple(by_name[metric.name] for metric in metrics if metric.name in by_name),
        set_apart=(*report.set_apart, *_only_on_one_side(ours, theirs), *_other_conditions(ours, theirs)),
        flips={metric: strata for (metric, _), strata in report.flips.items()},
    )


def side_by_side(
    home: Path, candidate: str, baseline: str, metric: str, *, wait_s: float = WAIT_S
) -> tuple[ItemPair, ...]:
    """Every item that either run has a score on, the worst regression first, those not compared last.

    Args:
        home: Where the ledger is.
        candidate: Id of a finished run.
        baseline: Id of another.
        metric: Its name, such as `golden/exact_match`.
        wait_s: Seconds that each read waits for others.

    Raises:
        ComparisonError: The runs do not both have this metric, or as `compare_runs`.
        StoreError: There is no ledger, or no such run.
        StoreBusyError: Others held the ledger for longer than `wait_s` seconds.
    """
    ledger = open_ledger(home, create=False, wait_s=wait_s)
    ours, theirs = _read_both(ledger, candidate, baseline)
    both = [name for name in ours.metrics if name in theirs.metrics and is_shown(name)]
    if metric not in both:
        raise ComparisonError(f'"{metric}" is not a metric that both runs have; {nearest(metric, both)}.')
    sides = [_Side(ledger, one, ours.metrics[metric]) for one in (ours, theirs)]
    item_ids = sorted({*sides[0].values, *sides[1].values})
    pairs = [_pair(item_id, ours.metrics[metric], *sides) for item_id in item_ids]
    return tuple(sorted(pairs, key=lambda pair: math.inf if pair.difference is None else pair.difference))


class _Side:
    """One run's values, answers and items on one metric, by item id."""

    def __init__(self, ledger: Ledger, evidence: Evidence, metric: Metric) -> None:
        run = evidence.state.run
        scores = evidence.scores[metric.name]
        self.name = evidence.name
        self.values: dict[str, ItemValue] = collect_values(metric, scores)
        self.scores: dict[str, Score] = {score.item_id: score for score in reversed(scores)}
        self.generations: dict[str, list[Generation]] = {}
        self.items: dict[str, Item] = {}
        if metric.name.startswith(REGRESSION):
            return
        self.items = {item.item_id: item for item in golden_items(ledger, run.golden_sha256)}
        for generation in generations(ledger, run.run_id):
            self.generations.setdefault(generation.item_id, []).append(generation)

    def answer(self, item_id: str) -> Answer:
        """What the run has on an item; nothing but None where it was never asked."""
        value, score = self.values.get(item_id), self.scores.get(item_id)
        return Answer(
            value=value.value if value else None,
            detail=score.detail if score else None,
            generations=tuple(self.generations.get(item_id, ())),
        )


def _pair(item_id: str, metric: Metric, ours: _Side, theirs: _Side) -> ItemPair:
    reason = _reason_apart(item_id, ours, theirs)
    our, their = ours.answer(item_id), theirs.answer(item_id)
    difference = None
    if reason is None and our.value is not None and their.value is not None:
        sign = 1.0 if metric.direction == "higher_is_better" else -1.0
        tie = math.isclose(our.value, their.value, rel_tol=_TIE_TOLERANCE, abs_tol=_TIE_TOLERANCE)
        difference = 0.0 if tie else sign * (our.value - their.value)
    scored = ours.scores.get(item_id) or theirs.scores[item_id]
    return ItemPair(
        item_id=item_id,
        stratum=scored.stratum,
        outcome=_outcome(difference),
        difference=difference,
        reason=reason,
        item=ours.items.get(item_id) or theirs.items.get(item_id),
        candidate=our,
        baseline=their,
    )


def _outcome(difference: float | None) -> Outcome:
    if difference is None:
        return "apart"
    return "better" if difference > 0 else "worse" if difference < 0 else "same"


def _reason_apart(item_id: str, ours: _Side, theirs: _Side) -> str | None:
    our, their = ours.values.get(item_id), theirs.values.get(item_id)
    for value, side in ((our, ours), (their, theirs)):
        if value is None:
            return f"{side.name} has no score on it."
    if our and their and our.item_hash != their.item_hash:
        return "The item was changed between the runs: it is another question, or scored against another reference."
    for value, side in ((our, ours), (their, theirs)):
        if value and value.value is None:
            what = "never answered it" if value.missing == "failed" else "gave an answer that cannot be read"
            return f"{side.name} {what}."
    return None


def _read_both(ledger: Ledger, candidate: str, baseline: str) -> tuple[Evidence, Evidence]:
    states = [find_run(ledger, run_id) for run_id in (candidate, baseline)]
    ours, theirs = (state.run for state in states)
    if ours.run_id == theirs.run_id:
        raise ComparisonError(f"run {ours.run_id} is on both sides; choose another baseline.")
    for state in states:
        if state.status != "finished":
            raise ComparisonError(
                f"run {state.run.run_id} ({state.run.system}) is {state.status}; only finished runs are compared."
            )
    alike = ours.system == theirs.system
    names = [f"{run.system} ({run.run_id})" if alike else run.system for run in (ours, theirs)]
    read = [read_evidence(ledger, state, name=name) for state, name in zip(states, names, strict=True)]
    return face(read[0], read[1])


def _only_on_one_side(ours: Evidence, theirs: Evidence) -> list[str]:
    said: list[str] = []
    for one, other in ((ours, theirs), (theirs, ours)):
        alone = [metric.name for metric in in_order(one.metrics.values()) if metric.name not in other.metrics]
        if alone:
            said.append(f"Only {one.name} has {', '.join(alone)}: {other.name} was not measured on it.")
    return said


def _other_conditions(ours: Evidence, theirs: Evidence) -> list[str]:
    """What differs between the runs beside the systems, so that a difference may not be the system's alone."""
    our, their = ours.state.run, theirs.state.run
    said: list[str] = []
    if our.golden_sha256 != their.golden_sha256:
        said.append(
            f"The golden sets differ ({our.golden_set} {our.golden_version}, {their.golden_set} "
            f"{their.golden_version}): only items that are the same in both are compared."
        )
    if model_identity(our) != model_identity(their):
        said.append(f"The base models differ: {model_name(our) or 'unknown'} and {model_name(their) or 'unknown'}.")
    return said
