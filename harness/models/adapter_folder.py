"""What can be known of an adapter without loading it."""

import json
import shutil
from pathlib import Path
from typing import cast

from harness.errors import ModelError
from harness.hashing import content_hash, file_hash

ORIGIN = "harness.json"  # beside the adapter: which base it was trained on
_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")


def write_origin(folder: Path, *, base_name: str, base_identity: str) -> None:
    """Notes beside a freshly saved adapter which base it belongs to."""
    origin = {"base_model": base_name, "base_identity": base_identity}
    (folder / ORIGIN).write_text(json.dumps(origin, indent=2) + "\n")


def check_adapter_folder(folder: Path) -> None:
    """Raises `ModelError` unless `folder` is a PEFT adapter with weights. Loads nothing."""
    if not folder.is_dir():
        raise ModelError(f"adapter {folder}: no such folder. Check the path.")
    if not (folder / "adapter_config.json").is_file():
        hint = " It is a whole model: name it as base_model." if (folder / "config.json").is_file() else ""
        raise ModelError(f"adapter {folder}: no adapter_config.json in it, so it is not a PEFT adapter.{hint}")
    if not any((folder / name).is_file() for name in _WEIGHTS):
        raise ModelError(f"adapter {folder}: no adapter_model.safetensors in it. Was it copied whole?")
    _read_object(folder / "adapter_config.json")


def check_adapter_base(folder: Path, *, base_name: str, base_identity: str) -> None:
    """Raises `ModelError` when the adapter says that it was trained by harness on another base. Loads nothing."""
    origin_file = folder / ORIGIN
    if not origin_file.is_file():
        return
    origin = _read_object(origin_file)
    trained_on, identity = str(origin.get("base_model")), str(origin.get("base_identity"))
    if identity != base_identity:
        raise ModelError(
            f"adapter {folder}: it was trained on {trained_on} ({identity[:12]}; {ORIGIN}), and "
            f"base_model is {base_name} ({base_identity[:12]}). Set the system's base_model to the former."
        )


def copy_adapter(folder: Path, to: Path) -> None:
    """Copies weights, settings and origin of an adapter, and nothing else that lies beside them; `to` is made."""
    to.mkdir(parents=True, exist_ok=True)
    for name in (*_WEIGHTS, "adapter_config.json", ORIGIN):
        if (folder / name).is_file():
            shutil.copy2(folder / name, to / name)


def adapter_hash(folder: Path) -> str:
    """Content hash of an adapter: its weights and settings, not the path its base was loaded from."""
    settings = _read_object(folder / "adapter_config.json")
    settings.pop("base_model_name_or_path", None)
    weights = {name: file_hash(folder / name) for name in _WEIGHTS if (folder / name).is_file()}
    return content_hash([settings, weights])


def _read_object(path: Path) -> dict[str, object]:
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ModelError(f"{path}: not JSON ({problem}). Was the adapter copied whole?") from problem
    if not isinstance(content, dict):
        raise ModelError(f"{path}: expected a JSON object. Was the adapter copied whole?")
    return cast("dict[str, object]", content)
