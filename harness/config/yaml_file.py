"""YAML read safely, with the line of every key kept for messages."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from harness.errors import ConfigError

KeyPath = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Reads `1e-3` as a number, as YAML 1.2 does, and not as text."""


_Loader.add_implicit_resolver(  # pyright: ignore[reportUnknownMemberType]
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class YamlFile:
    """A mapping read from a file. `lines` gives the 1-based line on which the value at a key path starts."""

    path: Path
    content: dict[str, object]
    lines: dict[KeyPath, int]

    def line_of(self, key_path: KeyPath) -> int | None:
        """The line of `key_path`, or of its nearest parent that is in the file."""
        while key_path:
            if key_path in self.lines:
                return self.lines[key_path]
            key_path = key_path[:-1]
        return None


def read_yaml(path: Path) -> YamlFile:
    """Reads a YAML file whose top level is a mapping.

    Raises:
        ConfigError: The file is missing, is not YAML, holds a key twice, or is not a mapping at its top level.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file. Check the path, or make one with a copy of a shipped file.") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path}: cannot be read ({problem}). Save it as UTF-8 text.") from None
    try:
        root = cast("object", yaml.compose(text, Loader=_Loader))  # pyright: ignore[reportUnknownMemberType]
        content = yaml_value(text)
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {problem.problem}. Mend the line, then try again.") from None
    except (yaml.YAMLError, ValueError) as problem:
        raise ConfigError(f"{path}: not valid YAML: {problem}") from None
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(
            f"{path}: expected `key: value` lines at the top level. See suites/experiments/ for an example."
        )
    lines: dict[KeyPath, int] = {}
    try:
        _collect_lines(path, root, (), lines)
    except RecursionError:
        raise ConfigError(f"{path}: an alias (`*name`) stands inside what it names. Write the value out.") from None
    return YamlFile(path=path, content=cast("dict[str, object]", content), lines=lines)


def yaml_value(text: str) -> object:
    """The value that YAML text stands for.

    Raises:
        yaml.YAMLError: It is not YAML, or has a tag that is not plain data.
        ValueError: It is a date that does not exist.
    """
    return yaml.load(text, Loader=_Loader)


def _collect_lines(path: Path, node: yaml.Node, at: KeyPath, lines: dict[KeyPath, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            key_path = (*at, str(key_node.value))
            if key_path in lines:
                first, again = lines[key_path], key_node.start_mark.line + 1
                raise ConfigError(
                    f'{path}:{again}: "{key_node.value}" stands already in line {first}. Keep one of them.'
                )
            lines[key_path] = key_node.start_mark.line + 1
            _collect_lines(path, value_node, key_path, lines)
    elif isinstance(node, yaml.SequenceNode):
        for position, value_node in enumerate(node.value):
            lines[(*at, position)] = value_node.start_mark.line + 1
            _collect_lines(path, value_node, (*at, position), lines)
