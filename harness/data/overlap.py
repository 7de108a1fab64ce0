"""The overlap guard: nothing that is learned may stand in what is scored.

Two texts overlap if they are equal, equal after normalising (case, width, punctuation, white space), or if one of at
least eight words stands in the other. Paraphrases are not found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.data.fields import show_value
from harness.data.normalise import normalised_words
from harness.errors import OverlapError, problems_message
from harness.records.items import GoldenSet, Item
from harness.records.training import TrainingRecord, TrainingSet

OverlapKind = Literal["exact", "normalised", "item_in_record", "record_in_item"]

_SHINGLE_WORDS = 8
_SAID: Mapping[OverlapKind, str] = {
    "exact": "the same text",
    "normalised": "the same text but for case, punctuation or white space",
    "item_in_record": "the item stands inside the record",
    "record_in_item": "the record stands inside the item",
}
_STRONGEST: tuple[OverlapKind, ...] = ("exact", "normalised", "item_in_record", "record_in_item")

_Words = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlap:
    """A training record and an item that share a text. `line` is that of the record, `text` the shared one."""

    line: int
    item_id: str
    kind: OverlapKind
    text: str


def find_overlaps(records: Iterable[TrainingRecord], items: Sequence[Item]) -> list[Overlap]:
    """Every pair of a record and an item that overlap, once, by line and then item.

    Compared are each turn of a record with the last user turn of an item (for an item of several turns: with all its
    user turns together, and with the last one if it has at least eight words). System turns and answers of a record are
    not looked for inside items: a standing instruction is not a leak. Time grows linearly with the texts.
    """
    index = _GoldenIndex(items)
    strongest: dict[tuple[int, int], Overlap] = {}
    found_in: dict[tuple[str, bool], dict[int, OverlapKind]] = {}
    for record in records:
        for text, asked in _record_texts(record):
            found = found_in.get((text, asked))
            if found is None:
                found = found_in[text, asked] = index.matches(text, asked=asked)
            for number, kind in found.items():
                known = strongest.get((record.line, number))
                if known is None or _STRONGEST.index(kind) < _STRONGEST.index(known.kind):
                    overlap = Overlap(line=record.line, item_id=items[number].item_id, kind=kind, text=text)
                    strongest[record.line, number] = overlap
    return [strongest[key] for key in sorted(strongest)]


def guard(training_set: TrainingSet, golden_set: GoldenSet) -> None:
    """Refuses a training set that overlaps a golden set.

    Raises:
        OverlapError: With each pair of line and item.
    """
    overlaps = find_overlaps(training_set.records, golden_set.items)
    if not overlaps:
        return
    path = training_set.path
    listed = [
        f'{path}:{overlap.line}: item "{overlap.item_id}": {_SAID[overlap.kind]} ({show_value(overlap.text)})'
        for overlap in overlaps
    ]
    subject = f"{path} overlaps golden set {golden_set.name} {golden_set.version}"
    raise OverlapError(
        f"{problems_message(subject, listed)}\n"
        "No training record may share its text with an item: the score would show memory, not skill. Remove these "
        "records from the training set (or replace the items and raise the version of the golden set)."
    )


def _record_texts(record: TrainingRecord) -> Iterable[tuple[str, bool]]:
    """Texts of a record, each with whether the user asks it."""
    for message in record.prompt:
        yield message.content, message.role == "user"
    yield record.completion, False
    asked = [message.content for message in record.prompt if message.role == "user"]
    if len(asked) > 1:
        yield "\n".join(asked), True


def _item_texts(item: Item) -> list[str]:
    asked = [message.content for message in item.input if message.role == "user"]
    if len(asked) == 1:
        return asked
    long_enough = len(normalised_words(item.question)) >= _SHINGLE_WORDS
    return ["\n".join(asked), item.question] if long_enough else ["\n".join(asked)]


class _GoldenIndex:
    """The texts of items, found by equality and by runs of eight words."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._texts: list[_Words] = []
        self._item_of: list[int] = []
        self._exact: dict[str, list[int]] = {}
        self._normalised: dict[str, list[int]] = {}
        self._postings: dict[int, list[int]] = {}
        for number, item in enumerate(items):
            for text in _item_texts(item):
                self._add(number, text)
        self._rarest = self._by_rarest_shingle()

    def _add(self, number: int, text: str) -> None:
        words = tuple(normalised_words(text))
        self._exact.setdefault(text, []).append(number)
        if words:
            self._normalised.setdefault("".join(words), []).append(number)
        for shingle in set(_shingles(words)):
            self._postings.setdefault(shingle, []).append(len(self._texts))
        self._texts.append(words)
        self._item_of.append(number)

    def _by_rarest_shingle(self) -> dict[int, list[int]]:
        """Each text under the run of words that fewest texts share: openings that all share cost nothing."""
        rarest: dict[int, list[int]] = {}
        for place, words in enumerate(self._texts):
            if len(words) >= _SHINGLE_WORDS:
                key = min(_shingles(words), key=lambda shingle: len(self._postings[shingle]))
                rarest.setdefault(key, []).append(place)
        return rarest

    def matches(self, text: str, *, asked: bool) -> dict[int, OverlapKind]:
        """Numbers of the items that a text overlaps, with the strongest kind."""
        words = tuple(normalised_words(text))
        shingles = list(_shingles(words))
        found: dict[int, OverlapKind] = {}
        if asked:
            found.update(dict.fromkeys(self._items_around(words, shingles), "record_in_item"))
        found.update(dict.fromkeys(self._items_within(words, shingles), "item_in_record"))
        found.update(dict.fromkeys(self._normalised.get("".join(words), ()), "normalised"))
        found.update(dict.fromkeys(self._exact.get(text, ()), "exact"))
        return found

    def _items_within(self, words: _Words, shingles: list[int]) -> Iterable[int]:
        """Items whose whole text stands in `words`."""
        places = {place for shingle in shingles for place in self._rarest.get(shingle, ())}
        return [self._item_of[place] for place in places if _stands_in(self._texts[place], words)]

    def _items_around(self, words: _Words, shingles: list[int]) -> Iterable[int]:
        """Items in whose text `words` stand: they share every run of it, so the rarest run is enough to look at."""
        if not shingles or any(shingle not in self._postings for shingle in shingles):
            return []
        fewest = min((self._postings[shingle] for shingle in shingles), key=len)
        return [self._item_of[place] for place in fewest if _stands_in(words, self._texts[place])]


def _shingles(words: _Words) -> Iterable[int]:
    """Hashes of each run of eight words; equal hashes are looked at again, so a clash does no harm."""
    return (hash(words[start : start + _SHINGLE_WORDS]) for start in range(len(words) - _SHINGLE_WORDS + 1))


def _stands_in(inner: _Words, outer: _Words) -> bool:
    """Whether `inner` is a run of `outer`."""
    return f" {' '.join(inner)} " in f" {' '.join(outer)} "
