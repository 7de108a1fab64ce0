"""The home's secret key: it signs the registry's events and whatever else must be told from a forgery."""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from harness.errors import StoreError

KEY_NAME = "key"

_KEY = re.compile(r"[0-9a-f]{64}")


def home_key(home: Path) -> bytes:
    """The key of a home, made on first use: 32 random bytes, kept in `<home>/key` as hexadecimal text, mode 600.

    Two processes may ask at once; both get the same key.

    Raises:
        StoreError: The file holds something else, or cannot be read or made.
    """
    path = home / KEY_NAME
    try:
        if not path.exists():
            _make(path)
    except OSError as error:
        raise StoreError(
            f"{path}: the home's key cannot be made: {error}. See that {home} is a folder you may write to."
        ) from error
    return read_key(home)


def read_key(home: Path) -> bytes:
    """The key of a home that has one.

    Raises:
        StoreError: It is missing, cannot be read, or is not 64 hexadecimal digits.
    """
    path = home / KEY_NAME
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise StoreError(
            f"{path}: the home's key is missing, and what was signed with it cannot be checked or continued without "
            "it. Put the file back from where the home was copied or backed up."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{path}: the home's key cannot be read: {error}. Put the file back, readable to you."
        ) from error
    if not _KEY.fullmatch(text):
        raise StoreError(
            f"{path}: not a key: {len(text)} characters, expected 64 hexadecimal digits. Put the file back."
        )
    return bytes.fromhex(text)


def signature(key: bytes, text: str) -> str:
    """HMAC-SHA256 of a text, 64 hexadecimal digits."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def is_signed(key: bytes, text: str, claimed: str) -> bool:
    """Whether `claimed` is the key's signature of the text; takes the same time either way."""
    return hmac.compare_digest(signature(key, text).encode(), claimed.encode())


def key_is_private(home: Path) -> bool:
    """Whether nobody but its owner may read or write the key."""
    return not (home / KEY_NAME).stat().st_mode & 0o077


def _make(path: Path) -> None:
    """Writes a key beside `path` and links it there, so that nobody reads half of one or replaces another's."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        _write_new(unfinished)
        try:
            path.hardlink_to(unfinished)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links (exFAT, some network folders)
            with contextlib.suppress(FileExistsError):
                _write_new(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_new(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(32) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
