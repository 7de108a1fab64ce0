"""`harness sql`."""

from typing import Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Home, Json

LONGEST_CELL = 60


def sql(
    query: Annotated[str, typer.Argument(help="one SELECT over v_runs, v_scores, v_generations, ...")],
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Read the ledger with SQL. Nothing can be written, and no file can be reached.

    Long values are cut; --json has them whole. `DESCRIBE v_scores` shows the columns of a view.

    Examples:

      harness sql "SELECT system, metric, avg(value) FROM v_scores GROUP BY ALL ORDER BY ALL"

      harness sql "SELECT view_name FROM duckdb_views() WHERE NOT internal" --json
    """
    from harness.store.migrate import open_ledger
    from harness.store.user_sql import query as run_query

    columns, rows = run_query(open_ledger(home, create=False), query)
    if json:
        from harness.cli.output import print_json

        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    from rich.table import Table

    from harness.cli.output import console

    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if value is None else _cut(str(value)) for value in row))
    console().print(table)


def _cut(text: str) -> str:
    """Long values, such as JSON, cut for the screen; `--json` has them whole."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_CELL else f"{flat[: LONGEST_CELL - 1]}…"
