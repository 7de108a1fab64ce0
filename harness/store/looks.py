"""Who has been judged on which golden items: verdicts, and among them looks, which read sealed scores."""

from collections.abc import Collection

from harness.records.items import Part
from harness.records.verdicts import Verdict
from harness.store.ledger import Ledger
from harness.store.registry import verdicts


def verdicts_on(ledger: Ledger, item_hashes: Collection[str], *, part: Part) -> list[Verdict]:
    """Verdicts on golden sets of which the given part has any of these items, oldest first.

    A new version of a set that keeps one item is worn by what was read of the version before: wear goes with items, not
    with names.
    """
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT DISTINCT golden_sha256 FROM golden_items "
            "WHERE list_contains($1, item_hash) AND sealed = $2 AND retired IS NULL",
            [list(item_hashes), part == "sealed"],
        ).fetchall()
    holding = {sha256 for (sha256,) in rows}
    return [verdict for verdict in verdicts(ledger) if verdict.golden_sha256 in holding]


def opened(ledger: Ledger, item_hashes: Collection[str]) -> int:
    """How many of these items some run has answered unsealed, so that its score on them is known."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT DISTINCT item_hash FROM scores WHERE task = 'golden' AND list_contains($1, item_hash)",
            [list(item_hashes)],
        ).fetchall()
    return len(rows)


def looks_at(ledger: Ledger, item_hashes: Collection[str]) -> list[Verdict]:
    """Verdicts that read sealed scores of any of these items, oldest first, repeated looks too."""
    return [verdict for verdict in verdicts_on(ledger, item_hashes, part="sealed") if verdict.look is not None]
