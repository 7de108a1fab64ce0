"""Item-level scores as a file for other tools."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from harness.store.ledger import Ledger

ExportFormat = Literal["csv", "parquet"]


def export_scores(ledger: Ledger, run_ids: Sequence[str], file: Path, written: ExportFormat) -> int:
    """Writes the rows of `v_scores` of some runs, by run, task, scorer and item.

    Args:
        ledger: Where the scores are.
        run_ids: Whose scores.
        file: Written over if it is there; its folder must exist.
        written: The file's format.

    Returns:
        Rows written.

    Raises:
        StoreError: There is no ledger, or it cannot be read.
        OSError: The file cannot be written.
    """
    with ledger.read() as connection:
        found: Any = connection.execute(
            "SELECT * FROM v_scores WHERE list_contains(?, run_id) "
            "ORDER BY run_id, task, scorer, item_id, sample_index",
            [list(run_ids)],
        )
        rows: Any = found.to_arrow_table()
    return _write(rows, file, written)


def export_ratings(
    ledger: Ledger, campaign_id: str, file: Path, written: ExportFormat, *, systems: Mapping[str, str]
) -> int:
    """Writes the rows of `v_ratings` of a campaign, by rater, screen and criterion.

    Runs and systems of screens that show several are joined with a blank, in the order shown; all are empty while the
    campaign is open. In CSV alone, text that begins as a formula does in a spreadsheet has an apostrophe before it.

    Args:
        ledger: Where the ratings are.
        campaign_id: Whose ratings.
        file: Written over if it is there; its folder must exist.
        written: The file's format.
        systems: Names of systems by run id.

    Returns:
        Rows written.

    Raises:
        StoreError: There is no ledger, or it cannot be read.
        OSError: The file cannot be written.
    """
    with ledger.read() as connection:
        found: Any = connection.execute(
            "SELECT ratings.campaign_id, ratings.rater, ratings.item_id, ratings.kind, ratings.purpose, criterion, "
            "value, ratings.answer ->> 'strength' AS strength, array_to_string(ratings.run_ids, ' ') AS runs, "
            "array_to_string(list_transform(ratings.run_ids, lambda one: "
            "coalesce(map_extract(MAP($2::VARCHAR[], $3::VARCHAR[]), one)[1], one)), ' ') AS systems, "
            "ratings.position, ratings.seconds, strftime(ratings.recorded_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS recorded_at, "
            "ratings.comment, ratings.answer ->> 'corrected' AS corrected, ratings.assignment_id "
            "FROM v_ratings AS ratings WHERE ratings.campaign_id = $1 "
            "ORDER BY ratings.rater, ratings.position, ratings.assignment_id, criterion",
            [campaign_id, list(systems), list(systems.values())],
        )
        rows: Any = found.to_arrow_table()
    return _write(_without_formulas(rows) if written == "csv" else rows, file, written)


def _without_formulas(rows: Any) -> Any:
    """The same with an apostrophe before what a spreadsheet would take for a formula: raters type what they like."""
    compute: Any = importlib.import_module("pyarrow.compute")
    arrow: Any = importlib.import_module("pyarrow")
    for place, field in enumerate(rows.schema):
        if arrow.types.is_string(field.type):
            plain = compute.replace_substring_regex(rows.column(place), r"^([=+\-@\t\r])", r"'\1")
            rows = rows.set_column(place, field.name, plain)
    return rows


def _write(rows: Any, file: Path, written: ExportFormat) -> int:
    # pyarrow ships no types: what comes from it is Any.
    if written == "csv":
        writer: Any = importlib.import_module("pyarrow.csv")
        writer.write_csv(rows, str(file))
    else:
        writer = importlib.import_module("pyarrow.parquet")
        writer.write_table(rows, str(file))
    return int(rows.num_rows)
