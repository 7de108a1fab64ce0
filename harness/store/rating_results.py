"""What came out of campaigns that were closed: scores and agreement, kept by campaign."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.errors import StoreError
from harness.records.evidence import Agreement
from harness.records.scores import Score
from harness.store import bulk
from harness.store.ledger import Ledger
from harness.store.scores import read_score, score_columns

if TYPE_CHECKING:
    import duckdb


def insert_rating_scores(
    connection: "duckdb.DuckDBPyConnection", campaign_id: str, scores: Mapping[str, Sequence[Score]]
) -> int:
    """Inserts a campaign's scores by run id, inside a unit of work; those that are there stay.

    Returns:
        How many are new.
    """
    rows = [
        {"campaign_id": campaign_id, "run_id": run_id, "sample_index": score.sample_index, **score_columns(score)}
        for run_id, of_run in scores.items()
        for score in of_run
    ]
    return bulk.insert(connection, "rating_scores", rows)


def insert_agreement(
    connection: "duckdb.DuckDBPyConnection", campaign_id: str, agreement: Mapping[str, Agreement]
) -> int:
    """Inserts a campaign's agreement by metric, inside a unit of work; what is there stays.

    Returns:
        How many are new.
    """
    rows = [
        {
            "campaign_id": campaign_id,
            "metric": metric,
            "raters": one.raters,
            "items": one.items,
            "alpha": one.alpha,
            "low": one.low,
            "high": one.high,
        }
        for metric, one in agreement.items()
    ]
    return bulk.insert(connection, "rating_agreement", rows)


def insert_notes(connection: "duckdb.DuckDBPyConnection", campaign_id: str, notes: Sequence[str]) -> int:
    """Inserts what must be said with a campaign's results, inside a unit of work; what is there stays.

    Returns:
        How many are new.
    """
    rows = [{"campaign_id": campaign_id, "position": place, "note": note} for place, note in enumerate(notes)]
    return bulk.insert(connection, "rating_notes", rows)


def campaign_notes(ledger: Ledger, campaign_id: str) -> tuple[str, ...]:
    """What must be said with a closed campaign's results, a sentence each; empty for one that is open."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT note FROM rating_notes WHERE campaign_id = ? ORDER BY position", [campaign_id]
        ).fetchall()
    return tuple(str(row[0]) for row in rows)


def rated_by(ledger: Ledger, run_id: str) -> list[str]:
    """Ids of the closed campaigns that rated a run, the one closed last first."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT campaign_id FROM campaign_events WHERE kind = 'closed' AND campaign_id IN "
            "(SELECT campaign_id FROM rating_scores WHERE run_id = ?) ORDER BY recorded_at DESC, campaign_id DESC",
            [run_id],
        ).fetchall()
    return [str(row[0]) for row in rows]


def campaign_scores(ledger: Ledger, campaign_id: str) -> dict[str, list[Score]]:
    """Scores of a closed campaign by run id; `sample_index` is the rater's number within the campaign, from 0."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT task, item_id, item_hash, scorer, value, status, sample_index, item_group, stratum, detail, run_id "
            "FROM rating_scores WHERE campaign_id = ? ORDER BY run_id, task, scorer, item_id, sample_index",
            [campaign_id],
        ).fetchall()
    found: dict[str, list[Score]] = {}
    for row in rows:
        found.setdefault(str(row[10]), []).append(read_score(row))
    return found


def campaign_items(ledger: Ledger, campaign_id: str) -> tuple[str, ...]:
    """The items that a campaign was to have rated in the end, extensions counted; calibration items are not among them.

    Raises:
        StoreError: There is no such campaign in the ledger.
    """
    with ledger.read() as connection:
        row = connection.execute(
            "SELECT definition -> '$.item_ids' FROM campaigns WHERE campaign_id = ?", [campaign_id]
        ).fetchone()
        longer = connection.execute(
            "SELECT payload -> '$.item_ids' FROM campaign_events WHERE campaign_id = ? AND kind = 'extended'",
            [campaign_id],
        ).fetchall()
    if row is None:
        raise StoreError(f"the ledger has no campaign {campaign_id}. `harness rate status` lists those of the home.")
    # An extension keeps the items there were, and adds to them.
    sizes = [[str(item_id) for item_id in json.loads(str(found[0]))] for found in (row, *longer)]
    return tuple(max(sizes, key=len))


def campaign_agreement(ledger: Ledger, campaign_id: str) -> dict[str, Agreement]:
    """Agreement of a closed campaign's raters by metric; empty for one that is open."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT metric, raters, items, alpha, low, high FROM rating_agreement WHERE campaign_id = ? "
            "ORDER BY metric",
            [campaign_id],
        ).fetchall()
    return {row[0]: Agreement(raters=row[1], items=row[2], alpha=row[3], low=row[4], high=row[5]) for row in rows}
