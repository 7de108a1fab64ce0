"""`harness report`: the stored evidence on one candidate, gathered for a page; no model, no torch."""

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import harness
from harness.config.experiment import BASE, HUMAN
from harness.config.system import System
from harness.decision.estimate import estimate
from harness.decision.flips import flip_sentence
from harness.errors import ComparisonError, HarnessError
from harness.pipeline.data_cards import data_cards, item_count
from harness.pipeline.decide import PROBE, ComparisonReport, compare_evidence, is_shown
from harness.pipeline.evidence import read_system
from harness.pipeline.prepare import Prepared
from harness.pipeline.rating_section import rating_sections
from harness.pipeline.standing import FOLDER_RECORDED
from harness.records.evidence import Evidence
from harness.records.generations import Generation
from harness.records.runs import Run
from harness.records.scores import Metric, Score
from harness.records.verdicts import Verdict
from harness.report.content import EvidenceReport, LostItem, ReportFormat, SystemSection
from harness.report.junit import render_junit
from harness.report.page import render_html, render_markdown
from harness.store.export import export_scores
from harness.store.generations import generations
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.registry import promotions, verdicts, waivers
from harness.store.runs import latest_finished
from harness.store.training_metrics import training_metrics

LOST_ITEMS = 10  # as many as a reviewer reads
GOLDEN = "golden/"
_BASE_ANSWERS = (("answers", "no golden item: it holds the regression scores"),)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """The systems of an experiment that have a finished run, and why others are not there."""

    candidate: Evidence
    others: tuple[Evidence, ...]
    absent: tuple[str, ...]


def write_report(
    prepared: Prepared, home: Path, out: Path, written: ReportFormat, *, candidate: str | None = None
) -> Path:
    """Writes the evidence on a candidate to a file, whole or not at all.

    Args:
        out: Written over if it is there; its folder is made.
        written: `html` and `md` hold the report, `junit` the verdict's gates, `csv` and `parquet` the items' scores.
        candidate: As `gather_report`.

    Returns:
        The file's absolute path.

    Raises:
        ComparisonError: The candidate has no finished run on the current inputs.
        HarnessError: The file cannot be written, or `junit` is asked for and there is no verdict.
    """
    report = gather_report(prepared, home, candidate=candidate)
    out = out.resolve()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".report-") as folder:
            file = Path(folder) / out.name
            _write(report, home, file, written)
            os.replace(file, out)
    except OSError as problem:
        raise HarnessError(f"{out}: cannot be written ({problem.strerror}). Name another file with --out.") from None
    return out


def _write(report: EvidenceReport, home: Path, file: Path, written: ReportFormat) -> None:
    match written:
        case "html":
            file.write_text(render_html(report), encoding="utf-8")
        case "md":
            file.write_text(render_markdown(report), encoding="utf-8")
        case "junit":
            if report.verdict is None:
                raise HarnessError(
                    f"{report.candidate} has no verdict, and junit holds a verdict's gates. "
                    f"Run `harness gate EXPERIMENT --candidate {report.candidate}` first."
                )
            file.write_text(render_junit(report.verdict), encoding="utf-8")
        case "csv" | "parquet":
            run_ids = [system.state.run.run_id for system in report.systems]
            export_scores(open_ledger(home, create=False), run_ids, file, written)


def gather_report(prepared: Prepared, home: Path, *, candidate: str | None = None) -> EvidenceReport:
    """Everything that the ledger and the experiment's files say of a candidate.

    Args:
        candidate: A system or a run id; by default the last system of the experiment that has weights of its own.

    Raises:
        ComparisonError: The candidate has no finished run on the current inputs.
        StoreError: There is no ledger.
    """
    ledger = open_ledger(home, create=False)
    found = _find(prepared, ledger, candidate or _default_candidate(prepared))
    compared = compare_evidence(found.candidate, found.others) if found.others else None
    run_id = found.candidate.state.run.run_id
    verdict = _verdict(prepared, verdicts(ledger, run_id=run_id))
    metrics: dict[str, Metric] = {}
    for evidence in (found.candidate, *found.others):
        metrics |= {name: metric for name, metric in evidence.metrics.items() if is_shown(name)}
    return EvidenceReport(
        experiment=prepared.experiment.name,
        question=prepared.experiment.question,
        candidate=found.candidate.name,
        metrics=metrics,
        systems=[_section(prepared, ledger, evidence) for evidence in (found.candidate, *found.others)],
        comparisons=compared.comparisons if compared else (),
        set_apart=[*found.absent, *(compared.set_apart if compared else ())],
        flips=_flip_sentences(compared),
        lost_items=_lost_items(prepared, ledger, found),
        verdict=verdict,
        waivers=[one for one in waivers(ledger, run_id=run_id) if verdict and one.verdict_id == verdict.verdict_id],
        promotions=[one for one in promotions(ledger) if one.run_id == run_id],
        cards=data_cards(prepared, found.candidate.state.run),
        limits=[*_limits(prepared, found), *_policy_limits(prepared, verdict)],
        tests=list(dict.fromkeys(one.test for one in compared.comparisons)) if compared else [],
        made_at=datetime.now(UTC),
        version=harness.__version__,
        ratings=rating_sections(ledger, found.candidate),
    )


def _verdict(prepared: Prepared, decided: Sequence[Verdict]) -> Verdict | None:
    """The last verdict by the experiment's policy as it is now, else the last one by any."""
    policy = prepared.experiment.policy
    by_policy = [verdict for verdict in decided if policy and verdict.policy_sha256 == policy.sha256]
    return next(reversed([*(by_policy or decided)]), None)


def _default_candidate(prepared: Prepared) -> str:
    systems = prepared.experiment.systems
    own_weights = [name for name, system in systems.items() if system.finetune or system.adapter]
    return (own_weights or list(systems))[-1]


def _find(prepared: Prepared, ledger: Ledger, candidate: str) -> _Found:
    ours = read_system(prepared, ledger, candidate, candidate=candidate)
    names = [name for name in prepared.experiment.systems if name != candidate]
    others: list[Evidence] = []
    absent: list[str] = []
    for name in [*names, *_implicit(prepared, ledger, candidate)]:
        try:
            other = read_system(prepared, ledger, name, candidate=candidate)
        except ComparisonError as unfinished:
            absent.append(str(unfinished))
            continue
        if other.state.run.run_id != ours.state.run.run_id:
            others.append(other)
    return _Found(candidate=ours, others=tuple(others), absent=tuple(absent))


def _implicit(prepared: Prepared, ledger: Ledger, candidate: str) -> list[str]:
    """What is no system of the experiment's file: an expert, where there are answers, and the base model."""
    human = latest_finished(ledger, prepared.experiment.name, HUMAN, prepared.human_hash())
    names = [HUMAN] if human and candidate != HUMAN else []
    return [*names, *([BASE] if prepared.experiment.regression else [])]


def _section(prepared: Prepared, ledger: Ledger, evidence: Evidence) -> SystemSection:
    run = evidence.state.run
    shown = [name for name in evidence.metrics if is_shown(name)]
    estimates = {
        name: estimate(evidence.metrics[name], evidence.scores[name])
        for name in shown
        if any(score.value is not None for score in evidence.scores[name])
    }
    system = prepared.experiment.systems.get(run.system)
    is_base = run.system == BASE
    return SystemSection(
        name=evidence.name,
        state=evidence.state,
        how=_how(system, evidence) if system else _BASE_ANSWERS if is_base else _unlisted(run),
        estimates=estimates,
        probes=tuple(
            score for name, of_probe in evidence.scores.items() if name.startswith(PROBE) for score in of_probe
        ),
        training=tuple(training_metrics(ledger, run.run_id)),
        notes=tuple(dict.fromkeys(note for name in estimates for note in evidence.notes.get(name, ()))),
        recorded={
            "configuration": dict(run.system_config),
            "provenance": {key: value for key, value in run.provenance.items() if key != FOLDER_RECORDED},
            "facts": dict(evidence.state.facts),
        },
    )


def _unlisted(run: Run) -> tuple[tuple[str, str], ...]:
    """How a system answers that the experiment's file does not name."""
    if run.system != HUMAN:
        return (("system", run.system),)
    return (("answers", f"an expert's, from {run.system_config.get('answers') or 'the golden references'}"),)


def _how(system: System, evidence: Evidence) -> tuple[tuple[str, str], ...]:
    base = evidence.state.run.provenance.get("base_model")
    model = base.get("name") if isinstance(base, Mapping) else system.base_model
    said: list[tuple[str, str | None]] = [
        ("base model", str(model)),
        ("system text", system.prompt.system),
        ("shots", f"{system.prompt.shots}, drawn with seed {system.seed}" if system.prompt.shots else None),
        ("retriever", f"{system.retriever.kind}, {system.retriever.top_k} passages" if system.retriever else None),
        ("adapter", str(system.adapter.name) if system.adapter else None),
    ]
    if tuned := system.finetune:
        said.append(
            (
                "fine-tuned",
                f"{tuned.method}, {tuned.epochs} epochs, learning rate {tuned.learning_rate:g}, seed {system.seed}",
            )
        )
    said.append(("decoding", f"greedy, at most {system.decoding.max_new_tokens} tokens"))
    return tuple((what, value) for what, value in said if value is not None)


def _flip_sentences(compared: ComparisonReport | None) -> list[str]:
    if compared is None:
        return []
    found = ((metric, baseline, strata) for (metric, baseline), strata in compared.flips.items())
    return [f"Against {baseline}: {flip_sentence(metric, strata)}" for metric, baseline, strata in found]


def _lost_items(prepared: Prepared, ledger: Ledger, found: _Found) -> list[LostItem]:
    """The worst losses on the golden metrics, one entry an item and baseline, largest loss first."""
    items = {item.item_id: item for item in prepared.golden_set.items}
    losses: list[tuple[float, str, Score, Evidence, Score]] = []
    for other in found.others:
        for name in [name for name in found.candidate.metrics if name.startswith(GOLDEN) and name in other.scores]:
            sign = 1.0 if found.candidate.metrics[name].direction == "higher_is_better" else -1.0
            theirs = {(score.item_id, score.item_hash): score for score in other.scores[name]}
            for ours in found.candidate.scores[name]:
                their = theirs.get((ours.item_id, ours.item_hash))
                if their and ours.value is not None and their.value is not None and ours.item_id in items:
                    losses.append((sign * (ours.value - their.value), name, ours, other, their))
    worst: dict[tuple[str, str], tuple[float, str, Score, Evidence, Score]] = {}
    for loss in sorted((loss for loss in losses if loss[0] < 0), key=lambda loss: (loss[0], loss[2].item_id)):
        worst.setdefault((loss[2].item_id, loss[3].name), loss)
    answers = {one.name: _answers(ledger, one) for one in (found.candidate, *found.others)} if worst else {}
    return [
        LostItem(
            item_id=ours.item_id,
            metric=name,
            baseline=other.name,
            question=items[ours.item_id].question,
            reference="\n".join(items[ours.item_id].references),
            candidate_answer=answers[found.candidate.name].get(ours.item_id, ""),
            baseline_answer=answers[other.name].get(ours.item_id, ""),
            candidate_value=ours.value or 0.0,
            baseline_value=their.value or 0.0,
        )
        for _, name, ours, other, their in list(worst.values())[:LOST_ITEMS]
    ]


def _answers(ledger: Ledger, evidence: Evidence) -> dict[str, str]:
    return {one.item_id: _text(one) for one in generations(ledger, evidence.state.run.run_id)}


def _text(generation: Generation) -> str:
    return generation.text if generation.text is not None else f"(no answer: {generation.error})"


def _limits(prepared: Prepared, found: _Found) -> list[str]:
    limits = [f"{item_count(prepared.golden_set)} golden items: small differences cannot be seen with so few."]
    system = prepared.experiment.systems.get(found.candidate.state.run.system)
    if system and system.finetune:
        seeds = 1 + len(found.candidate.replicates)
        one = "One training seed: differences include seed noise."
        limits.append(one if seeds == 1 else f"{seeds} training seeds: their variance is in the intervals.")
    if not any(name.startswith("rating/") for name in found.candidate.metrics):
        limits.append("No expert has rated these answers: the scores are those of programs.")
    if not any(name.startswith("regression/") for name in found.candidate.metrics):
        limits.append(f"No regression suite was evaluated for {found.candidate.name}: what it forgot is not known.")
    return limits + _notes((found.candidate, *found.others))


def _policy_limits(prepared: Prepared, verdict: Verdict | None) -> list[str]:
    policy = prepared.experiment.policy
    if verdict is None or (policy and policy.sha256 == verdict.policy_sha256):
        return []
    present = f"policy {policy.name} as it is now" if policy else "no policy"
    return [f"The verdict is by policy {verdict.policy_name}; the experiment names {present}."]


def _notes(evidence: Iterable[Evidence]) -> list[str]:
    return list(dict.fromkeys(note for one in evidence for notes in one.notes.values() for note in notes))
