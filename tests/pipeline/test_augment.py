import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.assets import shipped
from harness.data.training import load_training_set
from harness.errors import ConfigError, DataError, ModelError, OverlapError
from harness.pipeline.augment import Augmentation, AugmentRequest, augment_file
from harness.pipeline.prepare import prepare
from harness.pipeline.run import run_experiment
from harness.pipeline.stages import describe_training_sets
from harness.records.protocols import Progress

ICD = shipped("suites") / "experiments" / "icd10_coding"
TEMPLATE = "name: more\nsteps:\n  - name: new\n    template:\n      prompt: 'Say the hue of {thing}.'\n"
TEMPLATE += "      completion: 'Colour: {hue}'\n      table: hues.csv\n"
REWORD = "name: words\nsteps:\n  - name: reworded\n    paraphrase: {max_new_tokens: 12, sample: 6}\n"
OWN = "name: wrong\nsteps:\n  - name: wrong\n    negative: {by: model, sample: 6}\n"

Augment = Callable[..., Augmentation]


@pytest.fixture
def augment(experiment_folder: Path, tmp_path: Path, quiet: Progress, monkeypatch: pytest.MonkeyPatch) -> Augment:
    """Augments the experiment's training set by a plan given as YAML, into `out.jsonl`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hues.csv").write_text("thing,hue\nrust,red\nivory,white\n")

    def augment(plan: str, file: Path = experiment_folder / "train.jsonl", **wishes: object) -> Augmentation:
        (tmp_path / "augment.yaml").write_text(plan)
        given: dict[str, object] = {"out": tmp_path / "out.jsonl", "home": tmp_path / "home", **wishes}
        return augment_file(AugmentRequest(file=file, plan=tmp_path / "augment.yaml", **given), quiet)  # type: ignore[arg-type]

    return augment


def lines(path: Path) -> list[Mapping[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_file_holds_the_source_as_it_was_and_the_new_records_marked(
    augment: Augment, experiment_folder: Path, tmp_path: Path
) -> None:
    done = augment(TEMPLATE)
    written = lines(tmp_path / "out.jsonl")
    assert written[:24] == lines(experiment_folder / "train.jsonl")
    assert [record["prompt"] for record in written[24:]] == ["Say the hue of rust.", "Say the hue of ivory."]
    assert load_training_set(tmp_path / "out.jsonl").origins == {"written": 24, "template": 2}
    assert (done.records, done.source_records, done.new_records, done.journal) == (26, 24, 2, None)
    assert not list(tmp_path.glob(".out*"))


def test_the_same_seed_gives_the_same_bytes(augment: Augment, tmp_path: Path) -> None:
    plan = TEMPLATE + "      sample: 1\n"
    hashes = [augment(plan, seed=seed, out=tmp_path / f"{n}.jsonl").sha256 for n, seed in enumerate([3, 3, *range(9)])]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 9  # the seed stands in the marks


def test_a_run_records_how_many_records_of_each_origin_it_learned_from(
    augment: Augment, experiment_folder: Path, tmp_path: Path, quiet: Progress
) -> None:
    augment(TEMPLATE, out=experiment_folder / "more.jsonl")
    prepared = prepare(experiment_folder, ("training_set=more.jsonl",))
    state = run_experiment(prepared, tmp_path / "home", quiet, only=["few_shot"])["few_shot"].state
    (described,) = state.run.provenance["training_sets"]
    assert described["origins"] == {"written": 24, "template": 2}
    written = prepare(experiment_folder)
    (described,) = describe_training_sets(written, written.experiment.systems["few_shot"])
    assert "origins" not in described


def test_a_model_rewrites_and_what_it_wrote_is_kept_beside_the_file(
    augment: Augment, experiment_folder: Path, tmp_path: Path
) -> None:
    rejected = tmp_path / "rejected.jsonl"
    done = augment(REWORD, experiment=experiment_folder, system="zero_shot", rejected=rejected)
    (step,) = done.steps
    assert (step.made, step.kept + sum(step.dropped.values())) == (6, 6)
    assert step.kept < 6  # random weights write nothing that passes
    assert done.journal is not None
    assert len(lines(Path(done.journal))) == 6
    assert len(lines(rejected)) == 6 - step.kept
    assert {"step", "reason", "said", "detail", "text", "parents"} == set(lines(rejected)[0])


def test_a_rerun_asks_nothing_and_loads_no_model(augment: Augment, experiment_folder: Path, tmp_path: Path) -> None:
    wishes = {"experiment": experiment_folder, "system": "zero_shot"}
    first = augment(REWORD, **wishes)
    journal = Path(str(first.journal)).read_bytes()
    command = ["data", "augment", str(experiment_folder / "train.jsonl"), "--plan", str(tmp_path / "augment.yaml")]
    command += ["--out", str(tmp_path / "out.jsonl"), "--force", "--experiment", str(experiment_folder)]
    command += ["--system", "zero_shot", "--home", str(tmp_path / "home")]
    script = "import sys; sys.argv = ['harness', *sys.argv[1:]]\nfrom harness.cli.main import main\n"
    script += (
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    assert Path(str(first.journal)).read_bytes() == journal
    assert augment(REWORD, force=True, **wishes) == first


def test_a_part_of_the_answers_is_enough_to_go_on_with(augment: Augment, experiment_folder: Path) -> None:
    wishes = {"experiment": experiment_folder, "system": "zero_shot", "force": True}
    first = augment(REWORD, **wishes)
    journal = Path(str(first.journal))
    whole = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(whole[:2]) + whole[2][:20])
    assert augment(REWORD, **wishes) == first
    assert sorted(journal.read_text().splitlines(keepends=True)) == sorted(whole)


def test_a_systems_own_wrong_answers_become_preferences(
    augment: Augment, experiment_folder: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "experiment.yaml"
    assert not plan.exists()
    with pytest.raises(DataError, match="no record was kept"):  # 8 tokens of random weights do not end by themselves
        augment(OWN, experiment=experiment_folder, system="zero_shot")
    assert not (tmp_path / "out.jsonl").exists()
    damage = OWN.replace("by: model", "by: damage, rules: [repeat]")
    done = augment(damage)
    assert (done.format, done.records, done.source_records) == ("preference", 6, 0)
    read = load_training_set(tmp_path / "out.jsonl")
    assert read.origins == {"negative": 6}
    assert all(record.rejected == f"{record.completion}\n{record.completion}" for record in read.records)


def test_a_fine_tuned_system_answers_with_the_adapter_of_its_run(
    augment: Augment, experiment_folder: Path, tmp_path: Path, quiet: Progress
) -> None:
    wishes = {"experiment": experiment_folder, "system": "lora", "force": True}
    with pytest.raises(ModelError, match=r"there is no ledger .* harness run .* --only lora"):
        augment(REWORD, **wishes)
    run_experiment(prepare(experiment_folder), tmp_path / "home", quiet, only=["zero_shot"])
    with pytest.raises(ModelError, match="no run of it has finished"):
        augment(REWORD, **wishes)
    run_experiment(prepare(experiment_folder), tmp_path / "home", quiet, only=["lora"])
    rejected = tmp_path / "rejected.jsonl"
    augment(REWORD, rejected=rejected, **wishes)
    of_adapter = [one["text"] for one in lines(rejected)]
    augment(REWORD, **(wishes | {"system": "zero_shot", "rejected": rejected}))
    assert of_adapter != [one["text"] for one in lines(rejected)]


def test_whoever_asks_a_model_says_which(augment: Augment, experiment_folder: Path) -> None:
    with pytest.raises(ConfigError, match="Name one with --experiment"):
        augment(REWORD)
    with pytest.raises(ConfigError, match="has several systems: zero_shot, few_shot"):
        augment(REWORD, experiment=experiment_folder)
    with pytest.raises(ConfigError, match='did you mean "zero_shot"'):
        augment(REWORD, experiment=experiment_folder, system="zeroshot")


def test_a_golden_set_is_no_source(augment: Augment, experiment_folder: Path, tmp_path: Path) -> None:
    golden = experiment_folder / "golden_sets" / "colours"
    with pytest.raises(OverlapError, match="this is a golden set"):
        augment(TEMPLATE, file=golden / "golden.jsonl")
    with pytest.raises(OverlapError, match=r"this is golden set colours 1\.0\.0"):
        augment(TEMPLATE, file=golden, golden=str(golden))
    copy = tmp_path / "train.jsonl"
    shutil.copy(golden / "golden.jsonl", copy)
    with pytest.raises(OverlapError, match=r"this is golden set colours 1\.0\.0"):
        augment(TEMPLATE, file=copy, experiment=experiment_folder)


def test_a_source_that_holds_golden_items_is_refused_with_the_lines(
    augment: Augment, experiment_folder: Path, tmp_path: Path
) -> None:
    leaky = tmp_path / "leaky.jsonl"
    copied = {"prompt": "NAME the hue of a ripe tomato", "completion": "Colour: red"}
    leaky.write_text((experiment_folder / "train.jsonl").read_text() + json.dumps(copied) + "\n")
    with pytest.raises(OverlapError, match=r'leaky.jsonl:25: item "item-1": the same text but for case'):
        augment(TEMPLATE, file=leaky, experiment=experiment_folder)
    with pytest.raises(OverlapError, match=r"leaky.jsonl:25"):
        augment(TEMPLATE, file=leaky, golden=str(experiment_folder / "golden_sets" / "colours"))
    # A set in ./golden_sets is looked at without being named.
    shutil.copytree(experiment_folder / "golden_sets", tmp_path / "golden_sets")
    with pytest.raises(OverlapError, match=r"leaky.jsonl:25"):
        augment(TEMPLATE, file=leaky)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_golden_set_that_merely_is_there_and_cannot_be_read_stops_nothing(augment: Augment, tmp_path: Path) -> None:
    (tmp_path / "golden_sets" / "half").mkdir(parents=True)
    (tmp_path / "golden_sets" / "half" / "golden.jsonl").write_text("{}\n")
    assert augment(TEMPLATE).new_records == 2
    with pytest.raises((ConfigError, DataError)):
        augment(TEMPLATE, golden="half", force=True)


def test_new_records_like_a_golden_item_are_dropped(augment: Augment, experiment_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "hues.csv").write_text("thing,hue\nrust,red\n")
    plan = TEMPLATE.replace("Say the hue of {thing}.", "Name the hue of a ripe tomato, of {thing}.")
    with_golden = augment(plan, experiment=experiment_folder)
    assert with_golden.steps[0].dropped == {"golden_overlap": 1}
    assert "colours 1.0.0" in with_golden.golden_sets
    assert augment(plan, force=True).new_records == 1


def test_nothing_is_overwritten_unasked(augment: Augment, experiment_folder: Path, tmp_path: Path) -> None:
    augment(TEMPLATE)
    with pytest.raises(ConfigError, match="is there already"):
        augment(TEMPLATE)
    with pytest.raises(ConfigError, match="a file that is read here"):
        augment(TEMPLATE, out=experiment_folder / "train.jsonl", force=True)
    with pytest.raises(ConfigError, match="name one file"):
        augment(TEMPLATE, out=tmp_path / "a", rejected=tmp_path / "a")
    with pytest.raises(ConfigError, match="cannot be written"):
        augment(TEMPLATE, out=tmp_path / "hues.csv" / "out.jsonl")


@pytest.mark.parametrize("name", ["icd10_coding"])
def test_the_shipped_plan_makes_what_it_says_without_its_model(
    augment: Augment, name: str, tmp_path: Path, experiment_folder: Path
) -> None:
    text = (ICD / "augment.yaml").read_text()
    plan = tmp_path / "augment.yaml"
    shutil.copy(ICD / "augment_findings.csv", tmp_path)
    without_model = text[: text.index("  - name: reworded")]
    done = augment(without_model, file=ICD / "train.jsonl", golden=name)
    assert plan.read_text() == without_model
    assert [(step.step, step.kept) for step in done.steps] == [("follow_up", 36), ("nothing_to_code", 12)]
    codes = (shipped("golden_sets") / name / "codes.txt").read_text()
    for record in load_training_set(tmp_path / "out.jsonl").records[178:]:
        heading, line = record.completion.splitlines()
        assert heading == "ICD-10 Codes:"
        assert line == "- NONE (No codable diagnosis)" or line.split()[1] in codes


def test_the_shipped_plan_of_negatives_makes_preferences_without_its_model(augment: Augment, tmp_path: Path) -> None:
    folder = shipped("suites") / "experiments" / "domain_routing"
    head, model, others = (folder / "augment_negatives.yaml").read_text().partition("  - name: own_mistakes")
    assert model
    done = augment(head + others[others.index("  - name: ") :], file=folder / "train.jsonl", golden="domain_routing")
    assert [(step.step, step.kept) for step in done.steps] == [("other_label", 120), ("wrong_form", 60)]
    labels = {"medical", "finance", "legal"}
    for record in load_training_set(tmp_path / "out.jsonl").records[:120]:
        assert {record.completion, record.rejected} < labels


def test_the_findings_of_the_shipped_plan_are_coded_as_the_training_set_codes_them() -> None:
    known = {record.completion for record in load_training_set(ICD / "train.jsonl").records}
    rows = (ICD / "augment_findings.csv").read_text().splitlines()[1:]
    coded = {f"ICD-10 Codes:\n- {row.partition(',')[2].strip(chr(34))}" for row in rows}
    assert len(coded) == 12
    assert coded <= known
