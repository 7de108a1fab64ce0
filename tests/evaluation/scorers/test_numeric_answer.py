import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evaluation.scorers.figure import Figure
from harness.evaluation.scorers.numeric_answer import INSUFFICIENT, is_format_valid, parse_answer


def _written(text: str) -> str | None:
    answer = parse_answer(text)
    return answer.written if isinstance(answer, Figure) else answer


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Working: 100 * 3,282 / 8,412\nAnswer: 39.0 %", "39.0 %"),
        ("**Answer:** 39.0 %", "39.0 %"),
        ("The final answer is 39.0 %.", "39.0 %"),
        ("Answer:\n\n39.0 %", "39.0 %"),
        ("Answer: 100 * 3,282 / 8,412 = 39.0 %", "39.0 %"),
        ("Answer: 39.0 % (3,282 / 8,412)", "39.0 %"),
        ("Answer: 39.0 % in FY2024", "39.0 %"),
        ("Answer: 12.0 %\nNo, wait.\nAnswer: 39.0 %", "39.0 %"),
        ("Answer: 39.0 %\nAnswer:", "39.0 %"),
        ("\\boxed{39.0\\%}", "39.0%"),
        ("Answer: EUR 3.4m, that is EUR 3,400 thousand", "EUR 3,400 thousand"),
        ("Answer: 12 %, though exact figures are not given", "12 %"),
    ],
)
def test_the_answer_stands_after_the_last_mark(text: str, written: str) -> None:
    assert _written(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("39.0 %", "39.0 %"),
        ("Gross profit is 3,282. The margin is 3,282 / 8,412 = 39.0 %.", "39.0 %"),
        ("The margin was 39.0 % in 2024.", "39.0 %"),
        ("It cannot be determined exactly, but is about 39 %.", "39 %"),
        ("Depreciation is not given, so EBITDA = 120", "120"),
    ],
)
def test_running_text_answers_with_its_last_figure(text: str, written: str) -> None:
    assert _written(text) == written


@pytest.mark.parametrize(
    "text",
    [
        "Working: the shares are not given\nAnswer: insufficient information",
        "Answer: insufficient information for 2024 (shares not disclosed)",
        "Answer: N/A",
        "Answer: cannot be determined.",
        "There is not enough information to compute it.",
        "The statement does not give the number of shares. Net profit is EUR 340 thousand.",
        "Earnings per share can't be reliably calculated from this.",
        "It is impossible to say.",
        "The number of shares isn't disclosed.",
    ],
)
def test_insufficient_information_is_recognised(text: str) -> None:
    assert parse_answer(text) == INSUFFICIENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I do not follow.",
        "Answer:",
        "Answer: 20-30 %",
        "Answer: 12 % or 13 %",
        "Answer: 12 % or 12 pp",
        "Answer: high",
    ],
)
def test_what_gives_no_single_figure_gives_nothing(text: str) -> None:
    assert parse_answer(text) is None


def test_figures_before_a_mark_do_not_count() -> None:
    assert parse_answer("The margin is 39.0 %.\nAnswer: see above") is None


@pytest.mark.parametrize(
    "text",
    [
        "Working: 100 * 3,282 / 8,412\nAnswer: 39.0 %",
        "  Working: a - b\r\nAnswer: EUR -1,234 thousand\n",
        "Working: a / b\nAnswer: CHF 3.69",
        "Working: a / b\nAnswer: 2.31 x",
        "Working: a / b\nAnswer: -2.0 pp",
        "Working: a / b\nAnswer: 57.6 days",
        "Working: a / b\nAnswer: 9.8 months",
        "Working: shares are not given\nAnswer: insufficient information",
    ],
)
def test_the_demanded_format_is_valid(text: str) -> None:
    assert is_format_valid(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Answer: 39.0 %",
        "Working: \nAnswer: 39.0 %",
        "Working: a\n\nAnswer: 39.0 %",
        "Working: a\nAnswer: 39.0",
        "Working: a\nAnswer: 39.0%",
        "Working: a\nAnswer: 39.0 %.",
        "Working: a\nAnswer: 39.0 % or so",
        "Working: a\nAnswer: 1234 x",
        "Working: a\nAnswer: $12",
        "Working: a\nAnswer: EUR (12) thousand",
        "Working: a\nAnswer: Insufficient information",
        "Working: a\nAnswer: 39.0 %\nAnswer: 39.0 %",
    ],
)
def test_any_other_format_is_not(text: str) -> None:
    assert not is_format_valid(text)


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_parsed(text: str) -> None:
    answer = parse_answer(text)
    assert answer is None or answer == INSUFFICIENT or isinstance(answer, Figure)


@settings(deadline=None)
@given(
    working=st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"])),
    number=st.decimals(min_value=-(10**7), max_value=10**7, places=1),
)
def test_a_valid_answer_is_read_whatever_its_working(working: str, number: object) -> None:
    text = f"Working: x{working}\nAnswer: {number:,.1f} %"
    assert is_format_valid(text)
    answer = parse_answer(text)
    assert isinstance(answer, Figure)
    assert answer.number == number
