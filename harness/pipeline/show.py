"""Everything the ledger holds of one run."""

from dataclasses import dataclass
from pathlib import Path

from harness.decision.estimate import estimate
from harness.pipeline.decide import PROBE
from harness.pipeline.evidence import read_evidence
from harness.records.estimates import Estimate
from harness.records.generations import Generation
from harness.records.runs import Artifact, RunState, TrainingMetric
from harness.records.scores import Score
from harness.store.artifacts import artifacts
from harness.store.generations import generations
from harness.store.migrate import open_ledger
from harness.store.runs import find_run
from harness.store.training_metrics import training_metrics


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDetails:
    """A run with its estimates by metric, probes, training curve and artifacts.

    `failed` are the items without an answer; `notes` are what must be said with the estimates.
    """

    state: RunState
    estimates: dict[str, Estimate]
    notes: tuple[str, ...]
    probes: tuple[Score, ...]
    training: tuple[TrainingMetric, ...]
    artifacts: tuple[Artifact, ...]
    failed: tuple[Generation, ...]


def run_details(home: Path, run_id: str) -> RunDetails:
    """Reads a run by its id or the beginning of it.

    Raises:
        StoreError: There is no ledger, or no such run.
    """
    ledger = open_ledger(home, create=False)
    state = find_run(ledger, run_id)
    run_id = state.run.run_id
    read = read_evidence(ledger, state, name=run_id)
    estimates = {
        name: estimate(metric, read.scores[name])
        for name, metric in read.metrics.items()
        if not name.startswith(PROBE) and any(score.value is not None for score in read.scores[name])
    }
    return RunDetails(
        state=state,
        estimates=estimates,
        notes=tuple(dict.fromkeys(note for name in estimates for note in read.notes.get(name, ()))),
        probes=tuple(score for name in read.scores if name.startswith(PROBE) for score in read.scores[name]),
        training=tuple(training_metrics(ledger, run_id)),
        artifacts=tuple(artifacts(ledger, run_id)),
        failed=tuple(generation for generation in generations(ledger, run_id) if generation.error is not None),
    )
