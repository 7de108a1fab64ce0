"""A new project: from the user's own files, or a copy of the example; there whole, or not at all."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.assets import shipped
from harness.errors import ConfigError, HarnessError
from harness.pipeline.init_files import write_project
from harness.pipeline.init_plan import Wishes, plan_project
from harness.pipeline.init_sources import OwnFiles, read_sources
from harness.pipeline.prepare import Prepared, prepare

EXAMPLE = "icd10_coding"

_EXAMPLE_FILES = {
    "experiment.yaml": "what is compared: zero_shot, few_shot, rag, lora",
    "train.jsonl": "records to learn from",
    "corpus.jsonl": "passages to retrieve from",
    f"golden_sets/{EXAMPLE}/golden.jsonl": "questions with their answers",
    f"golden_sets/{EXAMPLE}/manifest.yaml": "its version, hash, licence and scorers",
    f"golden_sets/{EXAMPLE}/card.md": "what it is",
    f"golden_sets/{EXAMPLE}/rubric.yaml": "what raters are asked",
    f"golden_sets/{EXAMPLE}/codes.txt": "every billable ICD-10-CM code",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """What was made. `files` are paths in `folder`, each with what it is; `decisions` are sentences."""

    folder: Path
    name: str
    systems: tuple[str, ...]
    files: dict[str, str]
    decisions: tuple[str, ...]


def init_from_files(folder: Path, files: OwnFiles, wishes: Wishes) -> Project:
    """Writes a project from the user's own files.

    Raises:
        ConfigError: `folder` holds something already, or a name is not one.
        DataError: A file cannot be used; all problems of one file at once.
        OverlapError: Training records share their text with items of the golden set.
        ModelError: The adapter or the base model is not one.
    """
    _refuse_if_taken(folder)
    sources = read_sources(files, folder=folder)
    plan = plan_project(files, sources, wishes, folder=folder)
    written: dict[str, str] = {}

    def write(scratch: Path) -> None:
        written.update(write_project(scratch, plan, train=files.train, corpus=files.corpus))

    prepared = _make(folder, write)
    return Project(
        folder=folder,
        name=plan.name,
        systems=tuple(prepared.experiment.systems),
        files=written,
        decisions=plan.decisions,
    )


def init_from_example(folder: Path) -> Project:
    """Copies the shipped example, with its data and its golden set.

    Raises:
        ConfigError: `folder` holds something already.
    """
    _refuse_if_taken(folder)
    prepared = _make(folder, _copy_example)
    return Project(
        folder=folder,
        name=prepared.experiment.name,
        systems=tuple(prepared.experiment.systems),
        files=_EXAMPLE_FILES,
        decisions=(
            "no --golden was given, so this is a copy of the shipped example; change its files as you like",
            "it is an illustration, not for clinical use",
        ),
    )


def _copy_example(scratch: Path) -> None:
    golden_set = Path("golden_sets") / EXAMPLE
    (scratch / golden_set).mkdir(parents=True)
    experiment = shipped("suites") / "experiments" / EXAMPLE
    for name in _EXAMPLE_FILES:
        inside = Path(name)
        is_golden = inside.is_relative_to(golden_set)
        source = shipped("golden_sets") / EXAMPLE / inside.name if is_golden else experiment / inside
        shutil.copyfile(source, scratch / inside)


def _refuse_if_taken(folder: Path) -> None:
    try:
        is_free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    except OSError as problem:
        raise ConfigError(f"{folder}: cannot be read ({problem.strerror}). Name another folder.") from None
    if not is_free:
        what = "is a folder with files in it" if folder.is_dir() else "is a file"
        raise ConfigError(f"{folder}: {what}, and nothing is overwritten. Name a folder that is not there yet.")


def _make(folder: Path, write: Callable[[Path], None]) -> Prepared:
    """Writes into a folder beside `folder`, checks what is written as `harness check` does, and moves it into place."""
    try:
        with _scratch_beside(folder) as scratch:
            write(scratch)
            try:
                prepared = prepare(scratch)
            except HarnessError as problem:
                raise type(problem)(str(problem).replace(str(scratch.resolve()), str(folder))) from problem
            _move(scratch, folder)
    except OSError as problem:
        raise ConfigError(
            f"{folder}: cannot be written ({problem.strerror or problem}). Name another folder."
        ) from problem
    return prepared


@contextmanager
def _scratch_beside(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder`; it, and parents made for it, are gone again unless it was moved into place."""
    folder = folder.absolute()
    made = [parent for parent in folder.parents if not parent.exists()]
    scratch = folder.parent / f".{folder.name}.{os.getpid()}.part"
    try:
        scratch.mkdir(parents=True)
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        for parent in made:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()


def _move(scratch: Path, folder: Path) -> None:
    if not folder.exists():
        scratch.rename(folder)
        return
    for entry in list(scratch.iterdir()):  # into an empty folder that is there, and may be somebody's current one
        entry.rename(folder / entry.name)
