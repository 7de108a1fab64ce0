import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from harness.errors import StoreError, StoreVersionError
from harness.store.ledger import Ledger
from harness.store.migrate import Migration, migrate, open_ledger, shipped_migrations

LAST = len(shipped_migrations())
SHIPPED = list(range(1, LAST + 1))


def _migration(version: int, sql: str) -> Migration:
    return Migration(version=version, name="later", sql=sql, sha256=hashlib.sha256(sql.encode()).hexdigest())


def _applied(ledger: Ledger) -> list[tuple[int, str]]:
    with ledger.read() as connection:
        return connection.execute("SELECT version, sha256 FROM schema_migrations ORDER BY version").fetchall()


def test_a_new_ledger_has_every_migration_with_its_hash(ledger: Ledger):
    assert _applied(ledger) == [(migration.version, migration.sha256) for migration in shipped_migrations()]


def test_migrations_are_numbered_from_one_without_gaps():
    assert [migration.version for migration in shipped_migrations()] == list(range(1, len(shipped_migrations()) + 1))


def test_a_landed_migration_is_never_edited():
    # A migration that has been released stands here with its hash; editing it breaks every ledger there is.
    assert {migration.name: migration.sha256 for migration in shipped_migrations()} == {
        "ledger": "3f7571a93e31ae2fce5297088906c774230190024dc555482daad6014126df42",
        "evaluations": "b84425bb6f4971f7d8260522f22bbc99380fed38d84551a3f1702fcf16ab1460",
        "registry": "9696a207281f792b335c657e1ffe8096ffb591056d4fb58b3ae722a153ff29ff",
        "golden": "067b36d1b38934c4a148cb5221486ea1ca81e88682d23c7f95322d2f3b71be1b",
        "rating": "7f001b256d8c860c48f6c35cb606ae643f8de1172cdedc9a8f8176bb6b87f438",
    }


def test_opening_again_changes_nothing(ledger: Ledger):
    before = ledger.path.read_bytes()
    again = open_ledger(ledger.path.parent, create=True)
    assert open_ledger(ledger.path.parent, create=False).path == again.path == ledger.path
    assert ledger.path.read_bytes() == before


def test_a_missing_ledger_is_not_made_unasked(tmp_path: Path):
    with pytest.raises(StoreError, match="harness run EXPERIMENT"):
        open_ledger(tmp_path / "home", create=False)
    assert list(tmp_path.iterdir()) == []


def test_an_older_ledger_is_migrated_and_keeps_its_rows(ledger: Ledger):
    later = _migration(LAST + 1, "ALTER TABLE artifacts ADD COLUMN remark VARCHAR; CREATE TABLE later (a INTEGER);")
    with ledger.write() as connection:
        connection.execute("INSERT INTO artifacts VALUES ('r', 'adapter', 'p', 1, 's', 3)")
    migrate(ledger, [*shipped_migrations(), later])
    assert [version for version, _ in _applied(ledger)] == [*SHIPPED, LAST + 1]
    with ledger.read() as connection:
        assert connection.execute("SELECT path, remark FROM artifacts").fetchall() == [("p", None)]


def test_a_ledger_with_golden_items_of_the_first_schemas_takes_every_later_migration(tmp_path: Path):
    path = tmp_path / "old.duckdb"
    duckdb.connect(str(path)).close()
    old = Ledger(path)
    first = shipped_migrations()[:3]
    migrate(old, first)
    with old.write() as connection:
        connection.execute(
            "INSERT INTO golden_items (golden_sha256, item_id, item_hash, position, kind, input, item_references, "
            "must_contain, must_not_contain, tags) VALUES ('s', 'i', 'h', 0, 'typical', "
            "[{'role': 'user', 'content': '?'}], ['!'], [], [], [])"
        )
    migrate(old, shipped_migrations())
    with old.read() as connection:
        assert connection.execute("SELECT item_id, sealed, retired FROM golden_items").fetchall() == [
            ("i", False, None)
        ]


def test_a_migration_that_fails_leaves_neither_tables_nor_record(ledger: Ledger):
    import duckdb

    broken = _migration(LAST + 1, "CREATE TABLE half (a INTEGER); CREATE TABLE half (a INTEGER);")
    with pytest.raises(duckdb.CatalogException):
        migrate(ledger, [*shipped_migrations(), broken])
    assert [version for version, _ in _applied(ledger)] == SHIPPED
    migrate(ledger, [*shipped_migrations(), _migration(LAST + 1, "CREATE TABLE half (a INTEGER);")])
    assert [version for version, _ in _applied(ledger)] == [*SHIPPED, LAST + 1]


def test_an_edited_migration_is_refused(ledger: Ledger):
    first, *rest = shipped_migrations()
    edited = replace(first, sha256="0" * 64)
    with pytest.raises(StoreError, match=r"0001_ledger was applied with sha256 .* never edited"):
        migrate(ledger, [edited, *rest])


def test_a_ledger_whose_record_differs_from_the_file_is_refused(ledger: Ledger):
    with ledger.write() as connection:
        connection.execute("UPDATE schema_migrations SET sha256 = 'tampered'")
    with pytest.raises(StoreError, match="never edited"):
        open_ledger(ledger.path.parent, create=True)


def test_a_newer_ledger_is_refused_and_left_alone(ledger: Ledger):
    with ledger.write() as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (7, 'future', 'x', now())")
    before = ledger.path.read_bytes()
    for create in (False, True):
        with pytest.raises(StoreVersionError, match=f"ledger is schema 7, this harness knows up to {LAST}"):
            open_ledger(ledger.path.parent, create=create)
    assert ledger.path.read_bytes() == before


def test_two_threads_that_migrate_at_once_both_succeed(ledger: Ledger):
    new = [_migration(LAST + 1, "CREATE TABLE two (a INTEGER)"), _migration(LAST + 2, "DROP TABLE two")]
    later = [*shipped_migrations(), *new]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: migrate(ledger, later), range(4)))
    assert [version for version, _ in _applied(ledger)] == [*SHIPPED, LAST + 1, LAST + 2]


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path):
    import duckdb

    path = tmp_path / "harness.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE customers (name VARCHAR)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a ledger: it holds customers"):
        open_ledger(tmp_path, create=True)
    assert path.read_bytes() == before


def test_a_file_in_the_place_of_the_home_is_named(tmp_path: Path):
    (tmp_path / "home").write_text("a file")
    for home in (tmp_path / "home", tmp_path / "home" / "inner"):
        with pytest.raises(StoreError, match="a folder you may write to"):
            open_ledger(home, create=True)


def test_a_folder_without_hard_links_gets_its_ledger_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    ledger = open_ledger(tmp_path / "home", create=True)
    assert [file.name for file in ledger.path.parent.iterdir()] == ["harness.duckdb"]
    assert _applied(ledger)


def test_every_column_of_every_view_is_described(ledger: Ledger):
    with ledger.read() as connection:
        views = connection.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall()
        silent = connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL "
            "AND table_name IN (SELECT view_name FROM duckdb_views() WHERE NOT internal)"
        ).fetchall()
    assert {name for name, _ in views} == {
        "v_runs",
        "v_evaluations",
        "v_scores",
        "v_generations",
        "v_training_metrics",
        "v_golden_items",
        "v_metrics",
        "v_artifacts",
        "v_registry",
        "v_verdicts",
        "v_findings",
        "v_waivers",
        "v_aliases",
        "v_overlaps",
        "v_sealed",
        "v_looks",
        "v_campaigns",
        "v_rating_events",
        "v_ratings",
    }
    assert [name for name, comment in views if not comment] == []
    assert silent == []
