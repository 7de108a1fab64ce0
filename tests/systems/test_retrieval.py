import math

import pytest

from harness.data.corpus import CorpusPassage
from harness.errors import DataError
from harness.systems.retrieval import Bm25Index

TEXTS = {
    "zoster": "Shingles is a painful rash of blisters on one side.",
    "asthma": "Asthma brings wheezing and a tight chest.",
    "gout": "Gout is a painful swelling of the big toe.",
    "migraine": "Migraine is a one-sided headache with nausea.",
}
PASSAGES = [CorpusPassage(passage_id=name, text=text) for name, text in TEXTS.items()]


@pytest.fixture(scope="module")
def index() -> Bm25Index:
    return Bm25Index(PASSAGES)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("blisters and a rash", "zoster"),
        ("WHEEZING at night", "asthma"),
        ("toe swelling", "gout"),
        ("nausea", "migraine"),
    ],
)
def test_the_obvious_passage_is_found_first(index: Bm25Index, query: str, found: str) -> None:
    [first, *_] = index.search(query, top_k=3)
    assert (first.passage_id, first.text) == (found, TEXTS[found])


def test_passages_come_best_first_and_no_more_than_asked_for(index: Bm25Index) -> None:
    found = index.search("painful swelling", top_k=4)
    assert [passage.passage_id for passage in found] == ["gout", "zoster"]
    assert found[0].score > found[1].score > 0
    assert index.search("painful swelling", top_k=1) == found[:1]


def test_more_may_be_asked_for_than_there_are(index: Bm25Index) -> None:
    assert len(index.search("painful swelling", top_k=100)) == 2


@pytest.mark.parametrize("query", ["", "   ", "?!", "xylophone", "the of and is a", "the xylophone"])
def test_a_query_that_shares_no_word_finds_nothing(index: Bm25Index, query: str) -> None:
    assert index.search(query, top_k=3) == ()


def test_a_score_is_the_one_worked_by_hand() -> None:
    # "wheezing" stands once in one of two passages of three words each, so length does not count (b is void):
    # idf = ln(1 + (2 - 1 + 0.5) / (1 + 0.5)) = ln 2, and tf / (tf + k1) = 1 / 2.5.
    index = Bm25Index(
        [
            CorpusPassage(passage_id="a", text="wheezing tight chest"),
            CorpusPassage(passage_id="b", text="painful swollen toe"),
        ]
    )
    [found] = index.search("wheezing", top_k=2)
    assert found.score == pytest.approx(math.log(2) / 2.5, rel=1e-6)


def test_a_single_passage_is_an_index() -> None:
    assert [passage.passage_id for passage in Bm25Index(PASSAGES[:1]).search("rash", top_k=5)] == ["zoster"]


def test_a_corpus_without_a_word_to_search_for_is_refused() -> None:
    with pytest.raises(DataError, match="none of its 2 passages has a word to search for"):
        Bm25Index([CorpusPassage(passage_id="a", text="the of and"), CorpusPassage(passage_id="b", text="is a")])


def test_a_passage_without_a_word_is_never_found() -> None:
    index = Bm25Index([*PASSAGES, CorpusPassage(passage_id="empty", text="the of and")])
    assert "empty" not in [passage.passage_id for passage in index.search("the painful rash", top_k=9)]
