"""Training records: what an adapter learns from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.hashing import content_hash
from harness.records.messages import Message

WRITTEN = "written"
"""What a record without an origin counts as."""

TrainingFormat = Literal["chat", "instruction", "prompt_completion", "preference", "labelled"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRecord:
    """One example in conversational prompt-completion form, whatever form it was written in.

    `prompt` holds the turns before the answer as written in the file: the experiment's system text and template are
    applied by `harness.models.chat`, as they are at evaluation. `line` is 1-based: the line of a JSONL or CSV file,
    else the count of the record in its set. `rejected` is an answer that `completion` was preferred to. `label` is the
    class of labelled text, which is also the `completion`. `origin` is how a record was made (`paraphrase`), None for
    one that was written; `parents` are the hashes of the records it was made from. `record_hash` covers the prompt and
    the completion only: what fine-tuning learns.
    """

    prompt: tuple[Message, ...]
    completion: str
    line: int
    group: str | None = None
    rejected: str | None = None
    label: str | None = None
    origin: str | None = None
    parents: tuple[str, ...] = ()
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
    """Records in file order, with the hash of the file they came from, or one over the files of a folder."""

    path: str
    sha256: str
    format: TrainingFormat
    records: tuple[TrainingRecord, ...]

    @property
    def origins(self) -> Mapping[str, int]:
        """Records of each origin, the most frequent first; empty where every record was written."""
        return count_origins(self.records)


def count_origins(records: Iterable[TrainingRecord]) -> dict[str, int]:
    """Records of each origin, the most frequent first; empty where every record was written."""
    counts = Counter(record.origin or WRITTEN for record in records)
    return {} if set(counts) <= {WRITTEN} else dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
