from collections import Counter
from itertools import pairwise

import pytest

from harness.rating.order import counterbalanced, draw, fraction, latin_rows, shuffled


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
def test_latin_rows_balance_places_and_neighbours(size: int) -> None:
    rows = latin_rows(size)
    assert len(rows) == (size if size % 2 == 0 or size == 1 else 2 * size)
    for place in range(size):
        assert set(Counter(row[place] for row in rows).values()) == {len(rows) // size}
    follows = Counter(pair for row in rows for pair in pairwise(row))
    assert len(follows) == size * (size - 1)
    assert len(set(follows.values())) <= 1


def test_a_round_of_turns_has_every_row_once_in_an_order_of_its_own() -> None:
    rounds = [[counterbalanced("abc", turn + 6 * at, "seed", "ann") for turn in range(6)] for at in range(4)]
    for one in rounds:
        assert len(set(one)) == 6
    assert len({tuple(one) for one in rounds}) > 1


def test_draws_depend_on_their_parts_alone() -> None:
    assert draw(1, "a") == draw(1, "a") != draw(1, "b")
    assert 0 <= fraction("x") < 1
    assert sorted(shuffled("abcdef", 3)) == list("abcdef")
