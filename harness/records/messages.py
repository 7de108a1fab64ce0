"""One turn of a conversation with a model."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A turn: who speaks, and the text as it is (no template applied)."""

    role: Role
    content: str
