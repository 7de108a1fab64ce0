from fractions import Fraction
from math import ceil, floor

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.controlled_rounding import round_table

_SHARES = [Fraction(7, 10), Fraction(1, 10), Fraction(1, 5)]


def test_a_table_of_whole_numbers_is_left_as_it_is() -> None:
    assert round_table([[share * size for share in _SHARES] for size in (10, 20)]) == [[7, 1, 2], [14, 2, 4]]


def test_a_hand_worked_table_goes_the_near_way() -> None:
    assert round_table([[share * 11 for share in _SHARES]]) == [[8, 1, 2]]  # of 7.7, 1.1 and 2.2


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8), held_out=st.tuples(*[st.integers(1, 40)] * 2))
def test_cells_and_columns_are_rounded_up_or_down_and_rows_are_kept(
    sizes: list[int], held_out: tuple[int, int]
) -> None:
    shares = [1 - Fraction(sum(held_out), 100), *(Fraction(part, 100) for part in held_out)]
    exact = [[share * size for share in shares] for size in sizes]
    rounded = round_table(exact)
    assert [sum(row) for row in rounded] == sizes
    for row, target in zip(rounded, exact, strict=True):
        assert all(floor(value) <= cell <= ceil(value) for cell, value in zip(row, target, strict=True))
    for column, share in enumerate(shares):
        total = share * sum(sizes)
        assert floor(total) <= sum(row[column] for row in rounded) <= ceil(total)
