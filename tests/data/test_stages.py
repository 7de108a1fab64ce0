from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.config.stage import Stage
from harness.data.stages import StageRecords, StageSet, draw_share, draw_stages
from harness.data.training import split_validation
from harness.errors import DataError
from harness.records.messages import Message
from harness.records.training import TrainingRecord, TrainingSet


def record(question: str, *, line: int = 1, group: str | None = None, label: str | None = None) -> TrainingRecord:
    asked = (Message(role="user", content=question),)
    return TrainingRecord(prompt=asked, completion=label or "yes", line=line, group=group, label=label)


def numbered(prefix: str, count: int, **fields: str) -> list[TrainingRecord]:
    return [record(f"{prefix} {number}?", line=number, **fields) for number in range(1, count + 1)]


def stage_set(name: str, records: Sequence[TrainingRecord], **settings: float) -> StageSet:
    training_set = TrainingSet(path=name, sha256=name, format="chat", records=tuple(records))
    return StageSet(stage=Stage.model_validate({"path": Path(name), **settings}), training_set=training_set)


def draw(*stages: StageSet, seed: int = 17, **options: object) -> list[StageRecords]:
    return draw_stages(stages, validation_fraction=0.2, seed=seed, **options)  # type: ignore[arg-type]


def questions(records: Sequence[TrainingRecord]) -> set[str]:
    return {one.question for one in records}


def test_one_stage_is_dealt_what_a_training_set_alone_was_dealt() -> None:
    records = numbered("Task", 20)
    (only,) = draw(stage_set("task", records))
    assert (only.own, only.validation) == split_validation(records, fraction=0.2, seed=17)
    assert (only.replayed, only.withheld) == ((), 0)


def test_a_share_of_a_half_is_half_of_the_records_in_their_order_and_the_same_for_the_same_seed() -> None:
    records = numbered("General", 40)
    drawn = draw_share(records, share=0.5, seed=1)
    assert len(drawn) == 20
    assert [one.line for one in drawn] == sorted(one.line for one in drawn)
    assert drawn == draw_share(records, share=0.5, seed=1)
    assert drawn != draw_share(records, share=0.5, seed=2)
    assert set(draw_share(records[::-1], share=0.5, seed=1)) == set(drawn)  # content decides, not the order


def test_a_share_keeps_groups_whole() -> None:
    records = [record(f"Q {number}?", group=f"patient-{number % 8}") for number in range(40)]
    drawn = draw_share(records, share=0.5, seed=1)
    assert len(drawn) == 20
    assert set(Counter(one.group for one in drawn).values()) == {5}


def test_a_share_keeps_each_label_in_proportion() -> None:
    records = numbered("Common", 30, label="a") + numbered("Rare", 10, label="b")
    for seed in range(5):
        assert Counter(one.label for one in draw_share(records, share=0.5, seed=seed)) == {"a": 15, "b": 5}


def test_labels_that_are_nearly_all_different_are_not_kept_in_proportion() -> None:
    records = [record(f"Q {number}?", label=f"label {number}") for number in range(10)]
    assert len(draw_share(records, share=0.5, seed=1)) == 5


def test_a_share_of_one_or_nearly_is_everything() -> None:
    records = numbered("General", 10)
    assert draw_share(records, share=1.0, seed=1) == tuple(records)
    assert draw_share(records, share=0.95, seed=1) == tuple(records)


def test_a_share_that_leaves_fewer_than_two_records_says_how_many_to_ask_for() -> None:
    records = numbered("General", 30)
    with pytest.raises(DataError, match=r"a share of 0\.05 of 30 records is less than two.* Ask for 0\.067 or more"):
        draw_share(records, share=0.05, seed=1)
    assert len(draw_share(records, share=0.067, seed=1)) == 2
    with pytest.raises(DataError, match=r"general: a share of 0\.05"):
        draw(stage_set("general", records, share=0.05), stage_set("task", numbered("Task", 10)))


def test_a_group_too_large_for_a_share_is_named() -> None:
    with pytest.raises(DataError, match="bundle"):
        draw_share(numbered("General", 20, group="one"), share=0.5, seed=1)


def test_no_stage_learns_what_a_later_one_validates_on_nor_its_question_or_group() -> None:
    task = [record(f"Task {number}?", group=f"patient-{number // 2}") for number in range(20)]
    # The same patients and some of the same questions, asked among general ones.
    shared = [record(f"Other {number}?", group=f"patient-{number}") for number in range(10)]
    repeated = [record(f"TASK {number}", line=number) for number in range(20)]
    general, last = draw(
        stage_set("general", shared + repeated + numbered("General", 10)), stage_set("task", task, replay=1)
    )
    groups = {one.group for one in last.validation}
    learned = [*general.own, *last.learned]
    assert groups
    assert not groups & {one.group for one in learned}
    asked = {one.question.rstrip("?").lower() for one in last.validation}
    assert not asked & {one.question.rstrip("?").lower() for one in learned}
    assert general.withheld == len(groups) + len(asked)
    assert len(general.own) + len(general.validation) + general.withheld == 40


def test_the_last_stage_validates_on_the_same_records_whatever_goes_before_it() -> None:
    task = numbered("Task", 20)
    (alone,) = draw(stage_set("task", task))
    *_, last = draw(stage_set("general", numbered("General", 9)), stage_set("task", task))
    assert (last.own, last.validation) == (alone.own, alone.validation)


def test_a_set_learned_from_twice_is_validated_on_the_same_records_twice() -> None:
    records = numbered("Task", 20)
    first, second = draw(stage_set("task", records), stage_set("task", records))
    assert not questions(first.own) & questions(second.validation)
    assert first.withheld == len(second.validation) == 4


def test_a_stage_of_which_nothing_is_left_is_an_error() -> None:
    (alone,) = draw(stage_set("task", numbered("Task", 20)))
    with pytest.raises(DataError, match="general: all 4 records share a question or group with what a later stage"):
        draw(stage_set("general", alone.validation), stage_set("task", numbered("Task", 20)))


def test_a_replay_draws_from_what_earlier_stages_learned_in_proportion_to_the_own_records() -> None:
    first, second = stage_set("first", numbered("First", 25)), stage_set("second", numbered("Second", 25))
    task = stage_set("task", numbered("Task", 50), replay=0.25)
    one, two, last = draw(first, second, task)
    assert len(last.own) == 40
    assert len(last.replayed) == 10
    assert set(last.replayed) <= set(one.own) | set(two.own)
    assert last.learned == last.own + last.replayed
    *_, other = draw(first, second, task, seed=18)
    assert set(other.replayed) != set(last.replayed)


def test_a_replay_ends_where_there_are_no_more_and_repeats_nothing_of_the_stage_itself() -> None:
    shared = numbered("Task", 20)
    general = stage_set("general", numbered("General", 5) + shared)
    one, last = draw(general, stage_set("task", shared, replay=5))
    assert questions(last.replayed) == {asked for asked in questions(one.own) if asked.startswith("General")}


def test_what_the_prompt_shows_is_in_no_stage() -> None:
    shown = {"Task 3?", "General 4?"}
    drawn = draw(stage_set("general", numbered("General", 10)), stage_set("task", numbered("Task", 10)), shown=shown)
    used = [one for stage in drawn for one in (*stage.learned, *stage.validation)]
    assert len(used) == 18
    assert not shown & questions(used)
