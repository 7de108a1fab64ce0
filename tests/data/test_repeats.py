from harness.data.audit_records import AuditedRecord
from harness.data.repeats import find_contradictions, find_repeats
from harness.records.messages import Message
from harness.records.training import TrainingRecord


def record(line: int, question: str, answer: str, system: str | None = None) -> AuditedRecord:
    opening = (Message(role="system", content=system),) if system else ()
    prompt = (*opening, Message(role="user", content=question))
    read = TrainingRecord(prompt=prompt, completion=answer, line=line)
    return AuditedRecord(record=read, label=None, tags=(), others=())


def test_a_repeat_differs_in_case_and_punctuation_at_most() -> None:
    records = [record(1, "Is it so?", "Yes."), record(2, "is it so", "yes"), record(3, "Is it so now?", "Yes.")]
    (found,) = find_repeats(records)
    assert (found.lines, found.examples) == ((2,), ("line 2 repeats line 1",))
    assert find_contradictions(records) == []


def test_a_contradiction_has_all_its_lines() -> None:
    records = [record(1, "Is it so?", "Yes."), record(2, "Is it so?", "No."), record(5, "is it so", "yes")]
    (found,) = find_contradictions(records)
    assert found.lines == (1, 2, 5)
    assert found.examples == ("lines 1 and 2 answer differently",)


def test_another_system_text_is_another_question() -> None:
    records = [record(1, "Hello", "Hi", system="Be brief."), record(2, "Hello", "Good day", system="Be polite.")]
    assert find_contradictions(records) == []


def test_questions_of_signs_alone_are_compared_as_written() -> None:
    assert find_repeats([record(1, "?", "!"), record(2, "??", "!")]) == []


def test_empty_answers_neither_repeat_nor_contradict() -> None:
    records = [record(1, "Is it so?", ""), record(2, "Is it so?", ""), record(3, "Is it so?", "Yes")]
    assert find_repeats(records) + find_contradictions(records) == []
