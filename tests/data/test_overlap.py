import time

import pytest

from harness.data.overlap import find_overlaps, guard
from harness.errors import OverlapError
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message, Role
from harness.records.training import TrainingRecord, TrainingSet

_NOTE = "A teacher of 54 has a painful band of blisters on the right chest wall."


def _turns(*contents: tuple[Role, str]) -> tuple[Message, ...]:
    return tuple(Message(role=role, content=content) for role, content in contents)


def _item(text: str, item_id: str = "item-1") -> Item:
    return Item(item_id=item_id, input=_turns(("user", text)), references=("x",))


def _record(text: str, *, line: int = 1, answer: str = "I10", system: str | None = None) -> TrainingRecord:
    opening = _turns(("system", system)) if system else ()
    return TrainingRecord(prompt=(*opening, *_turns(("user", text))), completion=answer, line=line)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (_NOTE, "exact"),
        (_NOTE.upper().replace(" ", "\n ").replace(".", " !"), "normalised"),
        (f"Code this note: {_NOTE} Thank you.", "item_in_record"),
        ("54 has a painful band of blisters on", "record_in_item"),
    ],
)
def test_each_kind_of_overlap_is_found(text: str, kind: str) -> None:
    (overlap,) = find_overlaps([_record("something else"), _record(text, line=2)], [_item("other"), _item(_NOTE, "b")])
    assert (overlap.line, overlap.item_id, overlap.kind) == (2, "b", kind)


@pytest.mark.parametrize(
    "text",
    [
        "A teacher of 54 has a painful band of blisters on the left chest wall.",
        "a painful band of blisters on the",
        "4 has a painful band of blisters on",
        "",
    ],
)
def test_what_is_merely_alike_is_no_overlap(text: str) -> None:
    assert find_overlaps([_record(text or "?")], [_item(_NOTE), _item("!", "marks only")]) == []


def test_a_short_item_overlaps_only_as_a_whole() -> None:
    assert find_overlaps([_record("Is asthma chronic? Say why.")], [_item("Is asthma chronic?")]) == []
    assert len(find_overlaps([_record("is asthma chronic")], [_item("Is asthma chronic?")])) == 1


def test_signs_that_carry_meaning_are_kept() -> None:
    assert find_overlaps([_record("BP > 140")], [_item("BP < 140")]) == []


def test_answers_are_searched_for_items_but_not_the_other_way_round() -> None:
    instruction = "You are a coder of notes and answer with codes only."
    record = _record("Hello", answer=f"The note said: {_NOTE}", system=instruction)
    found = find_overlaps([record], [_item(_NOTE), _item(f"{instruction} What is I10?", "with instruction")])
    assert [(overlap.item_id, overlap.kind) for overlap in found] == [("item-1", "item_in_record")]


def test_an_item_of_several_turns_overlaps_by_all_its_questions_or_a_long_last_one() -> None:
    chat = _turns(("user", "My note is this."), ("assistant", "Go on."), ("user", "Thanks."))
    item = Item(item_id="chat", input=chat, references=("x",))
    assert find_overlaps([_record("Thanks.")], [item]) == []
    assert [o.kind for o in find_overlaps([TrainingRecord(prompt=chat, completion="x", line=1)], [item])] == ["exact"]
    long_last = Item(item_id="chat", input=(*chat[:2], *_turns(("user", _NOTE))), references=("x",))
    assert [overlap.kind for overlap in find_overlaps([_record(_NOTE)], [long_last])] == ["exact"]


def test_every_pair_is_told_once_by_line_and_item() -> None:
    records = [_record(_NOTE, line=2, answer=_NOTE), _record(_NOTE.lower(), line=1)]
    found = find_overlaps(records, [_item(_NOTE, "a"), _item(_NOTE, "b")])
    assert [(overlap.line, overlap.item_id, overlap.kind) for overlap in found] == [
        (1, "a", "normalised"),
        (1, "b", "normalised"),
        (2, "a", "exact"),
        (2, "b", "exact"),
    ]


def test_a_text_without_spaces_between_words_is_searched_too() -> None:
    question = "患者は右胸部に帯状の水疱がある。"
    (overlap,) = find_overlaps([_record(f"次の記録:{question}診断は?")], [_item(question)])
    assert overlap.kind == "item_in_record"


def test_a_shared_opening_does_not_make_it_slow() -> None:
    opening = "Assign the ICD-10-CM codes to the following clinical note and give nothing else: "
    items = [_item(f"{opening} golden {number} with some words that follow", f"i{number}") for number in range(2000)]
    records = [_record(f"{opening} training {n} with some words that follow", line=n) for n in range(2000)]
    started = time.perf_counter()
    assert find_overlaps(records, items) == []
    assert time.perf_counter() - started < 3


def _guard(text: str) -> None:
    golden = GoldenSet(
        name="small", version="1.0.0", sha256="0", licence="CC0", items=(_item(_NOTE),), scorers=("exact_match",)
    )
    records = (_record("fine"), _record(text, line=2))
    guard(TrainingSet(path="train.jsonl", sha256="0", format="chat", records=records), golden)


def test_the_guard_names_line_item_and_next_step() -> None:
    with pytest.raises(OverlapError) as caught:
        _guard(_NOTE)
    said = str(caught.value)
    assert 'train.jsonl:2: item "item-1": the same text' in said
    assert "Remove these records from the training set" in said
    assert "golden set small 1.0.0" in said


def test_the_guard_lets_disjoint_sets_pass() -> None:
    _guard("Another note about another patient entirely.")
