"""The stages of a system's training: what each learns from and how. Loads no library for models."""

from dataclasses import dataclass
from pathlib import Path

from harness.config.system import Finetune, System
from harness.data.stages import StageRecords, StageSet, draw_stages
from harness.pipeline.prepare import Prepared
from harness.records.training import TrainingSet
from harness.systems.shots import draw_shots


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStage:
    """One stage of one system: its training set, the records drawn from it, and its settings, the system's included."""

    training_set: TrainingSet
    records: StageRecords
    settings: Finetune

    @property
    def name(self) -> str:
        """The last part of the training set's path."""
        return Path(self.training_set.path).name

    @property
    def facts(self) -> dict[str, object]:
        """What is known of the stage before it is learned from."""
        return {
            "path": self.name,
            "sha256": self.training_set.sha256,
            "format": self.training_set.format,
            "train_records": len(self.records.own),
            "replayed_records": len(self.records.replayed),
            "validation_records": len(self.records.validation),
            "withheld_records": self.records.withheld,
            "epochs_planned": self.settings.epochs,
            "learning_rate": self.settings.learning_rate,
        }


def plan_stages(prepared: Prepared, system: System, settings: Finetune) -> list[PlannedStage]:
    """Draws the records of every stage; those that the system shows as shots are in none.

    Raises:
        DataError: A stage has nothing to learn from or to validate on.
    """
    shown: set[str] = set()
    if system.prompt.shots and prepared.training_set:
        shots = draw_shots(prepared.training_set.records, system.prompt.shots, seed=system.seed)
        shown = {question.content for question, _ in shots}
    drawn = draw_stages(
        prepared.stages, validation_fraction=settings.validation_fraction, seed=system.seed, shown=shown
    )
    return [
        PlannedStage(training_set=one.training_set, records=records, settings=one.stage.over(settings))
        for one, records in zip(prepared.stages, drawn, strict=True)
    ]


def describe_training_sets(prepared: Prepared, system: System) -> list[dict[str, object]]:
    """What a run's provenance says of the training sets that its system reads; empty where it reads none.

    A system that only shows examples reads the last one.
    """
    if not system.reads_training_set:
        return []
    read = prepared.stages if system.finetune else prepared.stages[-1:]
    return [_describe(one, system.finetune, prepared.experiment.folder) for one in read]


def _describe(one: StageSet, settings: Finetune | None, folder: Path) -> dict[str, object]:
    path, training_set = one.stage.path, one.training_set
    said: dict[str, object] = {
        "path": (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix(),
        "sha256": training_set.sha256,
        "format": training_set.format,
        "records": len(training_set.records),
    }
    said |= {"origins": dict(training_set.origins)} if training_set.origins else {}
    if settings:
        stage = one.stage.over(settings)
        said |= {"share": one.stage.share, "replay": one.stage.replay}
        said |= {"epochs": stage.epochs, "learning_rate": stage.learning_rate}
    return said
