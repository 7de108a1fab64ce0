"""Item-level scores as a file for other tools."""

import importlib
from collections.abc import Sequence
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
    # pyarrow ships no types: what comes from it is Any.
    if written == "csv":
        writer: Any = importlib.import_module("pyarrow.csv")
        writer.write_csv(rows, str(file))
    else:
        writer = importlib.import_module("pyarrow.parquet")
        writer.write_table(rows, str(file))
    return int(rows.num_rows)
