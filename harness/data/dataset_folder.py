"""Data sets of several files: a folder, or what the local cache holds of a Hugging Face id."""

import re
from pathlib import Path
from typing import Any, cast

from harness.config.dataset_id import is_dataset_id
from harness.errors import DataError

SUFFIXES = (".parquet", ".jsonl", ".ndjson", ".csv", ".tsv", ".json")

_ABOUT_THE_DATA = frozenset({"dataset_info.json", "dataset_infos.json", "state.json", "dataset_dict.json"})
_HELD_OUT = frozenset({"test", "validation", "valid", "val", "dev", "eval"})


def locate_training_set(place: Path) -> Path:
    """The file or folder that a name stands for: a path, else a Hugging Face id (`owner/name`) in the local cache.

    Nothing is downloaded.

    Raises:
        DataError: There is no such file or folder, or no such id in the cache.
    """
    if place.exists():
        return place
    if not is_dataset_id(place.as_posix()):
        raise DataError(
            f"{place}: no such file or folder. Check the path; JSONL, JSON, CSV, Parquet, a folder of them, or a "
            "Hugging Face id (owner/name) is needed."
        )
    import huggingface_hub

    try:
        fetch = cast("Any", huggingface_hub).snapshot_download
        return Path(fetch(place.as_posix(), repo_type="dataset", local_files_only=True))
    except (OSError, ValueError):  # not in the cache, or not an id after all
        raise DataError(
            f"{place.as_posix()}: neither a file or folder here nor a data set in the local Hugging Face cache, and "
            f"nothing is downloaded on the way. Fetch it with `hf download {place.as_posix()} --repo-type dataset`, or "
            "correct the path."
        ) from None


def training_files(folder: Path) -> list[Path]:
    """The data files of a folder to learn from, sorted by path.

    Where names tell splits apart, as in `data/train-00000-of-00002.parquet`, those of `train`; else all.

    Raises:
        DataError: There are none, or of several kinds, or only of splits that are held out.
    """
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
        and path.name not in _ABOUT_THE_DATA
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    names = ", ".join(path.relative_to(folder).as_posix() for path in found[:5])
    train = [path for path in found if "train" in _words(path, folder)]
    files = train or [path for path in found if not _words(path, folder) & _HELD_OUT]
    if not files:
        seen = f"only splits that are held out: {names}" if found else "no data file"
        raise DataError(f"{folder}: {seen}. Put in files to learn from ({', '.join(SUFFIXES)}), or name one file.")
    kinds = sorted({path.suffix.lower() for path in files})
    if len(kinds) > 1:
        raise DataError(f"{folder}: files of several kinds ({', '.join(kinds)}): {names}. Name one file, or one kind.")
    return files


def _words(path: Path, folder: Path) -> set[str]:
    return set(re.split(r"[\W_]+", path.relative_to(folder).as_posix().lower()))
