"""Comparisons read from the ledger; no model, no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config.experiment import BASE
from harness.decision.conditions import conditions_sentence
from harness.decision.flips import StratumFlips, find_flips
from harness.decision.seeds import compare_seeds
from harness.errors import ComparisonError
from harness.pipeline.evidence import REGRESSION, read_system
from harness.pipeline.prepare import Prepared
from harness.records.estimates import Comparison
from harness.records.evidence import Evidence
from harness.records.runs import RunState
from harness.records.scores import Score
from harness.store.migrate import open_ledger

PROBE = "probe/"


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonReport:
    """Every comparison of one candidate, by baseline and then metric, with the runs they were read from.

    `runs` maps the name given (a system's or a run id) to the run it stands for; `set_apart` says what could not be
    compared, a sentence each. `flips` has the items behind each pass/fail regression metric, by metric and baseline.
    """

    comparisons: tuple[Comparison, ...]
    runs: dict[str, RunState]
    set_apart: tuple[str, ...]
    flips: dict[tuple[str, str], list[StratumFlips]]


def compare_systems(
    prepared: Prepared, home: Path, *, candidate: str, against: Sequence[str], confidence: float = 0.95
) -> ComparisonReport:
    """Compares a candidate with each baseline on every metric that both have; probes are not compared.

    Args:
        candidate: A system of the experiment (its latest finished run on the current inputs), or a run id.
        against: The same, one or more; `base` is the candidate's base model, on regression metrics.

    Raises:
        ComparisonError: A system has no finished run on the current inputs, or nothing is in common.
        StoreError: There is no ledger, or no such run.
    """
    ledger = open_ledger(home, create=False)
    if candidate in against:
        raise ComparisonError(f'"{candidate}" is on both sides; name another system with --against.')
    read = [read_system(prepared, ledger, name, candidate=candidate) for name in (candidate, *against)]
    for one in read[1:]:
        if one.state.run.run_id == read[0].state.run.run_id:
            raise ComparisonError(
                f"{candidate} and {one.name} are the same run, {one.state.run.run_id}; name another with --against."
            )
    return compare_evidence(read[0], read[1:], confidence=confidence)


def compare_evidence(
    candidate: Evidence, baselines: Sequence[Evidence], *, confidence: float = 0.95
) -> ComparisonReport:
    """Compares what is stored of a candidate with what is stored of each baseline, on every metric that both have.

    Raises:
        ComparisonError: Nothing is in common.
    """
    comparisons: list[Comparison] = []
    set_apart: list[str] = []
    flips: dict[tuple[str, str], list[StratumFlips]] = {}
    for baseline in baselines:
        for name in [name for name in candidate.metrics if name in baseline.scores and not name.startswith(PROBE)]:
            try:
                comparisons.append(_compare(name, candidate, baseline, confidence))
            except ComparisonError as nothing_in_common:
                set_apart.append(f"{name} against {baseline.name}: {nothing_in_common}")
                continue
            if name.startswith(REGRESSION) and candidate.metrics[name].kind == "binary":
                flips[name, baseline.name] = find_flips(candidate.scores[name], baseline.scores[name])
    if not comparisons:
        both = f"{candidate.name} and {', '.join(one.name for one in baselines)} have no metric in common. Golden "
        both += f"metrics belong to systems that answer items, regression metrics to `{BASE}` and to systems with an "
        both += "adapter, once the suite was evaluated: `harness run EXPERIMENT` evaluates what is left, without "
        raise ComparisonError("\n".join([f"nothing can be compared: {both}training again.", *set_apart]))
    return ComparisonReport(
        comparisons=tuple(comparisons),
        runs={one.name: one.state for one in (candidate, *baselines)},
        set_apart=tuple(set_apart),
        flips=flips,
    )


def _compare(metric: str, ours: Evidence, theirs: Evidence, confidence: float) -> Comparison:
    comparison = compare_seeds(
        ours.metrics[metric],
        _by_seed(ours, metric),
        _by_seed(theirs, metric),
        candidate_name=ours.name,
        baseline_name=theirs.name,
        confidence=confidence,
    )
    notes = dict.fromkeys([*theirs.notes.get(metric, ()), *ours.notes.get(metric, ())])
    if said := conditions_sentence(metric, ours, theirs):
        notes[said] = None
    return replace(comparison, warnings=(*comparison.warnings, *notes))


def _by_seed(evidence: Evidence, metric: str) -> list[Sequence[Score]]:
    return [one.scores[metric] for one in (evidence, *evidence.replicates) if metric in one.scores]
