"""Rows of Arrow data: a Parquet file, or a data set that the `datasets` library saved."""
# pyright: reportMissingTypeStubs=false

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from harness.errors import DataError

Rows = list[dict[str, object]]


def read_parquet_rows(path: Path) -> Rows:
    """The rows of a Parquet file, in order; values that are null are left out, in structs too.

    Raises:
        DataError: The file is missing or is not Parquet.
    """
    import pyarrow.parquet

    try:
        with cast("Any", pyarrow.parquet).ParquetFile(path) as file:
            return _rows(file.read().to_pylist())
    except (OSError, ValueError, NotImplementedError) as problem:  # what pyarrow's own errors are kinds of
        reason = str(problem).splitlines()[0]
        raise DataError(f"{path}: cannot be read as Parquet ({reason}). Check the path, or write the file anew.") from (
            problem
        )


def is_saved_dataset(folder: Path) -> bool:
    """Whether `datasets` wrote a folder with `save_to_disk`."""
    return (folder / "state.json").is_file() or (folder / "dataset_dict.json").is_file()


def read_saved_rows(folder: Path) -> Rows:
    """The rows of a data set that was saved with `save_to_disk`; of several splits, those of `train`.

    A class label is given by its name.

    Raises:
        DataError: The folder cannot be read, or has splits and none is `train`.
    """
    import datasets

    library = cast("Any", datasets)
    try:
        saved = library.load_from_disk(str(folder))
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise DataError(
            f"{folder}: cannot be read as a saved data set ({str(problem).splitlines()[0]}). Save it anew with "
            "save_to_disk, or as JSONL."
        ) from problem
    if isinstance(saved, library.DatasetDict):
        if "train" not in saved:
            names = ", ".join(sorted(saved))
            raise DataError(
                f'{folder}: no split is called "train"; there are: {names}. Name the folder of one of them.'
            )
        saved = saved["train"]
    rows = _rows(saved.to_list())
    for name, feature in saved.features.items():
        if isinstance(feature, library.ClassLabel):
            for row in rows:
                if isinstance(number := row.get(name), int) and 0 <= number < feature.num_classes:
                    row[name] = feature.int2str(number)
    return rows


def _rows(rows: object) -> Rows:
    return [cast("dict[str, object]", _without_nulls(row)) for row in cast("list[object]", rows)]


def _without_nulls(value: object) -> object:
    """Arrow gives every struct every field; one that is null was not written."""
    match value:
        case dict():
            fields = cast("Mapping[str, object]", value).items()
            return {name: _without_nulls(inner) for name, inner in fields if inner is not None}
        case list():
            return [_without_nulls(inner) for inner in cast("list[object]", value)]
        case _:
            return value
