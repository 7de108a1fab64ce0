import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from transformers import set_seed

from harness.config.system import Finetune, Prompt
from harness.errors import TrainingError
from harness.models.adapter_folder import adapter_hash
from harness.models.adapters import attach_new_adapter, save_adapter
from harness.models.chat import build_messages
from harness.models.load import LoadedModel
from harness.records.messages import Message
from harness.records.runs import TrainingMetric
from harness.records.training import TrainingRecord
from harness.training.examples import Example, encode_examples
from harness.training.sft import SftRun, TrainingOutcome, total_steps, train_sft

COLOURS = {"grass": "green", "sky": "blue", "snow": "white", "coal": "black", "blood": "red", "lemon": "yellow"}
ADAPTER: dict[str, object] = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"}


@dataclass(kw_only=True)
class Trained:
    """A tiny model after its training, and all that it told."""

    loaded: LoadedModel
    outcome: TrainingOutcome | None = None
    metrics: list[TrainingMetric] = field(default_factory=list)
    recorded_at_step: list[int] = field(default_factory=list)
    steps: int = 0

    def values(self, name: str) -> list[float]:
        return [metric.value for metric in self.metrics if metric.name == name]


def examples_of(loaded: LoadedModel, questions: list[str]) -> list[Example]:
    records = [
        TrainingRecord(
            prompt=(Message(role="user", content=question.format(thing)),), completion=f"Colour: {colour}", line=1
        )
        for question in questions
        for thing, colour in COLOURS.items()
    ]
    return encode_examples(loaded, records, lambda turns: build_messages(Prompt(), turns), max_length_tokens=None)


@pytest.fixture(scope="module")
def train(load_tiny: Callable[[], LoadedModel], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Trained]:
    """Trains a tiny adapter: 12 records in batches of 6, so two steps an epoch."""

    def run(seed: int = 17, **settings: object) -> Trained:
        loaded = load_tiny()
        examples = examples_of(loaded, ["What colour is {}?", "{}?"])
        held_out = examples_of(loaded, ["Tell me the colour of {}."])
        finetune = Finetune.model_validate({"batch_size": 6, "epochs": 1, "learning_rate": 1e-2, **settings})
        set_seed(seed)
        attach_new_adapter(loaded, ADAPTER)
        trained = Trained(loaded=loaded)

        def record(metrics) -> None:
            trained.metrics += metrics
            trained.recorded_at_step.append(trained.steps)

        def advance(steps: int) -> None:
            trained.steps += steps

        trained.outcome = train_sft(
            loaded,
            SftRun(
                settings=finetune,
                train=examples,
                validation=held_out,
                folder=tmp_path_factory.mktemp("checkpoints"),
                seed=seed,
                recorder=record,
                advance=advance,
            ),
        )
        return trained

    return run


def hash_of(trained: Trained, folder: Path) -> str:
    save_adapter(trained.loaded, folder)
    return adapter_hash(folder)


@torch.inference_mode()
def validation_loss(loaded: LoadedModel) -> float:
    """Mean nats per answer token on the held-out questions, computed one record at a time."""
    total, count = 0.0, 0
    for example in examples_of(loaded, ["Tell me the colour of {}."]):
        ids, labels = torch.tensor([example.input_ids]), torch.tensor([example.labels])
        logits_TV = loaded.model(input_ids=ids).logits[0, :-1].float()
        total += float(torch.nn.functional.cross_entropy(logits_TV, labels[0, 1:], reduction="sum"))
        count += int((labels[0, 1:] != -100).sum())
    return total / count


@pytest.fixture(scope="module")
def trained(train) -> Trained:
    """Three epochs with a falling learning rate."""
    return train(epochs=3)


@pytest.fixture(scope="module")
def short(train) -> Trained:
    """One epoch."""
    return train()


def test_the_loss_falls_and_what_is_told_is_what_happened(trained: Trained) -> None:
    outcome, losses = trained.outcome, trained.values("validation_loss")
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert (outcome.steps, trained.steps) == (6, 6)
    assert outcome.best_validation_loss == min(losses)
    assert outcome.last_validation_loss == losses[-1]
    assert not trained.loaded.model.training


def test_the_validation_loss_is_that_of_the_answers_tokens(trained: Trained) -> None:
    # Computed by hand from the adapter that was kept. All answers have about as many tokens, so that the mean over
    # batches is that over tokens.
    assert validation_loss(trained.loaded) == pytest.approx(trained.outcome.best_validation_loss, rel=1e-3)


def test_curves_are_recorded_as_they_come(trained: Trained) -> None:
    names = {metric.name for metric in trained.metrics}
    assert names == {"train_loss", "validation_loss", "learning_rate", "gradient_norm"}
    validated = [metric for metric in trained.metrics if metric.name == "validation_loss"]
    assert [(metric.step, metric.epoch) for metric in validated] == [(2, 1.0), (4, 2.0), (6, 3.0)]
    assert all(math.isfinite(metric.value) and metric.at.tzinfo is not None for metric in trained.metrics)
    assert trained.recorded_at_step[0] < trained.recorded_at_step[-1]  # not all at the end


def test_the_learning_rate_falls_by_its_schedule(trained: Trained) -> None:
    rates = trained.values("learning_rate")
    assert all(0 <= rate < 1e-2 for rate in rates)


def test_a_training_shorter_than_five_steps_has_a_training_loss(short: Trained) -> None:
    assert short.steps == 2
    assert short.values("train_loss")


def test_the_same_seed_gives_the_same_adapter_and_another_seed_another(short: Trained, train, tmp_path: Path) -> None:
    again, other = train(seed=17), train(seed=18)
    assert hash_of(short, tmp_path / "first") == hash_of(again, tmp_path / "again")
    assert short.values("validation_loss") == again.values("validation_loss")
    assert hash_of(other, tmp_path / "other") != hash_of(short, tmp_path / "first")


def test_training_stops_early_and_keeps_the_best_epoch_and_not_the_last(
    train, capfd: pytest.CaptureFixture[str]
) -> None:
    # A learning rate that overshoots after a good beginning.
    trained = train(epochs=8, learning_rate=0.1, lr_scheduler="constant", early_stopping_patience=1)
    losses, outcome = trained.values("validation_loss"), trained.outcome
    assert len(losses) < 8
    assert outcome.steps == 2 * len(losses)
    assert min(losses) < losses[-1] - 0.05, "the fault was not planted: the last epoch is the best"
    assert outcome.best_epoch == losses.index(min(losses)) + 1
    assert validation_loss(trained.loaded) == pytest.approx(min(losses), rel=1e-3)
    # Nothing of it goes to standard output, which is for results.
    assert capfd.readouterr().out == ""


def test_a_training_that_diverges_is_an_error_that_names_the_learning_rate(train) -> None:
    with pytest.raises(TrainingError, match=r"training diverged: .* Lower finetune.learning_rate \(it is 1e\+30\)"):
        train(learning_rate=1e30, lr_scheduler="constant")


def test_steps_are_counted_as_they_are_done(train) -> None:
    assert train(batch_size=5, gradient_accumulation_steps=2).steps == 2
    assert total_steps(Finetune(epochs=1, batch_size=5, gradient_accumulation_steps=2), 12) == 2
    assert total_steps(Finetune(epochs=3, batch_size=8), 145) == 57
