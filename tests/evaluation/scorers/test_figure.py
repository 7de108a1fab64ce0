import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evaluation.scorers.figure import CURRENCY_CODES, Figure, find_figures, plain, without_remarks


def _only(text: str) -> Figure:
    (figure,) = find_figures([plain(text)])
    return figure


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234", "1234"),
        ("1,234", "1234"),
        ("1,234,567.8", "1234567.8"),
        ("12,34,567", "1234567"),
        ("1'234’567", "1234567"),
        ("1 234 567,8", "1234567.8"),
        ("1\u202f234,5", "1234.5"),
        ("1.234.567", "1234567"),
        ("1.234,5", "1234.5"),
        ("1.234", "1.234"),
        ("12,4", "12.4"),
        ("0,234", "0.234"),
        ("1234,567", "1234.567"),
        (".5", "0.5"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("minus 3", "-3"),
        ("negative 3", "-3"),
        ("(3)", "-3"),
        ("(-3)", "-3"),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, number: str) -> None:
    assert _only(text).number == Decimal(number)


@pytest.mark.parametrize(
    ("text", "value", "quantity"),
    [
        ("23.4 %", "0.234", "ratio"),
        ("23.4%", "0.234", "ratio"),
        ("23.4 per cent", "0.234", "ratio"),
        ("23.4 percent", "0.234", "ratio"),
        ("2.1x", "2.1", "ratio"),
        ("2.1 ×", "2.1", "ratio"),
        ("2.1 times", "2.1", "ratio"),
        ("2.1:1", "2.1", "ratio"),
        ("2.1 to 1.", "2.1", "ratio"),
        ("1.5 pp", "1.5", "points"),
        ("1.5 percentage points", "1.5", "points"),
        ("1.5 %-points", "1.5", "points"),
        ("150 bps", "1.5", "points"),
        ("-20 basis points", "-0.2", "points"),
        ("54 days", "54", "days"),
        ("9.8 months", "9.8", "months"),
        ("EUR 3.4m", "3400000", "money"),
        ("EURm 3.4", "3400000", "money"),
        ("EUR'000 3,400", "3400000", "money"),
        ("EUR million: 3.4", "3400000", "money"),
        ("$1,234.5 million", "1234500000", "money"),
        ("1.2bn", "1200000000", "money"),
        ("3.4 million euros", "3400000", "money"),
        ("-EUR 12 thousand", "-12000", "money"),
        ("EUR -12 thousand", "-12000", "money"),
        ("EUR (12) thousand", "-12000", "money"),
        ("(EUR 12 thousand)", "-12000", "money"),
        ("(12.4) %", "-0.124", "ratio"),
        ("(12.4 %)", "-0.124", "ratio"),
        ("₹12.5 crore", "125000000", "money"),
        ("45 cents", "0.45", "money"),
        ("19.5p", "0.195", "money"),
        ("19.5", "19.5", None),
    ],
)
def test_a_unit_gives_the_value_in_base_units(text: str, value: str, quantity: str | None) -> None:
    figure = _only(text)
    assert figure.value == Decimal(value)
    assert figure.quantity == quantity


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("EUR 3", {"EUR"}),
        ("3 eur", {"EUR"}),
        ("€3", {"EUR"}),
        ("US$ 3", {"USD"}),
        ("R$ 3", {"BRL"}),
        ("¥3", {"JPY", "CNY"}),
        ("3 million", set[str]()),
    ],
)
def test_a_currency_is_what_it_may_mean(text: str, codes: set[str]) -> None:
    assert _only(text).currencies == codes
    assert codes <= set(CURRENCY_CODES)


def test_a_dollar_sign_may_be_any_dollar() -> None:
    assert {"USD", "CAD", "AUD"} <= _only("$5").currencies
    assert "EUR" not in _only("$5").currencies


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("EUR 3.4 million", "100000"),
        ("EUR 12 thousand", "1000"),
        ("23.4 %", "0.001"),
        ("1.234,50", "0.01"),
        ("54", "1"),
    ],
)
def test_a_step_is_one_in_the_last_written_digit(text: str, step: str) -> None:
    assert _only(text).step == Decimal(step)


@pytest.mark.parametrize(
    "text", ["", "none", "2024", "in FY2024", "2024/25", "31 March 2025", "1,234,5", "Q4", "9" * 40]
)
def test_what_is_no_figure_is_passed_over(text: str) -> None:
    assert find_figures([plain(text)]) == []


def test_a_year_with_a_comma_or_a_unit_is_a_figure() -> None:
    assert _only("2,024").number == _only("EUR 2024").number == 2024


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("20-30 %", [20, 30]),
        ("0.39 x 100 = 39 %", [Decimal("0.39"), 100, 39]),
        ("39 % (39.04)", [39]),
        ("(a remark with 5) 39 %", [39]),
        ("370/1,240", [370, 1240]),
        ("12 % for the year to 31 March 2025", [12]),
        ("12 margin points on 1 Sept", [12]),
        ("12 mıo, İNR 5, 3 ſek", [12, 5, 3]),
    ],
)
def test_several_figures_come_in_their_order(text: str, numbers: list[Decimal | int]) -> None:
    assert [figure.number for figure in find_figures([plain(text)])] == numbers


def test_brackets_around_a_later_figure_are_a_remark() -> None:
    assert without_remarks("EUR (12) thousand (13)") == "EUR -12 thousand"


@settings(deadline=None)
@given(
    number=st.decimals(min_value=-(10**9), max_value=10**9, places=2),
    currency=st.sampled_from(CURRENCY_CODES),
    scale=st.sampled_from([("", 1), (" thousand", 10**3), (" million", 10**6), ("bn", 10**9)]),
)
def test_an_amount_that_is_written_is_read_back(number: Decimal, currency: str, scale: tuple[str, int]) -> None:
    figure = _only(f"{currency} {number:,.2f}{scale[0]}")
    assert figure.value == number * scale[1]
    assert figure.currencies == {currency}
    assert figure.decimals == 2


@settings(deadline=None)
@given(number=st.integers(min_value=0, max_value=10**12), decimals=st.integers(min_value=1, max_value=4))
def test_a_decimal_comma_means_what_a_decimal_point_means(number: int, decimals: int) -> None:
    value = Decimal(number).scaleb(-decimals)
    written = f"{value:,.{decimals}f}"
    continental = written.translate(str.maketrans(",.", ".,"))
    is_ambiguous = decimals == 3 and "." not in continental and not continental.startswith("0")
    if not is_ambiguous:  # `1,234` groups thousands
        assert _only(continental).number == _only(written).number == value


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    for figure in find_figures([plain(line) for line in text.splitlines()]):
        assert figure.value.is_finite()


@pytest.mark.parametrize("part", ["1,", "1 234 ", "-", "EUR ", "(", "(1)", "9", "1.", "minus ", "1 x "])
def test_long_texts_are_read_in_no_time(part: str) -> None:
    started = time.perf_counter()
    find_figures([plain(part * 4000)])
    assert time.perf_counter() - started < 5
