"""The stored runs that answered a golden set, for whoever looks at the set through them."""

from collections.abc import Collection
from pathlib import Path

from harness.config.experiment import BASE, load_experiment
from harness.errors import ConfigError, nearest
from harness.records.runs import RunState
from harness.store.ledger import Ledger
from harness.store.migrate import LEDGER_NAME, open_ledger
from harness.store.runs import runs


def ledger_there(home: Path) -> Ledger | None:
    """The ledger of a home, None where there is none yet.

    Raises:
        StoreError: There is one that cannot be used.
    """
    return open_ledger(home, create=False) if (home / LEDGER_NAME).exists() else None


def golden_runs(
    ledger: Ledger, *, name: str | None = None, sha256: str | None = None, experiment: str | None = None
) -> list[RunState]:
    """Finished runs that answered a golden set, oldest first; of runs on the same inputs only the latest.

    Args:
        ledger: Where runs are.
        name: Of the golden set, any version of it; None for any.
        sha256: Of its items; None for any.
        experiment: Only runs of this experiment.
    """
    latest: dict[tuple[str, str, str], RunState] = {}
    for state in runs(ledger, experiment=experiment):  # newest first
        run = state.run
        if state.status != "finished" or run.system == BASE:
            continue
        if name in (None, run.golden_set) and sha256 in (None, run.golden_sha256):
            latest.setdefault((run.experiment, run.system, run.inputs_hash), state)
    return list(reversed(latest.values()))


def experiment_called(reference: str, ledger: Ledger) -> str:
    """The name of an experiment that has runs, given by it or by its file, folder or shipped name.

    Raises:
        ConfigError: No experiment with runs is called so, and no file either.
    """
    known: Collection[str] = dict.fromkeys(state.run.experiment for state in runs(ledger))
    if reference in known:
        return reference
    try:
        name = load_experiment(Path(reference)).name
    except ConfigError as problem:
        raise ConfigError(
            f'"{reference}" is not an experiment with runs here ({nearest(reference, known)}), and no file: {problem}'
        ) from None
    return name
