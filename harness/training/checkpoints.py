"""Checkpoints that can be trusted: sealed last, with their files' hashes; one that does not match is passed over."""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from harness.hashing import file_hash

SEAL = "complete.json"
_STATE = "trainer_state.json"
_KEPT = 2  # the newest, and the one before it should the newest be damaged


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A whole checkpoint, whose best epoch's checkpoint is whole too.

    `step` counts optimizer steps, `epochs` passes over the training set. `stopped` says that training was over when it
    was made, early or not. `train_s` are the seconds of training that led to it.
    """

    folder: Path
    step: int
    epochs: int
    stopped: bool
    train_s: float


class CheckpointCallback(TrainerCallback):
    """Seals each checkpoint that the trainer has written, and only then removes those that are not needed any more.

    The trainer itself writes file by file, skips a missing one silently when it resumes, and would remove the old
    checkpoint before the new one can be relied on.
    """

    def __init__(self, *, earlier_s: float) -> None:
        self._earlier_s = earlier_s
        self._began = time.monotonic()

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Finds the best epoch's checkpoint again where it is now: the home may have been moved."""
        self._began = time.monotonic()
        if state.best_global_step:
            state.best_model_checkpoint = str(_place(Path(str(args.output_dir)), state.best_global_step))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """A checkpoint is written."""
        folder = Path(str(args.output_dir))
        seal(_place(folder, state.global_step), train_s=self._earlier_s + time.monotonic() - self._began)
        _discard_old(folder)


def seal(checkpoint: Path, *, train_s: float) -> None:
    """Brings a checkpoint's files to the disk, then marks it as complete with their hashes."""
    files = sorted(file for file in checkpoint.rglob("*") if file.is_file() and file.name != SEAL)
    for file in files:
        _sync(file)
    hashes = {file.relative_to(checkpoint).as_posix(): file_hash(file) for file in files}
    unfinished = checkpoint / f".{SEAL}"
    unfinished.write_text(json.dumps({"files": hashes, "train_s": train_s}, indent=2) + "\n", encoding="utf-8")
    _sync(unfinished)
    unfinished.replace(checkpoint / SEAL)
    _sync(checkpoint)


def newest_checkpoint(folder: Path, say: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint that training can go on from; None if there is none.

    Newer ones that are damaged or were not written to their end are said, and removed.
    """
    for place in _newest_first(folder):
        problem = _problem(place)
        best = _best_of(place) if problem is None else None
        if best is not None and best != place and (of_best := _problem(best)):
            problem = f"{best.name}, its best epoch, {of_best}"
        if problem is None:
            return _read(place)
        say(f"{place.name} {problem}: it is passed over")
        shutil.rmtree(place)
    return None


def _read(place: Path) -> Checkpoint:
    state = _object(place / _STATE)
    control = cast("dict[str, dict[str, dict[str, object]]]", state["stateful_callbacks"])["TrainerControl"]
    return Checkpoint(
        folder=place,
        step=int(cast("int", state["global_step"])),
        epochs=round(cast("float", state["epoch"])),
        stopped=bool(control["args"]["should_training_stop"]),
        train_s=float(cast("float", _object(place / SEAL)["train_s"])),
    )


def _problem(place: Path) -> str | None:
    """What is wrong with a checkpoint, as a clause that follows its name."""
    if not (place / SEAL).is_file():
        return "was not written to its end"
    hashes = _object(place / SEAL).get("files")
    if not isinstance(hashes, dict):
        return f"is damaged ({SEAL} cannot be read)"
    for name, sha256 in cast("dict[str, str]", hashes).items():
        file = place / name
        if not file.is_file():
            return f"is damaged ({name} is missing)"
        if file_hash(file) != sha256:
            return f"is damaged ({name} is not as it was written)"
    return None


def _discard_old(folder: Path) -> None:
    newest = _newest_first(folder)[:_KEPT]
    kept = {*newest, *(_best_of(place) for place in newest)}
    for place in _newest_first(folder):
        if place not in kept:
            # The seal goes first: a removal that is cut short does not look like damage.
            (place / SEAL).unlink(missing_ok=True)
            shutil.rmtree(place)


def _best_of(place: Path) -> Path | None:
    best = _object(place / _STATE).get("best_global_step")
    return _place(place.parent, best) if isinstance(best, int) else None


def _place(folder: Path, step: int) -> Path:
    return folder / f"checkpoint-{step}"


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*"), key=lambda place: -int(place.name.rpartition("-")[2]))


def _object(path: Path) -> dict[str, object]:
    """A file's JSON object; empty where there is none to be read."""
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, object]", content) if isinstance(content, dict) else {}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
