import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import StoreBusyError, StoreError
from harness.store.ledger import Ledger


def _numbers(ledger: Ledger) -> list[int]:
    with ledger.read() as connection:
        return [row[0] for row in connection.execute("SELECT number FROM numbers ORDER BY number").fetchall()]


@pytest.fixture
def numbered(ledger: Ledger) -> Ledger:
    with ledger.write() as connection:
        connection.execute("CREATE TABLE numbers (number INTEGER)")
    return ledger


def test_making_a_ledger_touches_nothing(tmp_path: Path):
    Ledger(tmp_path / "nowhere" / "harness.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_a_unit_of_work_that_ends_is_kept(numbered: Ledger):
    with numbered.write() as connection:
        connection.execute("INSERT INTO numbers VALUES (1), (2)")
    assert _numbers(numbered) == [1, 2]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_unit_of_work_leaves_nothing_behind(numbered: Ledger, failure: type[BaseException]):
    def fail() -> None:
        with numbered.write() as connection:
            connection.execute("INSERT INTO numbers VALUES (1)")
            raise failure

    with pytest.raises(failure):
        fail()
    assert _numbers(numbered) == []
    with numbered.write() as connection:
        connection.execute("INSERT INTO numbers VALUES (2)")
    assert _numbers(numbered) == [2]


def test_a_unit_that_failed_in_sql_leaves_nothing_behind_and_keeps_its_error(numbered: Ledger):
    import duckdb

    with pytest.raises(duckdb.CatalogException), numbered.write() as connection:
        connection.execute("INSERT INTO numbers VALUES (1); INSERT INTO no_such_table VALUES (1)")
    assert _numbers(numbered) == []


def test_a_reader_cannot_write(numbered: Ledger):
    import duckdb

    with pytest.raises(duckdb.InvalidInputException, match="read-only"), numbered.read() as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")


def test_a_second_unit_in_the_same_thread_is_an_error_and_not_a_deadlock(numbered: Ledger):
    with numbered.write() as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
        with pytest.raises(RuntimeError, match="open in this thread already"), numbered.read():
            pass
        with pytest.raises(RuntimeError, match="open in this thread already"), Ledger(numbered.path).write():
            pass
    assert _numbers(numbered) == [1]


def test_units_of_two_ledgers_may_be_open_at_once(numbered: Ledger, tmp_path: Path):
    from harness.store.migrate import open_ledger

    other = open_ledger(tmp_path / "other", create=True)
    with numbered.read() as one, other.read() as two:
        assert one.execute("SELECT 1").fetchone() == two.execute("SELECT 1").fetchone()


def test_threads_that_read_and_write_at_once_lose_nothing(numbered: Ledger):
    def work(offset: int) -> None:
        for step in range(5):
            with numbered.write() as connection:
                connection.execute("INSERT INTO numbers VALUES (?)", [offset + step])
            assert offset + step in _numbers(numbered)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(0, 600, 100)))
    assert len(_numbers(numbered)) == 30


def test_a_thread_that_holds_on_makes_others_give_up_with_a_clear_error(numbered: Ledger):
    impatient = Ledger(numbered.path, wait_s=0.05)
    outcome: list[BaseException] = []

    def visit() -> None:
        try:
            with impatient.read():
                pass
        except StoreBusyError as error:
            outcome.append(error)

    with numbered.read():
        thread = threading.Thread(target=visit)
        thread.start()
        thread.join(10)
    assert "another thread of this process" in str(outcome[0])
    assert _numbers(numbered) == []


def test_reading_a_missing_ledger_names_the_next_step(tmp_path: Path):
    for unit in (Ledger(tmp_path / "harness.duckdb").read, Ledger(tmp_path / "harness.duckdb").write):
        with pytest.raises(StoreError, match="harness run EXPERIMENT"), unit():
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"hello", b"not a database " * 1000])
def test_a_file_that_is_not_a_database_is_named(tmp_path: Path, content: bytes):
    path = tmp_path / "harness.duckdb"
    path.write_bytes(content)
    for unit in (Ledger(path).read, Ledger(path).write):
        with pytest.raises(StoreError, match="not a DuckDB database") as caught, unit():
            pass
        assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_a_folder_in_the_place_of_the_ledger_is_named(tmp_path: Path):
    path = tmp_path / "harness.duckdb"
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be used") as caught, Ledger(path).read():
        pass
    assert str(path) in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_is_a_store_error_that_keeps_what_was_there(numbered: Ledger, python: str):
    with numbered.write() as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
    # A limit on file sizes stands in for a full disk: the write fails in the same place.
    script = f"""
import resource, sys
from pathlib import Path
from harness.errors import StoreError
from harness.store.ledger import Ledger
limit = Path({str(numbered.path)!r}).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with Ledger(Path({str(numbered.path)!r})).write() as connection:
        connection.execute("CREATE TABLE big AS SELECT hash(range)::VARCHAR || range AS a FROM range(2000000)")
except StoreError as error:
    print(error)
    sys.exit(7)
"""
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 7, done.stderr
    assert "the disk has room" in done.stdout
    assert str(numbered.path) in done.stdout
    assert _numbers(numbered) == [1]


def test_importing_the_store_is_cheap(python: str):
    script = (
        "import sys, harness.store.ledger, harness.store.migrate, harness.store.runs, harness.store.golden, "
        "harness.store.generations, harness.store.scores, harness.store.training_metrics, harness.store.artifacts, "
        "harness.store.user_sql; print({'torch', 'duckdb', 'pyarrow', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"
