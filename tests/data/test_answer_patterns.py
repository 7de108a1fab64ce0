import pytest

from harness.data.answer_patterns import answer_outline, answer_shape, find_off_pattern, format_facts
from harness.data.audit_records import AuditedRecord
from harness.records.messages import Message
from harness.records.training import TrainingRecord


def answered(*answers: str) -> list[AuditedRecord]:
    prompt = (Message(role="user", content="?"),)
    return [
        AuditedRecord(
            record=TrainingRecord(prompt=prompt, completion=answer, line=line), label=None, tags=(), others=()
        )
        for line, answer in enumerate(answers, start=1)
    ]


@pytest.mark.parametrize(
    ("answer", "shape"),
    [
        ("legal", "a"),
        ("B02.9", "x"),
        ("14,691", "9"),
        ("12.3 %", "9 %"),
        ("- B02.9 (Zoster without complications)", "- x (a)"),
        ("- I10 (Essential (primary) hypertension)", "- x (a)"),
        ("ICD-10 Codes:\n- A00 (Cholera)\n- A01 (Typhoid fever)", "a:\n- x (a)"),
        ("First one. Then another one.", "a."),
        ('{"label": "legal"}', '{"a": "a"}'),
        ("", ""),
    ],
)
def test_a_shape_leaves_the_content_out(answer: str, shape: str) -> None:
    assert answer_shape(answer) == shape


def test_an_outline_keeps_the_headings() -> None:
    assert answer_outline("Working: 1 / 2\nAnswer: 50 %") == "Working:\nAnswer:"
    assert answer_outline("some text\nmore text") == "a"


def test_answers_whose_shapes_differ_are_held_against_their_outline() -> None:
    good = [f"Working: {' + '.join('1' * n)}\nAnswer: {n}" for n in range(1, 21)]
    (found,) = find_off_pattern(answered(*good, "It is 3."))
    assert found.lines == (21,)
    assert format_facts(answered(*good)) == [("answer format", "100.0 % have the pattern `Working: ⏎ Answer:`")]


def test_a_second_usual_pattern_is_accepted_and_a_rare_one_is_not() -> None:
    usual = ["- B02.9 (Zoster)"] * 36 + ["- NONE"] * 3
    (found,) = find_off_pattern(answered(*usual, "none!"))
    assert found.lines == (40,)


def test_free_text_and_few_answers_have_no_pattern() -> None:
    free = [f"{'(' * n}x" for n in range(20)]
    assert find_off_pattern(answered(*free)) == []
    assert format_facts(answered(*free))[0][1].startswith("free text")
    assert format_facts(answered("a", "b"))[0][1] == "too few answers to tell"
