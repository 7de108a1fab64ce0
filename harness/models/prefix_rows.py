"""How a prefix tree is computed: its nodes packed into rows without padding, and what each token attends to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.models.prefix_tree import Node, PrefixTree

# Nodes of up to this many tokens, with all that hangs on them, attend to one another in one small masked matrix.
TILE_TOKENS = 96
HELD = -1  # stands for what is held before all sequences of a tree


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """Tokens `start` to `stop` of a row that attend to one another.

    `allowed[i, j]` says whether token i attends to token j; None: to itself and all before it.
    """

    start: int
    stop: int
    allowed: NDArray[np.bool_] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Tokens `start` to `stop` of a row that all attend to all of `node`, which comes before them.

    `source` (first, last + 1) is where the node stands in the same row; None where it was kept from an earlier one.
    `first_position` is the position of its first token.
    """

    start: int
    stop: int
    node: int
    source: tuple[int, int] | None
    first_position: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What one forward pass computes.

    `places` gives where each node stands in the row (first, last + 1). `keep` are nodes whose keys and values later
    rows need, `drop` kept ones that no later row needs.
    """

    ids: NDArray[np.int32]
    positions: NDArray[np.int32]
    places: dict[int, tuple[int, int]]
    tiles: tuple[Tile, ...]
    spans: tuple[Span, ...]
    keep: tuple[int, ...]
    drop: tuple[int, ...]


def plan_rows(tree: PrefixTree, *, row_tokens: int, tile_tokens: int = TILE_TOKENS) -> Iterator[Row]:
    """Cuts a tree, in depth-first order, into rows; what is kept between them is one path of the tree at most.

    Args:
        tree: No node of it is longer than a row: see `PrefixTree.cut`.
        row_tokens: Most tokens of a row.
        tile_tokens: Most tokens of a masked tile.
    """
    nodes = tree.nodes
    last_below = list(range(len(nodes)))
    for place in range(len(nodes) - 1, -1, -1):
        if (parent := nodes[place].parent) >= 0:
            last_below[parent] = max(last_below[parent], last_below[place])
    kept: list[int] = []
    for first, last in _fill(nodes, row_tokens):
        offsets = np.cumsum([0, *(len(node.tokens) for node in nodes[first:last])]).tolist()
        places = {place: (offsets[place - first], offsets[place - first + 1]) for place in range(first, last)}
        # Where the part of each node's branch that is in this row ends.
        ends = {place: min(last_below[place], last - 1) + 1 for place in range(first, last)}
        blocks = _blocks(places, ends, tile_tokens)
        keep = [place for place in range(first, last) if last_below[place] >= last]
        drop = [place for place in kept if last_below[place] < last]
        kept = [place for place in kept if last_below[place] >= last] + keep
        yield Row(
            ids=np.concatenate([node.tokens for node in nodes[first:last]]),
            positions=np.concatenate([np.arange(n.start, n.stop, dtype=np.int32) for n in nodes[first:last]]),
            places=places,
            tiles=tuple(_tiles(nodes, places, blocks, tile_tokens)),
            spans=(*_spans_from_before(tree, places, ends), *_spans_within(nodes, places, ends, blocks)),
            keep=tuple(keep),
            drop=tuple(drop),
        )


def _fill(nodes: Sequence[Node], row_tokens: int) -> Iterator[tuple[int, int]]:
    first, tokens = 0, 0
    for place, node in enumerate(nodes):
        if tokens and tokens + len(node.tokens) > row_tokens:
            yield first, place
            first, tokens = place, 0
        tokens += len(node.tokens)
    if nodes:
        yield first, len(nodes)


Places = dict[int, tuple[int, int]]
Blocks = list[tuple[int, int]]


def _blocks(places: Places, ends: dict[int, int], tile_tokens: int) -> Blocks:
    """Whole branches that are small enough for one tile, and single nodes, as (first, last + 1)."""
    blocks: Blocks = []
    place, last = min(places), max(places)
    while place <= last:
        branch_tokens = places[ends[place] - 1][1] - places[place][0]
        blocks.append((place, ends[place] if branch_tokens <= tile_tokens else place + 1))
        place = blocks[-1][1]
    return blocks


def _tiles(nodes: Sequence[Node], places: Places, blocks: Blocks, tile_tokens: int) -> Iterator[Tile]:
    """Neighbouring blocks share a tile as far as they fit; they do not attend to each other."""
    together: Blocks = []
    for block in blocks:
        if together and places[block[1] - 1][1] - places[together[0][0]][0] > tile_tokens:
            yield _tile(nodes, places, together)
            together = []
        together.append(block)
    if together:
        yield _tile(nodes, places, together)


def _tile(nodes: Sequence[Node], places: Places, blocks: Blocks) -> Tile:
    start, stop = places[blocks[0][0]][0], places[blocks[-1][1] - 1][1]
    if blocks[0][0] + 1 == blocks[-1][1]:
        return Tile(start=start, stop=stop, allowed=None)
    allowed = np.zeros((stop - start, stop - start), dtype=np.bool_)
    for first, last in blocks:
        for place in range(first, last):
            a, b = places[place][0] - start, places[place][1] - start
            allowed[a:b, a:b] = np.tri(b - a, dtype=np.bool_)
            before = nodes[place].parent
            while before >= first:
                allowed[a:b, places[before][0] - start : places[before][1] - start] = True
                before = nodes[before].parent
    return Tile(start=start, stop=stop, allowed=allowed)


def _spans_from_before(tree: PrefixTree, places: Places, ends: dict[int, int]) -> Iterator[Span]:
    """What is held, and nodes of earlier rows."""
    first, tokens = min(places), places[max(places)][1]
    if tree.origin:
        yield Span(start=0, stop=tokens, node=HELD, source=None, first_position=0)
    reach: dict[int, tuple[int, int]] = {}
    for place, (start, _) in places.items():
        before = tree.nodes[place].parent
        if before < first:
            stop = places[ends[place] - 1][1]
            while before >= 0:
                reach[before] = (reach.get(before, (start, 0))[0], stop)
                before = tree.nodes[before].parent
    for node, (start, stop) in reach.items():
        yield Span(start=start, stop=stop, node=node, source=None, first_position=tree.nodes[node].start)


def _spans_within(nodes: Sequence[Node], places: Places, ends: dict[int, int], blocks: Blocks) -> Iterator[Span]:
    """Single nodes with a branch in this row that is not in their tile."""
    for place, last in blocks:
        if last == place + 1 < ends[place]:
            start, stop = places[place][1], places[ends[place] - 1][1]
            yield Span(start=start, stop=stop, node=place, source=places[place], first_position=nodes[place].start)
