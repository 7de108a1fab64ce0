from pathlib import Path

import pytest

from harness.config.experiment import Experiment, load_experiment
from harness.config.system import Finetune
from harness.errors import ConfigError

HEAD = "name: colours\nquestion: Which?\nbase_model: smollm2-135m-instruct\ngolden_set: colours\n"
LORA = "systems: {lora: {finetune: {epochs: 3, learning_rate: 1.0e-3}}}\n"
TWO = """\
training_set:
  - {path: general.jsonl, share: 0.5, epochs: 1, learning_rate: 5.0e-4}
  - {path: train.jsonl, replay: 0.1}
"""


@pytest.fixture
def load(tmp_path: Path):
    """Writes an experiment beside its data, and loads it."""
    for name in ("train.jsonl", "general.jsonl"):
        (tmp_path / name).write_text("")
    (tmp_path / "golden_sets" / "colours").mkdir(parents=True)

    def write_and_load(text: str, *overrides: str) -> Experiment:
        (tmp_path / "experiment.yaml").write_text(HEAD + text)
        return load_experiment(tmp_path, overrides)

    return write_and_load


def message_of(load, text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(text, *overrides)
    return str(error.value)


def test_a_path_alone_is_one_stage_and_the_experiment_that_it_was_before_there_were_stages(load) -> None:
    experiment = load("training_set: train.jsonl\n" + LORA)
    assert [(stage.path.name, stage.said) for stage in experiment.stages] == [("train.jsonl", {})]
    assert experiment.experiment_id == "c2898ab4ff5d205b"  # computed by the version without stages
    assert load("training_set: [{path: ./train.jsonl, share: 1.0}]\n" + LORA).experiment_id == experiment.experiment_id


def test_stages_keep_their_order_and_take_from_the_system_what_they_do_not_say(load, tmp_path: Path) -> None:
    experiment = load(TWO + LORA)
    general, task = experiment.stages
    assert (general.path, general.share, general.replay) == (tmp_path / "general.jsonl", 0.5, 0.0)
    assert (task.path, task.share, task.replay) == (tmp_path / "train.jsonl", 1.0, 0.1)
    assert experiment.training_set == task.path
    settings = experiment.systems["lora"].finetune
    assert settings is not None
    assert general.over(settings) == Finetune(epochs=1, learning_rate=5e-4)
    assert task.over(settings) == settings


def test_a_list_may_hold_paths_and_ids_alone(load, tmp_path: Path) -> None:
    experiment = load("training_set: [owner/name, train.jsonl]\n" + LORA)
    assert [stage.path for stage in experiment.stages] == [Path("owner/name"), tmp_path / "train.jsonl"]
    assert not any(stage.said for stage in experiment.stages)


def test_every_problem_of_the_stages_is_told_at_once_with_its_line_and_the_nearest_name(load) -> None:
    text = """\
training_set:
  - {path: general.jsonl, shares: 0.5, epochs: 0}
  - {share: 1.5, learning_rate: 0, replay: -1}
"""
    said = message_of(load, text + LORA)
    assert said.splitlines()[0].endswith("6 problems")
    for part in (
        'line 6: "training_set.0.shares" is not a known key; did you mean "share"?',
        "line 6: training_set.0.epochs: Input should be greater than or equal to 1",
        'line 7: "training_set.1.path" is missing. Add it.',
        "line 7: training_set.1.share: Input should be less than or equal to 1",
        "line 7: training_set.1.learning_rate: Input should be greater than 0",
        "line 7: training_set.1.replay: Input should be greater than or equal to 0",
    ):
        assert part in said


def test_missing_files_and_a_replay_of_nothing_are_told_at_once(load, tmp_path: Path) -> None:
    said = message_of(load, "training_set: [{path: gone.jsonl, replay: 0.5}, ./away]\n" + LORA)
    assert said.splitlines()[0].endswith("3 problems")
    assert "training_set.0.replay: no stage goes before the first" in said
    assert f"training_set.0.path: no such file or folder: {tmp_path / 'gone.jsonl'}" in said
    assert f"training_set.1.path: no such file or folder: {tmp_path / 'away'}" in said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[]", "line 5: training_set: the list of stages is empty"),
        ("7", "line 5: training_set: expected a file, a folder, a Hugging Face id, or a list of stages"),
        ("{path: train.jsonl}", "expected a file, a folder, a Hugging Face id, or a list of stages"),
        ("[7]", "line 5: training_set: a stage is a path, or settings such as {path: train.jsonl, epochs: 3}; seen: 7"),
    ],
)
def test_what_is_neither_a_path_nor_stages_is_refused(load, written: str, said: str) -> None:
    assert said in message_of(load, f"training_set: {written}\n" + LORA)


@pytest.mark.parametrize(
    "entry", ["{path: train.jsonl, share: 0.5}", "{path: train.jsonl, epochs: 2}", "general.jsonl, train.jsonl"]
)
def test_the_experiment_changes_with_whatever_is_said_of_a_stage(load, entry: str) -> None:
    plain = load("training_set: train.jsonl\n" + LORA).experiment_id
    assert load(f"training_set: [{entry}]\n" + LORA).experiment_id != plain


def test_the_order_of_stages_is_part_of_the_experiment(load) -> None:
    one, other = (load(f"training_set: [{names}]\n" + LORA) for names in ("general.jsonl, train.jsonl",) * 2)
    assert one.experiment_id == other.experiment_id
    assert load("training_set: [train.jsonl, general.jsonl]\n" + LORA).experiment_id != one.experiment_id


def test_stages_can_be_set_on_the_command_line(load) -> None:
    changed = load("training_set: train.jsonl\n" + LORA, "training_set=[{path: general.jsonl, epochs: 1}, train.jsonl]")
    assert [(stage.path.name, stage.epochs) for stage in changed.stages] == [
        ("general.jsonl", 1),
        ("train.jsonl", None),
    ]
