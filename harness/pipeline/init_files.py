"""The files of a new project, written from its plan."""

import json
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.assets import shipped
from harness.config.yaml_file import yaml_value
from harness.data.golden import GOLDEN_NAME
from harness.data.manifest import MANIFEST_NAME
from harness.evaluation.scorers.registry import scorer_names
from harness.hashing import file_hash
from harness.pipeline.init_choices import CODE_LIST, ScorerChoice
from harness.pipeline.init_plan import GOLDEN_SETS, Plan

Lines = Iterable[dict[str, object]]

_WIDTH = 118


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldenPlan:
    """What the files of a golden set say. `golden_file` is what it was made from."""

    name: str
    licence: str
    golden_file: str
    scorers: ScorerChoice


def write_project(folder: Path, plan: Plan, *, train: Path | None, corpus: Path | None) -> dict[str, str]:
    """Writes every file of a project into `folder`, which is there and empty.

    Args:
        folder: Where to.
        plan: What the files say.
        train: The user's training set, copied where it can be read as it is.
        corpus: The user's corpus, likewise.

    Returns:
        The files' paths in `folder`, each with what it is.
    """
    golden_set = folder / GOLDEN_SETS / plan.name
    golden_set.mkdir(parents=True)
    golden = GoldenPlan(name=plan.name, licence=plan.licence, golden_file=plan.golden_file, scorers=plan.scorers)
    write_golden_set(golden_set, golden, plan.sources.golden.lines)
    _write(folder / "experiment.yaml", "experiment.yaml.j2", plan)
    here = f"{GOLDEN_SETS}/{plan.name}"
    written = {"experiment.yaml": "what is compared, with a comment on every line"}
    if train and plan.sources.training:
        _write_or_copy(folder / "train.jsonl", plan.sources.training.lines, train)
        written["train.jsonl"] = f"{len(plan.sources.training.training_set.records)} records to learn from"
    if corpus and plan.sources.corpus:
        _write_or_copy(folder / "corpus.jsonl", plan.sources.corpus.lines, corpus)
        written["corpus.jsonl"] = f"{plan.sources.corpus.count} passages to retrieve from"
    written[f"{here}/{GOLDEN_NAME}"] = f"{len(plan.sources.golden.items)} questions with their answers"
    written[f"{here}/{MANIFEST_NAME}"] = "its version, hash, licence and scorers"
    written[f"{here}/card.md"] = "what it is, and what you should add about it"
    if plan.scorers.code_list:
        written[f"{here}/{CODE_LIST}"] = "every billable ICD-10-CM code"
    return written


def write_golden_set(folder: Path, plan: GoldenPlan, lines: Sequence[dict[str, object]]) -> None:
    """Writes a golden set, with its manifest, its card and the list of codes that its scorers need, into `folder`."""
    write_jsonl(folder / GOLDEN_NAME, lines)
    sha256 = file_hash(folder / GOLDEN_NAME)
    _write(folder / MANIFEST_NAME, "manifest.yaml.j2", plan, sha256=sha256, scorer_names=scorer_names())
    _write(folder / "card.md", "card.md.j2", plan, item_count=len(lines))
    if plan.scorers.code_list:
        shutil.copyfile(shipped("golden_sets") / "icd10_coding" / CODE_LIST, folder / CODE_LIST)


def write_jsonl(path: Path, lines: Lines) -> None:
    """Writes an object a line. A value that JSON does not know, such as a date, is written as text."""
    text = "".join(json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8", newline="\n")


def yaml_text(text: str) -> str:
    """Text as a YAML value on one line: plain where it is read back as the same text, else in double quotes."""
    plain = text.replace("-", "").replace("_", "").replace(" ", "").replace(".", "").replace("/", "").rstrip("?")
    if plain.isalnum() and plain.isascii() and text[0].isalpha() and text == text.strip() and yaml_value(text) == text:
        return text
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf")).rstrip("\n")


def _write(path: Path, template: str, plan: Plan | GoldenPlan, **further: object) -> None:
    path.write_text(_environment().get_template(template).render(plan=plan, **further), encoding="utf-8", newline="\n")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.pipeline"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["yaml"] = yaml_text
    environment.filters["comment"] = _one_line
    environment.filters["lines"] = _comment_lines
    environment.filters["cell"] = _cell
    return environment


def _one_line(text: str) -> str:
    """Text that cannot leave the line that it is written on."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _comment_lines(text: str) -> str:
    return "\n".join(f"# {line}" for line in textwrap.wrap(f"{_one_line(text)}.", _WIDTH))


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


def _write_or_copy(path: Path, lines: Lines | None, original: Path) -> None:
    if lines is None:
        shutil.copyfile(original, path)
    else:
        write_jsonl(path, lines)
