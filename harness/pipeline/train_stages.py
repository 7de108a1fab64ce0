"""Trains an adapter on the stages of an experiment in order, and goes on in the middle of any."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from harness.models.load import LoadedModel
from harness.pipeline.recording import RunLog
from harness.pipeline.stage_facts import stages_done, total_of
from harness.pipeline.stages import PlannedStage
from harness.records.runs import TrainingMetric
from harness.store.training_metrics import record_training_metrics
from harness.training.checkpoints import newest_checkpoint
from harness.training.examples import Example, Frame, encode_examples, loss_share
from harness.training.sft import SftRun, train_sft
from harness.training.steps import total_steps

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedStage:
    """A stage with its records as tokens: those it learns from (its own first, then replayed ones), and the others."""

    planned: PlannedStage
    train: Sequence[Example]
    validation: Sequence[Example]


def encode_stages(loaded: LoadedModel, planned: Sequence[PlannedStage], frame: Frame) -> list[EncodedStage]:
    """Renders and tokenises the records of all stages before the first one is learned from.

    Raises:
        TrainingError: Records of a stage that would be cut.
    """
    known: dict[str, Example] = {}
    stages: list[EncodedStage] = []
    for stage in planned:
        records, limit = stage.records, stage.settings.max_length_tokens
        path = stage.training_set.path
        given = [*records.own, *records.validation]
        examples = encode_examples(loaded, given, frame, max_length_tokens=limit, source=path)
        replayed = [known[record.record_hash] for record in records.replayed]
        known |= {record.record_hash: example for record, example in zip(given, examples, strict=True)}
        count = len(records.own)
        stages.append(EncodedStage(planned=stage, train=examples[:count] + replayed, validation=examples[count:]))
    return stages


def describe_stages(stages: Sequence[EncodedStage]) -> dict[str, object]:
    """What the stages hold together, as facts of a run."""
    learned = [example for stage in stages for example in stage.train]
    formats = dict.fromkeys(stage.planned.training_set.format for stage in stages)
    return {
        "train_records": len(learned),
        "validation_records": sum(len(stage.validation) for stage in stages),
        "train_tokens": sum(_tokens(stage) for stage in stages),
        "loss_token_share": loss_share(learned),
        "training_format": ", ".join(formats),
    }


def train_stages(loaded: LoadedModel, stages: Sequence[EncodedStage], seed: int, log: RunLog) -> None:
    """Trains the attached adapter on each stage, from the newest checkpoint of the newest stage that has one.

    A stage begins with the best epoch of the one before it, and with an optimizer and a schedule of its own. Where
    there are several, `stages` among the facts of the run holds those that are over.

    Raises:
        TrainingError: A loss is no longer a number.
    """
    checkpoints = log.folder / CHECKPOINTS
    if len(stages) == 1:
        log.note(_train(loaded, _Turn(stage=stages[0], folder=checkpoints, seed=seed), log))
        return
    folders = [checkpoints / f"stage-{number}" for number in range(1, len(stages) + 1)]
    first = _stage_to_go_on_with(folders, len(stages_done(log.facts)), log)
    done = stages_done(log.facts)[:first]
    for number in range(first, len(stages)):
        turn = _Turn(
            stage=stages[number],
            folder=folders[number],
            seed=seed,
            name=f"stage {number + 1} of {len(stages)}",
            is_last=number == len(stages) - 1,
            done=tuple(done),
        )
        if number > first:
            shutil.rmtree(turn.folder, ignore_errors=True)  # what an earlier process began on other weights
        facts = _train(loaded, turn, log)
        done.append({**turn.stage.planned.facts, "train_tokens": _tokens(turn.stage), **facts})
        log.note({**facts, **_on_one_axis(turn, done), "stages": list(done)})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Turn:
    """One stage about to be learned from. `name` is empty where it is the only one; `done` are those before it."""

    stage: EncodedStage
    folder: Path
    seed: int
    name: str = ""
    is_last: bool = True
    done: tuple[Mapping[str, object], ...] = ()


def _stage_to_go_on_with(folders: Sequence[Path], done: int, log: RunLog) -> int:
    """The newest stage that has a checkpoint, of those whose predecessors are known to be over; else the first."""
    for number in reversed(range(min(done + 1, len(folders)))):
        if newest_checkpoint(folders[number], log.progress.say):
            if number:
                log.progress.say(f"{number} of {len(folders)} stages {'are' if number > 1 else 'is'} done")
            return number
    return 0


def _train(loaded: LoadedModel, turn: _Turn, log: RunLog) -> dict[str, object]:
    """Trains one stage and says how it went; gives its outcome as facts."""

    def record(metrics: Sequence[TrainingMetric]) -> None:
        record_training_metrics(log.ledger, log.run_id, metrics)
        log.claim.sign_of_life()

    settings, train = turn.stage.planned.settings, turn.stage.train
    begun = newest_checkpoint(turn.folder, log.progress.say)
    steps = total_steps(settings, len(train))
    if begun:
        log.progress.say(f"going on from {begun.folder.name}: {begun.step} of {steps} steps are done")
    started = datetime.now(UTC)
    with log.progress.phase(f"fine-tuning, {turn.name}" if turn.name else "fine-tuning", steps) as advance:
        run = SftRun(
            settings=settings,
            train=train,
            validation=turn.stage.validation,
            folder=turn.folder,
            seed=turn.seed,
            recorder=record,
            advance=advance,
            resume=begun,
            earlier_steps=total_of(turn.done, "steps"),
            earlier_epochs=total_of(turn.done, "epochs"),
        )
        outcome = train_sft(loaded, run)
    train_s = (datetime.now(UTC) - started).total_seconds() + (begun.train_s if begun else 0.0)
    newest = turn.folder / f"checkpoint-{outcome.steps}" / "trainer_state.json"
    shutil.copy(
        newest, log.folder / ("trainer_state.json" if turn.is_last else f"{turn.folder.name}-trainer_state.json")
    )
    said = f"{turn.name}, best epoch" if turn.name else "best epoch"
    log.progress.say(
        f"{said} {outcome.best_epoch:g} of {settings.epochs}: validation loss {outcome.best_validation_loss:.3f} "
        f"nats an answer token ({loss_share(train):.0%} of tokens carry loss)"
    )
    return {**asdict(outcome), "train_s": train_s}


def _on_one_axis(turn: _Turn, done: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """A run's figures over the stages so far: sums, and the best epoch of the newest one counted from the beginning."""
    epochs_before, best = total_of(turn.done, "epochs"), float(cast("float", done[-1]["best_epoch"]))
    return {
        "steps": total_of(done, "steps"),
        "epochs": total_of(done, "epochs"),
        "train_s": sum(float(cast("float", one["train_s"])) for one in done),
        "best_epoch": epochs_before + best,
    }


def _tokens(stage: EncodedStage) -> int:
    return stage.planned.settings.epochs * sum(len(example.input_ids) for example in stage.train)
