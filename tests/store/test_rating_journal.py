"""The journal of ratings: what is appended is there for every process, and what was torn is not."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness.errors import DiskFullError, StoreBusyError, StoreError
from harness.store.rating_journal import Journal

_HEAD = """
import os, signal, sys
from pathlib import Path
from harness.store.rating_journal import Journal
journal = Journal(Path(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ratings" / "journal.jsonl"


def _append(journal: Journal, *numbers: int) -> None:
    with journal.held():
        journal.append([{"n": number} for number in numbers], "on disk")


def _numbers(journal: Journal) -> list[object]:
    return [line["n"] for line in journal.follow()]


def test_following_gives_each_line_once_in_order(path: Path):
    writer, reader = Journal(path), Journal(path)
    assert _numbers(reader) == []
    _append(writer, 1, 2)
    assert _numbers(reader) == [1, 2]
    assert _numbers(reader) == []
    _append(writer, 3)
    assert (_numbers(reader), _numbers(writer)) == ([3], [1, 2, 3])


def test_who_appends_reads_their_own_lines_back_while_holding(path: Path):
    journal = Journal(path)
    with journal.held():
        journal.append([{"n": 1}], "handed over")
        assert _numbers(journal) == [1]


def test_text_of_any_kind_comes_back_as_it_was(path: Path):
    journal, text = Journal(path), "línea\n\u2028\r\x00 \U0001f600 \ud800"
    with journal.held():
        journal.append([{"text": text}], "on disk")
    assert journal.follow() == [{"text": text}]
    assert path.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("torn", [b'{"n": 2, "te', b"\x00\x00\x00\x00", b"[1, 2]", b"\xff\xfe"])
def test_a_torn_last_line_is_closed_off_and_skipped(path: Path, torn: bytes):
    _append(Journal(path), 1)
    with path.open("ab") as stream:
        stream.write(torn)
    reader = Journal(path)
    assert _numbers(reader) == [1]
    _append(Journal(path), 3)
    assert _numbers(reader) == [3]
    assert reader.unreadable == 1
    assert _numbers(Journal(path)) == [1, 3]


def test_a_line_without_its_end_is_not_read_until_it_has_one(path: Path):
    _append(Journal(path), 1)
    reader = Journal(path)
    with path.open("ab") as stream:
        stream.write(b'{"n": 2}')
    assert _numbers(reader) == [1]
    with path.open("ab") as stream:
        stream.write(b"\n")
    assert _numbers(reader) == [2]


def test_appending_without_holding_is_refused(path: Path):
    with pytest.raises(RuntimeError, match="hold the journal"):
        Journal(path).append([{"n": 1}], "on disk")


def test_a_number_that_json_lacks_leaves_nothing_behind(path: Path):
    journal = Journal(path)
    with journal.held(), pytest.raises(ValueError, match="Out of range"):
        journal.append([{"n": 1}, {"n": float("nan")}], "on disk")
    assert _numbers(journal) == []


def test_another_file_in_its_place_is_read_from_its_beginning(path: Path, tmp_path: Path):
    journal = Journal(path)
    _append(journal, 1, 2)
    assert _numbers(journal) == [1, 2]
    _append(Journal(tmp_path / "other.jsonl"), 7, 8, 9)
    (tmp_path / "other.jsonl").rename(path)
    assert _numbers(journal) == [7, 8, 9]
    _append(journal, 10)
    assert _numbers(Journal(path)) == [7, 8, 9, 10]


def test_only_the_owner_may_read_what_raters_wrote(path: Path):
    _append(Journal(path), 1)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path):
    (tmp_path / "ratings").write_text("a file")
    with (
        pytest.raises(StoreError, match="cannot be written: "),
        Journal(tmp_path / "ratings" / "j").held(),
    ):
        pass


def test_processes_that_append_at_once_lose_and_mix_nothing(path: Path, python: str):
    script = (
        _HEAD
        + """
for number in range(50):
    with journal.held():
        journal.append([{"n": int(sys.argv[2]) * 1000 + number, "filler": "x" * 9000}], "handed over")
"""
    )
    writers = [subprocess.Popen([python, "-c", script, str(path), str(number)]) for number in range(4)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0, 0]
    journal = Journal(path)
    lines = [int(str(number)) for number in _numbers(journal)]
    assert sorted(lines) == [writer * 1000 + number for writer in range(4) for number in range(50)]
    for writer in range(4):
        own = [number for number in lines if number // 1000 == writer]
        assert own == sorted(own)
    assert journal.unreadable == 0


def test_a_process_killed_after_appending_lost_nothing_and_holds_nothing(path: Path, python: str):
    script = (
        _HEAD
        + """
with journal.held():
    journal.append([{"n": 1}], "handed over")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    assert subprocess.run([python, "-c", script, str(path)], timeout=60).returncode == -signal.SIGKILL
    journal = Journal(path, wait_s=0.0)
    _append(journal, 2)
    assert _numbers(journal) == [1, 2]


def test_who_waits_too_long_is_told_and_a_reader_waits_for_who_appends(path: Path, python: str):
    script = (
        _HEAD
        + """
with journal.held():
    journal.append([{"n": 1}], "handed over")
    print("holding", flush=True)
    sys.stdin.readline()
"""
    )
    holder = subprocess.Popen(
        [python, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "holding\n"
    began = time.monotonic()
    with pytest.raises(StoreBusyError, match="has held the journal"), Journal(path, wait_s=0.1).held():
        pass
    with pytest.raises(StoreBusyError):
        Journal(path, wait_s=0.1).follow()
    assert time.monotonic() - began < 5
    holder.stdin.close()
    assert holder.wait(timeout=30) == 0
    holder.stdout.close()
    assert _numbers(Journal(path)) == [1]


def test_what_does_not_fit_on_the_disk_is_refused_whole_and_the_rest_goes_on(path: Path, python: str):
    script = (
        _HEAD
        + """
import resource
from harness.errors import DiskFullError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
kept = 0
with journal.held():
    try:
        while True:
            journal.append([{"n": kept, "filler": "x" * 100}], "on disk")
            kept += 1
    except DiskFullError as full:
        print(kept, full)
    journal.append([{"n": -1}], "on disk")
"""
    )
    done = subprocess.run([python, "-c", script, str(path)], timeout=60, capture_output=True, text=True, check=True)
    kept, _, said = done.stdout.partition(" ")
    assert "nothing more can be written" in said
    assert "Free some space, then send it again" in said
    journal = Journal(path)
    assert _numbers(journal) == [*range(int(kept)), -1]
    assert journal.unreadable == 0
    assert issubclass(DiskFullError, StoreError)


def test_every_line_is_one_json_object(path: Path):
    _append(Journal(path), 1, 2)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"n": 1}, {"n": 2}]
    assert os.listdir(path.parent) == [path.name]


def test_a_line_nested_without_end_is_skipped_like_any_other_that_says_nothing(path: Path):
    journal = Journal(path)
    _append(journal, 1)
    with path.open("ab") as stream:
        stream.write(b'{"n":' * 5000 + b"1" + b"}" * 5000 + b"\n")
    _append(journal, 2)
    assert _numbers(journal) == [1, 2]
    assert journal.unreadable == 1
