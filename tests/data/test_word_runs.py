import numpy as np

from harness.data.word_runs import RunIndex, distinct, hash_texts, runs_of

TEXTS = (("a", "b", "c", "a", "b"), ("a",), (), ("c", "a", "b"))


def test_runs_stay_within_a_text() -> None:
    runs = runs_of(hash_texts(TEXTS), 2)
    assert runs.owners.tolist() == [0, 0, 0, 0, 3, 3]
    ab, bc, ca = runs.hashes[:3].tolist()
    assert runs.hashes.tolist() == [ab, bc, ca, ab, ca, ab]
    assert len({ab, bc, ca}) == 3


def test_the_order_of_words_counts() -> None:
    runs = runs_of(hash_texts((("a", "b"), ("b", "a"))), 2)
    assert runs.hashes[0] != runs.hashes[1]


def test_a_text_holds_a_run_once_however_often_it_stands_there() -> None:
    runs = distinct(runs_of(hash_texts(TEXTS), 2))
    assert runs.owners.tolist() == [0, 0, 0, 3, 3]


def test_there_are_no_runs_longer_than_all_texts() -> None:
    runs = runs_of(hash_texts(TEXTS), 20)
    assert len(runs.hashes) == 0
    assert RunIndex(runs).find(np.array([1], dtype=np.uint64)).tolist() == [-1]


def test_an_index_finds_the_texts_that_hold_a_run() -> None:
    runs = runs_of(hash_texts(TEXTS), 2)
    index = RunIndex(runs)
    ab, bc, _ = index.find(runs.hashes[:3]).tolist()
    assert index.texts_of(ab).tolist() == [0, 3]
    assert index.texts_of(bc).tolist() == [0]
    assert index.shared_by[[ab, bc]].tolist() == [2, 1]
    places, texts = index.spread(np.array([bc, ab]))
    assert (places.tolist(), texts.tolist()) == ([0, 1, 1], [0, 0, 3])
    assert index.find(np.array([12345], dtype=np.uint64)).tolist() == [-1]
