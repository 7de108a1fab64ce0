import errno
from pathlib import Path

import duckdb
import pytest
import torch
from safetensors import SafetensorError

from harness.errors import DiskFullError, StoreError
from harness.pipeline.full_disk import full_disk_explained


def _raise(problem: BaseException, cause: BaseException | None = None) -> None:
    raise problem from cause


@pytest.mark.parametrize(
    "problem",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EFBIG, "File too large"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),
        RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
    ],
    ids=lambda problem: str(problem)[:30],
)
def test_every_way_to_say_it_becomes_one(problem: Exception, tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="nothing more can be written") as caught, full_disk_explained(tmp_path):
        _raise(problem)
    said = str(caught.value)
    assert str(problem) in said
    assert "MB are free on that disk" in said
    assert "go on with --resume" in said
    assert caught.value.__cause__ is problem


def test_a_ledger_that_cannot_be_written_says_so_by_its_cause(tmp_path: Path) -> None:
    cause = duckdb.TransactionException("Failed to commit: Could not write file: No space left on device")
    with pytest.raises(DiskFullError, match="Failed to commit"), full_disk_explained(tmp_path):
        _raise(StoreError("the ledger cannot be used: see that the disk has room"), cause)


@pytest.mark.parametrize(
    "problem",
    [
        FileNotFoundError(errno.ENOENT, "No such file"),
        RuntimeError("shapes do not fit"),
        StoreError("the ledger cannot be used: see that the disk has room"),
        DiskFullError("said already"),
        KeyboardInterrupt(),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_everything_else_goes_on_as_it_is(problem: BaseException, tmp_path: Path) -> None:
    with pytest.raises(type(problem)) as caught, full_disk_explained(tmp_path):
        _raise(problem)
    assert caught.value is problem


def test_a_home_that_is_not_there_yet_is_measured_where_it_would_be(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="MB are free"), full_disk_explained(tmp_path / "not" / "there"):
        _raise(OSError(errno.ENOSPC, "No space left on device"))


def test_what_torch_says_is_what_torch_says_here(tmp_path: Path) -> None:
    # A device that is always full, where there is one: torch's own words change between versions.
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(DiskFullError), full_disk_explained(tmp_path):
        torch.save({"weights": torch.zeros(1_000_000)}, full)
