import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from transformers import set_seed

from harness.config.system import Finetune, Prompt
from harness.models.adapter_folder import adapter_hash
from harness.models.adapters import attach_new_adapter, save_adapter
from harness.models.chat import build_messages
from harness.models.load import LoadedModel
from harness.records.messages import Message
from harness.records.training import TrainingRecord
from harness.training.checkpoints import SEAL, Checkpoint, newest_checkpoint, seal
from harness.training.examples import Example, encode_examples
from harness.training.sft import SftRun, TrainingOutcome, train_sft

COLOURS = {"grass": "green", "sky": "blue", "snow": "white", "coal": "black", "blood": "red", "lemon": "yellow"}
ADAPTER: dict[str, object] = {"r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "target_modules": "all-linear"}
SETTINGS: dict[str, object] = {"batch_size": 6, "epochs": 4, "learning_rate": 1e-2}
OVERSHOOTING = {"epochs": 9, "learning_rate": 0.1, "lr_scheduler": "constant", "early_stopping_patience": 2}
STEPS_AN_EPOCH = 2


class PowerCutError(Exception):
    """Ends a training where it is: nothing is tidied up."""


@dataclass(kw_only=True)
class Trained:
    """What came of a training, and how many steps its bar was told of at a time."""

    outcome: TrainingOutcome
    adapter: str
    advanced: list[int] = field(default_factory=list)


def examples_of(loaded: LoadedModel, questions: list[str]) -> list[Example]:
    records = [
        TrainingRecord(
            prompt=(Message(role="user", content=question.format(thing)),), completion=f"Colour: {colour}", line=1
        )
        for question in questions
        for thing, colour in COLOURS.items()
    ]
    return encode_examples(loaded, records, lambda turns: build_messages(Prompt(), turns), max_length_tokens=None)


Train = Callable[..., Trained]


@pytest.fixture(scope="module")
def train(load_tiny: Callable[[], LoadedModel]) -> Train:
    """Trains a tiny adapter on 12 records in batches of 6, with checkpoints in `folder`; the power may fail."""

    def run(
        folder: Path, *, resume: Checkpoint | None = None, cut_at_step: int | None = None, **changes: object
    ) -> Trained:
        loaded = load_tiny()
        set_seed(17)
        attach_new_adapter(loaded, ADAPTER)
        advanced: list[int] = []

        def advance(steps: int) -> None:
            advanced.append(steps)
            if sum(advanced) == cut_at_step:
                raise PowerCutError

        outcome = train_sft(
            loaded,
            SftRun(
                settings=Finetune.model_validate(SETTINGS | changes),
                train=examples_of(loaded, ["What colour is {}?", "{}?"]),
                validation=examples_of(loaded, ["Tell me the colour of {}."]),
                folder=folder,
                seed=17,
                recorder=lambda metrics: None,
                advance=advance,
                resume=resume,
            ),
        )
        save_adapter(loaded, folder.parent / "adapter")
        return Trained(outcome=outcome, adapter=adapter_hash(folder.parent / "adapter"), advanced=advanced)

    return run


@pytest.fixture(scope="module")
def whole(train: Train, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    """A training that nothing interrupted, and its checkpoints as they are at the end."""
    folder = tmp_path_factory.mktemp("whole") / "checkpoints"
    return train(folder), folder


@pytest.fixture(scope="module")
def overshot(train: Train, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    """A training that stopped early, and its checkpoints as they are at the end."""
    folder = tmp_path_factory.mktemp("overshot") / "checkpoints"
    return train(folder, **OVERSHOOTING), folder


@pytest.fixture
def checkpoints(whole: tuple[Trained, Path], tmp_path: Path) -> Path:
    """A copy of the checkpoints of a whole training, to damage."""
    shutil.copytree(whole[1], tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def places(folder: Path) -> list[str]:
    return sorted(place.name for place in folder.glob("checkpoint-*"))


def test_a_resumed_training_gives_the_adapter_of_an_uninterrupted_one(
    whole: tuple[Trained, Path], train: Train, tmp_path: Path, said: list[str]
) -> None:
    folder = tmp_path / "checkpoints"
    with pytest.raises(PowerCutError):
        train(folder, cut_at_step=5)
    begun = newest_checkpoint(folder, said.append)
    assert begun is not None
    assert (begun.step, begun.epochs, begun.stopped) == (4, 2, False)
    assert begun.train_s > 0
    with pytest.raises(PowerCutError):  # and once more, this time between two epochs
        train(folder, resume=begun, cut_at_step=7)
    begun = newest_checkpoint(folder, said.append)
    assert begun is not None
    assert begun.step == 6
    resumed = train(folder, resume=begun)
    assert resumed.adapter == whole[0].adapter
    assert resumed.outcome == whole[0].outcome
    assert resumed.advanced == [6, 1, 1]  # the bar begins where training did
    assert said == []


def test_early_stopping_keeps_its_patience_over_an_interruption(
    overshot: tuple[Trained, Path], train: Train, tmp_path: Path, said: list[str]
) -> None:
    uninterrupted = overshot[0]
    epochs = uninterrupted.outcome.steps // STEPS_AN_EPOCH
    best = int(uninterrupted.outcome.best_epoch)
    assert epochs == best + 2 < 9, "the fault was not planted: training did not stop early"
    folder = tmp_path / "checkpoints"
    with pytest.raises(PowerCutError):  # one epoch into its patience
        train(folder, cut_at_step=STEPS_AN_EPOCH * (best + 1) + 1, **OVERSHOOTING)
    resumed = train(folder, resume=newest_checkpoint(folder, said.append), **OVERSHOOTING)
    assert resumed.outcome == uninterrupted.outcome
    assert resumed.adapter == uninterrupted.adapter


def test_a_training_that_was_over_is_not_gone_on_with(
    overshot: tuple[Trained, Path], train: Train, tmp_path: Path, said: list[str]
) -> None:
    shutil.copytree(overshot[1], tmp_path / "checkpoints")
    begun = newest_checkpoint(tmp_path / "checkpoints", said.append)
    assert begun is not None
    assert begun.stopped
    resumed = train(tmp_path / "checkpoints", resume=begun, **OVERSHOOTING)
    assert resumed.advanced == [overshot[0].outcome.steps]
    assert resumed.outcome == overshot[0].outcome
    # In another folder than the one that the checkpoint names, so that the home may be moved.
    assert resumed.adapter == overshot[0].adapter


def _cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "optimizer cut short": (lambda c: _cut_short(c / "optimizer.pt"), "optimizer.pt is not as it was written"),
    "random state missing": (lambda c: (c / "rng_state.pth").unlink(), "rng_state.pth is missing"),
    "weights changed": (
        lambda c: (c / "adapter_model.safetensors").write_bytes(b"x"),
        "adapter_model.safetensors is not as it was written",
    ),
    "seal missing": (lambda c: (c / SEAL).unlink(), "was not written to its end"),
    "seal cut short": (lambda c: _cut_short(c / SEAL), f"{SEAL} cannot be read"),
    "seal of something else": (lambda c: (c / SEAL).write_text("[]"), f"{SEAL} cannot be read"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_and_said(
    damage: str, checkpoints: Path, said: list[str]
) -> None:
    spoil, problem = DAMAGES[damage]
    spoil(checkpoints / "checkpoint-8")
    begun = newest_checkpoint(checkpoints, said.append)
    assert begun is not None
    assert begun.step == 6
    assert len(said) == 1
    assert said[0].startswith("checkpoint-8 ")
    assert problem in said[0]
    assert "passed over" in said[0]
    assert "checkpoint-8" not in places(checkpoints)  # so that nobody trips over it


def test_training_goes_on_from_the_one_before_to_the_same_adapter(
    whole: tuple[Trained, Path], train: Train, checkpoints: Path, said: list[str]
) -> None:
    _cut_short(checkpoints / "checkpoint-8" / "optimizer.pt")
    resumed = train(checkpoints, resume=newest_checkpoint(checkpoints, said.append))
    assert resumed.adapter == whole[0].adapter
    assert resumed.advanced == [6, 1, 1]


def test_a_checkpoint_whose_best_epoch_is_damaged_is_passed_over_too(
    overshot: tuple[Trained, Path], tmp_path: Path, said: list[str]
) -> None:
    folder = tmp_path / "checkpoints"
    shutil.copytree(overshot[1], folder)
    steps = overshot[0].outcome.steps
    best = f"checkpoint-{int(overshot[0].outcome.best_epoch) * STEPS_AN_EPOCH}"
    assert places(folder) == sorted([best, f"checkpoint-{steps - 2}", f"checkpoint-{steps}"])
    (folder / best / "adapter_model.safetensors").write_bytes(b"")
    assert newest_checkpoint(folder, said.append) is None
    assert len(said) == 3
    assert f"{best}, its best epoch, is damaged" in said[0]


def test_only_what_may_be_needed_is_kept(whole: tuple[Trained, Path]) -> None:
    # The last epoch is the best one here: it and the one before it, with whatever was the best then.
    assert places(whole[1]) == ["checkpoint-6", "checkpoint-8"]


def test_no_checkpoint_is_no_place_to_go_on_from(tmp_path: Path, said: list[str]) -> None:
    assert newest_checkpoint(tmp_path / "nowhere", said.append) is None
    assert said == []


def test_a_seal_covers_every_file_and_is_not_there_before_it_is_whole(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint-2"
    (checkpoint / "nested").mkdir(parents=True)
    (checkpoint / "a.bin").write_bytes(b"a")
    (checkpoint / "nested" / "b.bin").write_bytes(b"b")
    seal(checkpoint, train_s=1.5)
    assert sorted(file.name for file in checkpoint.iterdir()) == ["a.bin", SEAL, "nested"]
    text = (checkpoint / SEAL).read_text()
    assert '"nested/b.bin"' in text
    assert '"train_s": 1.5' in text
