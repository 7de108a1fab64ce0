import random
import time
from collections.abc import Callable

import pytest

from harness.data.overlap import find_overlaps, find_suite_overlaps, guard
from harness.data.overlap_index import ScoredItem
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


def _words(*numbers: int) -> str:
    return " ".join(f"word{number}" for number in numbers)


@pytest.mark.parametrize("change", [str, str.upper, lambda text: text.replace(" ", " - ").replace(".", " ?!")])
def test_a_pasted_item_is_found_however_it_is_written_and_wrapped(change: Callable[[str], str]) -> None:
    wrapped = (
        f"Here is an old case of ours, please read it well. {change(_NOTE)} Now answer with the code, nothing else."
    )
    (overlap,) = find_overlaps([_record(wrapped)], [_item(_NOTE)])
    assert overlap.kind == "item_in_record"


def test_a_short_item_inside_a_record_counts_from_five_words_and_twenty_letters() -> None:
    item = _item("Is childhood asthma always chronic?")
    assert [o.kind for o in find_overlaps([_record("Is childhood asthma always chronic, or not?")], [item])] == [
        "item_in_record"
    ]
    assert find_overlaps([_record("Is childhood asthma always chronically bad?")], [item]) == []
    assert find_overlaps([_record("Well, is it so or not?")], [_item("Is it so or?"), _item("so")]) == []


@pytest.mark.parametrize(("words", "share"), [(25, None), (26, 14 / 28), (27, 15 / 28), (39, 27 / 28)])
def test_half_of_the_runs_of_an_item_are_an_overlap(words: int, share: float | None) -> None:
    item = _item(_words(*range(40)))  # 28 runs of 13 words
    found = find_overlaps([_record(f"before {_words(*range(words))} after", answer="x")], [item])
    assert [(overlap.kind, overlap.share) for overlap in found] == (
        [] if share is None else [("mostly_in_record", share)]
    )


def test_a_near_copy_is_found_where_no_long_run_is_shared() -> None:
    changed = _words(*range(15), 99, *range(16, 30))
    (overlap,) = find_overlaps([_record(changed)], [_item(_words(*range(30)))])
    assert (overlap.kind, overlap.share) == ("similar", 25 / 31)  # 3 of 28 runs of 3 words are lost on either side
    assert "81 %" in overlap.sentence


def test_an_answer_that_is_like_an_item_is_no_near_copy() -> None:
    changed = _words(*range(15), 99, *range(16, 30))
    assert find_overlaps([_record("Go on.", answer=changed)], [_item(_words(*range(30)))]) == []


def test_a_template_that_items_share_does_not_count() -> None:
    template = _words(*range(30))
    items = [_item(f"{template} case {_words(100 + n, 200 + n, 300 + n)}", f"i{n}") for n in range(4)]
    record = _record(f"{template} case {_words(500, 600, 700)}")
    assert find_overlaps([record], items) == []
    assert [o.kind for o in find_overlaps([record], items[:1])] == ["mostly_in_record"]
    assert find_overlaps([record], items[:1], templates=[f"{template} case"]) == []
    assert find_overlaps([_record(template)], items) == []
    assert [o.kind for o in find_overlaps([_record(template)], items[:1])] == ["record_in_item"]


def test_a_template_that_records_share_does_not_count() -> None:
    template = _words(*range(30))
    records = [_record(f"{template} {_words(100 + n, 200 + n)}", line=n + 1) for n in range(4)]
    assert find_overlaps(records, [_item(f"{template} {_words(500, 600)}")]) == []
    assert len(find_overlaps(records, [_item(records[0].question)])) == 1


def test_fragments_of_regression_items_are_no_overlap() -> None:
    scored = [ScoredItem(item_id="mmlu/law/0", texts=(_NOTE,))]
    assert find_suite_overlaps([_record("54 has a painful band of blisters on")], scored) == []
    assert [o.item_id for o in find_suite_overlaps([_record(f"So: {_NOTE.upper()}")], scored)] == ["mmlu/law/0"]


def test_nothing_overlaps_nothing() -> None:
    assert find_overlaps([], [_item(_NOTE)]) == []
    assert find_overlaps([_record(_NOTE)], []) == []
    assert find_suite_overlaps([_record(_NOTE)], []) == []


def test_whole_texts_are_found_as_by_looking_at_every_pair() -> None:
    draw = random.Random(17)

    def text(longest: int) -> str:
        return " ".join(draw.choice(("alpha", "beta", "gamma")) for _ in range(draw.randint(8, longest)))

    items = [_item(text(9), f"i{number}") for number in range(60)]
    records = [_record(text(40), line=line, answer="x") for line in range(1, 60)]
    expected = {(r.line, i.item_id) for r in records for i in items if f" {i.question} " in f" {r.question} "}
    found = find_overlaps(records, items)
    assert expected
    assert {(o.line, o.item_id) for o in found if o.kind in ("exact", "normalised", "item_in_record")} == expected


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
    text = "Another note about another patient entirely."
    assert not find_overlaps((_record(text),), (_item(_NOTE),))
    _guard(text)
