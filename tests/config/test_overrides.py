from pathlib import Path

import pytest

from harness.config.overrides import apply_overrides
from harness.config.yaml_file import YamlFile
from harness.errors import ConfigError


@pytest.fixture
def source() -> YamlFile:
    content: dict[str, object] = {
        "name": "colours",
        "systems": {"zero_shot": None, "lora": {"finetune": {"epochs": 3}}},
    }
    return YamlFile(path=Path("experiment.yaml"), content=content, lines={("name",): 1})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("0.5", 0.5),
        ("true", True),
        ("null", None),
        ("", None),
        ("hello there", "hello there"),
        ('"1"', "1"),
        ("[a, b]", ["a", "b"]),
        ("{r: 8}", {"r": 8}),
        ("a=b", "a=b"),
    ],
)
def test_a_value_is_read_as_in_the_file(source: YamlFile, text: str, value: object) -> None:
    assert apply_overrides(source, (f"seed={text}",)).content["seed"] == value


def test_a_deep_key_is_set_and_its_neighbours_stay(source: YamlFile) -> None:
    changed = apply_overrides(source, ("systems.lora.finetune.adapter.r=8",))
    assert changed.content["systems"]["lora"] == {"finetune": {"epochs": 3, "adapter": {"r": 8}}}


def test_a_system_that_says_nothing_can_be_told_something(source: YamlFile) -> None:
    changed = apply_overrides(source, ("systems.zero_shot.prompt.shots=2",))
    assert changed.content["systems"]["zero_shot"] == {"prompt": {"shots": 2}}


def test_the_source_is_not_changed(source: YamlFile) -> None:
    apply_overrides(source, ("systems.lora.finetune.epochs=1", "name=other"))
    assert source.content["name"] == "colours"
    assert source.content["systems"]["lora"]["finetune"]["epochs"] == 3


def test_the_last_of_two_overrides_of_a_key_counts(source: YamlFile) -> None:
    assert apply_overrides(source, ("seed=1", "seed=2")).content["seed"] == 2


@pytest.mark.parametrize("override", ["seed", "=1", "a..b=1", ".=1", ""])
def test_an_override_without_a_key_and_a_value_is_refused(source: YamlFile, override: str) -> None:
    with pytest.raises(ConfigError, match="expected key=value, such as"):
        apply_overrides(source, (override,))


@pytest.mark.parametrize("text", ["[1", "{a", "2026-13-45", "!foo x"])
def test_a_value_that_is_not_yaml_is_refused_with_what_to_type(source: YamlFile, text: str) -> None:
    with pytest.raises(ConfigError, match=r"the value is not YAML\. Quote it"):
        apply_overrides(source, (f"question={text}",))


def test_an_unknown_system_is_refused_with_the_nearest(source: YamlFile) -> None:
    with pytest.raises(ConfigError, match='"lara" is not a system; did you mean "lora"'):
        apply_overrides(source, ("systems.lara.seed=1",))


def test_a_number_as_a_system_name_does_not_hide_the_message(source: YamlFile) -> None:
    source.content["systems"] = {1: None, "lora": None}
    with pytest.raises(ConfigError, match='"lara" is not a system'):
        apply_overrides(source, ("systems.lara.seed=1",))


def test_a_value_has_no_keys_inside(source: YamlFile) -> None:
    with pytest.raises(ConfigError, match="epochs is 3, which has no keys inside"):
        apply_overrides(source, ("systems.lora.finetune.epochs.more=1",))
