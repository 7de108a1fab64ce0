"""Golden sets: expert-made, versioned, hashed items with references."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from harness.data.fields import LineModel, Text, check_fields
from harness.data.jsonl import Problem, raise_problems, scan_jsonl
from harness.data.manifest import MANIFEST_NAME, Manifest, load_code_list, load_manifest
from harness.data.turns import TURN_FIELDS, Turn, order_problem, to_messages
from harness.errors import DataError, problems_message
from harness.records.items import Difficulty, GoldenSet, Item, ItemKind
from harness.records.messages import Message

GOLDEN_NAME = "golden.jsonl"

_MEANT = {
    **dict.fromkeys(("id", "key", "name", "qid", "uid", "doc_id", "case_id"), "item_id"),
    **dict.fromkeys(("question", "prompt", "query", "instruction", "text"), "input"),
    **dict.fromkeys(("conversation", "conversations", "turns", "chat"), "messages"),
    **dict.fromkeys(("answer", "expected", "expected_output", "output", "target", "completion"), "reference"),
    **dict.fromkeys(("response", "label", "gold", "ideal", "solution", "ground_truth"), "reference"),
    **dict.fromkeys(("answers", "targets", "labels", "outputs"), "references"),
    **dict.fromkeys(("type", "category"), "kind"),
    **dict.fromkeys(("level", "hardness"), "difficulty"),
    **dict.fromkeys(("patient", "patient_id", "document", "document_id", "cluster"), "group"),
    **dict.fromkeys(("origin", "provenance", "author"), "source"),
    **dict.fromkeys(("comment", "comments", "rationale", "explanation"), "notes"),
}


class _ItemLine(LineModel):
    item_id: Text
    input: Text | None = None
    messages: list[Turn] | None = None
    reference: Text | None = None
    references: list[Text] | None = None
    kind: ItemKind = "typical"
    tags: list[Text] = Field(default_factory=list[Text])
    group: Text | None = None
    difficulty: Difficulty | None = None
    source: str | None = None
    must_contain: list[Text] = Field(default_factory=list[Text])
    must_not_contain: list[Text] = Field(default_factory=list[Text])
    notes: str | None = None
    sealed: bool = False
    retired: Text | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldenLines:
    """The items of a `golden.jsonl`, retired ones too, each with its line (from 1), and what is wrong with the others.

    `sha256` is that of the bytes as read.
    """

    path: Path
    sha256: str
    items: tuple[tuple[int, Item], ...]
    problems: tuple[Problem, ...]


def scan_golden_items(path: Path) -> GoldenLines:
    """Reads every line of a `golden.jsonl`, and keeps its problems.

    Raises:
        DataError: The file is missing or cannot be read.
    """
    lines = scan_jsonl(path)
    problems = list(lines.problems)
    items: list[tuple[int, Item]] = []
    line_of: dict[str, int] = {}
    for line, value in lines.objects:
        item, found = read_item(value)
        problems += [(line, problem) for problem in found]
        item_id = value.get("item_id")
        if isinstance(item_id, str) and item_id.strip():
            first = line_of.setdefault(item_id, line)
            if first != line:
                problems.append((line, f'item_id "{item_id}" is already used in line {first}. Give each item its own.'))
        if item is not None:
            items.append((line, item))
    if items and all(item.retired is not None for _, item in items):
        problems.append((1, "every item is retired; at least one that is asked is needed. Add an item."))
    return GoldenLines(path=path, sha256=lines.sha256, items=tuple(items), problems=tuple(sorted(problems)))


def load_golden_set(folder: Path) -> GoldenSet:
    """Reads a golden set and checks that its bytes are those that the manifest names.

    Scorer names are taken as written: `harness.evaluation.scorers.registry` knows which exist.

    Raises:
        DataError: A file is missing, `golden.jsonl` is not the one of the manifest, or items have problems; all at
            once.
        ConfigError: `manifest.yaml` is not valid.
    """
    manifest = load_manifest(folder)
    lines = scan_golden_items(folder / GOLDEN_NAME)
    _raise_if_wrong(manifest, lines)
    return golden_set_of(folder, manifest, lines)


def golden_set_of(folder: Path, manifest: Manifest, lines: GoldenLines) -> GoldenSet:
    """The golden set of a manifest and the items that could be read.

    Raises:
        DataError: The manifest names a list of codes that cannot be read.
    """
    items = [item for _, item in lines.items]
    return GoldenSet(
        name=manifest.name,
        version=manifest.version,
        sha256=lines.sha256,
        licence=manifest.licence,
        items=tuple(item for item in items if item.retired is None),
        scorers=manifest.scorers,
        known_codes=load_code_list(folder / manifest.code_list) if manifest.code_list else None,
        retired=tuple(item for item in items if item.retired is not None),
    )


def hash_problem(manifest: Manifest, lines: GoldenLines) -> str | None:
    """That the bytes are not those of the manifest, with the next step; None where they are."""
    seen, expected = lines.sha256, manifest.sha256.lower()
    if seen == expected:
        return None
    return (
        f"the sha256 is {seen}, but {MANIFEST_NAME} (version {manifest.version}) says {expected}. "
        f"If the change is meant, raise `version`, add a line to `changes` and set `sha256: {seen}` there; "
        "else restore the file (a checkout that changes line ends also changes the hash)."
    )


def _raise_if_wrong(manifest: Manifest, lines: GoldenLines) -> None:
    """Raises what is wrong with the bytes and with the items, together."""
    path, changed = lines.path, hash_problem(manifest, lines)
    if changed and lines.problems:
        listed = [f"{path}: {changed}", *(f"{path}:{line}: {text}" for line, text in lines.problems)]
        raise DataError(problems_message(str(path), listed))
    if changed:
        raise DataError(f"{path}: {changed}")
    if lines.problems:
        raise_problems(path, lines.problems)


def read_item(value: dict[str, object]) -> tuple[Item | None, list[str]]:
    """The item of one line's object, or None with what is wrong with it."""
    checked = check_fields(_ItemLine, value, noun="an item", inner={"messages": TURN_FIELDS}, synonyms=_MEANT)
    if isinstance(checked, list):
        return None, checked
    problems = _choice_problems(checked)
    if problems:
        return None, problems
    asked = to_messages(checked.messages) if checked.messages else (Message(role="user", content=checked.input or ""),)
    item = Item(
        item_id=checked.item_id,
        input=asked,
        references=tuple(checked.references or ()) or (checked.reference or "",),
        kind=checked.kind,
        tags=tuple(checked.tags),
        group=checked.group,
        difficulty=checked.difficulty,
        source=checked.source,
        notes=checked.notes,
        must_contain=tuple(checked.must_contain),
        must_not_contain=tuple(checked.must_not_contain),
        sealed=checked.sealed,
        retired=checked.retired,
    )
    return item, []


def _choice_problems(line: _ItemLine) -> list[str]:
    """Problems between fields: of each pair exactly one, and turns that end with a question."""
    problems: list[str] = []
    for one, many, count in (
        ("input", "messages", (line.input is not None) + (line.messages is not None)),
        ("reference", "references", (line.reference is not None) + (line.references is not None)),
    ):
        if count == 0:
            problems.append(f'"{one}" is missing; an item needs either "{one}" or "{many}". Add one of them.')
        elif count == 2:
            problems.append(f'"{one}" and "{many}" are both given; an item needs exactly one. Remove one of them.')
    if line.messages is not None:
        problem = order_problem(line.messages, field="messages", last="user")
        problems += [problem] if problem else []
    if line.references is not None and not line.references:
        problems.append('"references" is empty; at least one is needed. Add a reference.')
    return problems
