"""The user's own files, read and held against each other before anything is written."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from harness.data.corpus_rows import CorpusRows, read_corpus_rows
from harness.data.golden_rows import GoldenRows, read_golden_rows
from harness.data.overlap import guard
from harness.data.tables import Table, read_table
from harness.data.training_rows import TrainingRows, read_training_rows
from harness.errors import ModelError
from harness.models.adapter_folder import ORIGIN, check_adapter_base, check_adapter_folder
from harness.models.catalog import CATALOG
from harness.models.source import find_model
from harness.records.items import GoldenSet

DEFAULT_MODEL = "smollm2-135m-instruct"


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnFiles:
    """What a project is made from. Columns named here are not guessed; `encoding` is that of CSV files."""

    golden: Path
    train: Path | None = None
    corpus: Path | None = None
    adapter: Path | None = None
    base_model: str | None = None
    input_column: str | None = None
    reference_columns: Sequence[str] = ()
    encoding: str | None = None

    @property
    def chosen(self) -> dict[str, Sequence[str]]:
        """The columns that the user named, by role."""
        said: dict[str, Sequence[str]] = {"input": [self.input_column] if self.input_column else []}
        said["reference"] = self.reference_columns
        return {role: columns for role, columns in said.items() if columns}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """The files as read.

    `base_model` is as the experiment names it, and `base_model_from` says whence it is known. `notes` say how the files
    were read.
    """

    golden: GoldenRows
    training: TrainingRows | None
    corpus: CorpusRows | None
    base_model: str
    base_model_from: str
    notes: tuple[str, ...]


def read_sources(files: OwnFiles, *, folder: Path) -> Sources:
    """Reads the files, and checks that no training record stands among the items and that the models are there.

    Args:
        files: What the user named.
        folder: Where the project will be: paths are written as seen from there.

    Raises:
        DataError: A file cannot be used; all problems of one file at once.
        OverlapError: Training records share their text with items.
        ModelError: The adapter or the base model is not one, or the adapter does not say which base it is for.
    """
    table = read_table(files.golden, encoding=files.encoding)
    golden = read_golden_rows(table, chosen=files.chosen)
    notes = [_how_read("golden set", table, len(golden.items), golden.columns.unused), _columns_read(golden)]
    training, corpus = None, None
    if files.train:
        table = read_table(files.train, encoding=files.encoding)
        training = read_training_rows(table, chosen=files.chosen)
        guard(training.training_set, _as_golden_set(files.golden, golden))
        notes.append(_how_read("training set", table, len(training.training_set.records), training.unused))
        notes.append("no training record shares its text with an item (paraphrases are not found)")
    if files.corpus:
        table = read_table(files.corpus, encoding=files.encoding)
        corpus = read_corpus_rows(table)
        notes.append(_how_read("corpus", table, corpus.count, corpus.unused))
    name, whence = _base_model(files)
    return Sources(
        golden=golden,
        training=training,
        corpus=corpus,
        base_model=_as_seen_from(folder, name),
        base_model_from=whence,
        notes=tuple(notes),
    )


def path_from(folder: Path, path: Path) -> str:
    """A path as an experiment in `folder` names it: relative where it lies beside or below that folder."""
    folder, path = folder.resolve(), path.expanduser().resolve()
    return os.path.relpath(path, folder) if path.is_relative_to(folder.parent) else str(path)


def _how_read(what: str, table: Table, count: int, unused: Sequence[str]) -> str:
    ignored = f"; not used: {', '.join(unused)}" if unused else ""
    return f"{what}: {count} rows of {table.path.name} ({table.described}){ignored}"


def _columns_read(golden: GoldenRows) -> str:
    said = [f"{role} from {', '.join(columns)}" for role, columns in golden.columns.of.items()]
    made = [] if golden.columns.one("item_id") else ["item_id made from the place of the row"]
    return f"columns: {'; '.join(said + made)}"


def _as_golden_set(path: Path, golden: GoldenRows) -> GoldenSet:
    return GoldenSet(
        name=path.name, version="(not yet written)", sha256="", licence="", items=golden.items, scorers=("exact_match",)
    )


def _base_model(files: OwnFiles) -> tuple[str, str]:
    """The base model, a folder as an absolute path, and where its name comes from."""
    if files.adapter:
        check_adapter_folder(files.adapter)
    if files.base_model:
        name, whence = files.base_model, "--base-model"
    elif files.adapter:
        name, whence = _base_of(files.adapter), "the adapter's own adapter_config.json"
    else:
        name, whence = DEFAULT_MODEL, "the default; change it with --base-model"
    place = Path(name).expanduser()
    if name not in CATALOG and (name.startswith((".", "/", "~")) or place.is_dir()):
        name = str(place.resolve())
    source = find_model(name)
    if files.adapter:
        check_adapter_base(files.adapter, base_name=source.name, base_identity=source.identity)
    return name, whence


def _base_of(adapter: Path) -> str:
    """The base model that an adapter says it was trained on."""
    origin = _read_object(adapter / ORIGIN).get("base_model") if (adapter / ORIGIN).is_file() else None
    if isinstance(origin, str) and origin in CATALOG:
        return origin
    said = _read_object(adapter / "adapter_config.json").get("base_model_name_or_path")
    for model in CATALOG.values():
        if said == str(model.folder):
            return model.name
    if not isinstance(said, str) or not said.strip():
        raise ModelError(
            f"adapter {adapter}: its adapter_config.json names no base model (base_model_name_or_path). "
            "Say it with --base-model."
        )
    if Path(said).is_absolute() and not Path(said).is_dir():
        raise ModelError(
            f"adapter {adapter}: it was trained on {said}, which is not a folder here. Say where its base model is "
            "with --base-model: a catalog name, a Hugging Face id or a folder."
        )
    return said


def _as_seen_from(folder: Path, name: str) -> str:
    return path_from(folder, Path(name)) if Path(name).is_absolute() else name


def _read_object(path: Path) -> dict[str, object]:
    """A JSON object; `check_adapter_folder` has seen to it that the adapter's settings are one."""
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, object]", content) if isinstance(content, dict) else {}
