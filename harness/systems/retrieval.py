"""BM25 retrieval over an experiment's corpus."""

from collections.abc import Sequence
from typing import Any

import bm25s

from harness.data.corpus import CorpusPassage
from harness.errors import DataError
from harness.records.generations import Passage


class Bm25Index:
    """An index over passages, searched by an item's text.

    Source: BM25 as in Lucene (Kamphuis et al. 2020), computed by bm25s with its defaults (k1 1.5, b 0.75), English
    stop words left out, no stemming.
    """

    def __init__(self, passages: Sequence[CorpusPassage]) -> None:
        words: Any = bm25s.tokenize([passage.text for passage in passages], show_progress=False)
        if not words.vocab:
            raise DataError(
                f"corpus: none of its {len(passages)} passages has a word to search for (stop words and single letters "
                "do not count). Check its texts."
            )
        self._passages = passages
        self._index = bm25s.BM25()
        self._index.index(words, show_progress=False)

    def search(self, text: str, *, top_k: int) -> tuple[Passage, ...]:
        """The nearest passages, best first; fewer than `top_k` where fewer share a word with `text`."""
        query = bm25s.tokenize([text], show_progress=False)
        count = min(top_k, len(self._passages))
        found, scores = self._index.retrieve(query, k=count, show_progress=False)
        return tuple(
            Passage(passage_id=self._passages[int(i)].passage_id, text=self._passages[int(i)].text, score=float(score))
            for i, score in zip(found[0], scores[0], strict=True)
            if score > 0
        )
