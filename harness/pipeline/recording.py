"""What one run writes to the ledger while it goes on, and how it ends there however it ends."""

import contextlib
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ProbeError, StoreError, TrainingError
from harness.hashing import content_hash
from harness.pipeline.full_disk import full_disk_explained
from harness.records.protocols import Progress
from harness.records.runs import Run, RunEvent, RunState, RunStatus
from harness.records.scores import Metric, Score
from harness.store.claims import Claim, claimed
from harness.store.ledger import Ledger
from harness.store.runs import append_event, start_run
from harness.store.scores import record_metrics, record_scores, scores
from harness.store.sealed import SealedEvent, append_sealed_event

if TYPE_CHECKING:
    from harness.models.probes import ProbeOutcome

PROBE_TASK = "probe"
FINAL = "final"  # the fact that a failure lies in the run itself, so that going on would meet it again


@dataclass(kw_only=True)
class RunLog:
    """One run under way. `facts` gather what is known only at the end; `folder` is the run's own, below `home`."""

    ledger: Ledger
    run_id: str
    home: Path
    progress: Progress
    claim: Claim
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """`<home>/runs/<run_id>`, made when first asked for."""
        folder = self.home / "runs" / self.run_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def note(self, facts: Mapping[str, object]) -> None:
        """Adds facts and stores all there are, so that they outlive this process."""
        self.facts |= facts
        self.claim.sign_of_life()
        self.append("running", None)

    def append(self, status: RunStatus, reason: str | None, facts: Mapping[str, object] | None = None) -> None:
        """Appends a change of status with the facts so far; `wall_s` sums all processes that worked on the run."""
        known = {**self.known, **(facts or {})}
        append_event(
            self.ledger,
            RunEvent(run_id=self.run_id, status=status, at=datetime.now(UTC), reason=reason, facts=known),
        )

    @property
    def known(self) -> dict[str, object]:
        """The facts so far, with the time that was worked and the most memory that was used."""
        earlier = self.facts.get("peak_memory_bytes", 0)
        peak = max(peak_memory_bytes(), earlier if isinstance(earlier, int) else 0)
        return {**self.facts, "wall_s": self.claim.wall_s, "peak_memory_bytes": peak}

    def record_probes(self, outcomes: "Sequence[ProbeOutcome]") -> None:
        """Stores each probe as a score, passed or not, then stops the run if one failed.

        Raises:
            ProbeError: With every failed probe.
        """
        metrics = [
            Metric(name=f"{PROBE_TASK}/{outcome.name}", kind="binary", description="1 where the probe passed")
            for outcome in outcomes
        ]
        found = [
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
        record_scores(self.ledger, self.run_id, found)
        for outcome in outcomes:
            self.progress.say(f"probe {outcome.name}: {'passed' if outcome.passed else 'FAILED'} ({outcome.detail})")
        self._stop_if_failed(found)

    def are_probes_recorded(self) -> bool:
        """Whether the run was probed before, by a process that did not come to its end.

        Raises:
            ProbeError: It was, and a probe failed.
        """
        found = scores(self.ledger, self.run_id, task=PROBE_TASK)
        self._stop_if_failed(found)
        return bool(found)

    def _stop_if_failed(self, probes: Sequence[Score]) -> None:
        if failed := [probe for probe in probes if probe.value != 1.0]:
            seen = "; ".join(f"{probe.scorer}: {probe.detail}" for probe in failed)
            raise ProbeError(
                f"{len(failed)} of {len(probes)} probes failed, so this run would measure something else than is "
                f"meant. {seen}. Nothing was evaluated; `harness show {self.run_id}` has the figures."
            )


@dataclass(kw_only=True)
class SealedLog(RunLog):
    """The sealed stage of a finished run. Its history is its own: the run's never changes. `by` asked for it."""

    by: str

    def append(self, status: RunStatus, reason: str | None, facts: Mapping[str, object] | None = None) -> None:
        """Appends a change of the stage's status with the facts so far."""
        event = SealedEvent(
            run_id=self.run_id,
            status=status,
            at=datetime.now(UTC),
            reason=reason,
            by=self.by,
            facts={**self.known, **(facts or {})},
        )
        append_sealed_event(self.ledger, event)


@contextmanager
def recorded(
    run: Run, ledger: Ledger, home: Path, progress: Progress, *, earlier: RunState | None = None
) -> Iterator[RunLog]:
    """Starts `run` in the ledger, or goes on with it, and ends it there: finished, failed or interrupted.

    An exception is recorded with its reason and goes on. If this process is killed, the run stays `running`, and
    `is_stopped` of `harness.store.claims` tells it from one that is.

    Args:
        run: The run.
        ledger: Where it is recorded.
        home: Where its folder is.
        progress: Who is told.
        earlier: What the ledger says of `run`, where it goes on.

    Raises:
        StoreBusyError: The run is under way in another process.
        DiskFullError: Nothing more can be written.
    """
    facts = {} if earlier is None else {key: fact for key, fact in earlier.facts.items() if key != FINAL}
    worked_s = facts.get("wall_s")
    earlier_s = worked_s if isinstance(worked_s, float) else 0.0
    with full_disk_explained(home), claimed(home, run.run_id, earlier_s=earlier_s) as claim:
        log = RunLog(ledger=ledger, run_id=run.run_id, home=home, progress=progress, claim=claim, facts=facts)
        if earlier is None:
            start_run(ledger, run, {"pid": os.getpid()})
        else:
            resumed = facts.get("resumed")
            log.note({"resumed": 1 + (resumed if isinstance(resumed, int) else 0), "pid": os.getpid()})
        with ended(log):
            yield log


@contextmanager
def ended(log: RunLog) -> Iterator[None]:
    """Records how the body ends: finished, failed or interrupted. An exception goes on."""
    try:
        with full_disk_explained(log.home):  # here too, so that the reason which is stored says it
            yield
            log.facts.pop("pid", None)
            log.append("finished", None)
    except KeyboardInterrupt:
        _end_badly(log, "interrupted", "stopped by Ctrl-C or SIGTERM", {})
        raise
    except BaseException as problem:
        final = {FINAL: True} if isinstance(problem, ProbeError | TrainingError) else {}
        _end_badly(log, "failed", f"{type(problem).__name__}: {problem}", final)
        raise


def _end_badly(log: RunLog, status: RunStatus, reason: str, facts: Mapping[str, object]) -> None:
    # What ends the run may also keep its end from being stored. It then stays `running` without a process.
    with _signals_ignored(), contextlib.suppress(StoreError):
        log.append(status, reason, facts)


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Lets an end be recorded although Ctrl-C is pressed again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def peak_memory_bytes() -> int:
    """Largest resident set of this process so far, in bytes; it includes earlier runs of the same command."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
