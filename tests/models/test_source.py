import json
import shutil
from pathlib import Path

import pytest

from harness.errors import ModelError
from harness.models.catalog import CATALOG
from harness.models.load import load_model
from harness.models.source import find_model, folder_identity


@pytest.fixture
def copied(tiny_model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "copied"))


def test_a_catalog_name_comes_with_licence_and_note() -> None:
    source = find_model("smollm2-135m-instruct")
    assert (source.kind, source.licence) == ("catalog", "Apache-2.0")
    assert "Q4_1, dequantised" in (source.note or "")
    assert source.identity == CATALOG["smollm2-135m-instruct"].identity


def test_a_folder_is_found_under_its_name(tiny_model_folder: Path) -> None:
    source = find_model(str(tiny_model_folder))
    assert (source.kind, source.name, source.location) == ("folder", "tiny-llama", str(tiny_model_folder))


def test_a_folders_identity_is_its_content_and_not_its_place(tiny_model_folder: Path, copied: Path) -> None:
    assert folder_identity(copied) == folder_identity(tiny_model_folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_folders_identity_changes_with_any_of_its_files(copied: Path, name: str) -> None:
    before = folder_identity(copied)
    content = bytearray((copied / name).read_bytes())
    content[-2] ^= 1
    (copied / name).write_bytes(bytes(content))
    assert folder_identity(copied) != before


def test_remembered_hashes_that_cannot_be_read_are_made_again(copied: Path, cache: Path) -> None:
    before = folder_identity(copied)
    for damaged in ("{half", "[]", '"text"'):
        (cache / "file-hashes.json").write_text(damaged)
        assert folder_identity(copied) == before


def test_a_cache_that_cannot_be_written_does_not_keep_a_model_from_being_used(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "a-file" / "cache"))
    assert len(folder_identity(copied)) == 64


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone: no such folder"):
        find_model(str(tmp_path / "gone"))


def test_a_folder_that_is_not_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json in it"):
        find_model(str(tmp_path))


def test_a_folder_without_weights_is_refused(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no weights in it .* Was it copied whole\?"):
        find_model(str(copied))


def test_an_adapter_given_as_a_base_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="It is an adapter: name it as a system's `adapter:`"):
        find_model(str(tmp_path))


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        ModelError, match=r'"smollm2-135m" is not in the catalog \(did you mean "smollm2-135m-instruct"'
    ):
        find_model("smollm2-135m")


@pytest.mark.parametrize("name", ["a/b/c", "/", "", "a/", "owner/na me", "../x", "owner/..", "owner/x--y"])
def test_what_cannot_be_a_hub_id_is_refused(name: str) -> None:
    with pytest.raises(ModelError):
        find_model(name)


def load(source) -> object:
    return load_model(source, device="cpu", dtype="float32", trust_remote_code=False, say=lambda text: None)


def test_a_hub_id_that_is_not_here_is_one_short_message_when_offline() -> None:
    source = find_model("nobody/no-such-model")
    assert (source.kind, source.identity) == ("hub", "nobody/no-such-model@unresolved")
    with pytest.raises(ModelError) as error:
        load(source)
    assert str(error.value).startswith("base_model nobody/no-such-model cannot be loaded: ")
    assert "HF_HUB_OFFLINE" in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def damage_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def damage_config(folder: Path) -> None:
    (folder / "config.json").write_text("{half")


def change_config(folder: Path, **changes: object) -> None:
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | changes))


def add_a_layer(folder: Path) -> None:
    change_config(folder, num_hidden_layers=3)


def widen(folder: Path) -> None:
    change_config(folder, hidden_size=64)


def drop_the_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


def name_no_architecture(folder: Path) -> None:
    (folder / "config.json").write_text("{}")


@pytest.mark.parametrize(
    "damage", [damage_weights, damage_config, add_a_layer, widen, drop_the_tokenizer, name_no_architecture]
)
def test_a_damaged_model_folder_is_one_short_message_and_never_a_model_with_random_weights(
    copied: Path, damage, tmp_path: Path
) -> None:
    damage(copied)
    with pytest.raises(ModelError) as error:
        load(find_model(str(copied)))
    assert str(error.value).startswith("base_model copied cannot be loaded: ")
    assert "copied whole" in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_an_encoder_is_not_a_model_that_answers(tmp_path: Path, tiny_model_folder: Path) -> None:
    from transformers import BertConfig, BertModel

    settings = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=400, **settings)).save_pretrained(str(tmp_path / "encoder"))
    for path in tiny_model_folder.glob("tokenizer*"):
        shutil.copy(path, tmp_path / "encoder")
    with pytest.raises(ModelError, match="weights are missing"):
        load(find_model(str(tmp_path / "encoder")))
