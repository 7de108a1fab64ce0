"""Training sets: one JSONL file in one of three formats, read into one form."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, assert_never

from pydantic import Discriminator, Tag

from harness.data.fields import LineModel, Text, check_fields
from harness.data.jsonl import raise_problems, scan_jsonl
from harness.data.normalise import normalise
from harness.data.turns import TURN_FIELDS, Turn, order_problem, to_messages
from harness.errors import DataError
from harness.hashing import content_hash
from harness.records.messages import Message
from harness.records.training import TrainingFormat, TrainingRecord, TrainingSet

_MARKS: dict[TrainingFormat, frozenset[str]] = {
    "chat": frozenset({"messages"}),
    "instruction": frozenset({"instruction", "output"}),
    "prompt_completion": frozenset({"prompt", "completion"}),
}
_FORMATS = (
    "chat (messages), instruction (instruction, output, optional input) or prompt-completion (prompt, completion)"
)
_MEANT = {
    **dict.fromkeys(("conversation", "conversations", "turns", "chat"), "messages"),
    **dict.fromkeys(("response", "answer", "target", "label"), "output"),
    **dict.fromkeys(("context", "question"), "input"),
    **dict.fromkeys(("patient", "patient_id", "document", "document_id", "cluster"), "group"),
    **dict.fromkeys(("id", "key"), "record_id"),
    **dict.fromkeys(("origin", "provenance"), "source"),
}
_MEANT_IN_PAIRS = _MEANT | {
    **dict.fromkeys(("response", "answer", "target", "label"), "completion"),
    **dict.fromkeys(("context", "question", "input"), "prompt"),
}
_Turns = tuple[tuple[Message, ...], str]
_INNER: Mapping[str, tuple[str, ...]] = {"messages": TURN_FIELDS, "prompt": TURN_FIELDS, "completion": TURN_FIELDS}


class _Line(LineModel):
    """What every format may carry; all but `group` is for people and is ignored."""

    group: Text | None = None
    record_id: object = None
    source: object = None
    tags: object = None
    notes: object = None


class _Chat(_Line):
    messages: list[Turn]


class _Instruction(_Line):
    instruction: Text
    input: str | None = None
    output: Text


def _form(value: object) -> Literal["<text>", "<turns>"]:
    return "<text>" if isinstance(value, str) else "<turns>"


_TextOrTurns = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[list[Turn], Tag("<turns>")],
    Discriminator(_form),
]


class _PromptCompletion(_Line):
    prompt: _TextOrTurns
    completion: _TextOrTurns


def load_training_set(path: Path) -> TrainingSet:
    """Reads a training set; its format is recognised by its fields.

    The same conversation gives the same record in each format. Texts are kept as written: a prompt is the instruction,
    or the instruction and the input with an empty line between.

    Raises:
        DataError: The file is missing or empty, mixes formats, or has records with problems: all at once.
    """
    lines = scan_jsonl(path)
    problems = list(lines.problems)
    records: list[TrainingRecord] = []
    first: tuple[TrainingFormat, int] | None = None
    for line, value in lines.objects:
        written = _recognise(value)
        if isinstance(written, list):
            problems += [(line, problem) for problem in written]
            continue
        first = first or (written, line)
        if written != first[0]:
            problems.append((line, _mixed_problem(written, *first)))
        record = _read_record(value, written, line)
        if isinstance(record, list):
            problems += [(line, problem) for problem in record]
        else:
            records.append(record)
    if problems or first is None:
        raise_problems(path, problems)
    return TrainingSet(path=str(path), sha256=lines.sha256, format=first[0], records=tuple(records))


def split_validation(
    records: Sequence[TrainingRecord], *, fraction: float, seed: int
) -> tuple[tuple[TrainingRecord, ...], tuple[TrainingRecord, ...]]:
    """Sets records aside for validation, so that nothing learned from is validated on.

    Records of one `group`, and records that ask the same question (after normalising), stay together. Which go where
    depends on their content and the seed only: not on the platform, and not on the order of the file.

    Args:
        records: What to split, of any size.
        fraction: Share to set aside, as a proportion in (0, 1): at most that many records, but at least one bundle.
        seed: Another seed, another split.

    Returns:
        The records to train on and those to validate on, each in the order given; neither is empty.

    Raises:
        ValueError: `fraction` is not in (0, 1).
        DataError: All records belong together, so that there is nothing to split.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction: {fraction} is not a proportion between 0 and 1 (both excluded)")
    bundles = sorted(_bundles(records), key=lambda bundle: _draw(records, bundle, seed))
    if len(bundles) < 2:
        raise DataError(
            f"{len(records)} training record{'s' if len(records) != 1 else ''} cannot be split into training and "
            "validation: at least 2 are needed that differ in question and in group. Add records, or set no validation "
            "records aside."
        )
    room = int(fraction * len(records))
    chosen: set[int] = set()
    for bundle in bundles:
        if len(chosen) + len(bundle) <= room:
            chosen.update(bundle)
    chosen = chosen or set(min(bundles, key=len))
    train = tuple(record for index, record in enumerate(records) if index not in chosen)
    return train, tuple(records[index] for index in sorted(chosen))


def _bundles(records: Sequence[TrainingRecord]) -> list[list[int]]:
    """Indices of records that belong together, by group or by question, also through third ones."""
    parent = list(range(len(records)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, record in enumerate(records):
        marks = [("question", normalise(record.question) or record.question)]
        marks += [("group", record.group)] if record.group is not None else []
        for mark in marks:
            parent[root(index)] = root(first.setdefault(mark, index))
    bundles: dict[int, list[int]] = {}
    for index in range(len(records)):
        bundles.setdefault(root(index), []).append(index)
    return list(bundles.values())


def _draw(records: Sequence[TrainingRecord], bundle: list[int], seed: int) -> str:
    """A lot for a bundle: the hash of the seed and its contents."""
    return content_hash([seed, min(records[index].record_hash for index in bundle)])


def _recognise(value: Mapping[str, object]) -> TrainingFormat | list[str]:
    """The format whose fields a record has, or the problem."""
    found: list[TrainingFormat] = [written for written, marks in _MARKS.items() if marks & value.keys()]
    fields = ", ".join(sorted(value)) or "none"
    match found:
        case [written]:
            return written
        case []:
            return [f"no training format has these fields: {fields}. Allowed: {_FORMATS}. Rename the fields."]
        case _:
            return [f"fields of several formats: {fields}. Allowed: one of {_FORMATS}. Keep the fields of one."]


def _mixed_problem(written: TrainingFormat, first: TrainingFormat, line: int) -> str:
    return f"the format is {written}, but {first} since line {line}; a file has one format. Convert or move the record."


def _read_record(value: dict[str, object], written: TrainingFormat, line: int) -> TrainingRecord | list[str]:
    match written:
        case "chat":
            checked = check_fields(_Chat, value, noun="a chat record", inner=_INNER, synonyms=_MEANT)
            turns = checked if isinstance(checked, list) else _chat_turns(checked)
        case "instruction":
            checked = check_fields(_Instruction, value, noun="an instruction record", synonyms=_MEANT)
            turns = checked if isinstance(checked, list) else _instruction_turns(checked)
        case "prompt_completion":
            noun = "a prompt-completion record"
            checked = check_fields(_PromptCompletion, value, noun=noun, inner=_INNER, synonyms=_MEANT_IN_PAIRS)
            turns = checked if isinstance(checked, list) else _pair_turns(checked)
        case _:
            assert_never(written)
    if isinstance(checked, list):
        return checked
    if isinstance(turns, list):
        return turns
    prompt, completion = turns
    return TrainingRecord(prompt=prompt, completion=completion, line=line, group=checked.group)


def _chat_turns(line: _Chat) -> _Turns | list[str]:
    problem = order_problem(line.messages, field="messages", last="assistant")
    if problem is None and (len(line.messages) < 2 or line.messages[-2].role != "user"):
        problem = '"messages" has no turn of the user before the last answer. Add the question.'
    if problem is not None:
        return [problem]
    return to_messages(line.messages[:-1]), line.messages[-1].content


def _instruction_turns(line: _Instruction) -> _Turns:
    has_input = line.input is not None and line.input.strip()
    text = f"{line.instruction}\n\n{line.input}" if has_input else line.instruction
    return (Message(role="user", content=text),), line.output


def _pair_turns(line: _PromptCompletion) -> _Turns | list[str]:
    problems: list[str] = []
    prompt = [Turn(role="user", content=line.prompt)] if isinstance(line.prompt, str) else line.prompt
    problem = order_problem(prompt, field="prompt", last="user")
    problems += [problem] if problem else []
    answer = [Turn(role="assistant", content=line.completion)] if isinstance(line.completion, str) else line.completion
    if [turn.role for turn in answer] != ["assistant"]:
        roles = ", ".join(turn.role for turn in answer) or "none"
        problems.append(
            f'"completion" must be text or one turn of the assistant; seen: {roles}. Move the others to "prompt".'
        )
    return problems or (to_messages(prompt), answer[0].content)
