"""What a run produced for an item, with what it was shown."""

from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A retrieved passage. `score` is the retriever's own (BM25: unbounded, higher is nearer)."""

    passage_id: str
    text: str
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """The text a run produced for an item, or the error that stands in its place.

    Exactly one of `text` and `error` is set. `prompt_tokens` and `completion_tokens` count tokens of the system's
    own tokenizer. `latency_s` is the wall time of the item's batch divided by the items in it: a throughput, not what
    one user would wait. `prompt_hash` is that of the rendered prompt.
    """

    item_id: str
    item_hash: str
    sample_index: int = 0
    text: str | None = None
    error: str | None = None
    finish_reason: FinishReason | None = None
    prompt_hash: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_s: float | None = None
    passages: tuple[Passage, ...] = ()

    def __post_init__(self) -> None:
        if (self.text is None) == (self.error is None):
            raise ValueError(f"item {self.item_id}: a generation has either a text or an error")
