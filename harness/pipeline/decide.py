"""Comparisons read from the ledger; no model, no torch."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config.experiment import BASE
from harness.decision.conditions import conditions_sentence
from harness.decision.flips import StratumFlips, find_flips
from harness.decision.preference import face, facing_metric, is_facing, rank
from harness.decision.raters import RATING
from harness.decision.seeds import compare_seeds
from harness.decision.versions import shared_items, version_sentence
from harness.errors import ComparisonError
from harness.pipeline.evidence import REGRESSION, read_system
from harness.pipeline.marks import learned_items
from harness.pipeline.prepare import Prepared
from harness.records.estimates import Comparison
from harness.records.evidence import Evidence
from harness.records.runs import RunState
from harness.records.scores import Score
from harness.stats.preference import Ranking
from harness.store.migrate import open_ledger

PROBE = "probe/"


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonReport:
    """Every comparison of one candidate, by baseline and then metric, with the runs they were read from.

    `runs` maps the name given (a system's or a run id) to the run it stands for; `set_apart` says what could not be
    compared, a sentence each. `flips` has the items behind each pass/fail regression metric, by metric and baseline.
    `strengths` are those of three or more systems whose answers experts chose between in one campaign.
    """

    comparisons: tuple[Comparison, ...]
    runs: dict[str, RunState]
    set_apart: tuple[str, ...]
    flips: dict[tuple[str, str], list[StratumFlips]]
    strengths: Ranking | None = None


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
        ours, theirs = face(candidate, baseline)
        for name in [name for name in ours.metrics if name in theirs.scores and is_shown(name)]:
            try:
                comparisons.append(_compare(name, ours, theirs, confidence))
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
        strengths=_strengths([candidate, *baselines], confidence),
    )


def _strengths(systems: Sequence[Evidence], confidence: float) -> Ranking | None:
    """From choices between the systems; None where they are of several campaigns, whose raters are others."""
    names = {one.state.run.run_id: one.name for one in systems}
    facing = [facing_metric(run_id) for run_id in names]
    read = {one.evaluations.get(metric) for one in systems for metric in facing if metric in one.scores}
    found = {
        one.state.run.run_id: [score for metric in facing for score in one.scores.get(metric, ())] for one in systems
    }
    ranking = rank(found, confidence=confidence) if len(read) == 1 else None
    if ranking is None:
        return None
    return replace(ranking, strengths=tuple(replace(one, name=names[one.name]) for one in ranking.strengths))


def _compare(metric: str, ours: Evidence, theirs: Evidence, confidence: float) -> Comparison:
    shared = shared_items(metric, ours, theirs)
    comparison = _compare_items(metric, ours, theirs, confidence, shared)
    notes = dict.fromkeys([*theirs.notes.get(metric, ()), *ours.notes.get(metric, ())])
    if said := conditions_sentence(metric, ours, theirs):
        notes[said] = None
    if shared is not None:
        known = {score.item_id for one in (ours, theirs) for score in one.scores[metric]}
        comparison = replace(comparison, n_missing=comparison.n_missing + len(known - shared))
        notes = {version_sentence(ours, theirs): None, **notes}
    return replace(comparison, warnings=(*comparison.warnings, *notes))


def _compare_items(
    metric: str, ours: Evidence, theirs: Evidence, confidence: float, shared: Collection[str] | None
) -> Comparison:
    """A comparison on the shared items, and beside it the one on those that neither system was allowed to learn."""

    def on(only: Collection[str] | None) -> Comparison:
        return compare_seeds(
            ours.metrics[metric],
            _by_seed(ours, metric, only),
            _by_seed(theirs, metric, only),
            candidate_name=ours.name,
            baseline_name=theirs.name,
            confidence=confidence,
        )

    comparison = on(shared)
    marked = learned_items(metric, ours) | learned_items(metric, theirs)
    if not marked:
        return comparison
    known = {score.item_id for one in (ours, theirs) for score in one.scores[metric]} if shared is None else set(shared)
    try:
        without = on(known - marked)
    except ComparisonError:
        none_left = f"{metric}: no item is left without those that also stand in a training set."
        return replace(comparison, overlapping=comparison.n, warnings=(*comparison.warnings, none_left))
    return replace(comparison, overlapping=comparison.n - without.n, without=without)


def is_shown(metric: str) -> bool:
    """Whether a metric says something of a system alone: a probe does not, nor a choice between it and one other."""
    return not metric.startswith(PROBE) and not is_facing(metric)


def _by_seed(evidence: Evidence, metric: str, shared: Collection[str] | None) -> list[Sequence[Score]]:
    """The scores of each seed, of the items that both versions of the golden set share where these differ."""
    seeds = () if metric.startswith(RATING) else evidence.replicates  # a campaign rates one run of a system
    found = [one.scores[metric] for one in (evidence, *seeds) if metric in one.scores]
    return found if shared is None else [[score for score in one if score.item_id in shared] for one in found]
