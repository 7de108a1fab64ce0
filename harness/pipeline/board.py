"""The systems of an experiment beside each other, from the ledger alone; no model, no torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.config.experiment import BASE, HUMAN
from harness.decision.estimate import estimate
from harness.errors import ComparisonError, nearest
from harness.pipeline.decide import compare_evidence, is_shown
from harness.pipeline.describe import has_own_weights, model_identity
from harness.pipeline.evidence import REGRESSION, read_evidence
from harness.pipeline.marks import learned_sentence
from harness.records.estimates import Comparison, Estimate
from harness.records.evidence import Evidence
from harness.records.runs import RunState
from harness.records.scores import Metric, MetricKind
from harness.store.golden import golden_items
from harness.store.ledger import WAIT_S, Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import runs

_KIND_ORDER: tuple[MetricKind, ...] = ("binary", "graded", "count")


@dataclass(frozen=True, kw_only=True, slots=True)
class ExperimentSummary:
    """An experiment that has runs. `question` is the newest run's; `n_runs` counts failed ones too."""

    name: str
    question: str
    n_runs: int
    n_finished: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardRow:
    """One system on its latest finished run.

    `differences` are paired, this system minus the board's baseline on golden metrics and minus `base` on regression
    metrics; empty where there is none to hold against. `apart` says why this system cannot be compared with the
    baseline. `n_earlier` counts earlier finished runs of the system.
    """

    system: str
    state: RunState
    estimates: Mapping[str, Estimate]
    notes: Mapping[str, Sequence[str]]
    differences: Mapping[str, Comparison]
    apart: tuple[str, ...]
    n_earlier: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """An experiment's systems, in the order of their first runs.

    `metrics` are in the order to show them in. `rows` can be compared with each other; those of `apart` cannot, with
    their reasons. `unfinished` are runs that are newer than their system's latest finished one, or the only ones.
    `n_items` counts the items of the golden set that the baseline answered. `baseline` is None without a finished run.
    `notes` are sentences on the board as a whole.
    """

    experiment: str
    question: str
    metrics: tuple[Metric, ...]
    baseline: str | None
    rows: tuple[BoardRow, ...]
    apart: tuple[BoardRow, ...]
    unfinished: tuple[RunState, ...]
    n_items: int
    notes: tuple[str, ...]


def all_runs(home: Path, *, wait_s: float = WAIT_S) -> tuple[RunState, ...]:
    """Every run of the ledger with its latest status, newest first, also failed ones.

    Raises:
        StoreError: There is no ledger.
        StoreBusyError: Others held it for longer than `wait_s` seconds.
    """
    return tuple(runs(open_ledger(home, create=False, wait_s=wait_s)))


def experiments(home: Path, *, wait_s: float = WAIT_S) -> tuple[ExperimentSummary, ...]:
    """Experiments with runs, the one with the newest run first.

    Raises:
        StoreError: There is no ledger.
        StoreBusyError: Others held it for longer than `wait_s` seconds.
    """
    by_name: dict[str, list[RunState]] = {}
    for state in runs(open_ledger(home, create=False, wait_s=wait_s)):
        by_name.setdefault(state.run.experiment, []).append(state)
    return tuple(
        ExperimentSummary(
            name=name,
            question=_question(states),
            n_runs=len(states),
            n_finished=sum(state.status == "finished" for state in states),
        )
        for name, states in by_name.items()
    )


def leaderboard(home: Path, experiment: str, baseline: str | None = None, *, wait_s: float = WAIT_S) -> Board:
    """Every system of an experiment on its latest finished run, held against one of them.

    Args:
        home: Where the ledger is.
        experiment: Its name.
        baseline: A system; by default the first one that answers with the base model's own weights.
        wait_s: Seconds that each read waits for others.

    Raises:
        ComparisonError: There is no such experiment, or `baseline` has no finished run.
        StoreError: There is no ledger.
        StoreBusyError: Others held it for longer than `wait_s` seconds.
    """
    ledger = open_ledger(home, create=False, wait_s=wait_s)
    every = runs(ledger)
    states = [state for state in every if state.run.experiment == experiment]
    if not states:
        known = {state.run.experiment for state in every}
        raise ComparisonError(f'"{experiment}" is not an experiment of this ledger; {nearest(experiment, known)}.')
    latest = _latest_finished(states)
    chosen = _choose_baseline(latest, baseline)
    found = {name: read_evidence(ledger, state, name=name) for name, state in latest.items()}
    rows = [_row(one, found, chosen, states) for one in found.values()]
    together = [row for row in rows if not row.apart]
    return Board(
        experiment=experiment,
        question=_question(states),
        metrics=in_order(metric for one in found.values() for metric in one.metrics.values()),
        baseline=chosen,
        rows=tuple(together),
        apart=tuple(row for row in rows if row.apart),
        unfinished=tuple(_unfinished(states, latest)),
        n_items=_count_items(ledger, latest[chosen]) if chosen else 0,
        notes=_notes(together),
    )


def in_order(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """Metrics in the order to show them in, without probes: golden before regression, pass/fail before graded."""
    shown = {metric.name: metric for metric in metrics if is_shown(metric.name)}.values()
    return tuple(
        sorted(shown, key=lambda one: (one.name.startswith(REGRESSION), _KIND_ORDER.index(one.kind), one.name))
    )


def estimate_metrics(evidence: Evidence) -> dict[str, Estimate]:
    """The value of each metric that has one, with its interval; probes are not among them."""
    return {
        name: estimate(metric, evidence.scores[name])
        for name, metric in evidence.metrics.items()
        if is_shown(name) and any(score.value is not None for score in evidence.scores[name])
    }


def _latest_finished(states: Sequence[RunState]) -> dict[str, RunState]:
    """By system: the run that finished last. Systems come in the order of their first runs, `base` last."""
    names = list(dict.fromkeys(state.run.system for state in reversed(states)))
    latest: dict[str, RunState] = {}
    for name in sorted(names, key=lambda name: name == BASE):
        finished = [state for state in states if state.run.system == name and state.status == "finished"]
        if finished:
            latest[name] = max(finished, key=lambda state: (state.ended_at or state.run.started_at, state.run.run_id))
    return latest


def _choose_baseline(latest: Mapping[str, RunState], asked: str | None) -> str | None:
    answering = [name for name in latest if name != BASE]
    if asked is not None:
        if asked not in answering:
            raise ComparisonError(
                f'"{asked}" has no finished run to hold others against; {nearest(asked, answering)}. '
                "`harness runs` lists runs."
            )
        return asked
    prompted = [name for name in answering if name != HUMAN and not has_own_weights(latest[name].run)]
    return next(iter([*prompted, *answering]), None)


def _row(one: Evidence, found: Mapping[str, Evidence], baseline: str | None, states: Sequence[RunState]) -> BoardRow:
    apart = () if baseline is None or one.name == BASE else _reasons_apart(one, found[baseline])
    differences: dict[str, Comparison] = {}
    if baseline is not None and one.name != baseline and not apart:
        differences |= _differences(one, found[baseline], regression=False)
    base = found.get(BASE)
    if base is not None and one is not base and model_identity(base.state.run) == model_identity(one.state.run):
        differences |= _differences(one, base, regression=True)
    finished = [state for state in states if state.run.system == one.name and state.status == "finished"]
    return BoardRow(
        system=one.name,
        state=one.state,
        estimates=estimate_metrics(one),
        notes=one.notes,
        differences=differences,
        apart=apart,
        n_earlier=len(finished) - 1,
    )


def _reasons_apart(one: Evidence, baseline: Evidence) -> tuple[str, ...]:
    ours, theirs = one.state.run, baseline.state.run
    if ours.golden_sha256 == theirs.golden_sha256:
        return ()
    return (
        f"{one.name} answered {ours.golden_set} {ours.golden_version} ({ours.golden_sha256[:12]}), and {baseline.name} "
        f"answered {theirs.golden_set} {theirs.golden_version} ({theirs.golden_sha256[:12]}). Other items are other "
        f"questions: run {one.name} again on the same golden set.",
    )


def _differences(one: Evidence, other: Evidence, *, regression: bool) -> dict[str, Comparison]:
    try:
        compared = compare_evidence(one, [other])
    except ComparisonError:  # nothing in common, as with a system that has no regression scores
        return {}
    return {each.metric: each for each in compared.comparisons if each.metric.startswith(REGRESSION) == regression}


def _unfinished(states: Sequence[RunState], latest: Mapping[str, RunState]) -> list[RunState]:
    """Runs that began after their system's latest finished one; of those that failed, the newest of each system."""
    shown: list[RunState] = []
    failed: set[str] = set()
    for state in states:
        finished = latest.get(state.run.system)
        if state.status == "finished" or (finished and state.run.started_at < finished.run.started_at):
            continue
        if state.status == "running" or state.run.system not in failed:
            shown.append(state)
        if state.status != "running":
            failed.add(state.run.system)
    return shown


def _notes(rows: Sequence[BoardRow]) -> tuple[str, ...]:
    learned = tuple(learned_sentence(one) for row in rows for one in row.differences.values() if one.overlapping)
    if len({row.state.run.experiment_id for row in rows}) <= 1:
        return learned
    return (
        *learned,
        "The experiment was changed between these runs (its settings have another hash). Each system is shown with its "
        "latest finished run; the configuration is on the run's page.",
    )


def _question(states: Sequence[RunState]) -> str:
    said = next((state.run.provenance["question"] for state in states if state.run.provenance.get("question")), "")
    return str(said)


def _count_items(ledger: Ledger, state: RunState) -> int:
    return len(golden_items(ledger, state.run.golden_sha256))
