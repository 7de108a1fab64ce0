"""Strict validation of a YAML file against a model: every problem at once, each with its line and the nearest name."""

from typing import Any, TypeVar, cast, get_args

import pydantic

from harness.config.yaml_file import KeyPath, YamlFile
from harness.errors import ConfigError, nearest, problems_message

ModelT = TypeVar("ModelT", bound=pydantic.BaseModel)


class Strict(pydantic.BaseModel):
    """Base of everything read from YAML: frozen, and an unknown key is an error."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


def validate(model: type[ModelT], source: YamlFile) -> ModelT:
    """Validates the content of `source`.

    Raises:
        ConfigError: With a line for every problem.
    """
    try:
        return model.model_validate(source.content)
    except pydantic.ValidationError as invalid:
        problems = [_describe(model, source, error) for error in invalid.errors()]
        raise ConfigError(problems_message(str(source.path), problems)) from None


def _describe(model: type[pydantic.BaseModel], source: YamlFile, error: Any) -> str:
    at = cast("KeyPath", tuple(error["loc"]))
    line = source.line_of(at)
    where = f"line {line}: " if line else ""
    key = ".".join(str(part) for part in at)
    match error["type"]:
        case "extra_forbidden":
            allowed = _fields_at(model, at[:-1])
            return f'{where}"{key}" is not a known key; {nearest(str(at[-1]), allowed)}'
        case "missing":
            return f'{where}"{key}" is missing. Add it.'
        case "value_error":
            prefix = f"{key}: " if key else ""
            return f"{where}{prefix}{error['ctx']['error']}"
        case _:
            return f"{where}{key}: {error['msg']}; seen: {error['input']!r}"


def _fields_at(model: type[pydantic.BaseModel], at: KeyPath) -> set[str]:
    """Names of the keys allowed at `at`, following nested models, optional ones, lists of and mappings to models."""
    current: list[type[pydantic.BaseModel]] = [model]
    in_mapping = False
    for part in at:
        if in_mapping or isinstance(part, int):  # a place in a list: what may stand there is known already
            in_mapping = False
            continue
        fields = {name: field for owner in current for name, field in owner.model_fields.items()}
        if part not in fields:
            return set()
        annotation: Any = fields[str(part)].annotation
        current = _models_in(annotation)
        in_mapping = any(getattr(option, "__origin__", None) is dict for option in (annotation, *get_args(annotation)))
    return {name for owner in current for name in owner.model_fields}


def _models_in(annotation: Any) -> list[type[pydantic.BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return [annotation]
    return [found for option in get_args(annotation) for found in _models_in(option)]
