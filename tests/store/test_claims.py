"""Claims on runs, between real processes: what one process holds, another sees."""

import fcntl
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import StoreBusyError
from harness.records.runs import RunState
from harness.store.claims import claimed, holder, is_alive, is_stopped

_HOLD = """
import sys
from pathlib import Path
from harness.store.claims import claimed
with claimed(Path(sys.argv[1]), "r") as claim:
    print("holding", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def other(python: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that works on run `r`, until it is told to stop."""
    process = subprocess.Popen(
        [python, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    yield process
    process.kill()
    process.communicate(timeout=30)


def claim_file(home: Path) -> Path:
    return home / "runs" / "r" / "claim.json"


def test_a_run_that_another_process_works_on_cannot_be_claimed(other: subprocess.Popen[str], tmp_path: Path) -> None:
    assert is_alive(tmp_path, "r")
    assert holder(tmp_path, "r") == f"process {other.pid}"
    said = rf"run r is under way in process {other.pid}\. Wait"
    with pytest.raises(StoreBusyError, match=said), claimed(tmp_path, "r"):
        pytest.fail("two processes have the run")
    assert is_alive(tmp_path, "r")  # the attempt took nothing away


def test_a_claim_ends_with_its_process_however_that_ends(other: subprocess.Popen[str], tmp_path: Path) -> None:
    other.send_signal(signal.SIGKILL)
    other.wait(timeout=30)
    assert not is_alive(tmp_path, "r")
    with claimed(tmp_path, "r") as claim:
        assert is_alive(tmp_path, "r")
        assert claim.pid == os.getpid()
        assert holder(tmp_path, "r") == f"process {os.getpid()}"
    assert not is_alive(tmp_path, "r")


def test_a_claim_leaves_nothing_behind(tmp_path: Path) -> None:
    with claimed(tmp_path, "r"):
        assert claim_file(tmp_path).is_file()
    assert list((tmp_path / "runs").iterdir()) == []
    with claimed(tmp_path, "r"):
        (tmp_path / "runs" / "r" / "kept.txt").write_text("of the run")
    assert [file.name for file in (tmp_path / "runs" / "r").iterdir()] == ["kept.txt"]


def test_a_killed_process_has_worked_until_its_last_sign_of_life(tmp_path: Path) -> None:
    file = claim_file(tmp_path)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"pid": 1, "earlier_s": 100.0, "since": 5_000.0}))
    os.utime(file, (5_060.0, 5_060.0))  # a minute of work, then nothing for years
    with claimed(tmp_path, "r", earlier_s=90.0) as claim:
        assert claim.earlier_s == pytest.approx(160.0)
        assert 160.0 <= claim.wall_s < 170.0


@pytest.mark.parametrize("left", ["", "{", "[1]", '{"pid": null}'])
def test_a_claim_that_was_cut_short_is_taken_over(left: str, tmp_path: Path) -> None:
    claim_file(tmp_path).parent.mkdir(parents=True)
    claim_file(tmp_path).write_text(left)
    assert holder(tmp_path, "r") == "another process"
    with claimed(tmp_path, "r", earlier_s=7.0) as claim:
        assert claim.earlier_s == 7.0


def test_a_sign_of_life_is_a_moment(tmp_path: Path) -> None:
    with claimed(tmp_path, "r") as claim:
        os.utime(claim.path, (0.0, 0.0))
        claim.sign_of_life()
        assert abs(claim.path.stat().st_mtime - time.time()) < 5


def test_only_a_running_run_without_a_process_is_stopped(tmp_path: Path, make_run) -> None:
    def state(status: str) -> RunState:
        return RunState(run=make_run("r"), status=status, reason=None, ended_at=None, facts={})  # type: ignore[arg-type]

    assert is_stopped(tmp_path, state("running"))
    assert not is_stopped(tmp_path, state("finished"))
    with claimed(tmp_path, "r"):
        assert not is_stopped(tmp_path, state("running"))


def test_those_who_ask_do_not_keep_others_from_claiming(tmp_path: Path) -> None:
    claim_file(tmp_path).parent.mkdir(parents=True)
    claim_file(tmp_path).touch()
    asking = os.open(claim_file(tmp_path), os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)  # as `is_alive` does, but for longer
    threading.Timer(0.2, os.close, [asking]).start()
    with claimed(tmp_path, "r") as claim:
        assert holder(tmp_path, "r") == f"process {claim.pid}"
