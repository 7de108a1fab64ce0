"""Everything an experiment names, read and checked before any model is loaded."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.config.experiment import Experiment, load_experiment
from harness.config.stage import is_one_path
from harness.config.system import System
from harness.data.corpus import CorpusPassage, load_corpus
from harness.data.golden import load_golden_set
from harness.data.overlap import Overlap, find_overlaps
from harness.data.stages import StageSet
from harness.data.training import load_training_set
from harness.errors import ConfigError, DataError
from harness.evaluation.scorers.registry import scorers_for
from harness.hashing import content_hash, file_hash
from harness.models.adapter_folder import adapter_hash, check_adapter_base, check_adapter_folder
from harness.models.source import ModelSource, find_model
from harness.records.items import GoldenSet
from harness.records.scores import Scorer
from harness.records.training import TrainingSet


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """An experiment with its data in memory and its base models found, none of them loaded.

    `stages` are the training sets in the order of learning, one as a rule. `sources` is keyed by system name.
    `overlaps` are the training records that stand in the golden set, by the path of their training set: what is run is
    guarded against them (`harness.pipeline.overlap`).
    """

    experiment: Experiment
    golden_set: GoldenSet
    scorers: tuple[Scorer, ...]
    stages: tuple[StageSet, ...]
    corpus: tuple[CorpusPassage, ...]
    sources: dict[str, ModelSource]
    overlaps: Mapping[str, Sequence[Overlap]] = field(default_factory=dict[str, Sequence[Overlap]])

    @property
    def training_set(self) -> TrainingSet | None:
        """The last stage's, which is the task's: shots are drawn from it. None where nothing is learned."""
        return self.stages[-1].training_set if self.stages else None

    @property
    def training_sets(self) -> tuple[TrainingSet, ...]:
        """Those of all stages, each once: nothing in them may stand in what is scored."""
        return tuple({one.training_set.path: one.training_set for one in self.stages}.values())

    def inputs_hash(self, system: System) -> str:
        """Hash of everything the scores of one system depend on, besides code and machine.

        The system's own name is left out, and so is `device: auto`'s choice.
        """
        experiment = self.experiment
        return content_hash(
            {
                "system": system.model_dump(mode="json", exclude={"name", "adapter", "base_model", "seeds"}),
                "base": self.sources[system.name].identity,
                "golden_set": self.golden_set.sha256,
                "scorers": self.golden_set.scorers,
                "code_list": sorted(self.golden_set.known_codes or ()),
                "training_set": self._learned(system),
                "corpus": file_hash(experiment.corpus) if experiment.corpus and system.retriever else None,
                "adapter": adapter_hash(system.adapter) if system.adapter else None,
            }
        )

    def human_hash(self) -> str:
        """Stands for an expert's answers to this golden set, whoever gave them: the latest count."""
        return content_hash({"human": self.golden_set.sha256})

    def _learned(self, system: System) -> object:
        """What a system reads of the training sets: a set that is only named stands there by its hash alone."""
        if self.training_set is None or not system.reads_training_set:
            return None
        if system.finetune is None or is_one_path(self.experiment.stages):
            return self.training_set.sha256
        return [{**one.stage.said, "sha256": one.training_set.sha256} for one in self.stages]

    def base_hash(self, system: System) -> str:
        """Hash of what the scores of a system's base model depend on: systems with the same one share a base run."""
        return content_hash([self.sources[system.name].identity, system.device, system.dtype])

    def bases(self) -> dict[str, System]:
        """One system for each base model (and device and number format) of the experiment, by `base_hash`."""
        return {self.base_hash(system): system for system in reversed(self.experiment.systems.values())}


def prepare(place: Path, overrides: tuple[str, ...] = ()) -> Prepared:
    """Reads and checks an experiment and everything it names.

    Args:
        place: `experiment.yaml`, its folder, or the name of a shipped experiment.
        overrides: `key=value` each, as for `--set`.

    Raises:
        ConfigError: The experiment cannot be used.
        DataError: Its data cannot, or every item of the golden set is sealed.
        ModelError: A base model or adapter folder is not one.
    """
    experiment = load_experiment(place, overrides)
    golden_set = load_golden_set(experiment.golden_set)
    stages = _load_stages(experiment)
    if not golden_set.part("development"):
        raise DataError(
            f"golden set {golden_set.name} {golden_set.version}: every item is sealed, so that a run would answer "
            "nothing. Leave some items unsealed to develop on."
        )
    if stages:
        _check_shots(experiment, stages[-1].training_set)
    sources = {name: find_model(system.base_model) for name, system in experiment.systems.items()}
    for name, system in experiment.systems.items():
        if system.adapter:
            check_adapter_folder(system.adapter)
            check_adapter_base(system.adapter, base_name=sources[name].name, base_identity=sources[name].identity)
    return Prepared(
        experiment=experiment,
        golden_set=golden_set,
        scorers=scorers_for(golden_set),
        stages=stages,
        corpus=load_corpus(experiment.corpus) if experiment.corpus else (),
        sources=sources,
        overlaps=_find_overlaps(stages, golden_set, templates_of(experiment)),
    )


def _load_stages(experiment: Experiment) -> tuple[StageSet, ...]:
    read = {path: load_training_set(path) for path in dict.fromkeys(stage.path for stage in experiment.stages)}
    return tuple(StageSet(stage=stage, training_set=read[stage.path]) for stage in experiment.stages)


def _find_overlaps(
    stages: Sequence[StageSet], golden_set: GoldenSet, templates: Sequence[str]
) -> dict[str, Sequence[Overlap]]:
    training_sets = {one.training_set.path: one.training_set for one in stages}
    found = {
        path: find_overlaps(training_set.records, golden_set.items, templates=templates)
        for path, training_set in training_sets.items()
    }
    return {path: overlaps for path, overlaps in found.items() if overlaps}


def templates_of(experiment: Experiment) -> list[str]:
    """The texts that stand around every item of an experiment: they are no overlap."""
    texts: set[str] = set()
    for system in experiment.systems.values():
        prompt = system.prompt
        framed = (prompt.system or "", prompt.template, prompt.passages_template)
        texts |= {piece for text in framed for piece in re.split(r"\{input\}|\{passages\}", text) if piece.strip()}
    return sorted(texts)


def _check_shots(experiment: Experiment, training_set: TrainingSet) -> None:
    for name, system in experiment.systems.items():
        if system.prompt.shots > len(training_set.records):
            raise ConfigError(
                f"systems.{name}: prompt.shots is {system.prompt.shots}, and the training set has "
                f"{len(training_set.records)} records. Ask for fewer."
            )
