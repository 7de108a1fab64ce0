import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from harness.errors import ConfigError, ModelError
from harness.models.adapter_folder import adapter_hash, check_adapter_base, check_adapter_folder
from harness.models.adapters import adapter_disabled, attach_new_adapter, attach_saved_adapter, save_adapter
from harness.models.load import LoadedModel
from harness.models.probes import next_token_logits

Load = Callable[..., LoadedModel]

SETTINGS: dict[str, object] = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"}
PROMPTS = [[5, 6, 7], [8, 9, 10, 11]]


def attach_trained_adapter(loaded: LoadedModel) -> None:
    """A new adapter that does something, as if it had been trained."""
    torch.manual_seed(3)
    attach_new_adapter(loaded, SETTINGS)
    with torch.no_grad():
        for name, weight in loaded.model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.1)


@pytest.fixture(scope="session")
def saved(load_tiny: Load, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an adapter of the tiny model."""
    loaded = load_tiny()
    attach_trained_adapter(loaded)
    folder = tmp_path_factory.mktemp("adapters") / "adapter"
    save_adapter(loaded, folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """The adapter, to be changed."""
    return Path(shutil.copytree(saved, tmp_path / "adapter"))


def without_origin(folder: Path) -> Path:
    (folder / "harness.json").unlink()
    return folder


def test_a_new_adapter_changes_nothing_yet_and_is_all_that_trains(load_tiny: Load, tiny: LoadedModel) -> None:
    loaded = load_tiny()
    attach_new_adapter(loaded, SETTINGS)
    assert torch.equal(next_token_logits(loaded, PROMPTS), next_token_logits(tiny, PROMPTS))
    trained = [name for name, weight in loaded.model.named_parameters() if weight.requires_grad]
    assert trained
    assert all("lora_" in name for name in trained)


def test_settings_reach_peft(load_tiny: Load) -> None:
    loaded = load_tiny()
    attach_new_adapter(loaded, {"r": 2, "target_modules": ["q_proj"], "use_dora": True})
    config = loaded.model.peft_config["default"]
    assert (config.r, config.target_modules, config.use_dora) == (2, {"q_proj"}, True)


def test_an_unknown_setting_is_refused_with_the_nearest(load_tiny: Load) -> None:
    with pytest.raises(ConfigError, match=r'"lora_alfa" is not a setting of .*; did you mean "lora_alpha"'):
        attach_new_adapter(load_tiny(), {"lora_alfa": 8})


@pytest.mark.parametrize(
    "settings",
    [
        {"r": 0},
        {"r": "four"},
        {"target_modules": ["no_such_module"]},
        {"lora_dropout": "much"},
        {"lora_dropout": 2.0},
        {"task_type": "POETRY"},
    ],
    ids=str,
)
def test_a_setting_that_peft_refuses_is_an_error_of_the_experiment(
    load_tiny: Load, settings: dict[str, object]
) -> None:
    with pytest.raises(ConfigError, match="PEFT refuses these settings"):
        attach_new_adapter(load_tiny(), settings)


def test_what_is_saved_is_what_is_attached_again(load_tiny: Load, tiny: LoadedModel, tmp_path: Path) -> None:
    loaded = load_tiny()
    attach_trained_adapter(loaded)
    expected = next_token_logits(loaded, PROMPTS)
    save_adapter(loaded, tmp_path / "adapter")
    again = load_tiny()
    attach_saved_adapter(again, tmp_path / "adapter")
    assert torch.equal(next_token_logits(again, PROMPTS), expected)
    assert not torch.allclose(expected, next_token_logits(tiny, PROMPTS), atol=1e-2)
    assert not any(weight.requires_grad for weight in again.model.parameters())
    assert not again.model.training


def test_a_disabled_adapter_leaves_the_base_and_comes_back(load_tiny: Load, tiny: LoadedModel, saved: Path) -> None:
    loaded = load_tiny()
    attach_saved_adapter(loaded, saved)
    active = next_token_logits(loaded, PROMPTS)
    with adapter_disabled(loaded):
        assert torch.equal(next_token_logits(loaded, PROMPTS), next_token_logits(tiny, PROMPTS))
    assert torch.equal(next_token_logits(loaded, PROMPTS), active)


def test_a_saved_adapter_names_its_base(saved: Path, tiny: LoadedModel) -> None:
    origin = json.loads((saved / "harness.json").read_text())
    assert origin == {"base_model": tiny.source.name, "base_identity": tiny.source.identity}


def test_an_adapter_that_was_trained_on_another_base_is_refused_by_name(folder: Path, tiny: LoadedModel) -> None:
    check_adapter_base(folder, base_name="tiny-llama", base_identity=tiny.source.identity)
    with pytest.raises(ModelError) as error:
        check_adapter_base(folder, base_name="other", base_identity="f" * 64)
    assert "it was trained on tiny-llama" in str(error.value)
    assert "base_model is other (ffffffffffff)" in str(error.value)
    assert "Set the system's base_model" in str(error.value)


def test_an_adapter_from_elsewhere_may_say_nothing_of_its_base(folder: Path) -> None:
    check_adapter_base(without_origin(folder), base_name="other", base_identity="f" * 64)


@pytest.mark.parametrize("text", ["{half", "[]", "{}", '{"base_identity": 1}'])
def test_an_origin_that_cannot_be_read_is_said(folder: Path, text: str) -> None:
    (folder / "harness.json").write_text(text)
    with pytest.raises(ModelError, match=r"harness\.json"):
        check_adapter_base(folder, base_name="other", base_identity="f" * 64)


def test_an_adapter_for_another_hidden_size_does_not_fit(
    folder: Path, load_tiny: Load, wide_model_folder: Path
) -> None:
    loaded = load_tiny(wide_model_folder)
    with pytest.raises(ModelError, match=r"it was trained on tiny-llama"):
        attach_saved_adapter(loaded, folder)
    with pytest.raises(ModelError, match=r"it does not fit base model wide-llama: .* made for another base") as error:
        attach_saved_adapter(load_tiny(wide_model_folder), without_origin(folder))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("layers", "targets"), [(1, "all-linear"), (1, ["q_proj"]), (3, ["q_proj"])])
def test_an_adapter_for_another_number_of_layers_does_not_fit(
    load_tiny: Load, make_model: Callable[..., None], tmp_path: Path, layers: int, targets: object
) -> None:
    loaded = load_tiny()
    attach_new_adapter(loaded, {"target_modules": targets})
    save_adapter(loaded, tmp_path / "adapter")
    make_model(tmp_path / "other-llama", layers=layers)
    with pytest.raises(ModelError, match=r"it does not fit base model other-llama: .* made for another base"):
        attach_saved_adapter(load_tiny(tmp_path / "other-llama"), without_origin(tmp_path / "adapter"))


def test_a_missing_adapter_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="gone: no such folder"):
        check_adapter_folder(tmp_path / "gone")


def test_a_folder_without_a_configuration_is_not_an_adapter(folder: Path) -> None:
    (folder / "adapter_config.json").unlink()
    with pytest.raises(ModelError, match=r"no adapter_config\.json in it"):
        check_adapter_folder(folder)


def test_a_whole_model_given_as_an_adapter_is_recognised(tiny_model_folder: Path) -> None:
    with pytest.raises(ModelError, match="It is a whole model: name it as base_model"):
        check_adapter_folder(tiny_model_folder)


def test_a_folder_without_weights_is_not_an_adapter(folder: Path) -> None:
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match="Was it copied whole"):
        check_adapter_folder(folder)


@pytest.mark.parametrize("text", ["{half", "[]"])
def test_a_configuration_that_cannot_be_read_is_said_before_anything_is_loaded(folder: Path, text: str) -> None:
    (folder / "adapter_config.json").write_text(text)
    with pytest.raises(ModelError, match=r"adapter_config\.json"):
        check_adapter_folder(folder)


@pytest.mark.parametrize("change", [{"peft_type": "MAGIC"}, {"r": "four"}, {"no_such_setting": 1, "peft_type": None}])
def test_a_configuration_that_peft_cannot_use_is_a_model_error(
    folder: Path, load_tiny: Load, change: dict[str, object]
) -> None:
    settings = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(settings | change))
    with pytest.raises(ModelError, match="adapter"):
        attach_saved_adapter(load_tiny(), folder)


def test_truncated_weights_are_a_model_error(folder: Path, load_tiny: Load) -> None:
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="adapter"):
        attach_saved_adapter(load_tiny(), folder)


class TestAdapterHash:
    def test_it_ignores_where_the_base_lay(self, saved: Path, folder: Path) -> None:
        settings = json.loads((folder / "adapter_config.json").read_text())
        settings["base_model_name_or_path"] = "elsewhere"
        (folder / "adapter_config.json").write_text(json.dumps(settings))
        (folder / "README.md").write_text("other words")
        assert adapter_hash(folder) == adapter_hash(saved)

    def test_it_changes_with_the_weights(self, saved: Path, folder: Path) -> None:
        content = bytearray((folder / "adapter_model.safetensors").read_bytes())
        content[-1] ^= 1
        (folder / "adapter_model.safetensors").write_bytes(bytes(content))
        assert adapter_hash(folder) != adapter_hash(saved)

    def test_it_changes_with_the_settings(self, saved: Path, folder: Path) -> None:
        settings = json.loads((folder / "adapter_config.json").read_text())
        (folder / "adapter_config.json").write_text(json.dumps(settings | {"lora_alpha": 9}))
        assert adapter_hash(folder) != adapter_hash(saved)
