"""A prefix tree of token sequences: what several of them begin with stands in it once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int32]

# A token costs about as much as an eighth of what one more node costs in every layer, on CPU with a small model.
LEAST_SAVED_TOKENS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """Tokens that stand together in every sequence they are in.

    `parent` is the place of the node before it in the tree's nodes, -1 for none. `start` is the position of its first
    token, counted from the beginning of the sequences.
    """

    parent: int
    start: int
    tokens: Tokens

    @property
    def stop(self) -> int:
        """Position after the last token."""
        return self.start + len(self.tokens)


@dataclass(frozen=True, kw_only=True, slots=True)
class PrefixTree:
    """Nodes in depth-first order, each after its parent, and the sequences that they make up.

    `leaf_of` gives, for each sequence, the node at which a path that begins with the sequence ends. `distinct_tokens`
    counts the tokens of a tree that is split wherever sequences part: what no way of computing can do without.
    `origin` is the position of the first token of all sequences.
    """

    nodes: tuple[Node, ...]
    leaf_of: tuple[int, ...]
    lengths: tuple[int, ...]
    distinct_tokens: int
    origin: int = 0

    @property
    def tokens(self) -> int:
        """Tokens in all nodes; a few more than are distinct, as too small nodes are not split off."""
        return sum(len(node.tokens) for node in self.nodes)

    def cut(self, longest: int) -> "PrefixTree":
        """The same tree, in which nodes of more than `longest` tokens are chains of nodes."""
        nodes: list[Node] = []
        end_of: list[int] = []
        for node in self.nodes:
            parent = end_of[node.parent] if node.parent >= 0 else -1
            for first in range(0, len(node.tokens), longest):
                nodes.append(Node(parent=parent, start=node.start + first, tokens=node.tokens[first : first + longest]))
                parent = len(nodes) - 1
            end_of.append(parent)
        return replace(self, nodes=tuple(nodes), leaf_of=tuple(end_of[leaf] for leaf in self.leaf_of))

    def path(self, leaf: int) -> Iterator[int]:
        """A node and those before it, from the end to the beginning."""
        while leaf >= 0:
            yield leaf
            leaf = self.nodes[leaf].parent

    def sequence(self, number: int) -> list[int]:
        """The tokens of one sequence, put together again."""
        parts = [self.nodes[place].tokens for place in self.path(self.leaf_of[number])]
        return np.concatenate(parts[::-1])[: self.lengths[number]].tolist()


def build_tree(
    sequences: Sequence[Sequence[int]], *, origin: int = 0, least_saved: int = LEAST_SAVED_TOKENS
) -> PrefixTree:
    """Joins sequences at what they begin with.

    Args:
        sequences: Token ids; none is empty.
        origin: Position of their first token, where something stands before all of them.
        least_saved: Tokens that a node of its own must save at least; where it saves less, they are repeated.

    Raises:
        ValueError: A sequence is empty.
    """
    arrays = [np.asarray(sequence, dtype=np.int32) for sequence in sequences]
    if any(len(array) == 0 for array in arrays):
        raise ValueError("a sequence without tokens has no place in a prefix tree")
    order = sorted(range(len(arrays)), key=lambda number: list(sequences[number]))
    whole: list[int] = []  # sequences that do not begin another one, in order
    owner: dict[int, int] = {}
    for number in reversed(order):
        if whole and _common(arrays[number], arrays[whole[-1]]) == len(arrays[number]):
            owner[number] = len(whole) - 1
        else:
            whole.append(number)
            owner[number] = len(whole) - 1
    whole.reverse()
    paths = [arrays[number] for number in whole]
    shared = [_common(before, after) for before, after in pairwise(paths)]
    nodes, leaves = _branch(paths, shared, origin, least_saved)
    return PrefixTree(
        nodes=tuple(nodes),
        leaf_of=tuple(leaves[len(whole) - 1 - owner[number]] for number in range(len(arrays))),
        lengths=tuple(len(array) for array in arrays),
        distinct_tokens=sum(map(len, paths)) - sum(shared),
        origin=origin,
    )


def _branch(paths: list[Tokens], shared: list[int], origin: int, least_saved: int) -> tuple[list[Node], list[int]]:
    """Nodes in depth-first order, the longest paths first, and the leaf of each path.

    `shared` holds the tokens that each path has in common with the next; so what a run of paths has in common is the
    least of its inner ones.
    """
    nodes: list[Node] = []
    leaves = [0] * len(paths)
    lengths = [len(path) for path in paths]
    todo = [(0, len(paths), 0, -1)] if paths else []
    while todo:
        first, last, start, parent = todo.pop()
        common = min(shared[first : last - 1], default=lengths[first])
        if last - first == 1:
            leaves[first] = len(nodes)
            nodes.append(Node(parent=parent, start=origin + start, tokens=paths[first][start:]))
            continue
        cuts = [first, *(place + 1 for place in range(first, last - 1) if shared[place] == common), last]
        if (common - start) * (len(cuts) - 2) >= least_saved:
            nodes.append(Node(parent=parent, start=origin + start, tokens=paths[first][start:common]))
            start, parent = common, len(nodes) - 1
        groups = [(a, b, start, parent) for a, b in pairwise(cuts)]
        # The last one pushed comes first.
        todo += sorted(groups, key=lambda group: (max(lengths[group[0] : group[1]]), -group[0]))
    return nodes, leaves


def _common(one: Tokens, other: Tokens) -> int:
    """Tokens that both begin with."""
    n = min(len(one), len(other))
    differ = np.flatnonzero(one[:n] != other[:n])
    return int(differ[0]) if len(differ) else n
