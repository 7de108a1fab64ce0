"""Several processes and one ledger: real processes, since DuckDB's lock is between them."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness.errors import StoreBusyError
from harness.store.ledger import Ledger

_HEAD = """
import os, signal, sys, time
from pathlib import Path
from harness.store.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
"""

_HOLD_UNTIL_TOLD = (
    _HEAD
    + """
with ledger.write() as connection:
    connection.execute("INSERT INTO numbers VALUES (1)")
    print("holding", flush=True)
    sys.stdin.readline()
"""
)

_WRITE_TEN = (
    _HEAD
    + """
offset = int(sys.argv[2])
for step in range(10):
    with ledger.write() as connection:
        connection.execute("INSERT INTO numbers VALUES (?), (?)", [offset + step, -(offset + step)])
"""
)

_DIE_IN_THE_MIDDLE = (
    _HEAD
    + """
with ledger.write() as connection:
    connection.execute("INSERT INTO numbers VALUES (1)")
connection = None
with ledger.write() as connection:
    connection.execute("INSERT INTO numbers SELECT range FROM range(100, 100000)")
    os.kill(os.getpid(), signal.SIGKILL)
"""
)

_DIE_AFTER_COMMIT = (
    _HEAD
    + """
with ledger.write() as connection:
    connection.execute("INSERT INTO numbers VALUES (1)")
    connection.execute("COMMIT")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO numbers VALUES (2)")
    os.kill(os.getpid(), signal.SIGKILL)
"""
)

_WRITE_UNTIL_FULL = (
    _HEAD
    + """
import resource
from harness.errors import StoreError
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
kept = 0
try:
    while kept < 1000:
        with ledger.write() as connection:
            connection.execute(f"INSERT INTO numbers SELECT range FROM range({kept}0000, {kept + 1}0000)")
        kept += 1
except StoreError as error:
    print(kept, error)
"""
)


@pytest.fixture
def numbered(ledger: Ledger) -> Ledger:
    with ledger.write() as connection:
        connection.execute("CREATE TABLE numbers (number INTEGER)")
    return ledger


@pytest.fixture
def spawn(python: str, numbered: Ledger):
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [python, "-c", script, str(numbered.path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        if not process.stdin.closed:
            process.communicate(timeout=30)
        process.wait(timeout=30)
        for pipe in (process.stdout, process.stderr):
            pipe.close()


def _numbers(ledger: Ledger) -> list[int]:
    with ledger.read() as connection:
        return [row[0] for row in connection.execute("SELECT number FROM numbers ORDER BY number").fetchall()]


def test_processes_that_write_at_once_lose_nothing(numbered: Ledger, spawn):
    writers = [spawn(_WRITE_TEN, str(1000 * number)) for number in range(1, 5)]
    for writer in writers:
        _, problems = writer.communicate(timeout=60)
        assert writer.returncode == 0, problems
    positive = [1000 * number + step for number in range(1, 5) for step in range(10)]
    assert _numbers(numbered) == sorted([*positive, *(-number for number in positive)])


def test_a_process_that_holds_the_ledger_is_named_by_its_id(numbered: Ledger, spawn):
    holder = spawn(_HOLD_UNTIL_TOLD)
    assert holder.stdout.readline() == "holding\n"
    impatient = Ledger(numbered.path, wait_s=0.2)
    for unit in (impatient.read, impatient.write):
        began = time.monotonic()
        with pytest.raises(StoreBusyError, match=rf"process {holder.pid} .*then try again") as caught, unit():
            pass
        assert "0.2 s" in str(caught.value)
        assert time.monotonic() - began < 5


def test_a_reader_waits_for_a_writing_process_and_then_reads(numbered: Ledger, spawn):
    holder = spawn(_HOLD_UNTIL_TOLD)
    assert holder.stdout.readline() == "holding\n"
    with pytest.raises(StoreBusyError), Ledger(numbered.path, wait_s=0.0).read():
        pass
    release = threading.Timer(0.3, holder.stdin.close)
    release.start()
    assert _numbers(numbered) == [1]
    release.join()


def test_processes_may_read_at_once(numbered: Ledger, spawn):
    with numbered.read() as connection:
        reader = spawn(_HEAD + "with ledger.read() as c: print(c.execute('SELECT 1').fetchall())")
        answer, problems = reader.communicate(timeout=30)
        assert answer == "[(1,)]\n", problems
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("script", [_DIE_IN_THE_MIDDLE, _DIE_AFTER_COMMIT])
def test_a_writer_killed_in_the_middle_leaves_an_openable_ledger_without_its_unit(numbered: Ledger, spawn, script: str):
    writer = spawn(script)
    writer.communicate(timeout=30)
    assert writer.returncode == -signal.SIGKILL
    assert _numbers(numbered) == [1]
    with numbered.write() as connection:
        connection.execute("INSERT INTO numbers VALUES (2)")
    assert _numbers(numbered) == [1, 2]


def test_a_ledger_that_has_no_room_says_so_and_keeps_every_unit_before(numbered: Ledger, spawn):
    said, problems = spawn(_WRITE_UNTIL_FULL).communicate(timeout=60)
    kept, _, error = said.partition(" ")
    assert "the ledger cannot be used" in error, problems
    assert "See that the disk has room" in error
    assert _numbers(numbered) == list(range(int(kept) * 10_000))
    with numbered.write() as connection:
        connection.execute("INSERT INTO numbers VALUES (-1)")
    assert _numbers(numbered)[0] == -1


def test_two_processes_may_make_the_same_ledger_at_once(tmp_path: Path, python: str):
    script = """
import sys, time
from pathlib import Path
from harness.store.migrate import open_ledger
import duckdb, pyarrow
time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
ledger = open_ledger(Path(sys.argv[1]), create=True)
with ledger.write() as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS made (process INTEGER)")
    connection.execute("INSERT INTO made VALUES (?)", [int(sys.argv[3])])
"""
    home = tmp_path / "new" / "home"
    at = str(time.time() + 1.5)
    makers = [
        subprocess.Popen([python, "-c", script, str(home), at, str(number)], stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    for maker in makers:
        _, problems = maker.communicate(timeout=60)
        assert maker.returncode == 0, problems
    with Ledger(home / "harness.duckdb").read() as connection:
        assert connection.execute("SELECT list(process ORDER BY process) FROM made").fetchone() == ([0, 1, 2, 3],)
    assert os.listdir(home) == ["harness.duckdb"]
