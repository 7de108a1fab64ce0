import itertools
import json
from pathlib import Path

import pytest

from harness.config.yaml_file import read_yaml
from harness.data.overlap import OverlapError
from harness.errors import ConfigError, HarnessError, ModelError
from harness.models.catalog import CATALOG
from harness.pipeline.init import Project, init_from_example, init_from_files
from harness.pipeline.init_plan import Wishes
from harness.pipeline.init_sources import OwnFiles
from harness.pipeline.prepare import prepare

_GOLDEN = "question,answer\nWhat is the capital of France?,Paris\nWho wrote Hamlet?,Shakespeare\n"
_TRAIN = "question,answer\nWhat is the capital of Italy?,Rome\nWho wrote Faust?,Goethe\nWho wrote Emma?,Austen\n"
_CORPUS = "title,text\nFrance,Paris is its capital.\nHamlet,A play by Shakespeare.\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with the user's own files."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "golden.csv").write_text(_GOLDEN)
    (folder / "train.csv").write_text(_TRAIN)
    (folder / "corpus.csv").write_text(_CORPUS)
    make_adapter(folder / "adapter", base="smollm2-135m-instruct")
    return folder


def make_adapter(folder: Path, base: str | None) -> None:
    """A PEFT folder by its looks: its weights are never loaded here."""
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": base}))
    (folder / "adapter_model.safetensors").write_bytes(b"weights")


def _init(own: Path, *parts: str, wishes: Wishes | None = None, **said: str) -> Project:
    files = OwnFiles(
        golden=own / "golden.csv",
        train=own / "train.csv" if "train" in parts else None,
        corpus=own / "corpus.csv" if "corpus" in parts else None,
        adapter=own / "adapter" if "adapter" in parts else None,
        **said,
    )
    return init_from_files(own.parent / "project", files, wishes or Wishes())


_PARTS = ("train", "corpus", "adapter")
_COMBINATIONS = [parts for count in range(4) for parts in itertools.combinations(_PARTS, count)]


@pytest.mark.parametrize("parts", _COMBINATIONS, ids="+".join)
def test_every_combination_of_files_gives_a_project_that_check_accepts(own: Path, parts: tuple[str, ...]) -> None:
    project = _init(own, *parts)
    prepared = prepare(project.folder)
    expected = {
        "zero_shot": True,
        "brief": "train" not in parts,
        "few_shot": "train" in parts,
        "rag": "corpus" in parts,
    }
    expected |= {"lora": "train" in parts, "theirs": "adapter" in parts}
    assert list(prepared.experiment.systems) == [name for name, there in expected.items() if there]
    assert project.systems == tuple(prepared.experiment.systems)
    assert (prepared.experiment.regression is not None) == ("train" in parts or "adapter" in parts)
    assert [item.references for item in prepared.golden_set.items] == [("Paris",), ("Shakespeare",)]
    assert {str(path.relative_to(project.folder)) for path in project.folder.rglob("*") if path.is_file()} == set(
        project.files
    )


@pytest.mark.parametrize("parts", [(), _PARTS], ids=["golden only", "everything"])
def test_every_key_of_the_yaml_has_a_comment(own: Path, parts: tuple[str, ...]) -> None:
    project = _init(own, *parts)
    for name in ("experiment.yaml", "golden_sets/project/manifest.yaml"):
        path = project.folder / name
        lines = path.read_text().splitlines()
        begins_line = {
            line: key_path[-1]
            for key_path, line in read_yaml(path).lines.items()
            if lines[line - 1].lstrip().startswith(f"{key_path[-1]}:") and key_path[0] != "changes"
        }
        assert len(begins_line) >= 6
        for line, key in begins_line.items():
            assert lines[line - 2].lstrip().startswith("#"), f"{name}:{line}: {key}"
        assert all(len(line) <= 120 for line in lines), name


def test_a_project_made_twice_from_the_same_files_is_the_same(own: Path) -> None:
    first = _init(own, *_PARTS).folder
    moved = first.rename(first.with_name("first"))
    second = _init(own, *_PARTS).folder
    for path in (path for path in second.rglob("*") if path.is_file()):
        assert path.read_bytes() == (moved / path.relative_to(second)).read_bytes()


def test_the_users_files_stay_and_a_training_set_is_copied_as_it_is(own: Path) -> None:
    chat = {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}
    (own / "train.csv").rename(own / "train.txt")
    (own / "train.txt").write_text(json.dumps(chat) + "\n")
    before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    files = OwnFiles(golden=own / "golden.csv", train=own / "train.txt")
    project = init_from_files(own.parent / "project", files, Wishes())
    assert (project.folder / "train.jsonl").read_bytes() == before[own / "train.txt"]
    assert {path: path.read_bytes() for path in before} == before


def test_one_training_record_gives_shots_but_no_adapter_and_says_so(own: Path) -> None:
    (own / "train.csv").write_text("question,answer\nWho wrote Emma?,Austen\n")
    project = _init(own, "train")
    assert project.systems == ("zero_shot", "few_shot")
    assert prepare(project.folder).experiment.systems["few_shot"].prompt.shots == 1
    assert any("no lora system" in decision for decision in project.decisions)


def test_overlap_is_refused_with_the_pairs_in_the_users_own_lines(own: Path) -> None:
    (own / "train.csv").write_text(_TRAIN + "who wrote hamlet,Shakespeare\n")
    with pytest.raises(OverlapError) as caught:
        _init(own, "train")
    assert f'{own / "train.csv"}:5: item "q002"' in str(caught.value)


def test_the_base_model_is_read_from_the_adapter(own: Path, tiny_model_folder: Path) -> None:
    make_adapter(own / "tuned", base=str(tiny_model_folder))
    files = OwnFiles(golden=own / "golden.csv", adapter=own / "tuned")
    project = init_from_files(own.parent / "project", files, Wishes())
    (theirs,) = (system for system in prepare(project.folder).experiment.systems.values() if system.adapter)
    assert theirs.base_model == str(tiny_model_folder)
    assert theirs.adapter == own / "tuned"
    assert "adapter: " in (project.folder / "experiment.yaml").read_text()


def test_an_adapter_beside_the_project_is_named_by_a_relative_path(own: Path) -> None:
    project = _init(own, "adapter")
    assert 'adapter: "../own/adapter"' in (project.folder / "experiment.yaml").read_text()


@pytest.mark.parametrize("base", ["smollm2-135m-instruct", str(CATALOG["smollm2-135m-instruct"].folder)])
def test_an_adapter_of_a_catalog_model_names_it_whatever_the_cache_folder(own: Path, base: str) -> None:
    make_adapter(own / "tuned", base=base)
    files = OwnFiles(golden=own / "golden.csv", adapter=own / "tuned")
    project = init_from_files(own.parent / "project", files, Wishes())
    assert "base_model: smollm2-135m-instruct\n" in (project.folder / "experiment.yaml").read_text()


@pytest.mark.parametrize(
    ("base", "expected"),
    [("/nowhere/model", "trained on /nowhere/model, which is not a folder here"), (None, "names no base model")],
)
def test_an_adapter_without_its_base_asks_for_it(own: Path, base: str | None, expected: str) -> None:
    make_adapter(own / "tuned", base=base)
    files = OwnFiles(golden=own / "golden.csv", adapter=own / "tuned")
    with pytest.raises(ModelError, match=expected) as caught:
        init_from_files(own.parent / "project", files, Wishes())
    assert "--base-model" in str(caught.value)


def test_an_adapter_of_a_hub_model_names_its_id_and_the_user_may_say_otherwise(own: Path) -> None:
    make_adapter(own / "tuned", base="owner/name")
    for place, said, expected in (("a", None, "owner/name"), ("b", "owner/other", "owner/other")):
        files = OwnFiles(golden=own / "golden.csv", adapter=own / "tuned", base_model=said)
        project = init_from_files(own.parent / place, files, Wishes())
        assert f"base_model: {expected}\n" in (project.folder / "experiment.yaml").read_text()


def test_a_base_model_can_be_a_folder(own: Path, tiny_model_folder: Path) -> None:
    project = _init(own, base_model=str(tiny_model_folder))
    assert {source.kind for source in prepare(project.folder).sources.values()} == {"folder"}


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("my domain!", "my-domain"),
        ("Größe", "Gr-e"),
        ("...", "experiment"),
        ("golden_sets", "experiment"),
        ("123", "123"),
    ],
)
def test_the_name_comes_from_the_folder(own: Path, folder: str, name: str) -> None:
    place = own.parent / "made" / folder if folder != "..." else own.parent / "---"
    project = init_from_files(place, OwnFiles(golden=own / "golden.csv"), Wishes())
    assert project.name == prepare(project.folder).experiment.name == name


def test_what_the_user_says_stands_in_the_files_whatever_is_in_it(own: Path) -> None:
    odd = 'Is "a: b" # not\n{better} than: [c]?'
    (own / "golden.csv").rename(own / "x\nname: y #.csv")
    files = OwnFiles(golden=own / "x\nname: y #.csv")
    project = init_from_files(own.parent / "project", files, Wishes(name="n1", question=odd, licence="CC: | #"))
    prepared = prepare(project.folder)
    assert (prepared.experiment.name, prepared.experiment.question) == ("n1", odd)
    assert prepared.golden_set.licence == "CC: | #"


def test_labels_with_odd_signs_stand_in_the_prompt(own: Path) -> None:
    labels = ["a: b", "{c}", "#d"]
    rows = "".join(f"Q{number}?,{labels[number % 3]}\n" for number in range(9))
    (own / "golden.csv").write_text("question,label\n" + rows)
    system = prepare(_init(own).folder).experiment.systems["with_labels"].prompt.system
    assert system == "Answer with exactly one of these labels, and nothing else: #d, a: b, {c}."


def test_codes_come_with_their_list(own: Path) -> None:
    (own / "golden.csv").write_text("note,codes\nHigh blood pressure.,I10\nType 2 diabetes.,E11.9\n")
    prepared = prepare(_init(own).folder)
    assert {"I10", "E11.9"} <= (prepared.golden_set.known_codes or set())
    assert "format_valid" not in [scorer.name for scorer in prepared.scorers]


def test_the_example_is_copied_ready_to_run(tmp_path: Path) -> None:
    project = init_from_example(tmp_path / "copy")
    prepared = prepare(tmp_path / "copy")
    assert prepared.golden_set.items
    assert prepared.experiment.golden_set == tmp_path / "copy" / "golden_sets" / "icd10_coding"
    assert project.systems == ("zero_shot", "few_shot", "rag", "lora")
    assert {
        str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if path.is_file()
    } == set(project.files)


@pytest.mark.parametrize("existing", ["file", "folder"])
def test_what_is_there_is_never_overwritten(own: Path, existing: str) -> None:
    place = own.parent / "project"
    kept = place if existing == "file" else place / "notes.txt"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    for make in (lambda: _init(own), lambda: init_from_example(place)):
        with pytest.raises(ConfigError, match="nothing is overwritten"):
            make()
    assert kept.read_text() == "mine"
    assert len(list(own.parent.iterdir())) == 2


def test_an_empty_folder_that_is_there_is_filled(own: Path) -> None:
    (own.parent / "project").mkdir()
    assert prepare(_init(own).folder).golden_set.items


def _spoil(own: Path, defect: str) -> dict[str, str]:
    match defect:
        case "golden":
            (own / "golden.csv").write_text("question,answer\nWhy?,\n")
        case "train":
            (own / "train.csv").write_bytes(b"\x00\x01\x02")
        case "corpus":
            (own / "corpus.csv").write_text("text\nthe\n\nthe\n")
        case "adapter":
            (own / "adapter" / "adapter_config.json").unlink()
        case "encoding":
            return {"encoding": "klingon"}
        case _:
            return {"base_model": "smollm3"}
    return {}


@pytest.mark.parametrize("defect", ["golden", "train", "corpus", "adapter", "encoding", "base model"])
def test_a_failure_leaves_nothing_behind(own: Path, defect: str) -> None:
    said = _spoil(own, defect)
    files = OwnFiles(
        golden=own / "golden.csv",
        train=own / "train.csv",
        corpus=own / "corpus.csv",
        adapter=own / "adapter",
        **said,
    )
    before = sorted(own.parent.rglob("*"))
    with pytest.raises(HarnessError):
        init_from_files(own.parent / "deep" / "er" / "project", files, Wishes())
    assert sorted(own.parent.rglob("*")) == before


def test_what_cannot_be_written_is_said_and_leaves_nothing_behind(own: Path) -> None:
    before = sorted(own.parent.rglob("*"))
    with pytest.raises(ConfigError, match=r"cannot be (written|read)"):
        init_from_files(own / "golden.csv" / "project", OwnFiles(golden=own / "golden.csv"), Wishes())
    assert sorted(own.parent.rglob("*")) == before


def test_a_name_that_is_none_is_refused(own: Path) -> None:
    for name in ("a b", "golden_sets", "-x"):
        with pytest.raises(ConfigError, match=f'--name "{name}" is not a name'):
            _init(own, wishes=Wishes(name=name))
