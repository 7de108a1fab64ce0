"""The fields of training records in each format, and which format a record is written in."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Tag

from harness.data.fields import LineModel, Text
from harness.data.turns import TURN_FIELDS, Turn
from harness.records.training import TrainingFormat

# Fields that only one format has. `prompt` is of two.
_OWN: Mapping[TrainingFormat, frozenset[str]] = {
    "chat": frozenset({"messages"}),
    "instruction": frozenset({"instruction", "output"}),
    "prompt_completion": frozenset({"completion"}),
    "preference": frozenset({"chosen", "rejected"}),
    "labelled": frozenset({"text", "label"}),
}
FORMATS = (
    "chat (messages), instruction (instruction, output, optional input), prompt-completion (prompt, completion), "
    "preference (prompt, chosen, rejected) or labelled text (text, label)"
)
PASSED_ON = ("group", "record_id", "source", "origin", "parents", "augmentation", "tags", "notes")
"""Fields that every format may have and that are no part of what is learned."""

_ANSWERS = ("response", "answer", "target", "label")
_EVERYWHERE: Mapping[str, tuple[str, ...]] = {
    "group": ("patient", "patient_id", "document", "document_id", "cluster"),
    "record_id": ("id", "key"),
    "source": ("provenance",),
}
_MEANT: Mapping[TrainingFormat, Mapping[str, tuple[str, ...]]] = {
    "chat": {"messages": ("conversation", "conversations", "turns", "chat")},
    "instruction": {"output": _ANSWERS, "input": ("context", "question")},
    "prompt_completion": {
        "completion": (*_ANSWERS, "output"),
        "prompt": ("context", "question", "input", "instruction"),
    },
    "preference": {
        "prompt": ("question", "input", "instruction"),
        "chosen": ("preferred", "better", "accepted"),
        "rejected": ("dispreferred", "worse"),
    },
    "labelled": {
        "label": ("labels", "class", "category", "target", "answer"),
        "text": ("sentence", "question", "input"),
    },
}
NOUNS: Mapping[TrainingFormat, str] = {
    "chat": "a chat record",
    "instruction": "an instruction record",
    "prompt_completion": "a prompt-completion record",
    "preference": "a preference record",
    "labelled": "a labelled record",
}
INNER: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("messages", "prompt", "completion", "chosen", "rejected"), TURN_FIELDS
)


def _plain(value: object) -> object:
    """Whole numbers and truth values as JSON writes them; anything else is left to be refused."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            return value


_Name = Annotated[Text, BeforeValidator(_plain)]


class TrainingLine(LineModel):
    """What every format may carry.

    `origin` and `parents` mark a record that was made of others; `augmentation` says how. The rest but `group` is for
    people and is ignored.
    """

    group: _Name | None = None
    record_id: object = None
    source: object = None
    origin: object = None
    parents: object = None
    augmentation: object = None
    tags: object = None
    notes: object = None


def _form(value: object) -> Literal["<text>", "<turns>"]:
    return "<turns>" if isinstance(value, list) else "<text>"


TextOrTurns = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[list[Turn], Tag("<turns>")],
    Discriminator(_form),
]


class ChatLine(TrainingLine):
    """A conversation; its last turn is the answer."""

    messages: list[Turn]


class InstructionLine(TrainingLine):
    """An instruction, perhaps with an input under it, and the answer."""

    instruction: Text
    input: str | None = None
    output: Text


class PairLine(TrainingLine):
    """A prompt and its completion, each text or turns."""

    prompt: TextOrTurns
    completion: TextOrTurns


class PreferenceLine(TrainingLine):
    """A prompt, the answer that was preferred, and one that was not."""

    prompt: TextOrTurns
    chosen: TextOrTurns
    rejected: TextOrTurns


class LabelledLine(TrainingLine):
    """A text and its label: text, a whole number or a truth value."""

    text: Text
    label: _Name


LINES: Mapping[TrainingFormat, type[TrainingLine]] = {
    "chat": ChatLine,
    "instruction": InstructionLine,
    "prompt_completion": PairLine,
    "preference": PreferenceLine,
    "labelled": LabelledLine,
}


def recognise_format(value: Mapping[str, object]) -> TrainingFormat | list[str]:
    """The format whose fields a record has, or the problem.

    `label` is a field of labelled text only where no other format's field is there.
    """
    found: list[TrainingFormat] = [written for written, own in _OWN.items() if own & value.keys()]
    if "prompt" in value and not {"prompt_completion", "preference"} & set(found):
        found.append("prompt_completion")
    if len(found) > 1 and "text" not in value and "labelled" in found:
        found.remove("labelled")
    fields = ", ".join(sorted(value)) or "none"
    match found:
        case [written]:
            return written
        case []:
            return [f"no training format has these fields: {fields}. Allowed: {FORMATS}. Rename the fields."]
        case _:
            return [f"fields of several formats: {fields}. Allowed: one of {FORMATS}. Keep the fields of one."]


def meant_by(written: TrainingFormat) -> Mapping[str, str]:
    """Field names that people write, and the field of the format that they mean."""
    fields = {**_EVERYWHERE, **_MEANT[written]}
    return {synonym: field for field, synonyms in fields.items() for synonym in synonyms}
