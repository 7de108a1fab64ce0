"""The sets of weights that a regression suite is evaluated on, and what is left to evaluate. Loads no model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.config.regression import Suite, SuiteTask
from harness.config.system import System
from harness.store.artifacts import artifacts
from harness.store.evaluations import evaluations
from harness.store.ledger import Ledger


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """One set of weights to evaluate: a finished run, and its adapter (None: the base model itself).

    `name` is the system's, with its seed where it has several, or `base`; `system` says which base model, device and
    number format. `sha256` is the adapter's as its run recorded it.
    """

    name: str
    system: System
    run_id: str
    adapter: Path | None
    sha256: str | None = None


def weights_of(systems: Mapping[str, System], home: Path, ledger: Ledger, finished: Mapping[str, str]) -> list[Weights]:
    """The adapters among finished runs. Systems that only prompt the base have no weights of their own.

    Args:
        systems: By label: a system's name, with its seed where it has several.
        home: Where adapters are.
        ledger: Where they are recorded.
        finished: Run id by label.
    """
    found: list[Weights] = []
    for label, run_id in finished.items():
        system = systems[label]
        recorded = next(iter(artifacts(ledger, run_id)), None)
        adapter = home / recorded.path if recorded else system.adapter
        if adapter:
            sha256 = recorded.sha256 if recorded else None
            found.append(Weights(name=label, system=system, run_id=run_id, adapter=adapter, sha256=sha256))
    return found


def unfinished_tasks(suite: Suite, ledger: Ledger, run_id: str) -> list[SuiteTask]:
    """The tasks of the suite that a run does not yet refer to a complete evaluation of."""
    complete = {evaluation.asked for evaluation in evaluations(ledger, run_id) if evaluation.is_complete}
    return [task for task in suite.tasks if task.canonical not in complete]
