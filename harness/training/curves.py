"""Training curves, handed on as they come."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from harness.records.protocols import Recorder
from harness.records.runs import TrainingMetric

RECORDED = {
    "loss": "train_loss",
    "eval_loss": "validation_loss",
    "learning_rate": "learning_rate",
    "grad_norm": "gradient_norm",
}


class CurveCallback(TrainerCallback):
    """Hands each logged figure to a recorder and each optimizer step to a progress bar.

    `after` are the optimizer steps and the epochs of stages before this one: recorded steps and epochs go on from
    there, so that a run has one axis. `validation_losses` maps this stage's own epoch to mean nats per answer token,
    epochs before a resumption included.
    """

    def __init__(self, recorder: Recorder, advance: Callable[[int], None], *, after: tuple[int, int] = (0, 0)) -> None:
        self._recorder = recorder
        self._advance = advance
        self._steps_before, self._epochs_before = after
        self.validation_losses: dict[float, float] = {}

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Training begins, or goes on from a checkpoint, whose figures were recorded when they came."""
        if state.global_step:
            self._advance(state.global_step)
        for logged in state.log_history:
            if "eval_loss" in logged:
                self.validation_losses[float(logged["epoch"])] = float(logged["eval_loss"])

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """One optimizer step is done."""
        self._advance(1)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Figures of the last steps, or of a validation."""
        logged, epoch = logs or {}, float(state.epoch or 0.0)
        now = datetime.now(UTC)
        metrics = [
            TrainingMetric(
                name=RECORDED[key],
                value=float(value),
                step=self._steps_before + state.global_step,
                epoch=self._epochs_before + epoch,
                at=now,
            )
            for key, value in logged.items()
            if key in RECORDED
        ]
        if "eval_loss" in logged:
            self.validation_losses[epoch] = float(logged["eval_loss"])
        if metrics:
            self._recorder(metrics)
