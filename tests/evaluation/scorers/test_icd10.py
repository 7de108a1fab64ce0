import pytest

from harness.evaluation.scorers import icd10
from harness.records.items import Item
from harness.records.messages import Message
from harness.records.scores import Scorer

_KNOWN = frozenset({"I10", "B20", "E11.9", "J45.909", "J45.20"})
_NONE = "ICD-10 Codes:\n- NONE (No codable diagnosis)"
_CORRECTNESS = [
    icd10.codes_exact_match(_KNOWN),
    icd10.codes_precision(_KNOWN),
    icd10.codes_recall(_KNOWN),
    icd10.codes_f1(_KNOWN),
]


def _item(*references: str) -> Item:
    return Item(item_id="a", input=(Message(role="user", content="Q"),), references=references)


def _lines(codes: str) -> str:
    return "ICD-10 Codes:\n" + "\n".join(f"- {code} (some description)" for code in codes.split())


@pytest.mark.parametrize(
    ("given", "due", "exact", "precision", "recall", "f1"),
    [
        (_lines("I10 E11.9"), _lines("E11.9 I10"), 1, 1, 1, 1),
        (_lines("I10"), _lines("I10 E11.9"), 0, 1, 1 / 2, 2 / 3),
        (_lines("I10 E11.9 J45.909"), _lines("I10"), 0, 1 / 3, 1, 1 / 2),
        (_lines("I10 J45.20 J45.909"), _lines("I10 E11.9"), 0, 1 / 3, 1 / 2, 2 / 5),
        (_lines("J45.20"), _lines("J45.909"), 0, 0, 0, 0),
        (_NONE, _NONE, 1, 1, 1, 1),
        (_NONE, _lines("I10"), 0, 0, 0, 0),
        (_lines("I10"), _NONE, 0, 0, 0, 0),
        ("It is i10, or rather E11.9", _lines("E11.9"), 1, 1, 1, 1),
    ],
)
def test_hand_worked_values_of_correctness(
    given: str, due: str, exact: float, precision: float, recall: float, f1: float
) -> None:
    values = [scorer.mark(_item(due), given).value for scorer in _CORRECTNESS]
    assert values == pytest.approx([exact, precision, recall, f1])


def test_the_reference_nearest_by_f1_is_the_one_that_counts() -> None:
    item = _item(_lines("I10 E11.9 J45.909 J45.20"), _lines("I10 B20"))
    values = [scorer.mark(item, _lines("I10 E11.9")).value for scorer in _CORRECTNESS]
    assert values == pytest.approx([0, 1, 1 / 2, 2 / 3])


def test_an_answer_without_codes_is_unparsed_and_worth_nothing_in_correctness() -> None:
    for scorer in _CORRECTNESS:
        assert scorer.mark(_item(_lines("I10")), "I am not sure.").value is None
        assert scorer.unparsed_value == 0.0


def test_a_mark_tells_what_was_given_and_due() -> None:
    assert _CORRECTNESS[0].mark(_item(_NONE), _lines("I10 E11.9")).detail == "given E11.9, I10; due NONE"


def test_a_set_whose_references_were_never_checked_is_a_defect_of_the_program() -> None:
    with pytest.raises(ValueError, match="no reference gives codes"):
        _CORRECTNESS[0].mark(_item("unreadable"), _lines("I10"))


@pytest.mark.parametrize(
    ("text", "value", "detail"),
    [
        (_lines("I10 E11.9"), 0.0, None),
        (_lines("I10 Z99.999 Q88 Q88"), 2 / 3, "not in the code list: Q88, Z99.999"),
        (_lines("Q88"), 1.0, "not in the code list: Q88"),
        (_NONE, 0.0, None),
        ("Who knows.", None, "the answer gives no code and does not say NONE"),
    ],
)
def test_hand_worked_values_of_invented_codes(text: str, value: float | None, detail: str | None) -> None:
    scorer = icd10.invented_codes(_KNOWN)
    mark = scorer.mark(_item(_lines("I10")), text)
    assert mark.value == pytest.approx(value)
    assert mark.detail == detail
    assert scorer.unparsed_value is None
    assert scorer.metric.direction == "lower_is_better"


@pytest.mark.parametrize(("text", "value"), [(_lines("I10"), 1.0), ("I10", 0.0), ("", 0.0)])
def test_format_valid_is_never_unparsed(text: str, value: float) -> None:
    assert icd10.format_valid().mark(_item(_NONE), text).value == value


@pytest.mark.parametrize("scorer", [*_CORRECTNESS, icd10.format_valid(), icd10.invented_codes(_KNOWN)])
def test_a_metric_is_named_after_its_scorer_and_bounded(scorer: Scorer) -> None:
    assert scorer.metric.name == f"golden/{scorer.name}"
    assert (scorer.metric.minimum, scorer.metric.maximum) == (0.0, 1.0)
    assert scorer.metric.kind == ("binary" if scorer.name in {"codes_exact_match", "format_valid"} else "graded")
    assert scorer.metric.description
