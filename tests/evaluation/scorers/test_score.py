import pytest

from harness.errors import EvaluationError
from harness.evaluation.scorers.exact_match import exact_match
from harness.evaluation.scorers.icd10 import invented_codes
from harness.evaluation.scorers.score import score_generation
from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.messages import Message
from harness.records.scores import Score

_ITEM = Item(item_id="one", input=(Message(role="user", content="Q"),), references=("- I10 (x)",), group="patient")
_SCORERS = (exact_match(), invented_codes(frozenset({"I10"})))


def _scores(text: str | None, error: str | None = None) -> list[Score]:
    generation = Generation(item_id="one", item_hash=_ITEM.item_hash, sample_index=2, text=text, error=error)
    return score_generation(_SCORERS, _ITEM, generation)


def test_a_readable_answer_is_scored_by_each_scorer_in_order() -> None:
    scores = _scores("- I10 (X)")
    assert [(score.metric, score.value, score.status) for score in scores] == [
        ("golden/exact_match", 1.0, "scored"),
        ("golden/invented_codes", 0.0, "scored"),
    ]
    assert {(score.item_id, score.item_hash, score.sample_index, score.group) for score in scores} == {
        ("one", _ITEM.item_hash, 2, "patient")
    }


def test_an_unreadable_answer_is_worth_what_each_scorer_declares() -> None:
    assert [(score.value, score.status) for score in _scores("  ")] == [(0.0, "unparsed"), (None, "unparsed")]


def test_an_error_is_missing_and_keeps_its_reason() -> None:
    scores = _scores(None, error="out of memory")
    assert {(score.value, score.status, score.detail) for score in scores} == {(None, "failed", "out of memory")}


def test_an_answer_to_another_or_a_changed_item_is_refused() -> None:
    for item_id, item_hash in (("two", _ITEM.item_hash), ("one", "0" * 64)):
        with pytest.raises(EvaluationError, match="only the item that was answered can"):
            score_generation(_SCORERS, _ITEM, Generation(item_id=item_id, item_hash=item_hash, text="x"))
