import json
from pathlib import Path

import pytest

from harness.data.training import load_training_set
from harness.errors import DataError, OverlapError
from harness.hashing import content_hash
from harness.pipeline.check import estimate_systems
from harness.pipeline.overlap import guard
from harness.pipeline.prepare import Prepared, prepare
from harness.pipeline.run import run_experiment
from harness.pipeline.stages import describe_training_sets, plan_stages
from harness.systems.shots import draw_shots

HUES = ("moss", "sea", "milk", "tar", "cherry", "corn", "mango", "iris", "wood", "fog")
STAGES = "[{path: general.jsonl, share: 0.5, epochs: 1, learning_rate: 5e-3}, {path: train.jsonl, replay: 0.2}]"


@pytest.fixture
def folder(experiment_folder: Path) -> Path:
    """The tiny experiment with 20 general records beside its own 24."""
    asked = [{"instruction": f"Say {hue}, number {number}", "output": hue} for hue in HUES for number in (1, 2)]
    (experiment_folder / "general.jsonl").write_text("".join(json.dumps(one) + "\n" for one in asked))
    return experiment_folder


def staged(folder: Path, stages: str = STAGES, *overrides: str) -> Prepared:
    return prepare(folder, (f"training_set={stages}", *overrides))


def hash_of(prepared: Prepared, system: str) -> str:
    return prepared.inputs_hash(prepared.experiment.systems[system])


def test_a_path_alone_is_hashed_as_it_was_before_there_were_stages(folder: Path) -> None:
    prepared = prepare(folder)
    system = prepared.experiment.systems["lora"]
    # What the version without stages hashed.
    hashed = {
        "system": system.model_dump(mode="json", exclude={"name", "adapter", "base_model", "seeds"}),
        "base": prepared.sources["lora"].identity,
        "golden_set": prepared.golden_set.sha256,
        "scorers": prepared.golden_set.scorers,
        "code_list": [],
        "training_set": load_training_set(folder / "train.jsonl").sha256,
        "corpus": None,
        "adapter": None,
    }
    assert prepared.inputs_hash(system) == content_hash(hashed)
    assert hash_of(staged(folder, "[{path: train.jsonl}]"), "lora") == prepared.inputs_hash(system)


@pytest.mark.parametrize(
    "changed",
    [
        STAGES.replace("share: 0.5", "share: 0.6"),
        STAGES.replace("epochs: 1", "epochs: 2"),
        STAGES.replace("5e-3", "6e-3"),
        STAGES.replace("replay: 0.2", "replay: 0.3"),
        "[{path: train.jsonl, share: 0.5}]",
    ],
)
def test_what_a_stage_says_concerns_systems_that_learn_and_no_others(folder: Path, changed: str) -> None:
    one, other = staged(folder), staged(folder, changed)
    assert hash_of(one, "lora") != hash_of(other, "lora")
    for system in ("zero_shot", "few_shot", "rag"):
        assert hash_of(one, system) == hash_of(other, system) == hash_of(prepare(folder), system)


def test_a_changed_record_of_the_first_stage_is_another_input(folder: Path) -> None:
    before = hash_of(staged(folder), "lora")
    file = folder / "general.jsonl"
    file.write_text(file.read_text().replace("Say moss", "Say moss now"))
    assert hash_of(staged(folder), "lora") != before


def test_a_stage_takes_over_the_systems_settings_and_its_share_of_records(folder: Path) -> None:
    prepared = staged(folder)
    system = prepared.experiment.systems["lora"]
    assert system.finetune is not None
    general, task = plan_stages(prepared, system, system.finetune)
    assert (general.settings.epochs, general.settings.learning_rate) == (1, 5e-3)
    assert task.settings == system.finetune
    assert (len(general.records.own), len(general.records.validation)) == (9, 1)
    assert (len(task.records.own), len(task.records.validation), len(task.records.replayed)) == (22, 2, 4)


def test_shots_are_drawn_from_the_last_stage_and_learned_in_none(folder: Path) -> None:
    task = (folder / "train.jsonl").read_text()
    (folder / "both.jsonl").write_text(task)
    prepared = staged(folder, "[both.jsonl, train.jsonl]", "systems.lora.prompt.shots=3")
    system = prepared.experiment.systems["lora"]
    assert prepared.training_set is not None
    assert prepared.training_set.path.endswith("train.jsonl")
    shots = draw_shots(prepared.training_set.records, 3, seed=system.seed)
    shown = {question.content for question, _ in shots}
    assert len(shown) == 3
    assert system.finetune is not None
    for stage in plan_stages(prepared, system, system.finetune):
        assert not shown & {one.question for one in (*stage.records.learned, *stage.records.validation)}


def test_a_golden_item_in_any_stage_is_found_with_its_file_and_line(folder: Path) -> None:
    with (folder / "general.jsonl").open("a") as file:
        file.write(json.dumps({"instruction": "Please: name the HUE of a ripe tomato", "output": "red"}) + "\n")
    with (folder / "train.jsonl").open("a") as file:
        file.write(json.dumps({"prompt": "Which hue has an elephant's skin?", "completion": "grey"}) + "\n")
    prepared = staged(folder)
    with pytest.raises(OverlapError) as caught:
        guard(prepared, list(prepared.experiment.systems.values()))
    said = str(caught.value)
    assert f'{(folder / "general.jsonl").resolve()}:21: item "item-1": the item stands inside the record' in said
    assert f'{(folder / "train.jsonl").resolve()}:25: item "item-6": the same text' in said


def test_provenance_names_what_each_system_reads(folder: Path) -> None:
    prepared = staged(folder)
    general, task = prepared.training_sets
    of = {name: describe_training_sets(prepared, system) for name, system in prepared.experiment.systems.items()}
    assert of["zero_shot"] == of["rag"] == []
    read = {"path": "train.jsonl", "sha256": task.sha256, "format": "prompt_completion", "records": 24}
    assert of["few_shot"] == [read]
    assert of["lora"] == [
        {
            "path": "general.jsonl",
            "sha256": general.sha256,
            "format": "instruction",
            "records": 20,
            "share": 0.5,
            "replay": 0.0,
            "epochs": 1,
            "learning_rate": 5e-3,
        },
        {**read, "share": 1.0, "replay": 0.2, "epochs": 2, "learning_rate": 1e-2},
    ]


def test_every_stage_is_estimated(folder: Path, tmp_path: Path) -> None:
    prepared = staged(folder)
    (lora,) = estimate_systems(prepared, [prepared.experiment.systems["lora"]], tmp_path / "home")
    general, task = lora.stages
    assert (general.path, general.records, general.set_records, general.epochs, general.steps) == (
        "general.jsonl", 10, 20, 1, 2,
    )  # fmt: skip
    assert (task.path, task.records, task.replayed_records, task.epochs, task.steps) == ("train.jsonl", 24, 4, 2, 8)
    assert lora.train_tokens == general.tokens + task.tokens
    assert 0 < (general.seconds or 0) < (task.seconds or 0)
    (zero_shot,) = estimate_systems(prepared, [prepared.experiment.systems["zero_shot"]], tmp_path / "home")
    assert zero_shot.stages == ()


def test_a_share_that_cannot_be_drawn_is_known_before_a_model_is_loaded(folder: Path, tmp_path: Path, quiet) -> None:
    prepared = staged(folder, "[{path: general.jsonl, share: 0.01}, train.jsonl]")
    with pytest.raises(DataError, match=r"general\.jsonl: a share of 0\.01 of 20 records is less than two"):
        estimate_systems(prepared, [prepared.experiment.systems["lora"]], tmp_path / "home")
    with pytest.raises(DataError, match=r"a share of 0\.01 of 20 records is less than two"):
        run_experiment(prepared, tmp_path / "home", quiet)
    assert not (tmp_path / "home").exists()
