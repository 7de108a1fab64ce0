"""Units of work on the ledger: open, one transaction, close.

DuckDB lets one process write or many read, and a connection that stays open locks everybody else out. So nothing here
keeps a connection, and whoever comes waits for a bounded time.
"""

import contextlib
import os
import random
import re
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import StoreBusyError, StoreError
from harness.store.turnstile import Turnstile

if TYPE_CHECKING:
    import duckdb

WAIT_S = 30.0

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5
_LOCKED = ("Could not set lock on file", "being used by another process")
_PID = re.compile(r"\(PID (\d+)\)")

# lm-eval and trainers seed the global generator: drawing from it here would change what they draw.
_jitter = random.SystemRandom()

_turnstiles: dict[Path, Turnstile] = {}
_turnstiles_guard = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turnstiles.clear)


class Ledger:
    """A DuckDB file, opened for one unit of work at a time.

    Making one does nothing: no connection, no file, no migration (see `harness.store.migrate.open_ledger`).
    Units of one file are served in the order they were asked for within a process; across processes each retries, with
    jitter, until `wait_s` seconds have passed. Nothing fetched lazily may leave a unit: an Arrow reader that outlives
    it keeps the file locked.
    """

    def __init__(self, path: Path, *, wait_s: float = WAIT_S) -> None:
        self.path = path.resolve()
        self.wait_s = wait_s

    @contextmanager
    def write(self) -> "Generator[duckdb.DuckDBPyConnection]":
        """One transaction: committed when the body ends, rolled back on any exception.

        Raises:
            StoreBusyError: Another process or thread held the ledger for longer than `wait_s` seconds.
            StoreError: The ledger is missing, is not a DuckDB file, or cannot be written.
            RuntimeError: This thread is in a unit of work on the same ledger already.
        """
        import duckdb

        with self._unit(read_only=False) as connection:
            connection.execute("BEGIN")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A failed COMMIT has rolled back by itself, and a fatal error leaves a connection that takes nothing.
                with contextlib.suppress(duckdb.Error):
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> "Generator[duckdb.DuckDBPyConnection]":
        """A read-only connection, for as long as the body runs. Writers wait meanwhile.

        Raises:
            StoreBusyError: Another process or thread held the ledger for longer than `wait_s` seconds.
            StoreError: The ledger is missing, is not a DuckDB file, or cannot be read.
            RuntimeError: This thread is in a unit of work on the same ledger already.
        """
        with self._unit(read_only=True) as connection:
            yield connection

    @contextmanager
    def _unit(self, *, read_only: bool) -> "Generator[duckdb.DuckDBPyConnection]":
        import duckdb

        deadline = time.monotonic() + self.wait_s
        turnstile = _turnstile(self.path)
        self._enter(turnstile)
        try:
            with contextlib.closing(self._connect(read_only=read_only, deadline=deadline)) as connection:
                connection.execute("SET TimeZone='UTC'")
                yield connection
        except (
            duckdb.IOException,
            duckdb.FatalException,
            duckdb.InternalException,
            duckdb.OutOfMemoryException,
            duckdb.TransactionException,  # what a commit that cannot be written is; writers do not meet one another
        ) as e:
            raise _storage_error(self.path, e) from e
        finally:
            turnstile.leave()

    def _enter(self, turnstile: Turnstile) -> None:
        try:
            came = turnstile.enter(self.wait_s)
        except RuntimeError as error:
            raise RuntimeError(
                f"{self.path}: a unit of work is open in this thread already; a second one would wait for ever. "
                "Pass the open connection on, or end the unit first."
            ) from error
        if not came:
            raise StoreBusyError(
                f"{self.path}: another thread of this process (process {os.getpid()}) has held the ledger for longer "
                f"than {self.wait_s:g} s. Try again when its work is done."
            )

    def _connect(self, *, read_only: bool, deadline: float) -> "duckdb.DuckDBPyConnection":
        import duckdb

        if not self.path.exists():
            raise missing_error(self.path)
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only, config=_CONFIG)
            except duckdb.IOException as error:
                if not any(sign in str(error) for sign in _LOCKED):
                    raise
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise _busy_error(self.path, self.wait_s, str(error)) from error
            time.sleep(min(_jitter.uniform(pause_s / 2, pause_s), max(left_s, 0.001)))
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)


def missing_error(path: Path) -> StoreError:
    """There is no ledger at `path`."""
    return StoreError(
        f"{path}: no ledger here, so there is nothing to read. `harness run EXPERIMENT` makes one; if yours is "
        "elsewhere, name its folder with --home or HARNESS_HOME."
    )


def _storage_error(path: Path, error: Exception) -> StoreError:
    """What DuckDB or the file system says of a file it cannot use, with the next step."""
    said = str(error).partition(" See also")[0].strip()
    if "not a valid DuckDB database" in said:
        return StoreError(
            f"{path}: this file is not a ledger (not a DuckDB database). Move it away, or name another folder with "
            "--home or HARNESS_HOME."
        )
    return StoreError(
        f"{path}: the ledger cannot be used: {said}\nNothing of the unfinished unit of work was kept. See that the "
        "disk has room and that you may write to the folder, then try again."
    )


def _busy_error(path: Path, wait_s: float, said: str) -> StoreBusyError:
    found = _PID.search(said)
    holder = f"process {found[1]}" if found else "another process"
    look = f" (`ps -p {found[1]}` shows what it is)" if found else ""
    return StoreBusyError(
        f"{path}: {holder} has held the ledger for longer than {wait_s:g} s{look}. Wait until it is done, or end it, "
        "then try again."
    )


def _turnstile(path: Path) -> Turnstile:
    with _turnstiles_guard:
        return _turnstiles.setdefault(path, Turnstile())
