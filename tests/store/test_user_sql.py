import json
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.records.scores import Score
from harness.store.ledger import Ledger
from harness.store.runs import runs, start_run
from harness.store.scores import record_scores
from harness.store.user_sql import query


@pytest.fixture
def filled(ledger: Ledger, make_run) -> Ledger:
    start_run(ledger, make_run("r"))
    record_scores(
        ledger,
        "r",
        [Score(task="golden", item_id=f"i{n}", item_hash="h", scorer="exact_match", value=n / 4) for n in range(5)],
    )
    return ledger


@pytest.mark.parametrize(
    ("sql", "columns", "rows"),
    [
        ("SELECT 1 AS one, 'a' AS two", ["one", "two"], [[1, "a"]]),
        ("SELECT metric, avg(value) AS m FROM v_scores GROUP BY ALL;", ["metric", "m"], [["golden/exact_match", 0.5]]),
        ("FROM v_runs SELECT run_id, status", ["run_id", "status"], [["r", "running"]]),
        ("WITH a AS (SELECT 1 AS x) SELECT x, x FROM a -- done", ["x", "x"], [[1, 1]]),
        ("SELECT started_at AS a, started_at AS a FROM v_runs", ["a", "a"], [["2026-11-21T06:49:12.345678+00:00"] * 2]),
        ("SELECT [started_at] AS l FROM v_runs", ["l"], [[["2026-11-21 06:49:12.345678+00"]]]),
        ("SELECT TIMESTAMP '2026-01-02 03:04' AS t", ["t"], [["2026-01-02T03:04:00"]]),
        ("SELECT DATE '2026-01-02' AS d", ["d"], [["2026-01-02"]]),
        ("SELECT TIME '10:00' AS t, INTERVAL '90 seconds' AS i", ["t", "i"], [["10:00:00", 90.0]]),
        ("SELECT 1.25::DECIMAL(5,2) AS d, 2::HUGEINT AS h, 'ab'::BLOB AS b", ["d", "h", "b"], [[1.25, 2, "6162"]]),
        ("SELECT 'nan'::DOUBLE AS n, '-inf'::DOUBLE AS i", ["n", "i"], [["NaN", "-Infinity"]]),
        ("SELECT {'a': [1, NULL]} AS s, MAP {1: 'x'} AS m", ["s", "m"], [[{"a": [1, None]}, {"1": "x"}]]),
        ("SELECT true AS t, NULL AS n", ["t", "n"], [[True, None]]),
        ("SELECT '00000000-0000-0000-0000-000000000001'::UUID AS u", ["u"], [["00000000-0000-0000-0000-000000000001"]]),
        ("SELECT [1, 2]::INTEGER[2] AS a FROM range(1)", ["a"], [[[1, 2]]]),
        ("SELECT count(*) AS n FROM v_scores, unnest([1, 2])", ["n"], [[10]]),
        ("SELECT run_id FROM v_runs WHERE false", ["run_id"], []),
    ],
)  # fmt: skip
def test_an_answer_is_columns_and_json_ready_rows(filled: Ledger, sql: str, columns: list[str], rows: list[object]):
    answer = query(filled, sql)
    assert answer == (columns, rows)
    json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize("sql", ["DESCRIBE v_scores", "SHOW TABLES", "SUMMARIZE v_scores", "SHOW ALL TABLES"])
def test_a_user_may_look_around(filled: Ledger, sql: str):
    _, rows = query(filled, sql)
    assert "v_scores" in str(rows) or "exact_match" in str(rows) or "item_hash" in str(rows)


def test_comments_on_columns_can_be_asked_for(filled: Ledger):
    _, rows = query(
        filled, "SELECT comment FROM duckdb_columns() WHERE table_name = 'v_runs' AND column_name = 'wall_s'"
    )
    assert "Seconds of wall time" in str(rows)


def test_rows_with_moments_keep_their_order(filled: Ledger):
    sql = "SELECT started_at, item_id FROM v_scores JOIN v_runs USING (run_id) ORDER BY item_id DESC"
    for limit_rows in (None, 5):
        _, rows = query(filled, sql, limit_rows=limit_rows)
        assert [row[1] for row in rows] == ["i4", "i3", "i2", "i1", "i0"]


def test_rows_are_limited_without_making_them_all(filled: Ledger):
    assert query(filled, "SELECT range AS n FROM range(100_000_000_000)", limit_rows=2) == (["n"], [[0], [1]])
    assert query(filled, "SELECT 1 AS n", limit_rows=0) == (["n"], [])


_ATTACKS = [
    # reading files
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM read_json_auto('{file}')",
    "SELECT * FROM read_parquet('{file}')",
    "SELECT * FROM sniff_csv('{file}')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM parquet_metadata('{file}')",
    "SELECT * FROM read_duckdb('{file}')",
    "SELECT (SELECT count(*) FROM READ_TEXT('{file}'))",
    "WITH a AS (SELECT * FROM \"read_text\"('{file}')) SELECT * FROM a",
    "SELECT * FROM v_runs WHERE run_id IN (SELECT content FROM read_text('{file}'))",
    "SELECT * FROM query('SELECT * FROM read_text(''{file}'')')",
    "SELECT * FROM query_table('{file}')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM 'https://example.org/x.csv'",
    "SELECT getenv('HOME')",
    # writing files
    "COPY runs TO '{out}'",
    "COPY (SELECT 1) TO '{out}'",
    "EXPORT DATABASE '{out}'",
    "SELECT * FROM enable_logging(storage = 'file', storage_config = {{'path': '{out}'}})",
    "SELECT * FROM enable_profiling(save_location = '{out}')",
    "SELECT (SELECT count(*) FROM Enable_Logging())",
    "CALL enable_logging()",
    "PRAGMA enable_profiling",
    "PRAGMA profiling_output = '{out}'",
    "SELECT * FROM checkpoint()",
    "CHECKPOINT",
    "VACUUM",
    # other databases and code
    "ATTACH '{out}' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH harness",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "IMPORT DATABASE '{out}'",
    "SELECT * FROM secret_of_this_process",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "CREATE SECRET (TYPE s3)",
    # settings
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET enable_external_access",
    "PRAGMA threads = 1",
    "SET VARIABLE a = 1",
    "PRAGMA database_list",
    # changing the ledger
    "CREATE TABLE t (a INTEGER)",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW v_runs AS SELECT 1",
    "CREATE MACRO m() AS 1",
    "INSERT INTO runs SELECT * FROM runs",
    "UPDATE scores SET value = 1",
    "DELETE FROM scores",
    "TRUNCATE scores",
    "DROP TABLE runs",
    "ALTER TABLE runs ADD COLUMN a INTEGER",
    "COMMENT ON TABLE runs IS 'mine'",
    "WITH gone AS (DELETE FROM scores RETURNING *) SELECT * FROM gone",
    "BEGIN",
    "COMMIT",
    # several statements, or none
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE runs",
    "SELECT 1;; COPY runs TO '{out}'",
    "EXPLAIN ANALYZE SELECT * FROM read_text('{file}')",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "",
    "  -- nothing",
    ";",
    "SELECT '\ud800'",
    "SELECT ?",
]


@pytest.mark.parametrize("attack", _ATTACKS)
def test_what_is_not_reading_the_ledger_is_refused(filled: Ledger, tmp_path: Path, attack: str):
    secret_of_this_process = [{"a": 1}]
    (tmp_path / "file.csv").write_text("a,b\n1,2\n")
    (tmp_path / "file.txt").write_text("file")
    before = filled.path.read_bytes()
    files = sorted(tmp_path.rglob("*"))
    for name in ("file.csv", "file.txt"):
        sql = attack.format(file=tmp_path / name, out=tmp_path / "out.txt")
        with pytest.raises(StoreError) as caught:
            query(filled, sql)
        assert "traceback" not in str(caught.value).lower()
    assert sorted(tmp_path.rglob("*")) == files
    assert filled.path.read_bytes() == before
    assert secret_of_this_process


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELCT 1", 'syntax error at or near "SELCT"'),
        ("SELECT * FROM v_score", 'Did you mean "v_scores"'),
        ("SELECT valu FROM v_scores", '"value"'),
        ("SELECT no_such(value) FROM v_scores", "no_such"),
        ("SELECT value::INTEGER[] FROM v_scores", "INTEGER"),
    ],
)
def test_a_mistake_shows_the_parsers_message_and_the_views_there_are(filled: Ledger, sql: str, message: str):
    with pytest.raises(StoreError) as caught:
        query(filled, sql)
    assert message in str(caught.value)
    for view in ("v_generations", "v_golden_items", "v_looks", "v_metrics", "v_registry", "v_runs", "v_scores"):
        assert view in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM sealed_scores",
        "SELECT (SELECT max(text) FROM main.sealed_generations)",
        "WITH a AS (FROM golden_items) SELECT * FROM a",
        "DESCRIBE sealed_scores",
        "SUMMARIZE Golden_Items",
    ],
)
def test_what_holds_sealed_items_is_not_read_in_passing(filled: Ledger, sql: str):
    with pytest.raises(StoreError, match=r"only `harness gate` reads.*v_golden_items"):
        query(filled, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT run_ids FROM rating_assignments",
        "SELECT payload FROM main.Campaign_Events WHERE kind = 'adjudicated'",
        "SELECT * FROM v_rating_events JOIN rating_assignments USING (assignment_id)",
        "SUMMARIZE rating_assignments",
    ],
)
def test_what_says_whose_answer_a_rater_saw_is_not_read_in_passing(filled: Ledger, sql: str):
    with pytest.raises(StoreError, match=r"before the campaign is closed\. v_rating_events"):
        query(filled, sql)


def test_a_refused_statement_says_what_it_was_and_what_is_allowed(filled: Ledger):
    with pytest.raises(StoreError, match=r"only one SELECT is allowed here .* not INSERT"):
        query(filled, "INSERT INTO runs SELECT * FROM runs")
    with pytest.raises(StoreError, match="not SELECT, DROP"):
        query(filled, "SELECT 1; DROP TABLE runs")
    with pytest.raises(StoreError, match="SQL here reads the ledger only"):
        query(filled, "SELECT * FROM '/etc/passwd.csv'")
    with pytest.raises(StoreError, match="enable_logging: not allowed"):
        query(filled, "SELECT * FROM enable_logging()")


def test_the_ledger_can_be_written_after_a_query_and_after_a_refused_one(filled: Ledger, make_run):
    query(filled, "SELECT 1")
    with pytest.raises(StoreError):
        query(filled, "SET threads = 1")
    start_run(filled, make_run("next"))
    assert len(runs(filled)) == 2


def test_a_query_without_end_is_stopped(filled: Ledger):
    began = time.monotonic()
    endless = "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b WHERE (a.range * b.range) % 7 = 3"
    with pytest.raises(StoreError, match=r"longer than 0\.3 s and was stopped"):
        query(filled, endless, timeout_s=0.3)
    assert time.monotonic() - began < 20
    assert query(filled, "SELECT 1 AS n") == (["n"], [[1]])


def test_no_timer_is_left_behind(filled: Ledger):
    query(filled, "SELECT 1")
    assert [
        thread for thread in threading.enumerate() if isinstance(thread, threading.Timer) and thread.is_alive()
    ] == []


def test_moments_are_read_where_pytz_is_not_installed(filled: Ledger, python: str):
    script = f"""
import sys
sys.modules["pytz"] = None
from pathlib import Path
from harness.store.ledger import Ledger
from harness.store.runs import runs
from harness.store.user_sql import query
ledger = Ledger(Path({str(filled.path)!r}))
print(runs(ledger)[0].run.started_at.isoformat(), query(ledger, "SELECT started_at FROM v_runs")[1][0][0])
"""
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "2026-11-21T06:49:12.345678+00:00 2026-11-21T06:49:12.345678+00:00\n", done.stderr
