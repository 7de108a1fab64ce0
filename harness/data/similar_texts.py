"""Near copies: texts that share most of their runs of three words, frames left out.

MinHash proposes pairs and the exact Jaccard index decides. What cannot reach the threshold never gets a signature: two
sets with a Jaccard index of t share at least t of either.
"""

from collections.abc import Sequence

import numpy as np

from harness.data.frames import is_frame, most_before_frame
from harness.data.min_hash import AlikeSets
from harness.data.word_runs import HashedTexts, Hashes, Numbers, RunIndex, Runs, Truths, distinct, runs_of

SIMILAR = 0.7
_LENGTH = 3
_FEWEST_RUNS = 8  # fewer say too little: two short questions are alike by chance


class SimilarTexts:
    """Collects texts in batches, then finds those that are near copies of the scored ones."""

    def __init__(self, scored: HashedTexts, *, templates: Sequence[str]) -> None:
        runs = distinct(runs_of(scored, _LENGTH))
        index = RunIndex(runs)
        frames = is_frame(index.hashes, index.shared_by, texts=len(scored.lengths), templates=templates, length=_LENGTH)
        self._frames: Hashes = index.hashes[frames]
        self._vocabulary: Hashes = index.hashes[~frames]
        self._held_by = np.zeros(len(self._vocabulary), dtype=np.int64)
        self._added = 0
        self._scored = self._without_frames(runs)
        self._found: dict[int, Hashes] = {}

    def add(self, batch: HashedTexts, chosen: Truths, *, first: int) -> None:
        """Takes the chosen texts of a batch into account; those of the batch are numbered from `first`."""
        runs = runs_of(batch, _LENGTH)
        within = chosen[runs.owners]
        runs = self._without_frames(distinct(Runs(hashes=runs.hashes[within], owners=runs.owners[within])))
        known = _known(self._vocabulary, runs.hashes)
        self._held_by += np.bincount(known[known >= 0], minlength=len(self._vocabulary))
        self._added += int(np.count_nonzero(chosen))
        for number, hashes in _enough(runs, known >= 0, texts=len(batch.lengths)):
            self._found[first + number] = hashes

    def pairs(self) -> list[tuple[int, int, float]]:
        """Near copies: number of the text added, number of the scored text, and their Jaccard index in [0.7, 1]."""
        if not self._found:
            return []
        reached = self._held_by[_known(self._vocabulary, self._scored.hashes)] > 0
        scored = dict(_enough(self._scored, reached, texts=int(self._scored.owners.max(initial=-1)) + 1))
        alike_sets = AlikeSets(SIMILAR)
        for number, hashes in scored.items():
            alike_sets.add(number, alike_sets.sketch(hashes.tolist()))
        frames = self._vocabulary[self._held_by > most_before_frame(self._added)]
        pairs: list[tuple[int, int, float]] = []
        for number, hashes in self._found.items():
            for text in alike_sets.proposed(alike_sets.sketch(hashes.tolist())):
                alike = _jaccard(hashes, scored[text], frames)
                if alike >= SIMILAR:
                    pairs.append((number, text, alike))
        return pairs

    def _without_frames(self, runs: Runs) -> Runs:
        own = _known(self._frames, runs.hashes) < 0
        return Runs(hashes=runs.hashes[own], owners=runs.owners[own])


def _known(hashes: Hashes, sought: Hashes) -> Numbers:
    """The place of each sought hash among sorted ones, -1 for one that is not there."""
    if len(hashes) == 0:
        return np.full(len(sought), -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(hashes, sought), len(hashes) - 1)
    return np.where(hashes[places] == sought, places, -1)


def _enough(runs: Runs, shared: Truths, *, texts: int) -> list[tuple[int, Hashes]]:
    """The texts, each with its runs, that share enough of them to be similar to anything on the other side."""
    sizes = np.bincount(runs.owners, minlength=texts)
    matched = np.bincount(runs.owners[shared], minlength=texts)
    ends = np.cumsum(sizes)
    kept = np.flatnonzero((sizes >= _FEWEST_RUNS) & (matched >= SIMILAR * sizes))
    return [(int(text), runs.hashes[ends[text] - sizes[text] : ends[text]]) for text in kept]


def _jaccard(one: Hashes, other: Hashes, frames: Hashes) -> float:
    """The Jaccard index without frames; 0 where too few runs are left to say anything."""
    one, other = np.setdiff1d(one, frames, assume_unique=True), np.setdiff1d(other, frames, assume_unique=True)
    if min(len(one), len(other)) < _FEWEST_RUNS:
        return 0.0
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
