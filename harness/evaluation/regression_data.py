"""Reads the shipped MMLU and HellaSwag data, checked against its checksums each time it is read."""

import hashlib
import io
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq

from harness.assets import shipped
from harness.errors import DataError

SUMS = "SHA256SUMS"
MmluSplit = Literal["test", "dev", "validation"]


def data_folder() -> Path:
    """Where the shipped data is, in a checkout or in an installed wheel, whatever the current directory."""
    return shipped("suites") / "regression" / "data"


def read_mmlu(split: MmluSplit, folder: Path | None = None) -> dict[str, list[dict[str, Any]]]:
    """Documents of MMLU by subject, both in the order of the file.

    Returns:
        `question, subject, choices, answer`: the fields of `cais/mmlu` in their order, as lm-eval's document hashes
        depend on it.

    Raises:
        DataError: The file is missing, or is not the one that was shipped.
    """
    subjects: dict[str, list[dict[str, Any]]] = {}
    for row in read_checked(f"mmlu_{split}.parquet", folder):
        document = {key: row[key] for key in ("question", "subject", "choices", "answer")}
        subjects.setdefault(row["subject"], []).append(document)
    return subjects


def read_hellaswag(folder: Path | None = None) -> list[dict[str, Any]]:
    """Documents of HellaSwag's validation split, in the order of the file.

    Returns:
        The fields of `Rowan/hellaswag` in their order, with `split` and `label` as text, as they are there.

    Raises:
        DataError: The file is missing, or is not the one that was shipped.
    """
    before = ("ind", "activity_label", "ctx_a", "ctx_b", "ctx", "endings", "source_id")
    return [
        {key: row[key] for key in before}
        | {"split": "val", "split_type": row["split_type"], "label": str(row["label"])}
        for row in read_checked("hellaswag_validation.parquet", folder)
    ]


def read_checked(name: str, folder: Path | None = None) -> list[dict[str, Any]]:
    """Rows of a Parquet file whose bytes have the checksum that `SHA256SUMS` beside it gives.

    Args:
        folder: Where the file and `SHA256SUMS` are; the shipped data by default.

    Raises:
        DataError: The file or its checksum is missing, or the bytes are others.
    """
    place = data_folder() if folder is None else folder
    content = _read(place / name)
    expected = _checksums(place).get(name)
    if expected is None:
        raise DataError(f"{place / SUMS}: no line for {name}. {_next_step(place)}")
    seen = hashlib.sha256(content).hexdigest()
    if seen != expected:
        raise DataError(
            f"{place / name}: sha256 is {seen}, expected {expected}: not the file that was shipped. {_next_step(place)}"
        )
    return pq.read_table(io.BytesIO(content)).to_pylist()


def _checksums(place: Path) -> dict[str, str]:
    lines = _read(place / SUMS).decode(errors="replace").splitlines()
    return {name.lstrip("*"): digest for digest, _, name in (line.partition("  ") for line in lines)}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. {_next_step(path.parent)}") from None
    except OSError as problem:
        raise DataError(f"{path}: cannot be read ({problem.strerror}). Check the file's permissions.") from None


def _next_step(place: Path) -> str:
    return f"Restore it with `git checkout -- {place}`, or install harness again."
