"""The manifest of a golden set: what it is called, which bytes it is made of, and how it is scored."""

from pathlib import Path
from typing import Annotated

import pydantic

from harness.config.validate import Strict, validate
from harness.config.yaml_file import read_yaml
from harness.errors import DataError, problems_message

MANIFEST_NAME = "manifest.yaml"

_Text = Annotated[str, pydantic.StringConstraints(min_length=1, strip_whitespace=True)]


class Change(Strict):
    """What a version changed."""

    version: _Text
    note: _Text


class Manifest(Strict):
    """`manifest.yaml` of a golden set.

    `sha256` is that of `golden.jsonl`, 64 hexadecimal digits. `code_list` names a file of the same folder that holds
    the full list of valid codes.
    """

    name: _Text
    version: _Text
    sha256: _Text
    licence: _Text
    authors: Annotated[tuple[_Text, ...], pydantic.Field(min_length=1)]
    changes: tuple[Change, ...] = ()
    scorers: Annotated[tuple[_Text, ...], pydantic.Field(min_length=1)] = ("exact_match",)
    code_list: _Text | None = None

    @pydantic.field_validator("version", mode="before")
    @classmethod
    def _version_is_text(cls, value: object) -> object:
        if isinstance(value, int | float):
            raise ValueError(f'{value} is a number, text is needed; write it in quotes: "{value}"')
        return value

    @pydantic.field_validator("code_list")
    @classmethod
    def _file_of_the_folder(cls, value: str | None) -> str | None:
        if value is not None and (value in {".", ".."} or "/" in value or "\\" in value):
            raise ValueError(f'"{value}" is a path; a file name is needed. Put the file beside {MANIFEST_NAME}')
        return value


def load_manifest(folder: Path) -> Manifest:
    """Reads `manifest.yaml` of a golden set.

    Raises:
        DataError: The folder has none.
        ConfigError: It is not valid: every problem at once.
    """
    path = folder / MANIFEST_NAME
    if not path.is_file():
        what = "has no" if folder.is_dir() else "is not a folder with a"
        raise DataError(
            f"{folder}: {what} {MANIFEST_NAME}. A golden set is a folder with {MANIFEST_NAME} and golden.jsonl: "
            "check the path, or copy the manifest of a shipped set and adapt it."
        )
    return validate(Manifest, read_yaml(path))


def load_code_list(path: Path) -> frozenset[str]:
    """Reads one code per line; blank lines and what follows a `#` are skipped.

    Raises:
        DataError: The file is missing, not UTF-8, empty, or has a line with more than a code.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file, but the manifest names it as code_list. Add it or remove the key."
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise DataError(f"{path}: cannot be read ({problem}). Save it as UTF-8 text.") from None
    codes: set[str] = set()
    problems: list[str] = []
    for line, content in enumerate(text.splitlines(), start=1):
        words = content.partition("#")[0].split()
        if len(words) > 1:
            problems.append(
                f"{path}:{line}: one code a line is needed, seen: `{content.strip()[:60]}`. Keep the code only."
            )
        codes.update(words)
    if not codes:
        problems.append(f"{path}:1: the list is empty. Write one code a line.")
    if problems:
        raise DataError(problems_message(str(path), problems))
    return frozenset(codes)
