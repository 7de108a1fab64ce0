"""Finds the run of a system that was begun and not finished, and tells whether it can go on. Loads no model."""

import platform
from pathlib import Path

from harness.pipeline.recording import FINAL
from harness.provenance import package_versions, processor_name
from harness.records.protocols import Progress
from harness.records.runs import Run, RunState
from harness.store.claims import holder, is_alive
from harness.store.generations import generations
from harness.store.ledger import Ledger
from harness.store.runs import runs
from harness.store.training_metrics import training_metrics


def unfinished_run(ledger: Ledger, experiment: str, system: str, inputs_hash: str) -> RunState | None:
    """The run of a system on these inputs that was begun since the last one finished and has come furthest.

    A run that is under way in a living process is among them; one that failed by itself (a probe, a training that
    diverged) is not, since it would fail again. Furthest are most answers, then most steps of training, then newest.
    """
    begun: list[RunState] = []
    for state in runs(ledger, experiment=experiment, system=system):
        if state.run.inputs_hash == inputs_hash:
            if state.status == "finished":
                break
            if not state.facts.get(FINAL):
                begun.append(state)
    return max(begun, key=lambda state: _progress(ledger, state.run.run_id), default=None)


def _progress(ledger: Ledger, run_id: str) -> tuple[int, int]:
    """Answers and steps of training that are stored; of equals, `max` keeps the first, which is the newest."""
    steps = max((point.step for point in training_metrics(ledger, run_id)), default=0)
    return len(generations(ledger, run_id)), steps


def describe_unfinished(home: Path, state: RunState) -> str:
    """What became of an unfinished run, as a sentence."""
    run_id = state.run.run_id
    if is_alive(home, run_id):
        return f"run {run_id} is under way in {holder(home, run_id)}."
    how = "stopped (its process is gone)" if state.status == "running" else state.status
    return f"run {run_id} is {how}; --resume goes on with it."


def say_changes(run: Run, progress: Progress) -> list[str]:
    """What is other than when a run began: packages and processor, on which the last digits of its answers may depend.

    Returns:
        One clause each, such as `torch 2.12.0 is now 2.13.0`.
    """
    then = run.provenance.get("packages")
    known = then if isinstance(then, dict) else {}
    now: dict[str, object] = dict(package_versions())
    changes = [f"{name} {known[name]} is now {now.get(name)}" for name in known if known[name] != now.get(name)]
    for what, is_now in (("platform", platform.platform()), ("processor", processor_name())):
        if (was := run.provenance.get(what)) not in (None, is_now):
            changes.append(f"{was} is now {is_now}")
    if changes:
        progress.say(
            f"other than when run {run.run_id} began: {'; '.join(changes)}. Its answers may not be of one piece"
        )
    return changes
