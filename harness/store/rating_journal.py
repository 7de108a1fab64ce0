"""A file of JSON lines that several processes append to and follow: what raters do is in one before anybody is told so.

Whoever appends holds the kernel's lock on the file, which ends with the process, however that ends. A line that a dying
process or machine left unfinished is closed off by whoever appends next, and skipped by readers: it was never
acknowledged. Readers share the lock, so that they never see a line that is taken back since it did not fit on the disk.
"""

import contextlib
import errno
import fcntl
import json
import os
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast

from harness.errors import DiskFullError, StoreBusyError, StoreError

Durability = Literal["on disk", "handed over"]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FIRST_PAUSE_S = 0.0005
_LONGEST_PAUSE_S = 0.02


class Journal:
    """One such file, as one process sees it. Not for several threads at once."""

    def __init__(self, path: Path, *, wait_s: float = 10.0) -> None:
        self.path = path
        self.wait_s = wait_s
        self.unreadable = 0
        self._descriptor: int | None = None
        self._read_bytes = 0
        self._holds = False

    def follow(self) -> list[dict[str, object]]:
        """The lines that were appended since the last call, by whichever process; the first call gives all.

        Lines that are no JSON object are skipped and counted in `unreadable`.

        Raises:
            StoreBusyError: Another process held the file for longer than `wait_s` seconds.
            StoreError: The file cannot be read.
        """
        try:
            if not self._has_news():
                return []
            if self._holds:
                return self._read()
            with self._lock(fcntl.LOCK_SH):
                return self._read()
        except OSError as problem:
            raise self._problem("read", problem) from problem

    @contextmanager
    def held(self) -> Generator[None]:
        """Keeps other processes from appending for as long as the body runs: what was followed stays the last word.

        Raises:
            StoreBusyError: Another process held the file for longer than `wait_s` seconds.
            StoreError: The file cannot be made.
        """
        try:
            self._open()
        except OSError as problem:
            raise self._problem("written", problem) from problem
        with self._lock(fcntl.LOCK_EX):
            self._holds = True
            try:
                yield
            finally:
                self._holds = False

    def append(self, lines: Sequence[Mapping[str, object]], durability: Durability) -> None:
        """Appends lines, all or none. Only for who holds the file.

        Args:
            lines: JSON objects.
            durability: `on disk` returns when the disk has them (power may fail then); `handed over` when the kernel
                has them (the process may be killed then).

        Raises:
            DiskFullError: There is no room. Nothing was kept.
            StoreError: They cannot be written. Nothing was kept.
            ValueError: A number is NaN or infinite.
        """
        if not self._holds or self._descriptor is None:
            raise RuntimeError(f"{self.path}: hold the journal before appending to it")
        text = "".join(json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n" for line in lines)
        size = os.fstat(self._descriptor).st_size
        unfinished = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"
        rest = memoryview((("\n" if unfinished else "") + text).encode("ascii"))
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            if durability == "on disk":
                os.fsync(self._descriptor)
        except OSError as problem:
            with contextlib.suppress(OSError):  # a line that stays torn is closed off by the next append
                os.ftruncate(self._descriptor, size)
            raise self._problem("written", problem) from problem

    def close(self) -> None:
        """Lets go of the file; the next call opens it again and goes on where this one stopped."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _has_news(self) -> bool:
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        if self._descriptor is not None and not os.path.samestat(os.fstat(self._descriptor), there):
            self.close()  # another file was put in its place, such as a backup
            self._read_bytes = 0
        if there.st_size < self._read_bytes:
            self._read_bytes = 0
        if there.st_size == self._read_bytes:
            return False
        self._open()
        return True

    def _open(self) -> int:
        if self._descriptor is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            is_new = not self.path.exists()
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if is_new:
                sync_folder(self.path.parent)
        return self._descriptor

    def _read(self) -> list[dict[str, object]]:
        descriptor = self._open()
        size = os.fstat(descriptor).st_size
        chunks: list[bytes] = []
        place = self._read_bytes
        while place < size and (chunk := os.pread(descriptor, size - place, place)):
            chunks.append(chunk)
            place += len(chunk)
        whole, newline, _ = b"".join(chunks).rpartition(b"\n")
        self._read_bytes += len(whole) + len(newline)
        found = [_parsed(line) for line in whole.split(b"\n") if line]
        self.unreadable += found.count(None)
        return [line for line in found if line is not None]

    @contextmanager
    def _lock(self, how: int) -> Generator[None]:
        descriptor = self._open()
        deadline, pause_s = time.monotonic() + self.wait_s, _FIRST_PAUSE_S
        while True:
            try:
                fcntl.flock(descriptor, how | fcntl.LOCK_NB)
                break
            except BlockingIOError as held:
                if time.monotonic() > deadline:
                    raise StoreBusyError(
                        f"{self.path}: another process has held the journal of ratings for longer than "
                        f"{self.wait_s:g} s. See which one it is with `fuser {self.path}`; end it, then try again."
                    ) from held
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _problem(self, what: str, problem: OSError) -> StoreError:
        if problem.errno in _NO_ROOM:
            return DiskFullError(
                f"{self.path}: nothing more can be written: {problem.strerror}. What was acknowledged is stored; this "
                "was not. Free some space, then send it again."
            )
        return StoreError(
            f"{self.path}: the journal of ratings cannot be {what}: {problem.strerror}. See that the folder is yours "
            "and that its disk is well."
        )


def _parsed(line: bytes) -> dict[str, object] | None:
    with contextlib.suppress(ValueError, RecursionError):
        value: object = json.loads(line)
        if isinstance(value, dict):
            return cast("dict[str, object]", value)
    return None


def sync_folder(folder: Path) -> None:
    """Puts the name of a new file in it on disk, as `fsync` of the file does not.

    Raises:
        OSError: The disk does not take it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
