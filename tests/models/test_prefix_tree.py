import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.models.prefix_rows import HELD, plan_rows
from harness.models.prefix_tree import build_tree

sequences = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=14), min_size=1, max_size=14)


@given(asked=sequences, least_saved=st.integers(1, 12), longest=st.integers(1, 6))
def test_every_sequence_can_be_read_back_from_the_tree(asked: list[list[int]], least_saved: int, longest: int) -> None:
    whole = build_tree(asked, least_saved=least_saved)
    for tree in (whole, whole.cut(longest)):
        assert [tree.sequence(number) for number in range(len(asked))] == asked
        for place, node in enumerate(tree.nodes):
            assert node.parent < place
            assert node.start == (tree.nodes[node.parent].stop if node.parent >= 0 else 0)
    assert max(len(node.tokens) for node in whole.cut(longest).nodes) <= longest


@given(asked=sequences)
def test_split_wherever_sequences_part_a_tree_holds_each_prefix_once(asked: list[list[int]]) -> None:
    prefixes = {tuple(one[:length]) for one in asked for length in range(1, len(one) + 1)}
    tree = build_tree(asked, least_saved=1)
    assert tree.tokens == tree.distinct_tokens == len(prefixes)
    assert build_tree(asked).distinct_tokens == len(prefixes)


def test_what_saves_too_little_is_repeated() -> None:
    asked = [[1, 2, 3, 4], [1, 2, 5, 6], [1, 2, 7]]
    assert build_tree(asked, least_saved=4).nodes[0].tokens.tolist() == [1, 2]
    repeated = build_tree(asked, least_saved=5)
    assert sorted(node.tokens.tolist() for node in repeated.nodes) == sorted(asked)
    assert (repeated.tokens, repeated.distinct_tokens) == (11, 7)


def test_a_sequence_without_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="no place in a prefix tree"):
        build_tree([[1], []])


def test_nothing_makes_an_empty_tree() -> None:
    tree = build_tree([])
    assert (tree.nodes, tree.distinct_tokens, list(plan_rows(tree, row_tokens=8))) == ((), 0, [])


@given(
    asked=sequences,
    least_saved=st.integers(1, 6),
    row_tokens=st.integers(3, 30),
    tile_tokens=st.integers(1, 16),
    origin=st.sampled_from([0, 5]),
)
def test_every_token_attends_once_to_each_token_of_its_path_and_to_nothing_else(
    asked: list[list[int]], least_saved: int, row_tokens: int, tile_tokens: int, origin: int
) -> None:
    tree = build_tree(asked, origin=origin, least_saved=least_saved).cut(row_tokens)
    kept: set[int] = set()
    seen: set[int] = set()
    for row in plan_rows(tree, row_tokens=row_tokens, tile_tokens=tile_tokens):
        assert len(row.ids) <= row_tokens
        attended = [dict[tuple[int, int], int]() for _ in row.ids]  # by (node, place in the node): how often
        at = {offset: (node, offset - a) for node, (a, b) in row.places.items() for offset in range(a, b)}
        for tile in row.tiles:
            assert tile.stop - tile.start <= tile_tokens or len({at[i][0] for i in range(tile.start, tile.stop)}) == 1
            size = tile.stop - tile.start
            allowed = np.tri(size, dtype=bool) if tile.allowed is None else tile.allowed
            for query, key in zip(*np.nonzero(allowed), strict=True):
                found = attended[tile.start + query]
                found[at[tile.start + key]] = found.get(at[tile.start + key], 0) + 1
        for span in row.spans:
            size = origin if span.node == HELD else len(tree.nodes[span.node].tokens)
            assert span.node == HELD or (span.node in kept if span.source is None else span.node in row.places)
            for query in range(span.start, span.stop):
                for place in range(size):
                    attended[query][span.node, place] = attended[query].get((span.node, place), 0) + 1
        for offset, found in enumerate(attended):
            own, place = at[offset]
            path = [p for p in tree.path(own) if p != own]
            expected = {(own, before): 1 for before in range(place + 1)}
            expected |= {(node, before): 1 for node in path for before in range(len(tree.nodes[node].tokens))}
            expected |= {(HELD, before): 1 for before in range(origin)}
            assert found == expected
            assert row.positions[offset] == tree.nodes[own].start + place
        seen |= set(row.places)
        kept = (kept | set(row.keep)) - set(row.drop)
    assert seen == set(range(len(tree.nodes)))
    assert kept == set()
