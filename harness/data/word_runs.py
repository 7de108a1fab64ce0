"""Runs of consecutive words as 64-bit hashes, for many texts at once.

A run is looked up by its hash alone. Two different runs share one with a probability of about 1e-19 a pair.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Hashes: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint64]]
Numbers: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
Truths: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]

_STEP = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no place of a run is lost modulo 2^64


@dataclass(frozen=True, kw_only=True, slots=True)
class HashedTexts:
    """The words of several texts as hashes, one text after the other; `owners` numbers the text of each word."""

    words: Hashes
    owners: Numbers
    lengths: Numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class Runs:
    """Runs in the order in which they stand: the hash of each, and the number of the text that it stands in."""

    hashes: Hashes
    owners: Numbers


def hash_texts(texts: Sequence[Sequence[str]]) -> HashedTexts:
    """Hashes the words of texts, which are given as normalised words. Hashes hold within this process only."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    words = np.fromiter(map(hash, itertools.chain.from_iterable(texts)), dtype=np.int64, count=int(lengths.sum()))
    return HashedTexts(words=words.view(np.uint64), owners=np.repeat(np.arange(len(texts)), lengths), lengths=lengths)


def runs_of(texts: HashedTexts, length: int) -> Runs:
    """Every run of `length` words that stands within one text."""
    count = max(0, len(texts.words) - length + 1)
    hashes = np.zeros(count, dtype=np.uint64)
    for place in range(length):
        hashes *= _STEP
        hashes += texts.words[place : place + count]
    first, last = texts.owners[:count], texts.owners[len(texts.owners) - count :]
    within = first == last
    return Runs(hashes=hashes[within], owners=first[within])


def distinct(runs: Runs) -> Runs:
    """Each run of a text once, by text and then hash."""
    order = np.lexsort((runs.hashes, runs.owners))
    hashes, owners = runs.hashes[order], runs.owners[order]
    return _once(hashes, owners)


class RunIndex:
    """Finds the texts in which a run stands. `shared_by` counts, for each distinct run, the texts that hold it."""

    def __init__(self, runs: Runs) -> None:
        order = np.lexsort((runs.owners, runs.hashes))
        once = _once(runs.hashes[order], runs.owners[order])
        self.hashes, first, counts = np.unique(once.hashes, return_index=True, return_counts=True)
        self.owners: Numbers = once.owners
        self._first: Numbers = first.astype(np.int64)
        self.shared_by: Numbers = counts.astype(np.int64)

    def find(self, hashes: Hashes) -> Numbers:
        """The number of each run in this index, -1 for one that stands in no text."""
        if len(self.hashes) == 0:
            return np.full(len(hashes), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, places, -1)

    def texts_of(self, run: int) -> Numbers:
        """The texts that hold a run, by its number."""
        first = int(self._first[run])
        return self.owners[first : first + int(self.shared_by[run])]

    def spread(self, runs: Numbers) -> tuple[Numbers, Numbers]:
        """The texts that hold each of several runs: for each pair, the place in `runs` and the text."""
        counts = self.shared_by[runs]
        places = np.repeat(np.arange(len(runs)), counts)
        within = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
        return places, self.owners[self._first[runs][places] + within]


def _once(hashes: Hashes, owners: Numbers) -> Runs:
    """Sorted pairs, each once."""
    new = np.ones(len(hashes), dtype=np.bool_)
    new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    return Runs(hashes=hashes[new], owners=owners[new])
