import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evaluation.scorers.working import calculate, find_working


@pytest.mark.parametrize(
    ("calculation", "value"),
    [
        ("1 + 2", "3"),
        ("7,515 - 4,870", "2645"),
        ("-412 - 655 + 538", "-529"),
        ("100 * -96 / 6,400", "-1.5"),
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("10 / ((3 + 1) / 2)", "5"),
        ("1.1 ^ 2", "1.21"),
        ("100 * ((121 / 100) ^ (1 / 2) - 1)", "10"),
        ("0.39 x 100 %", "39.00"),
        ("0.5 × 4 ÷ 8", "0.25"),
        ("- 3 + 5", "2"),
    ],
)
def test_a_calculation_comes_to_its_value(calculation: str, value: str) -> None:
    assert calculate(calculation) == Decimal(value)


@pytest.mark.parametrize(
    "calculation",
    ["", "12", "a + b", "1 / 0", "(1 + 2", "1 + 2)", "2 ^ 101", "-2 ^ (1 / 2) ^ .5 / 0", "007 + 1", "__import__('os')"],
)
def test_what_is_no_calculation_comes_to_nothing(calculation: str) -> None:
    assert calculate(calculation) is None


def test_an_even_root_of_a_negative_number_comes_to_nothing() -> None:
    assert calculate("(-2) ^ 0.5") is None


def test_powers_of_powers_end_at_once() -> None:
    started = time.perf_counter()
    assert calculate("99 ^ 99 ^ 99 ^ 99") is None
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("text", "working"),
    [
        ("Working: 100 * 18,476 / 48,620\nAnswer: 38.0 %", "100 * 18,476 / 48,620"),
        ("Working: 100 * 18,476 / 48,620 = 38.0 %", "100 * 18,476 / 48,620"),
        ("working : the margin is (1 + 2) / 3\nAnswer: 5 - 4", "(1 + 2) / 3"),
        ("Working: 1 + 1\nWorking: 2 + 2\nAnswer: 4", "2 + 2"),
        ("Profit is 9 - 4 = 5.\nThe margin is **5 / 10** = 50 %.", "5 / 10"),
        ("It grew by 1.1**4.", "1.1 ^ 4"),
        ("3 − 2", "3 - 2"),
        ("Working: the shares are not given\n1 + 1", None),
        ("38.0 %", None),
        ("", None),
    ],
)
def test_the_working_is_found(text: str, working: str | None) -> None:
    assert find_working(text) == working


_NUMBERS = st.decimals(min_value=0, max_value=10**6, places=1)


@settings(deadline=None)
@given(numbers=st.lists(_NUMBERS, min_size=2, max_size=8), signs=st.lists(st.sampled_from("+-"), min_size=7))
def test_sums_are_what_decimals_make_of_them(numbers: list[Decimal], signs: list[str]) -> None:
    written, total = f"{numbers[0]:,}", numbers[0]
    for sign, number in zip(signs, numbers[1:], strict=False):
        written += f" {sign} {number:,}"
        total += number if sign == "+" else -number
    assert find_working(f"Working: {written} = ?") == written
    assert calculate(written) == total


@settings(deadline=None)
@given(st.text(alphabet="0123456789.,+-*/^x×÷()% "))
def test_any_calculation_is_finite_or_nothing(text: str) -> None:
    working = find_working(text)
    value = calculate(working) if working else None
    assert value is None or value.is_finite()


@pytest.mark.parametrize("part", ["(", "-", "1", "1 ", "1+", "1 + ", "1)", "1,000", "Working: ", "1 % "])
def test_long_texts_are_read_in_no_time(part: str) -> None:
    started = time.perf_counter()
    working = find_working(part * 4000)
    assert working is None or calculate(working) is None or calculate(working) == calculate(working)
    assert time.perf_counter() - started < 5
