"""Comparisons read from the ledger; no model, no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config.experiment import BASE
from harness.decision.compare import compare
from harness.decision.flips import StratumFlips, find_flips
from harness.errors import ComparisonError
from harness.pipeline.evidence import REGRESSION, find_system, read_evidence
from harness.pipeline.prepare import Prepared
from harness.records.estimates import Comparison
from harness.records.evidence import Evidence
from harness.records.runs import RunState
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
    states = {name: find_system(prepared, ledger, name, candidate=candidate) for name in (candidate, *against)}
    read = [read_evidence(ledger, state, name=name) for name, state in states.items()]
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
        raise ComparisonError("\n".join([f"nothing can be compared: {both}adapter.", *set_apart]))
    return ComparisonReport(
        comparisons=tuple(comparisons),
        runs={one.name: one.state for one in (candidate, *baselines)},
        set_apart=tuple(set_apart),
        flips=flips,
    )


def _compare(metric: str, ours: Evidence, theirs: Evidence, confidence: float) -> Comparison:
    comparison = compare(
        ours.metrics[metric],
        ours.scores[metric],
        theirs.scores[metric],
        candidate_name=ours.name,
        baseline_name=theirs.name,
        confidence=confidence,
    )
    notes = dict.fromkeys([*theirs.notes.get(metric, ()), *ours.notes.get(metric, ())])
    return replace(comparison, warnings=(*comparison.warnings, *notes))
