"""Turns of a conversation as written in a line, for golden items and training records alike."""

from collections.abc import Sequence

from harness.data.fields import LineModel, Text
from harness.records.messages import Message, Role

TURN_FIELDS = ("role", "content")


class Turn(LineModel):
    """One turn: who speaks, and the text."""

    role: Role
    content: Text


def order_problem(turns: Sequence[Turn], *, field: str, last: Role) -> str | None:
    """What is wrong with the order of turns, or None.

    Args:
        turns: The turns as written.
        field: The name of the list, for the message.
        last: Who must speak last.
    """
    if not turns:
        return f'"{field}" is empty; it must end with a turn of the {last}. Add the turns.'
    if turns[-1].role != last:
        return f'"{field}" ends with a turn of the {turns[-1].role}, not of the {last}, as it must. Reorder the turns.'
    if any(turn.role == "system" for turn in turns[1:]):
        return f'"{field}" has a system turn after the first turn; only the first may be one. Move it up.'
    return None


def to_messages(turns: Sequence[Turn]) -> tuple[Message, ...]:
    """The turns as records."""
    return tuple(Message(role=turn.role, content=turn.content) for turn in turns)
