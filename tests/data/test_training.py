import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.training import load_training_set, split_validation
from harness.errors import DataError
from harness.records.messages import Message
from harness.records.training import TrainingRecord, TrainingSet

_CHAT = {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}
_INSTRUCTION = {"instruction": "Q", "output": "A"}
_PAIR = {"prompt": "Q", "completion": "A"}
_PREFERENCE = {"prompt": "Q", "chosen": "A", "rejected": "B"}
_LABELLED = {"text": "Q", "label": "A"}


def _load(folder: Path, *lines: object) -> TrainingSet:
    path = folder / "train.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return load_training_set(path)


def _problems(folder: Path, *lines: object) -> str:
    with pytest.raises(DataError) as caught:
        _load(folder, *lines)
    return str(caught.value)


def _record(question: str, group: str | None = None, line: int = 1, answer: str = "A") -> TrainingRecord:
    return TrainingRecord(prompt=(Message(role="user", content=question),), completion=answer, line=line, group=group)


def test_the_same_content_gives_the_same_record_in_each_format(tmp_path: Path) -> None:
    instruction = {"instruction": "Code this.", "input": "A note.", "output": "I10"}
    text = "Code this.\n\nA note."
    turns = [{"role": "user", "content": text}]
    answer = {"role": "assistant", "content": "I10"}
    sets = [
        _load(tmp_path, instruction | {"group": "g"}),
        _load(tmp_path, {"prompt": text, "completion": "I10", "group": "g"}),
        _load(tmp_path, {"prompt": turns, "completion": [answer], "group": "g"}),
        _load(tmp_path, {"messages": [*turns, answer], "group": "g"}),
    ]
    assert [each.format for each in sets] == ["instruction", "prompt_completion", "prompt_completion", "chat"]
    assert len({each.records for each in sets}) == 1
    assert sets[0].records[0] == TrainingRecord(
        prompt=(Message(role="user", content=text),), completion="I10", line=1, group="g"
    )


def test_an_empty_input_is_no_input(tmp_path: Path) -> None:
    assert _load(tmp_path, _INSTRUCTION | {"input": ""}).records == _load(tmp_path, _INSTRUCTION).records


def test_fields_for_people_are_ignored(tmp_path: Path) -> None:
    extra = {"record_id": 7, "source": "web", "tags": ["t"], "notes": None, "augmentation": {"step": "s"}}
    assert _load(tmp_path, _PAIR | extra).records == _load(tmp_path, _PAIR).records


def test_origin_and_parents_are_kept_and_are_no_part_of_what_is_learned(tmp_path: Path) -> None:
    marked = _load(tmp_path, _PAIR | {"origin": "paraphrase", "parents": ["ab", 1]})
    (record,) = marked.records
    assert (record.origin, record.parents) == ("paraphrase", ("ab", "1"))
    assert record.record_hash == _load(tmp_path, _PAIR).records[0].record_hash
    assert marked.origins == {"paraphrase": 1}
    assert _load(tmp_path, _PAIR, _PAIR | {"prompt": "Other", "origin": "template"}).origins == {
        "template": 1,
        "written": 1,
    }
    assert _load(tmp_path, _PAIR).origins == {}


def test_what_is_no_text_is_no_origin(tmp_path: Path) -> None:
    (record,) = _load(tmp_path, _PAIR | {"origin": {"url": "x"}, "parents": "ab cd"}).records
    assert (record.origin, record.parents) == (None, ("ab", "cd"))


def test_what_was_made_of_a_record_is_set_aside_with_it(tmp_path: Path) -> None:
    written = [{"prompt": f"Question {n} is about {n * 7}?", "completion": "A"} for n in range(40)]
    hashes = [record.record_hash for record in _load(tmp_path, *written).records]
    made = [
        {"prompt": f"In other words {n * 11}!", "completion": "A", "origin": "paraphrase", "parents": [hashes[n]]}
        for n in range(40)
    ]
    for seed in range(5):
        train, validation = split_validation(_load(tmp_path, *written, *made).records, fraction=0.3, seed=seed)
        learned = {record.record_hash for record in train}
        assert validation
        assert not any(parent in learned for record in validation for parent in record.parents)
        aside = {record.record_hash for record in validation}
        assert not any(parent in aside for record in train for parent in record.parents)


def test_of_a_preference_the_chosen_answer_is_learned_and_the_rejected_one_is_kept(tmp_path: Path) -> None:
    turns = {
        "prompt": [{"role": "user", "content": "Q"}],
        "chosen": [{"role": "assistant", "content": "A"}],
        "rejected": [{"role": "assistant", "content": "B"}],
    }
    for line in (_PREFERENCE, turns):
        (record,) = _load(tmp_path, line).records
        assert (record.question, record.completion, record.rejected) == ("Q", "A", "B")
        assert record.record_hash == _load(tmp_path, _PAIR).records[0].record_hash


@pytest.mark.parametrize(("written", "read"), [("A", "A"), (1, "1"), (0, "0"), (True, "true"), (False, "false")])
def test_of_labelled_text_the_label_is_the_answer(tmp_path: Path, written: object, read: str) -> None:
    training_set = _load(tmp_path, {"text": "Q", "label": written, "group": 7})
    (record,) = training_set.records
    assert training_set.format == "labelled"
    assert (record.question, record.completion, record.label, record.group) == ("Q", read, read, "7")
    assert record.record_hash == _load(tmp_path, {"prompt": "Q", "completion": read}).records[0].record_hash


def test_earlier_turns_stay_in_the_prompt(tmp_path: Path) -> None:
    roles = ["system", "user", "assistant", "user", "assistant"]
    messages = [{"role": role, "content": str(number)} for number, role in enumerate(roles)]
    (record,) = _load(tmp_path, {"messages": messages}).records
    assert [message.content for message in record.prompt] == ["0", "1", "2", "3"]
    assert (record.question, record.completion) == ("3", "4")


@pytest.mark.parametrize(
    ("first", "line", "expected"),
    [
        (_CHAT, _PAIR, "the format is prompt_completion, but chat since line 1"),
        (_CHAT, _CHAT | _PAIR, "fields of several formats: completion, messages, prompt"),
        (_CHAT, {"body": "Q A"}, "no training format has these fields: body. Allowed: chat (messages)"),
        (_LABELLED, {"text": "Q"}, '"label" is missing; a labelled record needs it'),
        (_LABELLED, {"text": "Q", "label": 1.0}, '"label": text is needed, seen: 1.0'),
        (_LABELLED, {"text": "Q", "label": 1}, '"label" is a number, but text since line 1. Write all labels as text'),
        (_LABELLED, _LABELLED | {"prompt": "Q"}, "fields of several formats: label, prompt, text"),
        (_PREFERENCE, {"prompt": "Q", "chosen": "A"}, '"rejected" is missing; a preference record needs it'),
        (_PREFERENCE, {"prompt": "Q", "chosen": "A", "rejected": "A"}, '"chosen" and "rejected" are the same text'),
        (_PREFERENCE, _PAIR, "the format is prompt_completion, but preference since line 1; a set has one format"),
        (_PREFERENCE, _PREFERENCE | {"completion": "A"}, "fields of several formats: chosen, completion, prompt"),
        (_INSTRUCTION, {"instruction": "Q", "label": "A"}, '"label" is not a field of an instruction record; did you'),
        (_CHAT, {"messages": []}, '"messages" is empty'),
        (_CHAT, {"messages": _CHAT["messages"][:1]}, '"messages" ends with a turn of the user, not of the assistant'),
        (_CHAT, {"messages": _CHAT["messages"][1:]}, '"messages" has no turn of the user before the last answer'),
        (_CHAT, {"messages": "Q"}, '"messages": a list is needed, seen: "Q"'),
        (_CHAT, {"messages": [{"role": "user"}]}, '"messages.0.content" is missing'),
        (_CHAT, {"messages": [{"role": "bot", "content": "x"}]}, '"messages.0.role": "bot" is not allowed'),
        (_INSTRUCTION, {"instruction": "Q"}, '"output" is missing'),
        (_INSTRUCTION, {"instruction": "Q", "output": " "}, '"output" is empty'),
        (
            _INSTRUCTION,
            {"instruction": "Q", "response": "A"},
            '"response" is not a field of an instruction record; did you mean "output"?',
        ),
        (_PAIR, {"prompt": "Q"}, '"completion" is missing'),
        (_PAIR, {"prompt": "", "completion": "A"}, '"prompt" is empty'),
        (_PAIR, {"prompt": 5, "completion": "A"}, '"prompt": text is needed, seen: 5'),
        (_PAIR, {"prompt": "Q", "completion": []}, '"completion" must be text or one turn of the assistant'),
        (
            _PAIR,
            {"prompt": _CHAT["messages"], "completion": "A"},
            '"prompt" ends with a turn of the assistant, not of the user',
        ),
        (
            _PAIR,
            _PAIR | {"patient": "7"},
            '"patient" is not a field of a prompt-completion record; did you mean "group"?',
        ),
        (_PAIR, _PAIR | {"group": 7.5}, '"group": text is needed, seen: 7.5'),
        (_PAIR, _PAIR | {"orgin": "paraphrase"}, '"orgin" is not a field of a prompt-completion record; did you mean'),
    ],
)
def test_a_planted_defect_is_named_with_file_and_line(
    tmp_path: Path, first: object, line: object, expected: str
) -> None:
    said = _problems(tmp_path, first, line)
    assert f"{tmp_path / 'train.jsonl'}:2: {expected}" in said
    assert ": 1 problem\n" in said


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    said = _problems(tmp_path, _PAIR, {"prompt": "Q"}, _CHAT, [])
    assert "3 problems" in said
    assert all(f"train.jsonl:{line}: " in said for line in (2, 3, 4))


def test_an_empty_training_set_is_refused(tmp_path: Path) -> None:
    assert "train.jsonl:1: the file is empty" in _problems(tmp_path)


def test_validation_takes_at_most_the_fraction_and_keeps_the_order() -> None:
    records = [_record(f"question {number}", line=number) for number in range(1, 41)]
    train, validation = split_validation(records, fraction=0.1, seed=17)
    assert (len(train), len(validation)) == (36, 4)
    assert sorted([*train, *validation], key=lambda record: record.line) == records
    assert list(train) == sorted(train, key=lambda record: record.line)


def test_the_split_hangs_on_seed_and_content_and_not_on_the_order() -> None:
    records = [_record(f"question {number}", line=number) for number in range(1, 41)]
    chosen = {record.line for record in split_validation(records, fraction=0.1, seed=17)[1]}
    assert chosen == {record.line for record in split_validation(records[::-1], fraction=0.1, seed=17)[1]}
    assert chosen != {record.line for record in split_validation(records, fraction=0.1, seed=18)[1]}
    assert chosen == {2, 19, 20, 35}, "another platform or version must give the same split"


_RECORDS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from([None, "g", "h", "i"])), min_size=2, max_size=25)


@given(drawn=_RECORDS, fraction=st.floats(0.01, 0.9), seed=st.integers(0, 1000))
def test_neither_a_group_nor_a_question_straddles(
    drawn: list[tuple[int, str | None]], fraction: float, seed: int
) -> None:
    records = [_record(f"Is it {q}?" if i % 2 else f"is it {q}", group, i) for i, (q, group) in enumerate(drawn)]
    try:
        train, validation = split_validation(records, fraction=fraction, seed=seed)
    except DataError:
        return
    assert train
    assert validation
    assert not {record.group for record in train if record.group} & {record.group for record in validation}
    assert not {r.question.lower().strip("?") for r in train} & {r.question.lower().strip("?") for r in validation}


def test_a_small_fraction_still_sets_one_record_aside() -> None:
    train, validation = split_validation([_record("one"), _record("two"), _record("three")], fraction=0.01, seed=1)
    assert (len(train), len(validation)) == (2, 1)


def test_records_that_all_belong_together_cannot_be_split() -> None:
    chained = [_record("one", "g"), _record("two", "g"), _record("Two!", "h")]
    for records in ([], [_record("one")], chained):
        with pytest.raises(DataError, match="at least 2 are needed that differ in question and in group"):
            split_validation(records, fraction=0.5, seed=1)


def test_a_fraction_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="fraction: 1"):
        split_validation([_record("one"), _record("two")], fraction=1, seed=1)
