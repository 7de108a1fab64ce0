from harness.data.audit_records import AuditedRecord
from harness.data.balance import balance_picture, classes_of, find_imbalance
from harness.records.messages import Message
from harness.records.training import TrainingRecord


def record(line: int, answer: str, *, label: str | None = None, tags: tuple[str, ...] = ()) -> AuditedRecord:
    read = TrainingRecord(prompt=(Message(role="user", content=f"Case {line}?"),), completion=answer, line=line)
    return AuditedRecord(record=read, label=label, tags=tags, others=())


def test_classes_are_labels_then_few_answers_then_tags() -> None:
    assert classes_of([record(1, "x", label="a"), record(2, "y")]) == ("label", {1: "a"})
    assert classes_of([record(n, "yes" if n % 2 else "no") for n in range(1, 5)])[0] == "answer"
    different = [record(n, f"answer {n}", tags=("edge" if n > 2 else "typical", "long")) for n in range(1, 5)]
    assert classes_of(different) == ("first tag", {1: "typical", 2: "typical", 3: "edge", 4: "edge"})
    assert classes_of(different[:2]) == ("", {})
    assert classes_of([record(n, f"answer {n}") for n in range(1, 5)]) == ("", {})


def test_the_ratio_is_that_of_the_largest_to_the_smallest() -> None:
    classes = dict(enumerate(["a"] * 12 + ["b"] * 3 + ["c"] * 2, start=1))
    (found,) = find_imbalance("label", classes)
    assert found.value == 6.0
    assert found.lines == (16, 17)
    assert "largest of 3 classes" in found.sentence


def test_even_classes_are_no_finding_and_a_single_class_is_one() -> None:
    assert find_imbalance("label", {1: "a", 2: "b"}) == []
    assert find_imbalance("", {}) == []
    (found,) = find_imbalance("label", {1: "a", 2: "a"})
    assert "nothing to tell apart" in found.sentence


def test_the_picture_shows_the_largest_first_and_counts_what_is_left_out() -> None:
    classes = {line: f"class {min(line, 30)}" for line in range(1, 36)}
    picture = balance_picture("label", classes)
    assert picture is not None
    assert (picture.bars[0].label, picture.bars[0].count) == ("class 30", 6)
    assert (len(picture.bars), picture.left_out) == (25, 5)
    assert picture.bars[1].stands_out
    assert balance_picture("", {}) is None
