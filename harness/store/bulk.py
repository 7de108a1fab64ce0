"""Many rows into a table at once, as an Arrow table: row-by-row inserts are 1,000 times slower."""

import importlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import StoreError

if TYPE_CHECKING:
    import duckdb

_STAGED = "harness_new_rows"


def insert(connection: "duckdb.DuckDBPyConnection", table: str, rows: Sequence[Mapping[str, object]]) -> int:
    """Appends the rows whose key is not there yet; what is there stays as it is.

    Args:
        connection: Inside a `Ledger.write` unit.
        table: A table of the schema, never text from a user.
        rows: Each with the same columns.

    Returns:
        How many rows are new.

    Raises:
        StoreError: A text has no UTF-8 form (half of a surrogate pair).
    """
    if not rows:
        return 0
    columns = ", ".join(rows[0])
    # The table's own types, so that a column of None or of empty lists needs no guess.
    # pyarrow ships no types: what comes from it is Any.
    empty: Any = connection.execute(f"SELECT {columns} FROM {table} LIMIT 0")
    schema: Any = empty.to_arrow_table().schema
    pyarrow: Any = importlib.import_module("pyarrow")
    try:
        staged: Any = pyarrow.Table.from_pylist(rows, schema=schema)
    except UnicodeEncodeError as error:
        raise StoreError(_encoding_problem(table, rows)) from error
    connection.register(_STAGED, staged)
    try:
        inserted = connection.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {_STAGED} ON CONFLICT DO NOTHING"
        ).fetchone()
    finally:
        connection.unregister(_STAGED)
    return int(inserted[0]) if inserted else 0


def _encoding_problem(table: str, rows: Sequence[Mapping[str, object]]) -> str:
    place = table
    for row in rows:
        for column, value in row.items():
            try:
                json.dumps(value, ensure_ascii=False, default=str).encode()
            except UnicodeEncodeError:
                key = row.get("item_id", row.get("name", row.get("run_id")))
                place = f"{table}, {key!a}, column {column}"
    return (
        f"{place}: the text holds half of a surrogate pair, which is no Unicode character and cannot be stored. "
        'Replace it where the text comes from: text.encode("utf-8", "replace").decode().'
    )
