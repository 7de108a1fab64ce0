"""Canonical JSON, content hashes and run ids: what links each step of the ledger to the one before."""

import hashlib
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

_BLOCK_BYTES = 1 << 20


def canonical_json(value: object) -> str:
    """JSON with sorted keys, no spaces and no NaN, so that equal values give equal text.

    Raises:
        ValueError: A float is NaN or infinite.
        TypeError: A value has no JSON form.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(value: object) -> str:
    """SHA-256 of the canonical JSON of `value`, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def files_hash(folder: Path, names: Iterable[str]) -> str:
    """One hash over several files of a folder: their names and contents, in name order."""
    return content_hash({name: file_hash(folder / name) for name in sorted(names)})


def new_run_id() -> str:
    """A fresh run id that sorts by time, such as `20261121-064912-3fa9c1` (UTC, then 24 random bits)."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
