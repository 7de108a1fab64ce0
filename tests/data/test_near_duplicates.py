import pytest

from harness.data.audit_records import AuditedRecord
from harness.data.near_duplicates import NearTexts, find_near_duplicates, jaccard, shared_frame, word_shingles
from harness.records.messages import Message
from harness.records.training import TrainingRecord

LONG = " ".join(f"word{n}" for n in range(40))


def record(line: int, question: str, *, group: str | None = None, answer: str = "yes") -> AuditedRecord:
    prompt = (Message(role="user", content=question),)
    read = TrainingRecord(prompt=prompt, completion=answer, line=line, group=group)
    return AuditedRecord(record=read, label=None, tags=(), others=())


def test_shingles_and_similarity_by_hand() -> None:
    one, other = word_shingles("a b c d e"), word_shingles("A b, c d x")
    assert one == {b"a b c", b"b c d", b"c d e"}
    assert jaccard(one, other) == pytest.approx(2 / 4)
    assert word_shingles("two words") == {b"two words"}
    assert word_shingles("...") == frozenset()


def test_a_text_below_the_threshold_is_never_returned() -> None:
    texts = NearTexts(0.8)
    assert texts.similar_or_add(0, "a b c d e") is None
    assert texts.similar_or_add(1, "a b c d x") is None
    assert texts.similar_or_add(2, "A B C D E!") == (0, 1.0)
    assert texts.similar_or_add(3, "") is None


def test_texts_that_may_be_alike_are_not_looked_at() -> None:
    texts = NearTexts(0.8)
    texts.add(0, "a b c d e")
    texts.add(1, "A b c d e")
    texts.add(2, "")
    assert texts.most_similar("a, b, c, d, e") == (0, 1.0)
    assert texts.most_similar("a b c d e", besides={0}) == (1, 1.0)
    assert texts.most_similar("a b c d e", besides={0, 1}) is None
    assert texts.most_similar("") is None
    assert texts.similar_or_add(3, "a b c d e", besides={0, 1}) is None
    assert texts.most_similar("a b c d e", besides={0, 1}) == (3, 1.0)


def test_near_duplicates_say_which_line_they_are_like_and_whether_answers_agree() -> None:
    records = [
        record(1, f"{LONG} one"),
        record(2, "else"),
        record(3, f"{LONG} two"),
        record(4, f"{LONG} x", answer="no"),
    ]
    (found,) = find_near_duplicates(records, similarity=0.8)
    assert found.lines == (3, 4)
    assert found.value == 0.5
    assert "answered the same: 1, differently: 1" in found.sentence
    assert found.examples[0].startswith("line 3 is like line 1 (similarity 0.95")


def test_records_of_one_group_may_be_alike() -> None:
    records = [record(1, f"{LONG} one", group="g"), record(2, f"{LONG} two", group="g")]
    assert find_near_duplicates(records, similarity=0.8) == []


def test_the_same_question_is_a_repeat_not_a_near_duplicate() -> None:
    assert find_near_duplicates([record(1, LONG), record(2, LONG.upper())], similarity=0.8) == []


def test_a_long_instruction_before_every_question_makes_no_near_duplicates() -> None:
    framed = [record(n, f"{LONG} {LONG} Note: item{n} seen{n} by{n} us{n} then{n}") for n in range(1, 61)]
    assert find_near_duplicates(framed, similarity=0.8) == []
    copy = record(61, f"{LONG} {LONG} Note: item7 seen7 by7 us7 then7 x")
    (found,) = find_near_duplicates([*framed, copy], similarity=0.5)
    assert found.examples[0].startswith("line 61 is like line 7 ")


def test_few_texts_have_no_frame() -> None:
    assert shared_frame(["a b c"] * 49) == frozenset()
    assert shared_frame(["a b c"] * 50) == {b"a b c"}
