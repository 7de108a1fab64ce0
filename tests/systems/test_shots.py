import pytest

from harness.errors import ConfigError
from harness.records.messages import Message
from harness.records.training import TrainingRecord
from harness.systems.shots import draw_shots

RECORDS = [
    TrainingRecord(
        prompt=(Message(role="system", content="Own system."), Message(role="user", content=f"Question {number}?")),
        completion=f"Answer {number}.",
        line=number,
    )
    for number in range(20)
]


def test_shots_are_drawn_without_replacement() -> None:
    shots = draw_shots(RECORDS, len(RECORDS), seed=1)
    assert sorted(question.content for question, _ in shots) == sorted(record.question for record in RECORDS)


def test_the_same_seed_draws_the_same_shots_and_another_seed_others() -> None:
    assert draw_shots(RECORDS, 4, seed=1) == draw_shots(RECORDS, 4, seed=1)
    assert draw_shots(RECORDS, 4, seed=1) != draw_shots(RECORDS, 4, seed=2)


def test_a_shot_is_the_users_turn_and_the_answer_to_it() -> None:
    for question, answer in draw_shots(RECORDS, 4, seed=1):
        assert (question.role, answer.role) == ("user", "assistant")
        assert question.content.split()[1].rstrip("?") == answer.content.split()[1].rstrip(".")


def test_no_shots_are_no_shots() -> None:
    assert draw_shots(RECORDS, 0, seed=1) == []


def test_more_shots_than_records_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"prompt\.shots is 21, and the training set has 20 records"):
        draw_shots(RECORDS, 21, seed=1)
