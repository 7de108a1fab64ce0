"""Everything an experiment names, read and checked before any model is loaded."""

import re
from dataclasses import dataclass
from pathlib import Path

from harness.config.experiment import Experiment, load_experiment
from harness.config.system import System
from harness.data.corpus import CorpusPassage, load_corpus
from harness.data.golden import load_golden_set
from harness.data.overlap import guard
from harness.data.training import load_training_set
from harness.errors import ConfigError
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

    `sources` is keyed by system name.
    """

    experiment: Experiment
    golden_set: GoldenSet
    scorers: tuple[Scorer, ...]
    training_set: TrainingSet | None
    corpus: tuple[CorpusPassage, ...]
    sources: dict[str, ModelSource]

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
                "training_set": self.training_set.sha256 if self.training_set and system.reads_training_set else None,
                "corpus": file_hash(experiment.corpus) if experiment.corpus and system.retriever else None,
                "adapter": adapter_hash(system.adapter) if system.adapter else None,
            }
        )

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
        DataError: Its data cannot.
        OverlapError: A training record stands in the golden set.
        ModelError: A base model or adapter folder is not one.
    """
    experiment = load_experiment(place, overrides)
    golden_set = load_golden_set(experiment.golden_set)
    training_set = load_training_set(experiment.training_set) if experiment.training_set else None
    if training_set:
        guard(training_set, golden_set, templates=templates_of(experiment))
        _check_shots(experiment, training_set)
    sources = {name: find_model(system.base_model) for name, system in experiment.systems.items()}
    for name, system in experiment.systems.items():
        if system.adapter:
            check_adapter_folder(system.adapter)
            check_adapter_base(system.adapter, base_name=sources[name].name, base_identity=sources[name].identity)
    return Prepared(
        experiment=experiment,
        golden_set=golden_set,
        scorers=scorers_for(golden_set),
        training_set=training_set,
        corpus=load_corpus(experiment.corpus) if experiment.corpus else (),
        sources=sources,
    )


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
