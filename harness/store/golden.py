"""Golden sets as they were when runs were scored against them."""

from typing import TYPE_CHECKING, Any

from harness.errors import StoreError
from harness.records.evidence import SeenItems
from harness.records.items import GoldenSet, Item, Part
from harness.records.messages import Message
from harness.store import bulk
from harness.store.ledger import Ledger

if TYPE_CHECKING:
    import duckdb


def record_golden_set(ledger: Ledger, golden_set: GoldenSet) -> None:
    """Records a golden set and its items. Recording it twice changes nothing.

    The hash of the file stands for its items: one recorded before under the same hash stays as it is. The same items
    under a new name, version, licence or list of scorers are a revision; the last one counts. Other items need another
    version: what a run of the ledger says of a version stays true.

    Raises:
        StoreError: The ledger holds other items under this name and version.
    """
    with ledger.write() as connection:
        if problem := _version_problem(connection, golden_set):
            raise StoreError(problem)
        latest = connection.execute(
            "SELECT revision, name, version, licence, scorers, known_codes FROM golden_sets WHERE sha256 = ? "
            "ORDER BY revision DESC LIMIT 1",
            [golden_set.sha256],
        ).fetchone()
        codes = None if golden_set.known_codes is None else sorted(golden_set.known_codes)
        head = (golden_set.name, golden_set.version, golden_set.licence, list(golden_set.scorers), codes)
        if latest is None or tuple(latest[1:]) != head:
            row = {
                "sha256": golden_set.sha256,
                "revision": 1 if latest is None else int(latest[0]) + 1,
                "name": golden_set.name,
                "version": golden_set.version,
                "licence": golden_set.licence,
                "n_items": len(golden_set.items),
                "scorers": list(golden_set.scorers),
                "known_codes": codes,
            }
            bulk.insert(connection, "golden_sets", [row])
        every = (*golden_set.items, *golden_set.retired)
        rows = [_item_row(golden_set.sha256, place, item) for place, item in enumerate(every)]
        bulk.insert(connection, "golden_items", rows)


def version_problem(ledger: Ledger, golden_set: GoldenSet) -> str | None:
    """Why a golden set cannot be recorded: the ledger holds other items under its version. None where it can."""
    with ledger.read() as connection:
        return _version_problem(connection, golden_set)


def golden_versions(ledger: Ledger, name: str) -> dict[str, str]:
    """The sha256 of each version of a golden set that the ledger holds, by version, in the order of recording."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT version, sha256 FROM golden_sets WHERE name = ? ORDER BY rowid", [name]
        ).fetchall()
    return {str(version): str(sha256) for version, sha256 in rows}


def golden_set(ledger: Ledger, sha256: str) -> GoldenSet:
    """A golden set as last recorded, items in file order.

    Args:
        ledger: Where to look.
        sha256: That of `golden.jsonl`.

    Raises:
        StoreError: It was never recorded.
    """
    with ledger.read() as connection:
        head = connection.execute(
            "SELECT name, version, licence, scorers, known_codes FROM golden_sets WHERE sha256 = ? "
            "ORDER BY revision DESC LIMIT 1",
            [sha256],
        ).fetchone()
        if head is None:
            raise StoreError(
                f"golden set {sha256[:12]} is not in the ledger: no run has used it here. `harness run EXPERIMENT` "
                "records it."
            )
        items = _items(connection, sha256)
        return GoldenSet(
            name=head[0],
            version=head[1],
            licence=head[2],
            sha256=sha256,
            items=tuple(item for item in items if item.retired is None),
            scorers=tuple(head[3]),
            known_codes=None if head[4] is None else frozenset(head[4]),
            retired=tuple(item for item in items if item.retired is not None),
        )


def golden_items(ledger: Ledger, sha256: str, *, part: Part = "development") -> list[Item]:
    """The items of one part of a golden set in file order, without retired ones; empty if it was never recorded."""
    with ledger.read() as connection:
        items = _items(connection, sha256)
    return [item for item in items if item.retired is None and item.sealed == (part == "sealed")]


def seen_items(ledger: Ledger, sha256: str) -> SeenItems | None:
    """Ids and hashes of the items of a golden set, without their texts; None if it was never recorded."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT item_id, item_hash, sealed, retired FROM golden_items WHERE golden_sha256 = ? ORDER BY position",
            [sha256],
        ).fetchall()
    if not rows:
        return None
    return SeenItems(
        hashes={row[0]: row[1] for row in rows if row[3] is None and not row[2]},
        sealed=frozenset(row[0] for row in rows if row[3] is None and row[2]),
        retired={row[0]: row[3] for row in rows if row[3] is not None},
    )


def _version_problem(connection: "duckdb.DuckDBPyConnection", golden_set: GoldenSet) -> str | None:
    held = connection.execute(
        "SELECT sha256 FROM golden_sets WHERE name = ? AND version = ? AND sha256 <> ? LIMIT 1",
        [golden_set.name, golden_set.version, golden_set.sha256],
    ).fetchone()
    if held is None:
        return None
    return (
        f"golden set {golden_set.name}: the ledger holds version {golden_set.version} with other items (sha256 "
        f"{held[0][:12]}, here {golden_set.sha256[:12]}), and a version never changes. Raise `version` in "
        "manifest.yaml and add a line to `changes`; `harness golden diff` shows what changed. If this is another set, "
        "give it another `name`."
    )


def _items(connection: "duckdb.DuckDBPyConnection", sha256: str) -> list[Item]:
    rows = connection.execute(
        "SELECT item_id, input, item_references, kind, tags, item_group, difficulty, source, notes, must_contain, "
        "must_not_contain, sealed, retired FROM golden_items WHERE golden_sha256 = ? ORDER BY position",
        [sha256],
    ).fetchall()
    return [_item(row) for row in rows]


def _item_row(sha256: str, place: int, item: Item) -> dict[str, object]:
    return {
        "golden_sha256": sha256,
        "item_id": item.item_id,
        "item_hash": item.item_hash,
        "position": place,
        "kind": item.kind,
        "input": [{"role": message.role, "content": message.content} for message in item.input],
        "item_references": list(item.references),
        "must_contain": list(item.must_contain),
        "must_not_contain": list(item.must_not_contain),
        "tags": list(item.tags),
        "item_group": item.group,
        "difficulty": item.difficulty,
        "source": item.source,
        "notes": item.notes,
        "sealed": item.sealed,
        "retired": item.retired,
    }


def _item(row: tuple[Any, ...]) -> Item:
    return Item(
        item_id=row[0],
        input=tuple(Message(role=turn["role"], content=turn["content"]) for turn in row[1]),
        references=tuple(row[2]),
        kind=row[3],
        tags=tuple(row[4]),
        group=row[5],
        difficulty=row[6],
        source=row[7],
        notes=row[8],
        must_contain=tuple(row[9]),
        must_not_contain=tuple(row[10]),
        sealed=row[11],
        retired=row[12],
    )
