import pytest

from harness.evaluation.scorers.exact_match import exact_match, normalised_answer
from harness.evaluation.scorers.must_contain import must_contain
from harness.records.items import Item
from harness.records.messages import Message

_ITEM = Item(
    item_id="a",
    input=(Message(role="user", content="Q"),),
    references=("ICD-10 Codes:\n- I10 (Hypertension)", "None"),
    must_contain=("asthma", "second line"),
    must_not_contain=("COPD",),
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ICD-10 Codes:\n- I10 (Hypertension)", 1.0),
        ("  icd-10 CODES\n\n-   I10\t(hypertension).\n", 1.0),
        ("ＩＣＤ-10 Codes:\n- I10 (Hypertension)", 1.0),
        ("none!", 1.0),
        ("ICD-10 Codes:\n- I10 (Hypertension", 0.0),
        ("ICD-10 Codes:\n- I11 (Hypertension)", 0.0),
        ("I10", 0.0),
        ("?", 0.0),
        ("", None),
        (" \n\t", None),
    ],
)
def test_an_answer_counts_if_it_is_any_reference_after_normalising(text: str, value: float | None) -> None:
    assert exact_match().mark(_ITEM, text).value == value


def test_punctuation_inside_a_line_and_alone_on_a_line_is_kept() -> None:
    assert normalised_answer("A. b.\n?\nC: d;") == "a. b ? c: d"


def test_an_empty_answer_is_worth_nothing() -> None:
    assert exact_match().unparsed_value == 0.0


@pytest.mark.parametrize(
    ("text", "value", "detail"),
    [
        ("Asthma\nin the second\n line", 1.0, None),
        ("Asthma", 0.0, 'absent: "second line"'),
        ("asthma, second line, no copd", 0.0, 'forbidden: "COPD"'),
        ("", None, "the answer is empty"),
    ],
)
def test_must_contain_wants_every_phrase_and_no_forbidden_one(
    text: str, value: float | None, detail: str | None
) -> None:
    mark = must_contain().mark(_ITEM, text)
    assert (mark.value, mark.detail) == (value, detail)
