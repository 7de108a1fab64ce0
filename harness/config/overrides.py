"""`--set key=value`: one value of an experiment changed on the command line, by the same rules as in the file."""

import copy
from typing import cast

import yaml

from harness.config.yaml_file import YamlFile, yaml_value
from harness.errors import ConfigError, nearest


def apply_overrides(source: YamlFile, overrides: tuple[str, ...]) -> YamlFile:
    """Sets each `a.b.c=value` in a copy of the content; values are read as YAML.

    An unknown key is found by validation afterwards, as it would be in the file.

    Raises:
        ConfigError: An override without `=`, with a value that is not YAML, or for a system that does not exist.
    """
    content = copy.deepcopy(source.content)
    for override in overrides:
        key, equals, text = override.partition("=")
        path = [part.strip() for part in key.split(".")]
        if not equals or not all(path):
            raise ConfigError(f'--set "{override}": expected key=value, such as systems.lora.finetune.epochs=1')
        try:
            value = yaml_value(text)
        except (yaml.YAMLError, ValueError):
            raise ConfigError(f'--set "{override}": the value is not YAML. Quote it: --set \'{key}="..."\'') from None
        _set(content, path, value, override)
    return YamlFile(path=source.path, content=content, lines=source.lines)


def _set(content: dict[str, object], path: list[str], value: object, override: str) -> None:
    if path[0] == "systems" and len(path) > 1:
        systems = content.get("systems")
        known = [str(name) for name in cast("dict[object, object]", systems)] if isinstance(systems, dict) else []
        if path[1] not in known:
            raise ConfigError(f'--set "{override}": "{path[1]}" is not a system; {nearest(path[1], known)}')
    node = content
    for part in path[:-1]:
        child = node.get(part)
        if child is None:
            child = node[part] = {}
        if not isinstance(child, dict):
            raise ConfigError(f'--set "{override}": {part} is {child!r}, which has no keys inside')
        node = cast("dict[str, object]", child)
    node[path[-1]] = value
