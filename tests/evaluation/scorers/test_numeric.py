from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.evaluation.scorers.figure import Figure
from harness.evaluation.scorers.numeric import (
    RELATIVE_TOLERANCE,
    abstention_correct,
    format_valid,
    is_right,
    reference_problems,
    tolerance,
    value_correct,
    working_correct,
)
from harness.evaluation.scorers.numeric_answer import parse_answer
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message
from harness.records.scores import Scorer

_INSUFFICIENT = "Working: the shares are not given\nAnswer: insufficient information"


def _item(*answers: str) -> Item:
    references = tuple(
        answer if answer.startswith("Working") else f"Working: a\nAnswer: {answer}" for answer in answers
    )
    return Item(item_id="a", input=(Message(role="user", content="Q"),), references=references)


def _figure(text: str) -> Figure:
    figure = parse_answer(text)
    assert isinstance(figure, Figure)
    return figure


@pytest.mark.parametrize(
    ("due", "given", "value"),
    [
        # A ratio: half the last digit (0.05 %) or 0.5 % of it (0.117 %), whichever is more.
        ("23.4 %", "23.4 %", 1),
        ("23.4 %", "23.3 %", 1),
        ("23.4 %", "23.517 %", 1),
        ("23.4 %", "23.518 %", 0),
        ("23.4 %", "23.6 %", 0),
        ("4.0 %", "4.05 %", 1),
        ("4.0 %", "4.06 %", 0),
        ("57.6 days", "57.888 days", 1),
        ("57.6 days", "57.9 days", 0),
        ("2.31 x", "2.32 x", 1),
        ("2.31 x", "2.33 x", 0),
        ("-2.0 pp", "-2.05 pp", 1),
        ("-2.0 pp", "-2.1 pp", 0),
        # Money: half the last digit, however large the amount.
        ("EUR 8,412 thousand", "EUR 8,412.5 thousand", 1),
        ("EUR 8,412 thousand", "EUR 8,413 thousand", 0),
        ("EUR 8,412 thousand", "EUR 8.4 million", 0),
        ("CHF 3.69", "CHF 3.694", 1),
        ("CHF 3.69", "CHF 3.70", 0),
        # Sign.
        ("-17.4 %", "17.4 %", 0),
        ("-17.4 %", "(17.4) %", 1),
        ("USD -10,691 thousand", "-$10,691k", 1),
    ],
)
def test_hand_worked_values_of_tolerance(due: str, given: str, value: float) -> None:
    assert value_correct().mark(_item(due), f"Answer: {given}").value == value


@pytest.mark.parametrize(
    ("due", "given", "value"),
    [
        ("EUR 8,412 thousand", "EUR 8.412 million", 1),
        ("EUR 8,412 thousand", "EUR 8,412,000", 1),
        ("EUR 8,412 thousand", "8,412", 1),
        ("EUR 8,412 thousand", "8.412 million", 1),
        ("EUR 8,412 thousand", "EUR 8,412", 0),
        ("EUR 8,412 thousand", "EUR 8,412 million", 0),
        ("EUR 8,412 thousand", "USD 8,412 thousand", 0),
        ("EUR 8,412 thousand", "8,412,000", 0),
        ("EUR 8,412 thousand", "8,412 days", 0),
        ("USD 54.9 million", "$54.9m", 1),
        ("CAD 54.9 million", "$54.9m", 1),
        ("EUR 54.9 million", "$54.9m", 0),
        ("GBP 0.195", "19.5p", 1),
        ("23.4 %", "0.234", 1),
        ("23.4 %", "23.4", 1),
        ("23.4 %", "0.234 x", 1),
        ("23.4 %", "0.234 %", 0),
        ("23.4 %", "23.4 pp", 0),
        ("2.16 x", "216 %", 1),
        ("2.16 x", "2.16", 1),
        ("2.16 x", "216", 0),
        ("1.2 pp", "120 basis points", 1),
        ("1.2 pp", "1.2 %", 0),
        ("9.8 months", "9.8", 1),
        ("9.8 months", "9.8 days", 0),
    ],
)
def test_hand_worked_values_of_units(due: str, given: str, value: float) -> None:
    assert value_correct().mark(_item(due), f"Answer: {given}").value == value


@pytest.mark.parametrize(
    ("due", "text", "value", "abstention"),
    [
        (_INSUFFICIENT, "Answer: insufficient information", 1, 1),
        (_INSUFFICIENT, "It cannot be determined.", 1, 1),
        (_INSUFFICIENT, "Answer: 3.4 %", 0, 0),
        (_INSUFFICIENT, "It cannot be determined, but I estimate 3.4 %", 0, 0),
        ("3.4 %", "Answer: insufficient information", 0, 0),
        ("3.4 %", "Answer: 9.9 %", 0, 1),
        ("3.4 %", "Answer: 3.4 %", 1, 1),
    ],
)
def test_abstaining_is_right_where_it_is_due_and_only_there(
    due: str, text: str, value: float, abstention: float
) -> None:
    assert value_correct().mark(_item(due), text).value == value
    assert abstention_correct().mark(_item(due), text).value == abstention


@pytest.mark.parametrize("scorer", [value_correct(), abstention_correct()])
@pytest.mark.parametrize("text", ["", "No idea.", "Answer: 20-30 %"])
def test_an_answer_without_a_single_figure_is_unparsed_and_worth_nothing(scorer: Scorer, text: str) -> None:
    for due in ("3.4 %", _INSUFFICIENT):
        mark = scorer.mark(_item(due), text)
        assert mark.value is None
        assert mark.detail is not None
        assert "no single figure" in mark.detail
    assert scorer.unparsed_value == 0.0


def test_the_format_is_judged_apart_from_the_value() -> None:
    wrong_but_well_formed = "Working: a\nAnswer: 99.9 %"
    right_but_ill_formed = "I think that it is 3.4 percent"
    assert format_valid().mark(_item("3.4 %"), wrong_but_well_formed).value == 1
    assert value_correct().mark(_item("3.4 %"), wrong_but_well_formed).value == 0
    assert format_valid().mark(_item("3.4 %"), right_but_ill_formed).value == 0
    assert value_correct().mark(_item("3.4 %"), right_but_ill_formed).value == 1


@pytest.mark.parametrize(
    ("due", "text", "value", "detail"),
    [
        (
            "38.0 %",
            "Working: 100 * 18,476 / 48,620\nAnswer: 12 %",
            1,
            "given 100 * 18,476 / 48,620 = 38.0008; due 38.0 %",
        ),
        ("38.0 %", "Working: 18,476 / 48,620 = 0.5\nAnswer: 50 %", 1, "given 18,476 / 48,620 = 0.380008; due 38.0 %"),
        ("38.0 %", "Working: 48,620 / 18,476\nAnswer: 38.0 %", 0, "given 48,620 / 18,476 = 2.63152; due 38.0 %"),
        ("-1.5 %", "Working: 100 * 96 / 6,400", 0, "given 100 * 96 / 6,400 = 1.5; due -1.5 %; the sign is wrong"),
        ("EUR 1,005 million", "It is 410 + 690 - 95.", 1, "given 410 + 690 - 95 = 1005; due EUR 1,005 million"),
        ("EUR 4.2 million", "Working: 4,218 / 2", 0, "given 4,218 / 2 = 2109; due EUR 4.2 million"),
        (
            _INSUFFICIENT,
            "Answer: insufficient information",
            1,
            "given insufficient information; due insufficient information",
        ),
        (_INSUFFICIENT, "Working: 1 / 2\nAnswer: 0.5", 0, "given 1 / 2 = 0.5; due insufficient information"),
        ("3.4 %", "Answer: insufficient information", 0, "given insufficient information; due 3.4 %"),
    ],
)
def test_a_right_working_counts_whatever_was_made_of_it(due: str, text: str, value: float, detail: str) -> None:
    mark = working_correct().mark(_item(due), text)
    assert mark.value == value
    assert mark.detail == detail


@pytest.mark.parametrize(
    "text", ["", "Answer: 3.4 %", "Working: divide\nAnswer: 3.4 %", "Working: 1 / 0\nAnswer: 3.4 %"]
)
def test_an_answer_without_a_working_is_unparsed_by_its_scorer_alone(text: str) -> None:
    mark = working_correct().mark(_item("3.4 %"), text)
    assert (mark.value, mark.detail) == (None, "the answer shows no working that can be calculated")
    assert working_correct().unparsed_value == 0.0


def test_any_of_several_references_will_do() -> None:
    item = _item("7.9 %", "7.7 %", _INSUFFICIENT)
    given = ("Answer: 7.9 %", "Answer: 7.7 %", "Answer: N/A", "Answer: 7.5 %")
    assert [value_correct().mark(item, text).value for text in given] == [1, 1, 1, 0]
    assert [abstention_correct().mark(item, text).value for text in given] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("due", "given", "detail"),
    [
        ("23.4 %", "23.4 %", "given 23.4 %; due 23.4 %"),
        ("23.4 %", "99 %", "given 99 %; due 23.4 %"),
        ("-17.4 %", "17.4 %", "given 17.4 %; due -17.4 %; the sign is wrong"),
        ("EUR 12 thousand", "EUR 12", "given EUR 12; due EUR 12 thousand; off by a factor of 1,000"),
        ("EUR 12 thousand", "EUR 12 million", "given EUR 12 million; due EUR 12 thousand; off by a factor of 1,000"),
        ("23.4 %", "23.4 pp", "given 23.4 pp; due 23.4 %; another unit"),
        ("EUR 12 thousand", "USD 12 thousand", "given USD 12 thousand; due EUR 12 thousand; another unit"),
        ("3.4 %", "insufficient information", "given insufficient information; due 3.4 %"),
    ],
)
def test_a_mark_tells_what_was_given_and_how_it_slipped(due: str, given: str, detail: str) -> None:
    assert value_correct().mark(_item(due), f"Answer: {given}").detail == detail


def test_a_reference_out_of_format_is_named_with_its_item() -> None:
    def golden_set(*references: str) -> GoldenSet:
        items = tuple(
            Item(item_id=f"i{place}", input=(Message(role="user", content="Q"),), references=(reference,))
            for place, reference in enumerate(references)
        )
        return GoldenSet(name="s", version="1", sha256="0", licence="CC0", items=items, scorers=("numeric",))

    assert reference_problems(golden_set(_INSUFFICIENT, "Working: a\nAnswer: 3.4 %")) == []
    (problem,) = reference_problems(golden_set(_INSUFFICIENT, "3.4 %"))
    assert "item \"i1\": the reference '3.4 %' is not in the demanded format" in problem
    assert "Write the line" in problem


def test_a_set_whose_references_were_never_checked_is_a_defect_of_the_program() -> None:
    item = Item(item_id="a", input=(Message(role="user", content="Q"),), references=("soon",))
    with pytest.raises(ValueError, match="no reference gives a figure"):
        value_correct().mark(item, "Answer: 3.4 %")


@pytest.mark.parametrize("scorer", [value_correct(), working_correct(), abstention_correct(), format_valid()])
def test_a_metric_is_named_after_its_scorer(scorer: Scorer) -> None:
    assert scorer.metric.name == f"golden/{scorer.name}"
    assert (scorer.metric.kind, scorer.metric.direction) == ("binary", "higher_is_better")
    assert scorer.metric.description


_UNITS = st.sampled_from(["%", "pp", "x", "days", "months"])
_NUMBERS = st.decimals(min_value=-(10**6), max_value=10**6, places=2)


@settings(deadline=None)
@given(number=_NUMBERS, unit=_UNITS)
def test_a_figure_is_right_by_itself(number: Decimal, unit: str) -> None:
    due = _figure(f"Answer: {number:,.2f} {unit}")
    assert is_right(due, due)


@settings(deadline=None)
@given(number=_NUMBERS, unit=_UNITS, off=st.decimals(min_value=-5, max_value=5, places=3))
def test_right_means_within_tolerance(number: Decimal, unit: str, off: Decimal) -> None:
    due, given_figure = _figure(f"Answer: {number:,.2f} {unit}"), _figure(f"Answer: {number + off:,.3f} {unit}")
    allowed = max(Decimal("0.005"), abs(number) * RELATIVE_TOLERANCE)
    assert is_right(given_figure, due) == (abs(off) <= allowed)


@settings(deadline=None)
@given(number=_NUMBERS, scale=st.sampled_from(["", " thousand", " million"]))
def test_the_tolerance_of_money_is_half_the_last_digit_whatever_the_amount(number: Decimal, scale: str) -> None:
    due = _figure(f"Answer: EUR {number:,.2f}{scale}")
    assert tolerance(due) == due.step / 2


@settings(deadline=None)
@given(number=_NUMBERS, unit=_UNITS)
def test_a_wrong_sign_is_never_right_away_from_zero(number: Decimal, unit: str) -> None:
    assume(abs(number) > 1)
    assert not is_right(_figure(f"Answer: {-number:,.2f} {unit}"), _figure(f"Answer: {number:,.2f} {unit}"))
