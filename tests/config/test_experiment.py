import shutil
from pathlib import Path

import pytest

from harness.assets import shipped
from harness.config.audit import load_thresholds
from harness.config.augment import load_plan
from harness.config.experiment import Experiment, load_experiment
from harness.config.policy import load_policy
from harness.config.regression import load_suite
from harness.config.rubric import load_rubric
from harness.config.system import Decoding, Finetune, Prompt, Retriever
from harness.config.yaml_file import read_yaml
from harness.data.manifest import load_manifest
from harness.errors import ConfigError

HEAD = "name: colours\nquestion: Which?\nbase_model: smollm2-135m-instruct\ngolden_set: colours\n"


@pytest.fixture
def load(tmp_path: Path):
    """Writes an experiment beside its data, and loads it."""
    for name in ("train.jsonl", "corpus.jsonl"):
        (tmp_path / name).write_text("")
    (tmp_path / "golden_sets" / "colours").mkdir(parents=True)

    def write_and_load(text: str, *overrides: str) -> Experiment:
        (tmp_path / "experiment.yaml").write_text(text)
        return load_experiment(tmp_path, overrides)

    return write_and_load


def message_of(load, text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(text, *overrides)
    return str(error.value)


def test_every_problem_is_told_at_once_with_its_line_and_the_nearest_name(load, tmp_path: Path) -> None:
    text = """\
name: colours
base_model: smollm2-135m-instruct
golden_set: colours
promt: {system: x}
seed: many
device: gpu
systems:
  lora:
    finetune:
      epoch: 3
      batch_size: 0
  few_shot: {prompt: {shots: -1}}
"""
    said = message_of(load, text).splitlines()
    assert said[0] == f"{tmp_path / 'experiment.yaml'}: 7 problems"
    assert [line.strip().partition(";")[0] for line in sorted(said[1:])] == sorted(
        [
            '"question" is missing. Add it.',
            'line 4: "promt" is not a known key',
            "line 5: seed: Input should be a valid integer, unable to parse string as an integer",
            "line 6: device: Input should be 'auto', 'cpu', 'cuda' or 'mps'",
            'line 10: "systems.lora.finetune.epoch" is not a known key',
            "line 11: systems.lora.finetune.batch_size: Input should be greater than or equal to 1",
            "line 12: systems.few_shot.prompt.shots: Input should be greater than or equal to 0",
        ]
    )
    assert any('"promt" is not a known key; did you mean "prompt"?' in line for line in said)
    assert any('finetune.epoch" is not a known key; did you mean "epochs"?' in line for line in said)


def test_every_contradiction_and_missing_file_is_told_at_once(load, tmp_path: Path) -> None:
    text = f"""\
{HEAD.replace("golden_set: colours", "golden_set: gone")}
systems:
  base: {{}}
  a b: {{}}
  lora: {{finetune: {{}}}}
  few: {{prompt: {{shots: 1}}}}
  rag: {{retriever: {{}}}}
  theirs: {{adapter: ./gone}}
"""
    said = message_of(load, text)
    for part in (
        '"a b" is not a name',
        'systems.base: "base" is the base model itself',
        "systems.lora: finetune needs a training_set",
        "systems.few: shots are drawn from a training_set",
        "systems.rag: a retriever needs a corpus",
        f"systems.theirs.adapter: no such file or folder: {tmp_path / 'gone'}",
        "golden_set: no such folder",
    ):
        assert part in said
    assert said.startswith(f"{tmp_path / 'experiment.yaml'}: 7 problems")


def test_missing_files_are_all_listed(load) -> None:
    said = message_of(load, HEAD + "training_set: a.jsonl\ncorpus: b.jsonl\nsystems: {zero_shot: {}}\n")
    assert "training_set: no such file or folder" in said
    assert "corpus: no such file or folder" in said


def test_what_a_system_does_not_say_is_inherited_field_by_field(load) -> None:
    experiment = load(
        HEAD
        + """\
training_set: train.jsonl
prompt: {system: Outer., template: "Q: {input}"}
decoding: {max_new_tokens: 9, batch_tokens: 99}
seed: 5
device: cpu
dtype: float32
systems:
  plain: {}
  other:
    base_model: owner/name
    prompt: {shots: 2}
    decoding: {max_new_tokens: 7}
    seed: 0
    dtype: bfloat16
  silent: {prompt: {system: null}}
"""
    )
    plain, other, silent = experiment.systems.values()
    assert plain.prompt == Prompt(system="Outer.", template="Q: {input}")
    assert plain.decoding == Decoding(max_new_tokens=9, batch_tokens=99)
    assert (plain.base_model, plain.seed, plain.device, plain.dtype) == ("smollm2-135m-instruct", 5, "cpu", "float32")
    assert other.prompt == Prompt(system="Outer.", template="Q: {input}", shots=2)
    assert other.decoding == Decoding(max_new_tokens=7, batch_tokens=99)
    assert (other.base_model, other.seed, other.device, other.dtype) == ("owner/name", 0, "cpu", "bfloat16")
    assert silent.prompt == Prompt(system=None, template="Q: {input}")


def test_a_system_without_an_entry_inherits_everything(load) -> None:
    experiment = load(HEAD + "prompt: {system: Outer.}\nsystems:\n  zero_shot:\n")
    assert experiment.systems["zero_shot"].prompt == Prompt(system="Outer.")


def test_an_empty_finetune_and_an_empty_retriever_are_switched_on(load) -> None:
    experiment = load(
        HEAD
        + "training_set: train.jsonl\ncorpus: corpus.jsonl\n"
        + "systems: {lora: {finetune: {}}, rag: {retriever: {}}, z: {}}\n"
    )
    assert experiment.systems["lora"].finetune == Finetune()
    assert experiment.systems["rag"].retriever == Retriever()
    assert [system.reads_training_set for system in experiment.systems.values()] == [True, False, False]


def test_a_system_either_learns_an_adapter_or_brings_one(load) -> None:
    text = HEAD + "training_set: train.jsonl\nsystems:\n  both: {finetune: {}, adapter: ./a}\n"
    assert "line 7: systems.both: finetune learns an adapter and adapter brings one" in message_of(load, text)


def test_templates_must_say_where_the_text_goes(load) -> None:
    said = message_of(load, HEAD + 'prompt: {template: "Answer:"}\nsystems: {a: {}}\n')
    assert "line 5: prompt: template needs {input}" in said
    said = message_of(load, HEAD + 'prompt: {passages_template: "{input}"}\nsystems: {a: {}}\n')
    assert "passages_template needs {passages} and {input}" in said


@pytest.mark.parametrize("name", ["a b", "-a", ".a", "a/b", "ä", "", "a\n", "../a"])
def test_a_name_that_could_not_be_a_file_name_is_refused(load, name: str) -> None:
    written = name.replace("\n", "\\n")
    assert "is not a name" in message_of(load, HEAD + f'systems: {{"{written}": {{}}}}\n')


@pytest.mark.parametrize("name", ["a", "A-b_c.d", "9lives"])
def test_a_name_of_letters_digits_and_marks_is_a_name(load, name: str) -> None:
    assert list(load(HEAD + f'systems: {{"{name}": {{}}}}\n').systems) == [name]


def test_an_experiment_needs_a_system(load) -> None:
    assert "systems is empty" in message_of(load, HEAD + "systems: {}\n")
    assert "line 5: systems: " in message_of(load, HEAD + "systems:\n")
    assert "line 5: systems: " in message_of(load, HEAD + "systems: [lora]\n")


def test_a_number_for_a_key_is_told_and_not_crashed_on(load) -> None:
    assert "Input should be a valid string; seen: 1" in message_of(load, HEAD + "systems: {1: {}}\n")
    assert "Keys should be strings; seen: 7" in message_of(load, HEAD + "7: x\nsystems: {a: {}}\n")


def test_overrides_are_validated_as_the_file_is(load) -> None:
    text = HEAD + "training_set: train.jsonl\nsystems: {lora: {finetune: {epochs: 3}}}\n"
    changed = load(text, "systems.lora.finetune.epochs=1", "systems.lora.finetune.learning_rate=1e-3", "dtype=float32")
    assert changed.systems["lora"].finetune == Finetune(epochs=1, learning_rate=1e-3)
    assert changed.systems["lora"].dtype == "float32"
    said = message_of(load, text, "systems.lora.finetune.epoch=1")
    assert '"systems.lora.finetune.epoch" is not a known key; did you mean "epochs"?' in said
    assert "epochs: Input should be a valid integer" in message_of(load, text, "systems.lora.finetune.epochs=many")
    assert '"lara" is not a system; did you mean "lora"?' in message_of(load, text, "systems.lara.seed=1")


def test_an_adapters_settings_reach_peft_as_they_are_written(load) -> None:
    text = "training_set: train.jsonl\nsystems: {a: {finetune: {adapter: {r: 4, lora_dropout: 1e-2, use_dora: yes}}}}\n"
    finetune = load(HEAD + text).systems["a"].finetune
    assert finetune is not None
    assert finetune.adapter == {"r": 4, "lora_dropout": 0.01, "use_dora": True}


def test_paths_are_relative_to_the_experiments_folder(load, tmp_path: Path) -> None:
    experiment = load(HEAD + "training_set: ./train.jsonl\nsystems: {a: {base_model: ./model}, b: {base_model: x/y}}\n")
    assert experiment.training_set == tmp_path / "train.jsonl"
    assert experiment.golden_set == tmp_path / "golden_sets" / "colours"
    assert experiment.systems["a"].base_model == str(tmp_path / "model")
    assert experiment.systems["b"].base_model == "x/y"


def test_chosen_systems_come_in_the_experiments_order(load) -> None:
    experiment = load(HEAD + "systems: {a: {}, b: {}, c: {}}\n")
    assert [system.name for system in experiment.chosen(["c", "a"])] == ["a", "c"]
    assert [system.name for system in experiment.chosen([])] == ["a", "b", "c"]
    with pytest.raises(ConfigError, match='"zero_shoot" is not a system of experiment colours'):
        experiment.chosen(["zero_shoot"])


def test_a_missing_experiment_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_experiment(tmp_path / "gone.yaml")
    with pytest.raises(ConfigError, match=r"experiment\.yaml: no such file"):
        load_experiment(tmp_path)


def test_a_shipped_experiment_is_found_by_name_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_experiment(Path("icd10_coding")).name == "icd10-coding"


class TestExperimentId:
    TEXT = HEAD + (
        "training_set: train.jsonl\ncorpus: corpus.jsonl\n"
        "systems: {a: {adapter: ./adapter}, b: {base_model: ./model, retriever: {}}, c: {prompt: {shots: 1}}}\n"
    )

    @pytest.fixture
    def folder(self, load, tmp_path: Path) -> Path:
        for name in ("adapter", "model", "other_adapter", "other_model"):
            (tmp_path / name).mkdir()
        (tmp_path / "other.jsonl").write_text("")
        load(self.TEXT)
        return tmp_path

    def test_it_is_the_same_in_another_folder(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        other = tmp_path_factory.mktemp("other") / "place"
        shutil.copytree(folder, other)
        assert load_experiment(other).experiment_id == load_experiment(folder).experiment_id
        assert len(load_experiment(other).experiment_id) == 16

    def test_it_is_the_same_however_the_file_is_laid_out(self, load, folder: Path) -> None:
        before = load_experiment(folder).experiment_id
        assert load("# a comment\n" + self.TEXT + "seed: 17\n").experiment_id == before

    @pytest.mark.parametrize(
        "override",
        [
            "name=other",
            "question=Other?",
            "seed=1",
            "prompt.system=x",
            "decoding.max_new_tokens=1",
            "systems.b.retriever.top_k=1",
            "systems.c.prompt.shots=2",
            "systems.a.adapter=./other_adapter",
            "systems.b.base_model=./other_model",
            "base_model=owner/name",
            "training_set=other.jsonl",
            "corpus=other.jsonl",
            "trust_remote_code=true",
        ],
    )
    def test_it_changes_with_whatever_is_said(self, folder: Path, override: str) -> None:
        assert load_experiment(folder, (override,)).experiment_id != load_experiment(folder).experiment_id


SHIPPED = sorted(path for folder in ("suites", "golden_sets") for path in shipped(folder).rglob("*.y*ml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_shipped_yaml_file_is_valid(path: Path) -> None:
    match path.parent.parent.name, path.parent.name, path.name:
        case "experiments", _, "experiment.yaml":
            assert load_experiment(path).systems
        case _, "regression", _:
            assert load_suite(str(path), beside=path.parent).tasks
        case _, "policies", "github-workflow.yml":
            assert read_yaml(path).content["jobs"]
        case (_, "policies", _) | ("experiments", _, "policy.yaml"):
            assert load_policy(str(path), beside=path.parent).gates
        case _, "audit", _:
            assert load_thresholds(str(path), beside=path.parent).limits
        case "experiments", _, name if name.startswith("augment"):
            assert load_plan(path).steps
        case "golden_sets", _, "manifest.yaml":
            assert load_manifest(path.parent).scorers
        case "golden_sets", _, "rubric.yaml":
            assert load_rubric(path.parent) is not None
        case _:
            pytest.fail(f"nothing here knows how to validate {path}")


def test_seeds_make_replicates_of_what_reads_the_training_set_only(experiment_folder: Path) -> None:
    file = experiment_folder / "experiment.yaml"
    file.write_text(file.read_text().replace("seed: 17\n", "seeds: [1, 2, 3]\n"))
    experiment = load_experiment(experiment_folder)
    seeds = {name: [one.seed for one in system.replicates()] for name, system in experiment.systems.items()}
    assert seeds == {"zero_shot": [1], "few_shot": [1, 2, 3], "rag": [1], "lora": [1, 2, 3]}


def test_a_system_with_a_seed_of_its_own_is_run_once(experiment_folder: Path) -> None:
    file = experiment_folder / "experiment.yaml"
    file.write_text(file.read_text().replace("seed: 17\n", "seeds: [1, 2]\n"))
    lora = load_experiment(experiment_folder, ("systems.lora.seed=9",)).systems["lora"]
    assert [one.seed for one in lora.replicates()] == [9]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("systems.lora.seeds=[1]", "at least 2"),
        ("systems.lora.seeds=[4, 4]", "a seed stands there twice"),
        ("seeds=[1, 2]", "seed is for one run and seeds for several"),
    ],
)
def test_seeds_that_say_nothing_or_too_much_are_refused(experiment_folder: Path, override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_experiment(experiment_folder, (override,))
