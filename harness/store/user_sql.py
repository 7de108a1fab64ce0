"""SQL that a user writes: one SELECT, on a connection that reaches nothing but the ledger."""

import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from harness.errors import StoreError
from harness.store.json_values import to_json_value
from harness.store.ledger import Ledger

if TYPE_CHECKING:
    import duckdb

TIMEOUT_S = 60.0

# Read-only alone still lets SQL read and write other files.
_SANDBOX = (
    "SET enable_external_access=false",
    "SET allow_community_extensions=false",
    "SET lock_configuration=true",
)

# A SELECT may call table functions, and some of DuckDB's write files or switch things on (`enable_logging`,
# `enable_profiling`, `checkpoint`) or run SQL from a string, past this list (`query`).
_TABLE_FUNCTIONS = frozenset(
    {
        "duckdb_columns", "duckdb_constraints", "duckdb_functions", "duckdb_keywords", "duckdb_tables", "duckdb_types",
        "duckdb_views", "generate_series", "json_each", "json_tree", "pragma_table_info", "range", "repeat", "unnest",
    }
)  # fmt: skip

# Sealed answers, scores and texts are not for looking at in passing: a gate reads them, and counts that it did. Whoever
# owns the file can open it with DuckDB all the same.
_SEALED_TABLES = frozenset({"golden_items", "sealed_generations", "sealed_scores"})

# While a campaign is open, these say whose answer a rater saw.
_UNBLINDING_TABLES = frozenset({"campaign_events", "campaigns", "rating_assignments"})

_ZONED = "TIMESTAMP WITH TIME ZONE"
_NEXT_STEP = "`DESCRIBE v_scores` shows the columns of a view."


def query(
    ledger: Ledger, sql: str, *, limit_rows: int | None = None, timeout_s: float = TIMEOUT_S
) -> tuple[list[str], list[list[object]]]:
    """The answer to one SELECT (or DESCRIBE, SHOW, SUMMARIZE) over the ledger.

    Args:
        ledger: What to ask. Nobody can write to it meanwhile.
        sql: What a user wrote. It can read no file, write nothing and change no setting.
        limit_rows: Rows to fetch at most; None for all.
        timeout_s: Seconds after which the query is stopped, since it keeps writers out.

    Returns:
        The names of the columns, and rows of JSON-ready values (see `harness.store.json_values`).

    Raises:
        StoreError: The SQL is wrong, or more than it may be; the message is DuckDB's, with the views there are.
        StoreBusyError: The ledger was held by others.
    """
    import duckdb

    with ledger.read() as connection:
        for statement in _SANDBOX:
            connection.execute(statement)
        views = _views(connection)
        stop = threading.Timer(timeout_s, connection.interrupt)
        stop.start()
        try:
            _check_statement(connection, sql)
            relation = _plain_times(connection.sql(sql))
            rows = relation.fetchall() if limit_rows is None else relation.fetchmany(limit_rows)
            return list(relation.columns), [[to_json_value(value) for value in row] for row in rows]
        except duckdb.InterruptException as error:
            raise StoreError(
                f"the query ran for longer than {timeout_s:g} s and was stopped, since it keeps writers out. Ask for "
                "less: fewer rows, fewer joins."
            ) from error
        except duckdb.PermissionException as error:
            raise StoreError(
                f"{_first_paragraph(error)}\nSQL here reads the ledger only: no files, other databases, settings or "
                f"extensions. Views: {views}."
            ) from error
        except (duckdb.Error, UnicodeEncodeError) as error:
            raise StoreError(f"{error}\nViews: {views}. {_NEXT_STEP}") from error
        finally:
            stop.cancel()


def _check_statement(connection: "duckdb.DuckDBPyConnection", sql: str) -> None:
    """Lets through one statement that only selects, and only from tables and harmless table functions."""
    sql.encode()
    statements = connection.extract_statements(sql)
    if not statements:
        raise StoreError(f"there is no SQL in {sql!r}. Try: SELECT * FROM v_runs")
    kinds = [statement.type.name.upper() for statement in statements]
    if kinds != ["SELECT"]:
        raise StoreError(
            f"only one SELECT is allowed here (also DESCRIBE, SHOW, SUMMARIZE), not {', '.join(kinds)}: SQL reads the "
            "ledger and changes nothing. Try: SELECT * FROM v_runs"
        )
    serialized = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree: Any = json.loads(serialized[0]) if serialized else {"error": True, "error_message": "no syntax tree"}
    if tree["error"]:
        raise StoreError(f"only a SELECT is allowed here: {tree['error_message']} Try: SELECT * FROM v_runs")
    read = set(_tables(tree))
    if blind := sorted(read & _UNBLINDING_TABLES):
        raise StoreError(
            f"{', '.join(blind)}: not to be read here, since it says which system a rater saw before the campaign is "
            "closed. v_rating_events, v_ratings and v_campaigns have the rest, with the runs once it is closed."
        )
    if sealed := sorted(read & _SEALED_TABLES):
        raise StoreError(
            f"{', '.join(sealed)}: not to be read here, since sealed items are in it, which only `harness gate` reads. "
            "v_golden_items, v_generations and v_scores have the other items; v_sealed and v_looks say how these stand."
        )
    refused = sorted(set(_table_functions(tree)) - _TABLE_FUNCTIONS)
    if refused:
        raise StoreError(
            f"{', '.join(refused)}: not allowed in FROM here, where SQL reads the ledger only and changes no setting. "
            f"Allowed: views, tables and {', '.join(sorted(_TABLE_FUNCTIONS))}."
        )


def _tables(node: object) -> Iterator[str]:
    """The names of the tables and views anywhere in a syntax tree."""
    if isinstance(node, dict):
        fields = cast("dict[str, Any]", node)
        if fields.get("type") == "BASE_TABLE":
            yield str(fields.get("table_name", "")).lower()
        for value in fields.values():
            yield from _tables(value)
    elif isinstance(node, list):
        for value in cast("list[object]", node):
            yield from _tables(value)


def _table_functions(node: object) -> Iterator[str]:
    """The names of the table functions anywhere in a syntax tree."""
    if isinstance(node, dict):
        fields = cast("dict[str, Any]", node)
        if fields.get("type") == "TABLE_FUNCTION":
            yield str(fields["function"].get("function_name", "?")).lower()
        for value in fields.values():
            yield from _table_functions(value)
    elif isinstance(node, list):
        for value in cast("list[object]", node):
            yield from _table_functions(value)


def _plain_times(relation: "duckdb.DuckDBPyRelation") -> "duckdb.DuckDBPyRelation":
    """The same rows with zoned timestamps as ISO text: DuckDB hands out such values only where pytz is installed."""
    types = [str(kind) for kind in relation.types]
    if not any(_ZONED in kind for kind in types):
        return relation
    columns: list[str] = []
    for number, (name, kind) in enumerate(zip(relation.columns, types, strict=True), start=1):
        alias = '"' + name.replace('"', '""') + '"'
        if kind == _ZONED:
            columns.append(f"strftime(#{number}, '%Y-%m-%dT%H:%M:%S.%f+00:00') AS {alias}")
        elif _ZONED in kind:
            columns.append(f"CAST(#{number} AS {kind.replace(_ZONED, 'VARCHAR')}) AS {alias}")
        else:
            columns.append(f"#{number} AS {alias}")
    return relation.project(", ".join(columns))


def _views(connection: "duckdb.DuckDBPyConnection") -> str:
    rows = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY view_name").fetchall()
    return ", ".join(row[0] for row in rows)


def _first_paragraph(error: Exception) -> str:
    return str(error).partition("\n\n")[0]
