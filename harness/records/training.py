"""Training records: what an adapter learns from."""

from dataclasses import dataclass, field
from typing import Literal

from harness.hashing import content_hash
from harness.records.messages import Message

TrainingFormat = Literal["chat", "instruction", "prompt_completion"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRecord:
    """One example in conversational prompt-completion form, whatever form it was written in.

    `prompt` holds the turns before the answer as written in the file: the experiment's system text and template are
    applied by `harness.models.chat`, as they are at evaluation. `line` is 1-based in the file it came from.
    """

    prompt: tuple[Message, ...]
    completion: str
    line: int
    group: str | None = None
    record_hash: str = field(init=False)

    def __post_init__(self) -> None:
        turns = [[message.role, message.content] for message in self.prompt]
        object.__setattr__(self, "record_hash", content_hash([turns, self.completion]))

    @property
    def question(self) -> str:
        """The last user turn."""
        return self.prompt[-1].content


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingSet:
    """Records in file order, with the hash of the file they came from."""

    path: str
    sha256: str
    format: TrainingFormat
    records: tuple[TrainingRecord, ...]
