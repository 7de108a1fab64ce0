from pathlib import Path

import pytest

from harness.assets import shipped
from harness.config.regression import Suite, load_suite
from harness.errors import ConfigError

SHIPPED = sorted((shipped("suites") / "regression").glob("*.yaml"))


def written(folder: Path, text: str) -> str:
    (folder / "own.yaml").write_text(text)
    return "own.yaml"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_suite_is_valid_and_called_like_its_file(path: Path, tmp_path: Path) -> None:
    assert load_suite(path.stem, beside=tmp_path).name == path.stem


def test_the_full_suite_leaves_nothing_out_and_the_quick_one_says_that_it_does(tmp_path: Path) -> None:
    full, quick = (load_suite(name, beside=tmp_path) for name in ("full", "quick"))
    assert [(task.task, task.shots, task.subset) for task in full.tasks] == [("mmlu", 5, None), ("hellaswag", 0, None)]
    assert not full.is_subset
    assert quick.is_subset


def test_a_suite_beside_the_experiment_comes_before_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text("name: mine\ndescription: d\ntasks: [{task: hellaswag, shots: 0}]\n")
    assert load_suite("quick", beside=tmp_path).name == "mine"


def test_a_path_is_relative_to_the_experiment(tmp_path: Path) -> None:
    name = written(tmp_path, "name: own\ndescription: d\ntasks: [{task: arc_easy, shots: 3}]\n")
    assert load_suite(f"./{name}", beside=tmp_path).tasks[0].task == "arc_easy"


def test_an_unknown_suite_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='"quik" is not a suite; did you mean "quick"'):
        load_suite("quik", beside=tmp_path)


def test_all_problems_of_a_suite_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    name = written(
        tmp_path,
        "name: own\ndescription: d\ntasks:\n"
        "  - {task: mmlu, shots: 6}\n"
        "  - {task: hellaswag, shot: 0, shots: 0}\n"
        "  - {task: hellaswag, shots: 0, subset: {items: 0, seed: 1}}\n",
    )
    with pytest.raises(ConfigError) as told:
        load_suite(name, beside=tmp_path)
    message = str(told.value)
    assert "3 problems" in message
    assert "line 4: tasks.0: mmlu has 5 examples to show; seen: shots: 6" in message
    assert 'line 5: "tasks.1.shot" is not a known key' in message
    assert "line 6: tasks.2.subset.items" in message


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        ("[{task: mmlu, shots: 0, subset: {items: 9, seed: 1, stratify_by: [source]}}]", "cannot be stratified by"),
        ("[{task: mmlu, shots: 0}, {task: mmlu, shots: 5}]", "mmlu stands 2 times"),
        ("[]", "tasks"),
    ],
)
def test_a_suite_that_cannot_be_done_is_refused(tasks: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        load_suite(written(tmp_path, f"name: own\ndescription: d\ntasks: {tasks}\n"), beside=tmp_path)


def test_a_suite_cannot_be_changed() -> None:
    suite = Suite.model_validate({"name": "s", "description": "d", "tasks": [{"task": "mmlu", "shots": 0}]})
    with pytest.raises(ValueError, match="frozen"):
        suite.name = "other"
