"""Training sets: a file or folder in one of five formats, read into one form."""

from collections.abc import Sequence
from pathlib import Path

from harness.data.bundles import bundle, draw_lot
from harness.data.fields import check_fields
from harness.data.origins import origin_of, parents_of
from harness.data.raw_records import RawRecord, RawRecords, read_raw_records
from harness.data.training_fields import (
    INNER,
    LINES,
    NOUNS,
    ChatLine,
    InstructionLine,
    LabelledLine,
    PairLine,
    PreferenceLine,
    TextOrTurns,
    meant_by,
    recognise_format,
)
from harness.data.turns import Turn, order_problem, to_messages
from harness.errors import DataError, problems_message
from harness.records.messages import Message
from harness.records.training import TrainingFormat, TrainingRecord, TrainingSet

_Prompt = tuple[Message, ...]


def load_training_set(place: Path) -> TrainingSet:
    """Reads a training set: `read_raw_records` says of what kinds; its format is recognised by its fields.

    The same conversation gives the same `record_hash` in each format. Texts are kept as written: a prompt is the
    instruction, or the instruction and the input with an empty line between; of a preference, the chosen answer is the
    answer; of labelled text, the text is the question and the label the answer.

    Raises:
        DataError: It is missing or empty, mixes formats, or has records with problems: all at once.
    """
    return read_training_set(read_raw_records(place))


def read_training_set(raw: RawRecords) -> TrainingSet:
    """The training set of records as written; its records stand in the same order.

    Raises:
        DataError: They mix formats, or have problems: all at once.
    """
    problems = list(raw.problems)
    records: list[TrainingRecord] = []
    first: tuple[TrainingFormat, str] | None = None
    label: tuple[str, str] | None = None
    for one in raw.records:
        written = recognise_format(one.value)
        if isinstance(written, list):
            problems += [(one.number, f"{one.place}: {problem}") for problem in written]
            continue
        first = first or (written, one.where)
        record = _read_record(one, written)
        found = record if isinstance(record, list) else []
        if written != first[0]:
            found = [_mixed_problem(written, *first), *found]
        if isinstance(record, TrainingRecord) and record.label is not None:
            kind = _kind(one.value["label"])
            label = label or (kind, one.where)
            found = [*found, *_label_problem(kind, *label)]
        problems += [(one.number, f"{one.place}: {problem}") for problem in found]
        if isinstance(record, TrainingRecord):
            records.append(record)
    if problems or first is None:
        in_order = [text for _, text in sorted(problems, key=lambda problem: problem[0])]
        raise DataError(problems_message(str(raw.path), in_order or [f"{raw.path}: there are no records."]))
    return TrainingSet(path=str(raw.path), sha256=raw.sha256, format=first[0], records=tuple(records))


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
    bundles = sorted(bundle(records), key=lambda indices: draw_lot(records, indices, seed))
    if len(bundles) < 2:
        raise DataError(
            f"{len(records)} training record{'s' if len(records) != 1 else ''} cannot be split into training and "
            "validation: at least 2 are needed that differ in question and in group. Add records, or set no validation "
            "records aside."
        )
    room = int(fraction * len(records))
    chosen: set[int] = set()
    for indices in bundles:
        if len(chosen) + len(indices) <= room:
            chosen.update(indices)
    chosen = chosen or set(min(bundles, key=len))
    train = tuple(record for index, record in enumerate(records) if index not in chosen)
    return train, tuple(records[index] for index in sorted(chosen))


def _mixed_problem(written: TrainingFormat, first: TrainingFormat, where: str) -> str:
    return f"the format is {written}, but {first} since {where}; a set has one format. Convert or move the record."


def _kind(label: object) -> str:
    match label:
        case bool():
            return "a truth value"
        case int():
            return "a number"
        case _:
            return "text"


def _label_problem(kind: str, first: str, where: str) -> list[str]:
    """A class written once as 1 and once as "1" is read as one class, and may have been meant as two."""
    if kind == first:
        return []
    return [f'"label" is {kind}, but {first} since {where}. Write all labels as text, or all as whole numbers.']


def _read_record(raw: RawRecord, written: TrainingFormat) -> TrainingRecord | list[str]:
    line = check_fields(LINES[written], raw.value, noun=NOUNS[written], inner=INNER, synonyms=meant_by(written))
    if isinstance(line, list):
        return line
    problems: list[str] = []
    rejected = label = None
    match line:
        case ChatLine():
            prompt, completion = _chat(line, problems)
        case InstructionLine():
            has_input = line.input is not None and line.input.strip()
            prompt = _asked(f"{line.instruction}\n\n{line.input}" if has_input else line.instruction)
            completion = line.output
        case PairLine():
            prompt = _prompt(line.prompt, problems)
            completion = _answer("completion", line.completion, problems)
        case PreferenceLine():
            prompt = _prompt(line.prompt, problems)
            completion = _answer("chosen", line.chosen, problems)
            rejected = _answer("rejected", line.rejected, problems)
            if rejected == completion:
                problems.append('"chosen" and "rejected" are the same text; a preference needs two. Remove the record.')
        case LabelledLine():
            prompt, completion, label = _asked(line.text), line.label, line.label
        case _:
            raise TypeError(f"{type(line).__name__} is not the line of a format")
    if problems:
        return problems
    return TrainingRecord(
        prompt=prompt,
        completion=completion,
        line=raw.number,
        group=line.group,
        rejected=rejected,
        label=label,
        origin=origin_of(raw.value),
        parents=parents_of(raw.value),
    )


def _asked(text: str) -> _Prompt:
    return (Message(role="user", content=text),)


def _chat(line: ChatLine, problems: list[str]) -> tuple[_Prompt, str]:
    problem = order_problem(line.messages, field="messages", last="assistant")
    if problem is None and (len(line.messages) < 2 or line.messages[-2].role != "user"):
        problem = '"messages" has no turn of the user before the last answer. Add the question.'
    if problem is not None:
        problems.append(problem)
        return (), ""
    return to_messages(line.messages[:-1]), line.messages[-1].content


def _prompt(written: TextOrTurns, problems: list[str]) -> _Prompt:
    if isinstance(written, str):
        return _asked(written)
    problem = order_problem(written, field="prompt", last="user")
    problems += [problem] if problem else []
    return to_messages(written)


def _answer(field: str, written: TextOrTurns, problems: list[str]) -> str:
    turns = [Turn(role="assistant", content=written)] if isinstance(written, str) else written
    if [turn.role for turn in turns] == ["assistant"]:
        return turns[0].content
    roles = ", ".join(turn.role for turn in turns) or "none"
    problems.append(f'"{field}" must be text or one turn of the assistant; seen: {roles}. Move the others to "prompt".')
    return ""
