"""What one run writes to the ledger while it goes on, and how it ends there however it ends."""

import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import ProbeError
from harness.hashing import content_hash
from harness.models.probes import ProbeOutcome
from harness.records.protocols import Progress
from harness.records.runs import Run, RunEvent, RunStatus
from harness.records.scores import Metric, Score
from harness.store.ledger import Ledger
from harness.store.runs import append_event, start_run
from harness.store.scores import record_metrics, record_scores

PROBE_TASK = "probe"


@dataclass(kw_only=True)
class RunLog:
    """One run under way. `facts` gather what is known only at the end; `folder` is the run's own, below `home`."""

    ledger: Ledger
    run_id: str
    home: Path
    progress: Progress
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """`<home>/runs/<run_id>`, made when first asked for."""
        folder = self.home / "runs" / self.run_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def record_probes(self, outcomes: Sequence[ProbeOutcome]) -> None:
        """Stores each probe as a score, passed or not, then stops the run if one failed.

        Raises:
            ProbeError: With every failed probe.
        """
        metrics = [
            Metric(name=f"{PROBE_TASK}/{outcome.name}", kind="binary", description="1 where the probe passed")
            for outcome in outcomes
        ]
        scores = [
            Score(
                task=PROBE_TASK,
                item_id=outcome.name,
                item_hash=content_hash(outcome.name),
                scorer=outcome.name,
                value=float(outcome.passed),
                detail=outcome.detail,
            )
            for outcome in outcomes
        ]
        record_metrics(self.ledger, metrics)
        record_scores(self.ledger, self.run_id, scores)
        for outcome in outcomes:
            self.progress.say(f"probe {outcome.name}: {'passed' if outcome.passed else 'FAILED'} ({outcome.detail})")
        if failed := [outcome for outcome in outcomes if not outcome.passed]:
            seen = "; ".join(f"{outcome.name}: {outcome.detail}" for outcome in failed)
            raise ProbeError(
                f"{len(failed)} of {len(outcomes)} probes failed, so this run would measure something else than is "
                f"meant. {seen}. Nothing was evaluated; `harness show {self.run_id}` has the figures."
            )


@contextmanager
def recorded(run: Run, ledger: Ledger, home: Path, progress: Progress) -> Iterator[RunLog]:
    """Starts `run` in the ledger, and ends it there: finished, failed or interrupted, with the reason.

    An exception is recorded and goes on.
    """
    start_run(ledger, run)
    log = RunLog(ledger=ledger, run_id=run.run_id, home=home, progress=progress)
    try:
        yield log
    except KeyboardInterrupt:
        _end(log, run, "interrupted", "stopped by Ctrl-C or SIGTERM")
        raise
    except BaseException as problem:
        _end(log, run, "failed", f"{type(problem).__name__}: {problem}")
        raise
    _end(log, run, "finished", None)


def _end(log: RunLog, run: Run, status: RunStatus, reason: str | None) -> None:
    now = datetime.now(UTC)
    facts = {"wall_s": (now - run.started_at).total_seconds(), **log.facts, "peak_memory_bytes": peak_memory_bytes()}
    append_event(log.ledger, RunEvent(run_id=run.run_id, status=status, at=now, reason=reason, facts=facts))


def peak_memory_bytes() -> int:
    """Largest resident set of this process so far, in bytes; it includes earlier runs of the same command."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
