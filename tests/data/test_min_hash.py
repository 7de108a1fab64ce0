import random

import pytest

from harness.data.min_hash import PERMUTATIONS, RECALL, AlikeSets, most_rows


@pytest.mark.parametrize(("threshold", "rows"), [(0.1, 1), (0.7, 4), (0.8, 5), (1.0, PERMUTATIONS)])
def test_bands_are_as_long_as_the_recall_at_the_threshold_allows(threshold: float, rows: int) -> None:
    # 0.7, 4 rows: 1 - (1 - 0.7^4)^32 = 0.99985; with 5 rows it would be 0.9899.
    assert most_rows(threshold) == rows
    if 1 < rows < PERMUTATIONS:
        longer = rows + 1
        assert 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= RECALL
        assert 1 - (1 - threshold**longer) ** (PERMUTATIONS // longer) < RECALL


def test_a_set_proposes_what_is_like_it_and_not_what_is_not() -> None:
    sets = AlikeSets(0.8)
    sets.add(7, sets.sketch(range(100)))
    sets.add(3, sets.sketch(range(5, 105)))
    sets.add(9, sets.sketch(range(1000, 1100)))
    assert sets.proposed(sets.sketch(range(100))) == [3, 7]
    assert sets.proposed(sets.sketch(range(5000, 5100))) == []


def test_pairs_at_the_threshold_are_found() -> None:
    drawn = random.Random(5)
    found, trials = 0, 300
    for _ in range(trials):
        members = drawn.sample(range(1 << 60), 90)
        sets = AlikeSets(0.8)
        sets.add(0, sets.sketch(members))
        found += sets.proposed(sets.sketch([*members[:80], *drawn.sample(range(1 << 61, 1 << 62), 10)])) == [0]
    assert found >= trials - 3  # the Jaccard index of each pair is 80 / 100: expected are 0.015 misses
