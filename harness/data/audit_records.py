"""Training records as an audit needs them: read as far as they can be, where training would refuse the set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from harness.data.audit_finding import Observation, counted, of_records, unique
from harness.data.origins import origin_of
from harness.data.raw_records import RawRecord, RawRecords, read_raw_records
from harness.data.training import read_training_set
from harness.data.training_fields import recognise_format
from harness.errors import DataError, problems_message
from harness.records.messages import Message, Role
from harness.records.training import TrainingFormat, TrainingRecord

# The fields that each format needs: question, answer, further ones.
_NEEDED: Mapping[TrainingFormat, tuple[str, ...]] = {
    "chat": ("messages", "messages"),
    "instruction": ("instruction", "output"),
    "prompt_completion": ("prompt", "completion"),
    "preference": ("prompt", "chosen", "rejected"),
    "labelled": ("text", "label"),
}
_NO_TEXT_LEARNED = frozenset({"record_id", "group", "tags", "origin", "parents", "augmentation"})
_ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}
_Formats = Mapping[int, TrainingFormat | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedRecord:
    """A record as far as it could be read: a question or answer that is missing is empty text.

    `others` are further texts in it, such as a rejected answer or a note.
    """

    record: TrainingRecord
    label: str | None
    tags: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def line(self) -> int:
        """1-based line in the file, or the count of the record where a file has no lines."""
        return self.record.line

    @property
    def answer(self) -> str:
        """The answer, or the label of a record that has no other answer."""
        return self.record.completion or self.label or ""

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text of the record."""
        return (*(turn.content for turn in self.record.prompt), self.answer, *self.others)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedSet:
    """A training set: its records, and what was seen while reading it."""

    path: str
    sha256: str
    format: str
    records: tuple[AuditedRecord, ...]
    observations: tuple[Observation, ...]


def read_for_audit(place: Path) -> AuditedSet:
    """Reads a training set of any kind; problems become observations instead of an error.

    Raises:
        DataError: There is nothing that can be read, or no record in it.
    """
    raw = read_raw_records(place)
    if not raw.records:
        problems = [text for _, text in raw.problems] or ["there are no records. Write some."]
        raise DataError(problems_message(str(raw.path), problems))
    formats: _Formats = {one.number: _format_of(one) for one in raw.records}
    strict, refused, observations = _strictly(raw, formats)
    return AuditedSet(
        path=str(raw.path),
        sha256=raw.sha256,
        format=f"{_main_format(formats)}, in {raw.container}",
        records=tuple(_record(one, formats[one.number], strict.get(one.number)) for one in raw.records),
        observations=(*observations, *refused),
    )


def _strictly(
    raw: RawRecords, formats: _Formats
) -> tuple[dict[int, TrainingRecord], list[Observation], list[Observation]]:
    """The records that training would read, by number; what it would refuse, and why where that has a name."""
    try:
        return {record.line: record for record in read_training_set(raw).records}, [], []
    except DataError as problem:
        whole = str(problem)
    records: dict[int, TrainingRecord] = {}
    problems: list[tuple[int, str]] = []
    for one in raw.records:
        try:
            (records[one.number],) = read_training_set(replace(raw, records=(one,), problems=())).records
        except DataError as problem:
            said = [line.strip().removeprefix(f"{one.place}: ") for line in str(problem).splitlines()[1:]]
            problems += [(one.number, line) for line in said]
    named = [*_unreadable(raw), *_mixed(formats), *_fields(raw.records, formats)]
    known = {line for observation in named for line in observation.lines}
    new = [(number, said) for number, said in problems if number not in known]
    if not new and known:
        return records, [], named
    return records, [_refused(new, whole, total=len(raw.records))], named


def _format_of(one: RawRecord) -> TrainingFormat | None:
    written = recognise_format(one.value)
    return None if isinstance(written, list) else written


def _main_format(formats: _Formats) -> str:
    named = Counter[str](written for written in formats.values() if written is not None)
    return named.most_common(1)[0][0] if named else "none that is known"


def _record(raw: RawRecord, written: TrainingFormat | None, strict: TrainingRecord | None) -> AuditedRecord:
    value = raw.value
    record = strict or _leniently(raw, written)
    label, tags = value.get("label"), value.get("tags")
    others = [text for key, text in value.items() if isinstance(text, str) and key not in _NO_TEXT_LEARNED]
    others += [turn.content for turn in _turns(value.get("rejected"), "assistant")]
    known = {record.completion, *(turn.content for turn in record.prompt)}
    return AuditedRecord(
        record=record,
        label=record.label or (str(label) if isinstance(label, str | int) else None),
        tags=tuple(tag for tag in cast("list[object]", tags) if isinstance(tag, str)) if isinstance(tags, list) else (),
        others=tuple(text for text in dict.fromkeys(others) if text not in known),
    )


def _leniently(raw: RawRecord, written: TrainingFormat | None) -> TrainingRecord:
    value = raw.value
    match written:
        case None:
            turns, answer = (), ""
        case "chat":
            turns = _turns(value.get("messages"), "user")
            is_answered = bool(turns) and turns[-1].role == "assistant"
            answer = turns[-1].content if is_answered else ""
            turns = turns[:-1] if is_answered else turns
        case "instruction":
            parts = [part for key in ("instruction", "input") if isinstance(part := value.get(key), str)]
            turns = _turns("\n\n".join(part for part in parts if part.strip()), "user")
            answer = _text(value.get("output"))
        case _:
            asked, answered, *_ = _NEEDED[written]
            turns, answer = _turns(value.get(asked), "user"), _text(value.get(answered))
    prompt = turns or (Message(role="user", content=""),)
    return TrainingRecord(prompt=prompt, completion=answer, line=raw.number, origin=origin_of(value))


def _turns(value: object, role: Role) -> tuple[Message, ...]:
    """Turns of a list of turns, or the one turn of a text."""
    if isinstance(value, str):
        return (Message(role=role, content=value),)
    if not isinstance(value, list):
        return ()
    turns: list[Message] = []
    for turn in cast("list[object]", value):
        if isinstance(turn, dict):
            said = cast("dict[str, object]", turn)
            if isinstance(content := said.get("content"), str):
                turns.append(Message(role=_ROLES.get(str(said.get("role")), role), content=content))
    return tuple(turns)


def _text(value: object) -> str:
    turns = _turns(value, "assistant")
    return turns[-1].content if turns else ""


def _unreadable(raw: RawRecords) -> list[Observation]:
    if not raw.problems:
        return []
    lines = unique(line for line, _ in raw.problems)
    total = len(raw.records) + len(lines)
    return [
        Observation(
            check="unreadable_lines",
            sentence=f"Nothing that can be read as a record: {of_records(len(lines), total, 'line')}.",
            value=len(lines) / total,
            lines=lines,
            examples=tuple(f"line {line}: {said.removeprefix(f'{raw.path}:{line}: ')}" for line, said in raw.problems),
        )
    ]


def _mixed(formats: _Formats) -> list[Observation]:
    main = _main_format(formats)
    strange = {line: written or "none that is known" for line, written in formats.items() if written != main}
    if not strange:
        return []
    return [
        Observation(
            check="formats",
            sentence=f"Not in the format of most, {main}: {of_records(len(strange), len(formats))}.",
            value=len(strange) / len(formats),
            lines=tuple(strange),
            examples=tuple(f"line {line}: format {written}" for line, written in strange.items()),
        )
    ]


def _fields(records: Sequence[RawRecord], formats: _Formats) -> list[Observation]:
    """Fields that a record's format needs, missing or without text."""
    problems: list[tuple[int, str]] = []
    for one in records:
        written = formats[one.number]
        for key in dict.fromkeys(_NEEDED[written] if written else ()):
            if key not in one.value:
                problems.append((one.number, f'"{key}" is missing'))
            elif _is_empty(one.value[key]):
                problems.append((one.number, f'"{key}" is empty'))
    if not problems:
        return []
    lines = unique(line for line, _ in problems)
    return [
        Observation(
            check="fields",
            sentence=f"Without a question or an answer: {of_records(len(lines), len(records))}.",
            value=len(lines) / len(records),
            lines=lines,
            examples=tuple(f"line {line}: {problem}" for line, problem in problems),
        )
    ]


def _is_empty(value: object) -> bool:
    """Whether there is no text in a field: nothing, white space, no turn, or a turn without text."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, list):
        turns = _turns(cast("list[object]", value), "user")
        return not turns or any(not turn.content.strip() for turn in turns)
    return value is None


def _refused(problems: Sequence[tuple[int, str]], whole: str, *, total: int) -> Observation:
    """What else keeps the set from being trained on: by record, or as the reader says it of the whole set."""
    lines = unique(line for line, _ in problems)
    return Observation(
        check="refused_records",
        sentence=f"Training would refuse {counted(len(lines), 'further record')}."
        if lines
        else f"Training would refuse the set: {' '.join(whole.split())}",
        value=len(lines) / total if lines else 1.0,
        lines=lines,
        examples=tuple(f"line {line}: {problem}" for line, problem in problems),
    )
