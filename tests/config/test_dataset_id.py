from pathlib import Path

import pytest

from harness.config.dataset_id import is_dataset_id
from harness.config.experiment import load_experiment
from harness.errors import ConfigError


@pytest.mark.parametrize("name", ["clinic/notes", "HuggingFaceH4/no_robots", "org/set-v1.5"])
def test_an_owner_and_a_name_are_an_id(name: str) -> None:
    assert is_dataset_id(name)


@pytest.mark.parametrize(
    "name",
    ["train", "data/train.jsonl", "data/Train.CSV", "./clinic/notes", "../a/b", "/a/b", "~/a", "a/b/c", "a/", ""],
)
def test_a_path_is_none(name: str) -> None:
    assert not is_dataset_id(name)


def test_an_experiment_keeps_an_id_and_makes_a_path_absolute(experiment_folder: Path) -> None:
    def named(training_set: str) -> Path | None:
        return load_experiment(experiment_folder, (f"training_set={training_set}",)).training_set

    assert named("clinic/notes") == Path("clinic/notes")
    assert named("./train.jsonl") == experiment_folder.resolve() / "train.jsonl"
    (experiment_folder / "clinic" / "notes").mkdir(parents=True)
    assert named("clinic/notes") == experiment_folder.resolve() / "clinic" / "notes"
    with pytest.raises(ConfigError, match="training_set: no such file or folder"):
        named("data/train.jsonl")
