"""Finds scored texts in learned ones: whole, in part, or nearly the same. Time grows with the learned texts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.data.frames import is_frame, most_before_frame
from harness.data.normalise import normalised_words
from harness.data.similar_texts import SimilarTexts
from harness.data.word_runs import HashedTexts, Numbers, RunIndex, Runs, Truths, distinct, hash_texts, runs_of

OverlapKind = Literal["exact", "normalised", "item_in_record", "record_in_item", "mostly_in_record", "similar"]

WHOLE_WORDS = 8  # from so many words on, a text found inside another is no chance
PART_WORDS = 13
PART_SHARE = 0.5
_KEY_WORDS = 5
_SHORT_CHARACTERS = 20  # what a text of 5 to 7 words needs, so that stock phrases do not match
_BATCH = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredItem:
    """An item of a golden set or of a regression task, with the texts that would give it away."""

    item_id: str
    texts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnedText:
    """A text of a training record.

    `is_asked`: a user says it, so that it is also looked for inside items and as a near copy. A standing instruction or
    an answer is not.
    """

    text: str
    is_asked: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A learned text and an item, by their numbers. `share` is in (0, 1]: see `Overlap`."""

    learned: int
    item: int
    kind: OverlapKind
    share: float = 1.0


class OverlapIndex:
    """The texts of items, ready to be looked for.

    Args:
        items: What is scored.
        templates: Texts that stand around every item, such as a system text; runs of their words do not count.
        fragments: Whether a learned text that stands inside an item is an overlap too. Among thousands of items that
            would find stock phrases.
    """

    def __init__(self, items: Sequence[ScoredItem], *, templates: Sequence[str] = (), fragments: bool = True) -> None:
        self._texts = [text for item in items for text in item.texts]
        self._item_of = np.array([number for number, item in enumerate(items) for _ in item.texts], dtype=np.int64)
        self._templates, self._fragments = templates, fragments
        words = [normalised_words(text) for text in self._texts]
        self._exact: dict[str, list[int]] = {}
        self._normalised: dict[str, list[int]] = {}
        for number, text in enumerate(self._texts):
            self._exact.setdefault(text, []).append(number)
            if words[number]:
                self._normalised.setdefault("".join(words[number]), []).append(number)
        self._hashed = hash_texts(words)
        self._keys = RunIndex(runs_of(self._hashed, _KEY_WORDS))
        self._key_frames = self._frames_of(self._keys, _KEY_WORDS)
        self._by_key = self._rarest_key(np.fromiter((_may_stand_within(one) for one in words), np.bool_, len(words)))
        self._parts = RunIndex(runs_of(self._hashed, PART_WORDS))

    def matches(self, learned: Sequence[LearnedText]) -> Iterator[Match]:
        """Every overlap of a learned text with an item; a pair may come several times, with different kinds."""
        similar = SimilarTexts(self._hashed, templates=self._templates)
        shared_parts: list[tuple[Numbers, Numbers]] = []
        for first in range(0, len(learned), _BATCH):
            batch = learned[first : first + _BATCH]
            words = [normalised_words(one.text) for one in batch]
            hashed = hash_texts(words)
            for number, one in enumerate(batch):
                yield from self._equal(first + number, one.text, words[number])
            yield from self._within(first, batch, hashed)
            if self._fragments:
                yield from self._around(first, batch, hashed)
            shared_parts.append(self._shared_parts(hashed, first=first))
            similar.add(hashed, np.array([one.is_asked for one in batch], dtype=np.bool_), first=first)
        yield from self._mostly_within(shared_parts, learned=len(learned))
        for number, text, alike in similar.pairs():
            yield Match(learned=number, item=int(self._item_of[text]), kind="similar", share=alike)

    def _equal(self, learned: int, text: str, words: Sequence[str]) -> Iterator[Match]:
        for number in self._normalised.get("".join(words), ()):
            yield Match(learned=learned, item=int(self._item_of[number]), kind="normalised")
        for number in self._exact.get(text, ()):
            yield Match(learned=learned, item=int(self._item_of[number]), kind="exact")

    def _within(self, first: int, batch: Sequence[LearnedText], hashed: HashedTexts) -> Iterator[Match]:
        """Items that stand in a learned text as a whole."""
        runs = runs_of(hashed, _KEY_WORDS)
        candidates = self._by_key.find(runs.hashes)
        hits = np.flatnonzero(candidates >= 0)
        places, texts = self._by_key.spread(candidates[hits])
        pairs: set[tuple[int, int]] = set(zip(runs.owners[hits][places].tolist(), texts.tolist(), strict=True))
        for learned, text in sorted(pairs):
            if _stands_in(self._texts[text], batch[learned].text):
                yield Match(learned=first + learned, item=int(self._item_of[text]), kind="item_in_record")

    def _around(self, first: int, batch: Sequence[LearnedText], hashed: HashedTexts) -> Iterator[Match]:
        """Items in which a learned text stands as a whole: they share every run of it, the rarest too."""
        runs = runs_of(hashed, _KEY_WORDS)
        keys = self._keys.find(runs.hashes)
        unknown = np.bincount(runs.owners[keys < 0], minlength=len(batch))
        for learned in np.flatnonzero((hashed.lengths >= WHOLE_WORDS) & (unknown == 0)).tolist():
            start, end = np.searchsorted(runs.owners, [learned, learned + 1])
            own = keys[start:end]
            rarest = int(own[np.argmin(self._keys.shared_by[own])])
            if not batch[learned].is_asked or self._key_frames[rarest]:
                continue
            for text in self._keys.texts_of(rarest).tolist():
                if _stands_in(batch[learned].text, self._texts[text]):
                    yield Match(learned=first + learned, item=int(self._item_of[text]), kind="record_in_item")

    def _shared_parts(self, hashed: HashedTexts, *, first: int) -> tuple[Numbers, Numbers]:
        """Each run of 13 words that a learned text shares with any item, once: the text and the run."""
        runs = distinct(runs_of(hashed, PART_WORDS))
        found = self._parts.find(runs.hashes)
        return runs.owners[found >= 0] + first, found[found >= 0]

    def _mostly_within(self, shared: Sequence[tuple[Numbers, Numbers]], *, learned: int) -> Iterator[Match]:
        """Items of which half of the runs of 13 words, frames left out, stand in a learned text."""
        if not shared or not self._texts:
            return
        holders = np.concatenate([holder for holder, _ in shared])
        runs = np.concatenate([run for _, run in shared])
        frames = self._frames_of(self._parts, PART_WORDS)
        frames |= np.bincount(runs, minlength=len(frames)) > most_before_frame(learned)
        holders, runs = holders[~frames[runs]], runs[~frames[runs]]
        own = np.bincount(self._parts.owners[~np.repeat(frames, self._parts.shared_by)], minlength=len(self._texts))
        places, texts = self._parts.spread(runs)
        pairs, counts = np.unique(holders[places] * len(self._texts) + texts, return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            holder, text = divmod(pair, len(self._texts))
            if count >= PART_SHARE * own[text]:
                share = float(count / own[text])
                yield Match(learned=holder, item=int(self._item_of[text]), kind="mostly_in_record", share=share)

    def _frames_of(self, index: RunIndex, length: int) -> Truths:
        texts = len(self._texts)
        return is_frame(index.hashes, index.shared_by, texts=texts, templates=self._templates, length=length)

    def _rarest_key(self, chosen: Truths) -> RunIndex:
        """Each chosen text under the run that fewest texts share: openings that all share cost nothing."""
        runs = runs_of(self._hashed, _KEY_WORDS)
        shared_by = self._keys.shared_by[self._keys.find(runs.hashes)]
        order = np.lexsort((shared_by, runs.owners))
        owners, first = np.unique(runs.owners[order], return_index=True)
        kept = chosen[owners]
        return RunIndex(Runs(hashes=runs.hashes[order][first][kept], owners=owners[kept]))


def _may_stand_within(words: Sequence[str]) -> bool:
    """Whether a text is long enough that finding it inside another is no chance."""
    if len(words) >= WHOLE_WORDS:
        return True
    return len(words) >= _KEY_WORDS and sum(map(len, words)) >= _SHORT_CHARACTERS


def _stands_in(inner: str, outer: str) -> bool:
    """Whether the words of `inner` are a run of the words of `outer`."""
    return f" {' '.join(normalised_words(inner))} " in f" {' '.join(normalised_words(outer))} "
