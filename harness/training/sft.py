"""Supervised fine-tuning of an adapter with TRL, validated each epoch, the best epoch kept."""

import logging
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from datasets import Dataset
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback
from trl.trainer.sft_config import SFTConfig

from harness.config.system import Finetune
from harness.errors import TrainingError
from harness.models.load import LoadedModel
from harness.records.protocols import Recorder
from harness.training.answer_loss import AnswerLossTrainer
from harness.training.checkpoints import Checkpoint, CheckpointCallback
from harness.training.curves import CurveCallback
from harness.training.examples import Example
from harness.training.steps import total_steps


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingOutcome:
    """How a training, or one stage of it, went. Losses are mean nats per answer token on the validation split.

    `steps` counts optimizer steps and `epochs` passes, both less than planned where it stopped early.
    """

    steps: int
    epochs: int
    best_epoch: float
    best_validation_loss: float
    last_validation_loss: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SftRun:
    """What one fine-tuning needs besides the model: data, settings, where to keep checkpoints, whom to tell.

    `advance` is called with the optimizer steps done since it was last called. `resume` is the checkpoint in `folder`
    that an interrupted training goes on from. `earlier_steps` and `earlier_epochs` were done in stages before this one:
    its curves begin after them.
    """

    settings: Finetune
    train: Sequence[Example]
    validation: Sequence[Example]
    folder: Path
    seed: int
    recorder: Recorder
    advance: Callable[[int], None]
    resume: Checkpoint | None = None
    earlier_steps: int = 0
    earlier_epochs: int = 0


def train_sft(loaded: LoadedModel, run: SftRun) -> TrainingOutcome:
    """Trains the adapter attached to `loaded` in place; afterwards it holds the epoch with the lowest validation loss.

    Resumed on a CPU from a checkpoint, it gives the adapter of an uninterrupted training, byte for byte.

    Raises:
        TrainingError: The loss is no longer a number.
    """
    curves = CurveCallback(run.recorder, run.advance, after=(run.earlier_steps, run.earlier_epochs))
    earlier_s = run.resume.train_s if run.resume else 0.0
    callbacks: list[TrainerCallback] = [curves, CheckpointCallback(earlier_s=earlier_s)]
    if run.settings.early_stopping_patience is not None:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=run.settings.early_stopping_patience))
    with _quiet_training():
        trainer = AnswerLossTrainer(
            model=loaded.model,
            args=_trainer_settings(run, loaded),
            train_dataset=_dataset(run.train),
            eval_dataset=_dataset(run.validation),
            processing_class=loaded.tokenizer,
            callbacks=callbacks,
        )
        trainer.remove_callback(PrinterCallback)  # it prints to standard output, which is for results
        trainer.train(resume_from_checkpoint=str(run.resume.folder) if run.resume else None)
        trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)  # or it goes on in mixed precision
    loaded.model.eval()
    losses = curves.validation_losses
    if not losses or not all(math.isfinite(loss) for loss in losses.values()):
        raise TrainingError(
            f"training diverged: validation losses by epoch are {list(losses.values())}. Lower finetune.learning_rate "
            f"(it is {run.settings.learning_rate:g}), or the stage's where it has its own."
        )
    best_epoch = min(losses, key=lambda epoch: losses[epoch])
    return TrainingOutcome(
        steps=int(trainer.state.global_step),
        epochs=len(losses),
        best_epoch=best_epoch,
        best_validation_loss=losses[best_epoch],
        last_validation_loss=list(losses.values())[-1],
    )


def _trainer_settings(run: SftRun, loaded: LoadedModel) -> SFTConfig:
    settings, on_cpu = run.settings, loaded.device.type == "cpu"
    # The trainer forgets that it had stopped early, and would go on for another epoch.
    epochs = run.resume.epochs if run.resume and run.resume.stopped else settings.epochs
    return SFTConfig(
        output_dir=str(run.folder),
        num_train_epochs=epochs,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.lr_scheduler,
        warmup_steps=settings.warmup_steps,
        weight_decay=settings.weight_decay,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        gradient_checkpointing=settings.gradient_checkpointing,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        train_sampling_strategy="group_by_length",
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=None,  # CheckpointCallback removes what is not needed
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        restore_callback_states_from_checkpoint=True,
        logging_steps=min(5, total_steps(settings, len(run.train))),  # a short training has a curve too
        seed=run.seed,
        data_seed=run.seed,
        bf16=loaded.dtype == torch.bfloat16,  # mixed precision: the adapter itself stays in fp32
        fp16=loaded.dtype == torch.float16,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        disable_tqdm=True,
        report_to="none",
    )


def _dataset(examples: Sequence[Example]) -> Dataset:
    return Dataset.from_dict(
        {"input_ids": [example.input_ids for example in examples], "labels": [example.labels for example in examples]}
    )


@contextmanager
def _quiet_training() -> Iterator[None]:
    """Keeps the trainer's notices out of our progress; its errors still show."""
    loggers = [logging.getLogger(name) for name in ("transformers", "trl", "accelerate", "datasets")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
