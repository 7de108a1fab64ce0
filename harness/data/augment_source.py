"""The records that an augmentation starts from, and new ones written in their format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from harness.data.raw_records import RawRecords, read_raw_records
from harness.data.training import read_training_set
from harness.hashing import content_hash
from harness.records.messages import Message
from harness.records.training import TrainingFormat, TrainingRecord, TrainingSet

_INHERITED = ("group", "tags")  # so that splits and balance treat a new record like its parent
_ASKED: Mapping[TrainingFormat, str] = {
    "chat": "messages",
    "instruction": "instruction",
    "prompt_completion": "prompt",
    "preference": "prompt",
    "labelled": "text",
}
_ANSWERED: Mapping[TrainingFormat, str] = {
    "chat": "messages",
    "instruction": "output",
    "prompt_completion": "completion",
    "preference": "chosen",
    "labelled": "label",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Original:
    """A record of the source: its number (from 0), its fields as written, and as training reads it."""

    number: int
    value: Mapping[str, object]
    record: TrainingRecord
    format: TrainingFormat

    @property
    def input(self) -> str:
        """The text that a new record may have in other words: of an instruction with an input, the input alone."""
        further = self.value.get("input") if self.format == "instruction" else None
        return further if isinstance(further, str) and further.strip() else self.record.question

    @property
    def tags(self) -> frozenset[str]:
        """Its tags, where they are a list of texts."""
        tags = self.value.get("tags")
        return (
            frozenset(tag for tag in cast("list[object]", tags) if isinstance(tag, str))
            if _is_list(tags)
            else frozenset()
        )

    def with_input(self, text: str) -> dict[str, object]:
        """The fields of a record with `text` for its input, and everything else that is learned as it is."""
        own = {name: self.value[name] for name in self._learned() if self.value.get(name) is not None}
        match self.format:
            case "instruction" if self.input != self.record.question:
                own["input"] = text
            case "chat":
                *earlier, _, answer = cast("list[object]", own["messages"])
                own["messages"] = [*earlier, _turn("user", text), answer]
            case _:
                asked = own[_ASKED[self.format]]
                turns = [*cast("list[object]", asked)[:-1], _turn("user", text)] if _is_list(asked) else text
                own[_ASKED[self.format]] = turns
        return own

    def with_answer(self, value: dict[str, object], answer: str) -> dict[str, object]:
        """`value`, made of this record, with another answer; of a preference this record's own is then the rejected."""
        if self.format == "chat":
            turns = cast("list[object]", value["messages"])
            return {**value, "messages": [*turns[:-1], _turn("assistant", answer)]}
        changed = {**value, _ANSWERED[self.format]: answer}
        return {**changed, "rejected": self.record.completion} if self.format == "preference" else changed

    def as_preference(self, rejected: str) -> dict[str, object]:
        """This record as a preference of its answer over another."""
        turns = self.record.prompt
        prompt = turns[0].content if len(turns) == 1 else [_turn(turn.role, turn.content) for turn in turns]
        inherited = {name: self.value[name] for name in _INHERITED if self.value.get(name) is not None}
        return {"prompt": prompt, "chosen": self.record.completion, "rejected": rejected, **inherited}

    def _learned(self) -> Sequence[str]:
        fields = {"instruction": ("instruction", "input", "output"), "preference": ("prompt", "chosen", "rejected")}
        return (*fields.get(self.format, (_ASKED[self.format], _ANSWERED[self.format])), *_INHERITED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A training set to augment: as written and as read, in the same order."""

    raw: RawRecords
    training_set: TrainingSet
    originals: tuple[Original, ...]

    @property
    def format(self) -> TrainingFormat:
        """The format of its records."""
        return self.training_set.format


def read_source(place: Path) -> Source:
    """Reads a training set of any kind.

    Raises:
        DataError: It cannot be trained on: all its problems at once.
    """
    raw = read_raw_records(place)
    training_set = read_training_set(raw)
    pairs = enumerate(zip(raw.records, training_set.records, strict=True))
    originals = (
        Original(number=number, value=one.value, record=record, format=training_set.format)
        for number, (one, record) in pairs
    )
    return Source(raw=raw, training_set=training_set, originals=tuple(originals))


def new_value(written: TrainingFormat, *, prompt: str, answer: str, rejected: str | None) -> dict[str, object]:
    """The fields of a record of one question and one answer in a format; `rejected` is for preferences only."""
    if written == "chat":
        return {"messages": [_turn("user", prompt), _turn("assistant", answer)]}
    value: dict[str, object] = {_ASKED[written]: prompt, _ANSWERED[written]: answer}
    return {**value, "rejected": rejected} if written == "preference" else value


def draw(originals: Sequence[Original], sample: int | None, tags: Sequence[str], *, lot: object) -> list[Original]:
    """The records that a step reads, in the order of the file.

    Args:
        originals: All records.
        sample: How many to draw, without replacement; None, or more than there are, for all.
        tags: Where any are given, only records with one of them are drawn from.
        lot: What decides the draw besides a record's content, such as a seed and the name of a step.
    """
    eligible = [one for one in originals if not tags or one.tags & set(tags)]
    if sample is None:
        return eligible
    by_lot = sorted(eligible, key=lambda one: (content_hash([lot, one.record.record_hash]), one.number))
    return sorted(by_lot[:sample], key=lambda one: one.number)


def turns_hash(turns: Sequence[Message]) -> str:
    """Content hash of a conversation."""
    return content_hash([[turn.role, turn.content] for turn in turns])


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _turn(role: str, content: str) -> dict[str, object]:
    return {"role": role, "content": content}
