"""Everything the ledger holds of one run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.decision.estimate import estimate
from harness.pipeline.aliases import registry_notes
from harness.pipeline.decide import PROBE, is_shown
from harness.pipeline.evidence import read_evidence
from harness.records.estimates import Estimate
from harness.records.generations import Generation
from harness.records.overlaps import RunOverlap
from harness.records.runs import Artifact, RunState, TrainingMetric
from harness.records.scores import Metric, Score
from harness.store.artifacts import artifacts
from harness.store.generations import generations
from harness.store.ledger import WAIT_S
from harness.store.migrate import open_ledger
from harness.store.overlaps import run_overlaps
from harness.store.runs import find_run
from harness.store.sealed import SealedEvent, sealed_stage
from harness.store.training_metrics import training_metrics


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDetails:
    """A run with its estimates by metric, probes, training curve and artifacts.

    `metrics` says what the estimates measure. `failed` are the items without an answer; `notes` are what must be said
    with the estimates, and `registry` what was decided of the run: verdicts, waivers, aliases. `overlaps` are the pairs
    of a record that the run learned and an item, as somebody allowed. `sealed` is how its sealed stage stands, None
    where it was never asked; what it answered there is not shown.
    """

    state: RunState
    estimates: dict[str, Estimate]
    metrics: dict[str, Metric]
    notes: tuple[str, ...]
    probes: tuple[Score, ...]
    training: tuple[TrainingMetric, ...]
    artifacts: tuple[Artifact, ...]
    failed: tuple[Generation, ...]
    registry: tuple[str, ...]
    overlaps: tuple[RunOverlap, ...]
    sealed: SealedEvent | None


def run_details(home: Path, run_id: str, *, wait_s: float = WAIT_S) -> RunDetails:
    """Reads a run by its id or the beginning of it.

    Raises:
        StoreError: There is no ledger, or no such run.
        StoreBusyError: Others held it for longer than `wait_s` seconds.
    """
    ledger = open_ledger(home, create=False, wait_s=wait_s)
    state = find_run(ledger, run_id)
    run_id = state.run.run_id
    read = read_evidence(ledger, state, name=run_id)
    estimates = {
        name: estimate(metric, read.scores[name])
        for name, metric in read.metrics.items()
        if is_shown(name) and any(score.value is not None for score in read.scores[name])
    }
    return RunDetails(
        state=state,
        estimates=estimates,
        metrics={name: read.metrics[name] for name in estimates},
        notes=tuple(dict.fromkeys(note for name in estimates for note in read.notes.get(name, ()))),
        probes=tuple(score for name in read.scores if name.startswith(PROBE) for score in read.scores[name]),
        training=tuple(training_metrics(ledger, run_id)),
        artifacts=tuple(artifacts(ledger, run_id)),
        failed=tuple(generation for generation in generations(ledger, run_id) if generation.error is not None),
        registry=tuple(registry_notes(ledger, run_id, datetime.now(UTC))),
        overlaps=tuple(run_overlaps(ledger, run_id)),
        sealed=sealed_stage(ledger, run_id),
    )
