from collections.abc import Collection, Iterator, Sequence

import pytest

from harness.errors import EvaluationError
from harness.evaluation.generate import generate_answers
from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.messages import Message

ITEMS = [
    Item(item_id=name, input=(Message(role="user", content=name),), references=("x",)) for name in ("a", "b", "c", "d")
]


def answer(item: Item) -> Generation:
    return Generation(item_id=item.item_id, item_hash=item.item_hash, text="yes")


class InPairs:
    """Answers two items at a time, leaves out pairs that are answered, and remembers the pairs that it answered."""

    def __init__(self, *, silent_on: str = "") -> None:
        self.pairs: list[str] = []
        self._silent_on = silent_on

    def __call__(self, items: Sequence[Item], answered: Collection[str] = ()) -> Iterator[list[Generation]]:
        for start in range(0, len(items), 2):
            pair = items[start : start + 2]
            if not {item.item_id for item in pair} <= set(answered):
                self.pairs.append("".join(item.item_id for item in pair))
                yield [answer(item) for item in pair if item.item_id != self._silent_on]


def test_every_batch_is_kept_before_the_next_one_is_asked_for() -> None:
    kept: list[str] = []

    def fails_after_one_batch(items: Sequence[Item], answered: Collection[str] = ()) -> Iterator[list[Generation]]:
        yield [answer(item) for item in items[:2]]
        assert kept == ["a", "b"]
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        generate_answers(fails_after_one_batch, ITEMS, lambda batch: kept.extend(g.item_id for g in batch))
    assert kept == ["a", "b"]


def test_what_is_answered_already_is_not_asked_again_and_what_is_asked_together_stays_the_same() -> None:
    answerer, kept = InPairs(), []
    generate_answers(answerer, ITEMS, kept.extend, answered={"a", "b"})
    assert answerer.pairs == ["cd"]
    assert [generation.item_id for generation in kept] == ["c", "d"]


def test_of_a_batch_that_is_answered_in_part_only_the_rest_is_kept() -> None:
    answerer, kept = InPairs(), []
    generate_answers(answerer, ITEMS, kept.extend, answered={"a", "c", "d"})
    assert answerer.pairs == ["ab"]
    assert [generation.item_id for generation in kept] == ["b"]


def test_an_item_that_is_left_out_is_an_error_after_the_others_are_kept() -> None:
    kept: list[Generation] = []
    with pytest.raises(EvaluationError, match=r"1 items were never answered: c\. Run again with --resume"):
        generate_answers(InPairs(silent_on="c"), ITEMS, kept.extend)
    assert [generation.item_id for generation in kept] == ["a", "b", "d"]


def test_an_error_in_place_of_a_text_is_an_answer() -> None:
    def fails(items: Sequence[Item], answered: Collection[str] = ()) -> Iterator[list[Generation]]:
        yield [Generation(item_id=item.item_id, item_hash=item.item_hash, error="too long") for item in items]

    kept: list[Generation] = []
    generate_answers(fails, ITEMS, kept.extend)
    assert len(kept) == 4


def test_nothing_left_to_ask_is_nothing_wrong() -> None:
    kept: list[object] = []
    generate_answers(InPairs(), ITEMS, kept.append, answered=list("abcd"))
    assert kept == []
