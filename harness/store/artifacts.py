"""Files and folders that runs left behind."""

from harness.records.runs import Artifact
from harness.store import bulk
from harness.store.ledger import Ledger
from harness.store.runs import require_run


def record_artifact(ledger: Ledger, run_id: str, artifact: Artifact) -> None:
    """Records an artifact. Recording it twice changes nothing; other contents at the same path are a revision.

    Raises:
        StoreError: The run is not in the ledger.
    """
    with ledger.write() as connection:
        require_run(connection, run_id)
        latest = connection.execute(
            "SELECT revision, sha256, size_bytes FROM artifacts WHERE run_id = ? AND kind = ? AND path = ? "
            "ORDER BY revision DESC LIMIT 1",
            [run_id, artifact.kind, artifact.path],
        ).fetchone()
        if latest is not None and latest[1:] == (artifact.sha256, artifact.size_bytes):
            return
        row = {
            "run_id": run_id,
            "kind": artifact.kind,
            "path": artifact.path,
            "revision": 1 if latest is None else int(latest[0]) + 1,
            "sha256": artifact.sha256,
            "size_bytes": artifact.size_bytes,
        }
        bulk.insert(connection, "artifacts", [row])


def artifacts(ledger: Ledger, run_id: str) -> list[Artifact]:
    """What a run left behind, as last recorded, by kind and path; empty for an unknown run."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT kind, path, sha256, size_bytes FROM v_artifacts WHERE run_id = ? ORDER BY kind, path", [run_id]
        ).fetchall()
    return [Artifact(kind=row[0], path=row[1], sha256=row[2], size_bytes=row[3]) for row in rows]
