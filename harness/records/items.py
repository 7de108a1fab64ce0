"""Golden items: the unit of evaluation and of pairing."""

from dataclasses import dataclass, field
from typing import Literal

from harness.hashing import content_hash
from harness.records.messages import Message

ItemKind = Literal["typical", "edge", "adversarial", "out_of_scope"]
Difficulty = Literal["easy", "medium", "hard"]
Part = Literal["development", "sealed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One question with the references that an answer is scored against.

    `item_id` is stable across runs and versions; `item_hash` changes when the question or what it is scored
    against changes, and not when a tag or note does. A `sealed` item is answered only when that is asked for;
    `retired` is the reason why the item is no longer asked, None for one that is.
    """

    item_id: str
    input: tuple[Message, ...]
    references: tuple[str, ...]
    kind: ItemKind = "typical"
    tags: tuple[str, ...] = ()
    group: str | None = None
    difficulty: Difficulty | None = None
    source: str | None = None
    notes: str | None = None
    must_contain: tuple[str, ...] = ()
    must_not_contain: tuple[str, ...] = ()
    sealed: bool = False
    retired: str | None = None
    item_hash: str = field(init=False)

    def __post_init__(self) -> None:
        asked = [[message.role, message.content] for message in self.input]
        scored_against = [self.references, self.must_contain, self.must_not_contain]
        object.__setattr__(self, "item_hash", content_hash([asked, scored_against]))

    @property
    def question(self) -> str:
        """The last user turn: what a retriever searches with and a page shows."""
        return self.input[-1].content


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldenSet:
    """A versioned, hashed list of items, and how answers to them are scored.

    `items` are those that are asked, sealed ones among them, in file order; `retired` items stand in the file and are
    neither asked, scored nor counted.
    `sha256` is that of `golden.jsonl` as read. `scorers` are names known to `harness.evaluation.scorers`.
    `known_codes` is the full list of valid codes where the set names one (for the rate of invented codes).
    """

    name: str
    version: str
    sha256: str
    licence: str
    items: tuple[Item, ...]
    scorers: tuple[str, ...]
    known_codes: frozenset[str] | None = None
    retired: tuple[Item, ...] = ()

    def part(self, part: Part) -> tuple[Item, ...]:
        """The items of one part, in file order: those that every run answers, or the sealed ones."""
        return tuple(item for item in self.items if item.sealed == (part == "sealed"))
