"""Numbered SQL migrations, and the way to open a ledger that has them all."""

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import StoreError, StoreVersionError
from harness.store import bulk
from harness.store.ledger import WAIT_S, Ledger, missing_error

if TYPE_CHECKING:
    import duckdb

LEDGER_NAME = "harness.duckdb"

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """A numbered step of the schema. `sha256` is that of its text."""

    version: int
    name: str
    sql: str
    sha256: str


def shipped_migrations() -> tuple[Migration, ...]:
    """The migrations this version knows, in order."""
    found: list[Migration] = []
    for file in files("harness.store").joinpath("migrations").iterdir():
        if match := _FILE_NAME.fullmatch(file.name):
            sql = file.read_text(encoding="utf-8")
            digest = hashlib.sha256(sql.encode()).hexdigest()
            found.append(Migration(version=int(match[1]), name=match[2], sql=sql, sha256=digest))
    return tuple(sorted(found, key=lambda migration: migration.version))


def open_ledger(home: Path, *, create: bool, wait_s: float = WAIT_S) -> Ledger:
    """The ledger of a home folder, with every migration applied.

    Args:
        home: The folder that holds `harness.duckdb`.
        create: Make the folder and the ledger where they are missing. Two processes may do so at once.
        wait_s: Seconds that each unit of work waits for others.

    Raises:
        StoreError: It is missing and not to be made, is not a ledger, cannot be written, or was migrated by files that
            have been edited since.
        StoreVersionError: A newer version of harness made it. Nothing is written.
        StoreBusyError: Others held it for longer than `wait_s` seconds.
    """
    path = home / LEDGER_NAME
    if not path.exists():
        if not create:
            raise missing_error(path)
        _create(path, wait_s)
    ledger = Ledger(path, wait_s=wait_s)
    migrate(ledger, shipped_migrations())
    return ledger


def migrate(ledger: Ledger, migrations: Sequence[Migration]) -> None:
    """Applies the migrations that the ledger lacks, each in one transaction with its record.

    Raises:
        StoreError: The file holds something else, or an applied migration differs from the one given.
        StoreVersionError: The ledger has a migration beyond the last one given. Nothing is written.
    """
    with ledger.read() as connection:
        pending = _pending(ledger.path, connection, migrations)
    while pending:
        with ledger.write() as connection:
            # Asked again inside the transaction: another process may have been quicker.
            pending = _pending(ledger.path, connection, migrations)
            if pending:
                _apply(connection, pending.pop(0))


def _create(path: Path, wait_s: float) -> None:
    """Makes a migrated ledger beside `path` and links it there, so that nobody meets half of one."""
    import duckdb

    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        duckdb.connect(str(unfinished)).close()
        migrate(Ledger(unfinished, wait_s=wait_s), shipped_migrations())
        _publish(unfinished, path)
    except (OSError, duckdb.IOException) as error:
        raise StoreError(
            f"{path}: the ledger cannot be made: {error}\nSee that {path.parent} is a folder you may write to and that "
            "the disk has room, or name another folder with --home or HARNESS_HOME."
        ) from error
    finally:
        for leftover in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
            with contextlib.suppress(OSError):
                leftover.unlink()


def _publish(unfinished: Path, path: Path) -> None:
    """Gives the finished file its name, unless another process has done so first."""
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        return
    except OSError:
        # A file system without hard links (exFAT, some network folders).
        if not path.exists():
            unfinished.rename(path)


def _pending(path: Path, connection: "duckdb.DuckDBPyConnection", migrations: Sequence[Migration]) -> list[Migration]:
    applied = _applied(path, connection)
    known = max((migration.version for migration in migrations), default=0)
    newest = max(applied, default=0)
    if newest > known:
        raise StoreVersionError(
            f"{path}: the ledger is schema {newest}, this harness knows up to {known}. Upgrade harness "
            "(`pip install --upgrade harness`), or use another home."
        )
    for migration in migrations:
        recorded = applied.get(migration.version, migration.sha256)
        if recorded != migration.sha256:
            raise StoreError(
                f"{path}: migration {migration.version:04d}_{migration.name} was applied with sha256 {recorded[:12]}, "
                f"but the file now has {migration.sha256[:12]}. A migration is never edited after it lands: put the "
                "file back (reinstall harness), and make the change as a new migration."
            )
    return [migration for migration in migrations if migration.version not in applied]


def _applied(path: Path, connection: "duckdb.DuckDBPyConnection") -> dict[int, str]:
    """Versions and hashes of the migrations a ledger has had."""
    tables = {str(row[0]) for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if "schema_migrations" in tables:
        return dict(connection.execute("SELECT version, sha256 FROM schema_migrations").fetchall())
    if tables:
        raise _stranger_error(path, sorted(tables))
    return {}


def _stranger_error(path: Path, tables: Sequence[str]) -> StoreError:
    """A DuckDB file that harness did not make."""
    return StoreError(
        f"{path}: a DuckDB database, but not a ledger: it holds {', '.join(tables[:5])}. Move it away, or name another "
        "folder with --home or HARNESS_HOME."
    )


def _apply(connection: "duckdb.DuckDBPyConnection", migration: Migration) -> None:
    connection.execute(migration.sql)
    record = {
        "version": migration.version,
        "name": migration.name,
        "sha256": migration.sha256,
        "applied_at": datetime.now(UTC),
    }
    bulk.insert(connection, "schema_migrations", [record])
