"""Which process works on a run: a locked file in its folder, which the kernel lets go however the process ends."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from harness.errors import StoreBusyError
from harness.records.runs import RunState

_NAME = "claim.json"
_ASK_AGAIN_S = 0.02
_GIVE_UP_S = 1.0  # whoever asks `is_alive` shares the lock for a moment


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One process's work on a run.

    `earlier_s` are the seconds that processes before it worked on the run, each up to its last sign of life. `since`
    is when this one began, in seconds of the POSIX epoch.
    """

    path: Path
    pid: int
    earlier_s: float
    since: float

    @property
    def wall_s(self) -> float:
        """Seconds that processes have worked on the run up to now, those before this one included."""
        return self.earlier_s + max(0.0, time.time() - self.since)

    def sign_of_life(self) -> None:
        """Notes that work goes on: were the process killed, it would count as having worked until now."""
        os.utime(self.path)


@contextmanager
def claimed(home: Path, run_id: str, *, earlier_s: float = 0.0) -> Generator[Claim]:
    """Keeps a run for this process for as long as the body runs; a claim that a dead process left is taken over.

    Args:
        home: Where the ledger is.
        run_id: The run; it need not be in the ledger yet.
        earlier_s: Seconds worked on the run before, where no dead process left a claim that says more.

    Raises:
        StoreBusyError: A living process has the run.
        OSError: The claim cannot be written.
    """
    path = _path(home, run_id)
    descriptor = _lock(path, run_id)
    try:
        earlier_s = max(earlier_s, _worked_s(path))
        claim = Claim(path=path, pid=os.getpid(), earlier_s=earlier_s, since=time.time())
        said = {"pid": claim.pid, "earlier_s": claim.earlier_s, "since": claim.since}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(said).encode(), 0)
        yield claim
    finally:
        # Removed before the lock is let go: who waits for it then finds another file at this place, and asks again.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)
        with contextlib.suppress(OSError):
            path.parent.rmdir()  # only if the run left nothing there


def is_alive(home: Path, run_id: str) -> bool:
    """Whether a living process has the run claimed."""
    try:
        descriptor = os.open(_path(home, run_id), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_stopped(home: Path, state: RunState) -> bool:
    """Whether a run is under way by the ledger and no living process has it: its process was killed."""
    return state.status == "running" and not is_alive(home, state.run.run_id)


def holder(home: Path, run_id: str) -> str:
    """The process that has a run claimed, in words: `process 4711`, or `another process` where it is not known."""
    pid = _said(_path(home, run_id)).get("pid")
    return f"process {pid:.0f}" if pid else "another process"


def _path(home: Path, run_id: str) -> Path:
    return home / "runs" / run_id / _NAME


def _lock(path: Path, run_id: str) -> int:
    """An open descriptor with the exclusive lock on the file that is at `path` now."""
    deadline = time.monotonic() + _GIVE_UP_S
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except (FileNotFoundError, FileExistsError):  # who let go just now removed the folder in between
            if time.monotonic() > deadline:
                raise
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError as held:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise StoreBusyError(
                    f"run {run_id} is under way in {holder(path.parents[2], run_id)}. Wait until that is done, or end "
                    "it, then try again."
                ) from held
        os.close(descriptor)
        time.sleep(_ASK_AGAIN_S)


def _worked_s(path: Path) -> float:
    """Seconds up to the last sign of life of the process that left a claim; 0 where there is none."""
    said = _said(path)
    if "earlier_s" not in said or "since" not in said:
        return 0.0
    return said["earlier_s"] + max(0.0, path.stat().st_mtime - said["since"])


def _said(path: Path) -> dict[str, float]:
    """What a claim says; empty where it cannot be read, as when its process died while writing it."""
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    entries = cast("dict[str, object]", content)
    return {key: float(value) for key, value in entries.items() if isinstance(value, int | float)}
