"""Golden sets as they were when runs were scored against them."""

from typing import TYPE_CHECKING, Any

from harness.errors import StoreError
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message
from harness.store import bulk
from harness.store.ledger import Ledger

if TYPE_CHECKING:
    import duckdb


def record_golden_set(ledger: Ledger, golden_set: GoldenSet) -> None:
    """Records a golden set and its items. Recording it twice changes nothing.

    The hash of the file stands for its items: one recorded before under the same hash stays as it is. The same items
    under a new name, version, licence or list of scorers are a revision; the last one counts.
    """
    with ledger.write() as connection:
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
        rows = [_item_row(golden_set.sha256, place, item) for place, item in enumerate(golden_set.items)]
        bulk.insert(connection, "golden_items", rows)


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
        return GoldenSet(
            name=head[0],
            version=head[1],
            licence=head[2],
            sha256=sha256,
            items=tuple(_items(connection, sha256)),
            scorers=tuple(head[3]),
            known_codes=None if head[4] is None else frozenset(head[4]),
        )


def golden_items(ledger: Ledger, sha256: str) -> list[Item]:
    """The items of a golden set in file order; empty if it was never recorded."""
    with ledger.read() as connection:
        return _items(connection, sha256)


def _items(connection: "duckdb.DuckDBPyConnection", sha256: str) -> list[Item]:
    rows = connection.execute(
        "SELECT item_id, input, item_references, kind, tags, item_group, difficulty, source, notes, must_contain, "
        "must_not_contain FROM golden_items WHERE golden_sha256 = ? ORDER BY position",
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
    )
