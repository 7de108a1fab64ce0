"""An experiment: a declared question, a golden set and the systems to compare on it."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast

import pydantic

from harness.assets import golden_set_folder, shipped
from harness.config.dataset_id import is_dataset_id
from harness.config.overrides import apply_overrides
from harness.config.policy import Policy, load_policy
from harness.config.regression import Suite, load_suite
from harness.config.stage import Stage, StageEntry, as_entries, is_one_path, replay_problems
from harness.config.system import Decoding, Device, Dtype, Prompt, Seeds, System, SystemEntry
from harness.config.validate import Strict, validate
from harness.config.yaml_file import read_yaml
from harness.errors import ConfigError, as_sentence, nearest, problems_message
from harness.hashing import content_hash

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
BASE = "base"  # the implicit run that holds the base model's regression scores
HUMAN = "human"  # the implicit system of an expert's answers: golden references, or a file's
StrictT = TypeVar("StrictT", bound=Strict)


class ExperimentFile(Strict):
    """`experiment.yaml` as written. `training_set` is one path, or several stages in order."""

    name: str
    question: str
    base_model: str
    golden_set: str
    training_set: tuple[StageEntry, ...] | None = None
    corpus: str | None = None
    regression: str | None = None
    policy: str | None = None
    prompt: Prompt = Prompt()
    decoding: Decoding = Decoding()
    seed: int = 17
    seeds: Seeds | None = None
    device: Device = "auto"
    dtype: Dtype = "auto"
    trust_remote_code: bool = False
    systems: dict[str, SystemEntry]

    @pydantic.field_validator("training_set", mode="before")
    @classmethod
    def _a_path_alone_is_one_stage(cls, training_set: object) -> object:
        return None if training_set is None else as_entries(training_set)

    @pydantic.field_validator("systems", mode="before")
    @classmethod
    def _nothing_said_is_everything_inherited(cls, systems: object) -> object:
        if isinstance(systems, dict):
            entries = cast("dict[object, object]", systems)
            return {name: cast("object", {}) if entry is None else entry for name, entry in entries.items()}
        return systems


class Experiment(Strict):
    """An experiment with every path absolute and every system resolved.

    `stages` are the training sets in the order in which an adapter learns from them: one as a rule, none where nothing
    is learned.
    """

    folder: Path
    name: str
    question: str
    golden_set: Path
    stages: tuple[Stage, ...]
    corpus: Path | None
    regression: Suite | None
    policy: Policy | None
    seed: int
    systems: dict[str, System]

    @property
    def training_set(self) -> Path | None:
        """The last stage's training set, which is the task's; shots are drawn from it. A relative one is a hub's id."""
        return self.stages[-1].path if self.stages else None

    @property
    def experiment_id(self) -> str:
        """Hash of everything said in the file and on the command line, 16 digits.

        Of a path it covers the last part only, so that an experiment is the same one on another machine.
        """
        said = self.model_dump(mode="json", exclude={"folder", "systems", "stages"})
        said |= {key: Path(said[key]).name for key in ("golden_set", "corpus") if said[key]}
        said["training_set"] = _said_of_stages(self.stages)
        said["systems"] = [_without_folders(system) for system in self.systems.values()]
        return content_hash(said)[:16]

    def chosen(self, only: list[str]) -> list[System]:
        """The systems named in `only`, in the experiment's order; all of them where it is empty.

        `base` is a name too where there is a regression suite, though it is no system.

        Raises:
            ConfigError: A name is not a system of this experiment.
        """
        known = [*self.systems, *([BASE] if self.regression else [])]
        for name in only:
            if name not in known:
                raise ConfigError(f'"{name}" is not a system of experiment {self.name}; {nearest(name, known)}')
        return [system for name, system in self.systems.items() if not only or name in only]


def load_experiment(place: Path, overrides: tuple[str, ...] = ()) -> Experiment:
    """Reads, overrides, validates and resolves an experiment.

    Args:
        place: `experiment.yaml`, the folder it is in, or the name of a shipped experiment.
        overrides: `key=value` each, such as `systems.lora.finetune.epochs=1`; the value is read as YAML.

    Raises:
        ConfigError: With every problem of the file, or every file it names that is missing.
    """
    source = apply_overrides(read_yaml(_experiment_file(place)), overrides)
    return _resolve(validate(ExperimentFile, source), source.path.resolve())


def _experiment_file(place: Path) -> Path:
    if place.is_dir():
        return place / "experiment.yaml"
    if place.exists() or len(place.parts) > 1 or place.suffix:
        return place
    experiments = shipped("suites") / "experiments"
    if (experiments / place).is_dir():
        return experiments / place / "experiment.yaml"
    names = [folder.name for folder in experiments.iterdir() if folder.is_dir()]
    hint = as_sentence(nearest(str(place), names))
    raise ConfigError(
        f'"{place}" is neither a file or folder here nor a shipped experiment; {hint} '
        "Give the path of an experiment.yaml, or of its folder."
    )


def _resolve(written: ExperimentFile, file: Path) -> Experiment:
    problems = _contradictions(written)

    def existing(key: str, value: str | None) -> Path | None:
        if value is None:
            return None
        path = (file.parent / Path(value).expanduser()).resolve()
        if not path.exists():
            problems.append(f"{key}: no such file or folder: {path}. Paths are relative to the experiment's folder.")
        return path

    golden_set = golden_set_folder(written.golden_set, beside=file.parent).resolve()
    if not golden_set.is_dir():
        problems.append(f"golden_set: no such folder: {golden_set}. Make it, or name one of golden_sets/.")
    experiment = Experiment(
        folder=file.parent,
        name=written.name,
        question=written.question,
        golden_set=golden_set,
        stages=_stages(written.training_set or (), file.parent, existing),
        corpus=existing("corpus", written.corpus),
        regression=load_suite(written.regression, beside=file.parent) if written.regression else None,
        policy=load_policy(written.policy, beside=file.parent) if written.policy else None,
        seed=written.seed,
        systems={
            name: _system(name, entry, written, adapter=existing(f"systems.{name}.adapter", entry.adapter), file=file)
            for name, entry in written.systems.items()
        },
    )
    if problems:
        raise ConfigError(problems_message(str(file), problems))
    return experiment


def _stages(
    written: Sequence[StageEntry], folder: Path, existing: Callable[[str, str], Path | None]
) -> tuple[Stage, ...]:
    """The stages whose files are there; `existing` notes the others."""
    stages: list[Stage] = []
    for number, entry in enumerate(written):
        key = f"training_set.{number}.path" if len(written) > 1 else "training_set"
        if path := _dataset_id(entry.path, folder) or existing(key, entry.path):
            stages.append(Stage.model_validate({**entry.model_dump(), "path": path}))
    return tuple(stages)


def _said_of_stages(stages: Sequence[Stage]) -> object:
    """A training set that is only named is its name, as it was before there were stages."""
    if not stages:
        return None
    if is_one_path(stages):
        return stages[0].path.name
    return [{**stage.said, "path": stage.path.name} for stage in stages]


def _dataset_id(name: str, folder: Path) -> Path | None:
    """A Hugging Face id (`owner/name`), which is the one relative path of an experiment; None for a file or folder."""
    return Path(name) if is_dataset_id(name) and not (folder / name).exists() else None


def _contradictions(written: ExperimentFile) -> list[str]:
    problems = [
        f'"{name}" is not a name; use letters, digits, _ . - and begin with a letter or digit'
        for name in (written.name, *written.systems)
        if not _NAME.fullmatch(name)
    ]
    problems += replay_problems(written.training_set or ())
    if not written.systems:
        problems.append("systems is empty; name at least one, such as `zero_shot: {}`")
    if written.seeds and "seed" in written.model_fields_set:
        problems.append("seed is for one run and seeds for several: keep one of them")
    if BASE in written.systems:
        problems.append(f'systems.{BASE}: "{BASE}" is the base model itself; choose another name')
    if HUMAN in written.systems:
        problems.append(f'systems.{HUMAN}: "{HUMAN}" is an expert (`harness run --only {HUMAN}`); choose another name')
    for name, entry in written.systems.items():
        if entry.finetune and not written.training_set:
            problems.append(f"systems.{name}: finetune needs a training_set. Add `training_set: FILE`.")
        if _over(written.prompt, entry.prompt).shots and not written.training_set:
            problems.append(f"systems.{name}: shots are drawn from a training_set. Add `training_set: FILE`.")
        if entry.retriever and not written.corpus:
            problems.append(f"systems.{name}: a retriever needs a corpus. Add `corpus: FILE`.")
    return problems


def _system(name: str, entry: SystemEntry, written: ExperimentFile, *, adapter: Path | None, file: Path) -> System:
    return System(
        name=name,
        base_model=_model_reference(entry.base_model or written.base_model, file.parent),
        prompt=_over(written.prompt, entry.prompt),
        retriever=entry.retriever,
        decoding=_over(written.decoding, entry.decoding),
        finetune=entry.finetune,
        adapter=adapter,
        seed=_seed(entry, written),
        seeds=entry.seeds or (written.seeds if entry.seed is None else None) or (),
        device=entry.device or written.device,
        dtype=entry.dtype or written.dtype,
        trust_remote_code=written.trust_remote_code,
    )


def _seed(entry: SystemEntry, written: ExperimentFile) -> int:
    """The system's own seed, or the first of its seeds, or the experiment's."""
    if entry.seed is not None:
        return entry.seed
    seeds = entry.seeds or written.seeds
    return seeds[0] if seeds else written.seed


def _over(inherited: StrictT, said: StrictT | None) -> StrictT:
    """What the experiment says, with what the system says in its place, field by field."""
    return (
        inherited if said is None else inherited.model_copy(update={k: getattr(said, k) for k in said.model_fields_set})
    )


def _without_folders(system: System) -> dict[str, object]:
    said = system.model_dump(mode="json")
    adapter, model = system.adapter, Path(system.base_model)
    said["adapter"] = adapter.name if adapter else None
    said["base_model"] = model.name if model.is_absolute() else system.base_model
    if not system.seeds:
        del said["seeds"]  # an experiment that says nothing of seeds is the one it was
    return said


def _model_reference(name: str, folder: Path) -> str:
    """A path (one that starts with `.`, `/` or `~`) made absolute; a catalog name or hub id as it is."""
    if name.startswith((".", "/", "~")):
        return str((folder / Path(name).expanduser()).resolve())
    return name
