"""The adapter that a run left behind, and whether its files are still those that were evaluated."""

from pathlib import Path

from harness.errors import ModelError
from harness.models.adapter_folder import adapter_hash
from harness.records.runs import Artifact, Run
from harness.store.artifacts import artifacts
from harness.store.ledger import Ledger


def stored_adapter(ledger: Ledger, run: Run) -> Artifact | None:
    """The adapter of a run as the ledger recorded it; None for a run without one."""
    return next((artifact for artifact in artifacts(ledger, run.run_id) if artifact.kind == "adapter"), None)


def unrecorded_adapter(run: Run, artifact: Artifact | None) -> str | None:
    """Why a run's adapter cannot be vouched for, where the ledger has no hash of it; None where all is well."""
    given = run.system_config.get("adapter")
    if artifact is not None or not (given or run.system_config.get("finetune")):
        return None
    which = f" ({given})" if given else ""
    return (
        f"the ledger has no hash of the adapter that run {run.run_id} answered with{which}, so nobody "
        f"can tell whether it is still the same. Run {run.system} again: `harness run EXPERIMENT --only {run.system} "
        "--again` keeps and records it."
    )


def adapter_problem(home: Path, path: str | None, sha256: str | None) -> str | None:
    """Why the files of an adapter are not those that were recorded; None where they are, or there is no adapter.

    Args:
        home: The folder that `path` is relative to.
        path: The adapter's folder.
        sha256: The hash that was recorded.
    """
    if path is None:
        return None
    restore = "Put its files back from a copy, or run the system again and gate the new run."
    try:
        found = adapter_hash(home / path)
    except ModelError as damage:
        return f"the adapter cannot be read: {damage} {restore}"
    if found != sha256:
        seen = f"its hash is {found[:12]}, recorded {(sha256 or 'none')[:12]}"
        return f"the adapter in {home / path} was changed: {seen}. {restore}"
    return None
