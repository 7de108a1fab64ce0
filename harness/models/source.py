"""Finds out what a base model's name means, without loading anything."""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from harness.errors import ModelError, nearest
from harness.hashing import content_hash, file_hash
from harness.models.cache import cache_folder
from harness.models.catalog import CATALOG

WEIGHTS = ("*.safetensors", "*.bin")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSource:
    """Where a base model is.

    `location` is what transformers loads: a folder or a hub id. `identity` is a content hash of the weights for a
    catalog model or a folder; for a hub id it is the id and the revision in the local cache (`unresolved` before the
    first download).
    """

    name: str
    kind: Literal["catalog", "folder", "hub"]
    location: str
    identity: str
    licence: str | None
    note: str | None


def find_model(name: str) -> ModelSource:
    """Resolves a catalog name, a folder (an absolute path) or a hub id (`owner/name`).

    Raises:
        ModelError: A folder that is missing or is not a model, or a name that is none of the three.
    """
    if name in CATALOG:
        entry = CATALOG[name]
        return ModelSource(
            name=name,
            kind="catalog",
            location=str(entry.folder),
            identity=entry.identity,
            licence=entry.licence,
            note=entry.note,
        )
    path = Path(name)
    if path.is_absolute():
        check_model_folder(path)
        return ModelSource(
            name=path.name, kind="folder", location=name, identity=folder_identity(path), licence=None, note=None
        )
    if name.count("/") == 1 and (revision := _cached_revision(name)):
        return ModelSource(name=name, kind="hub", location=name, identity=f"{name}@{revision}", licence=None, note=None)
    raise ModelError(
        f'base_model "{name}" is not in the catalog ({nearest(name, CATALOG)}), nor a hub id (owner/name), '
        "nor a folder (begin its path with ./ or /)."
    )


def check_model_folder(path: Path) -> None:
    """Raises `ModelError` unless `path` is a folder with a configuration and weights."""
    if not path.is_dir():
        raise ModelError(f"base_model {path}: no such folder. Check the path.")
    if not (path / "config.json").is_file():
        hint = (
            " It is an adapter: name it as a system's `adapter:`." if (path / "adapter_config.json").is_file() else ""
        )
        raise ModelError(f"base_model {path}: no config.json in it, so it is not a Hugging Face model folder.{hint}")
    if not any(True for pattern in WEIGHTS for _ in path.glob(pattern)):
        raise ModelError(f"base_model {path}: no weights in it ({' or '.join(WEIGHTS)}). Was it copied whole?")


def folder_identity(path: Path) -> str:
    """Content hash of a model folder's configuration, tokenizer and weights.

    Hashes of large files are remembered in the cache under path, size and modification time.
    """
    remembered_at = cache_folder() / "file-hashes.json"
    remembered: dict[str, str] = _read_json(remembered_at)
    files = sorted(file for pattern in (*WEIGHTS, "*.json", "*.model", "*.jinja") for file in path.glob(pattern))
    hashes: dict[str, str] = {}
    for file in files:
        key = f"{file.resolve()}:{file.stat().st_size}:{file.stat().st_mtime_ns}"
        hashes[file.name] = remembered.setdefault(key, "") or file_hash(file)
        remembered[key] = hashes[file.name]
    _write_json(remembered_at, remembered)
    return content_hash(hashes)


def _read_json(path: Path) -> dict[str, str]:
    try:
        content: object = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, str]", content) if isinstance(content, dict) else {}


def _write_json(path: Path, content: dict[str, str]) -> None:
    scratch = path.with_suffix(f".{os.getpid()}.tmp")  # of this process: two may write at once
    with contextlib.suppress(OSError):  # what cannot be remembered is computed again
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(content))
        scratch.replace(path)


def _cached_revision(hub_id: str) -> str | None:
    """The revision in the local cache, `unresolved` where it is not there, None for what is no hub id."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(hub_id, "config.json")
    except HFValidationError:
        return None
    return Path(found).parent.name if isinstance(found, str) else "unresolved"
