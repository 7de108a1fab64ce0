"""Says that the disk is full, whichever library met it first and however it put it."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from harness.errors import DiskFullError, StoreError

# A full disk, a quota that is used up, and a limit on the size of a file (`ulimit -f`).
_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# torch's writer says neither the number nor its text.
_SAID = (*map(os.strerror, _NUMBERS), "PytorchStreamWriter failed", "inline_container.cc")


@contextmanager
def full_disk_explained(home: Path) -> Iterator[None]:
    """Turns what a library raises when nothing more can be written into an error with the next step.

    Raises:
        DiskFullError: In place of it; everything else goes on as it is.
    """
    try:
        yield
    except DiskFullError:
        raise
    except (OSError, RuntimeError, SafetensorError, StoreError) as problem:
        if (cause := _full_disk(problem)) is None:
            raise
        there = next(folder for folder in (home, *home.parents) if folder.exists())
        free_mb = shutil.disk_usage(there).free / 1e6
        raise DiskFullError(
            f"{home}: nothing more can be written: {str(cause).strip().splitlines()[0]}\n{free_mb:,.0f} MB are free on "
            "that disk; a quota, or a limit on the size of a file, may leave less. Everything stored before is intact. "
            "Free some space, then go on with --resume."
        ) from problem


def _full_disk(problem: BaseException) -> BaseException | None:
    """The error among a problem and its causes that says that nothing can be written."""
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _NUMBERS:
            return cause
        if not isinstance(cause, StoreError) and any(text in str(cause) for text in _SAID):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
