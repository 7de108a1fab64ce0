"""What is to be scored, joined into a prefix tree, and what is known of it so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from harness.models.prefix_tree import PrefixTree, build_tree

_CACHED_LOGITS = 1 << 20  # in float32 as much as a core's cache holds


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRequest:
    """`inputs` are what the model is shown; `targets` what should follow each of the last of them."""

    inputs: Sequence[int]
    targets: Sequence[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """Log-likelihood of the targets in nats, and whether each was the likeliest token."""

    loglikelihood: float
    greedy: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Requests:
    """Requests joined at what they begin with. A sweep over adapters makes this once."""

    tree: PrefixTree
    targets: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.targets)

    def only(self, numbers: Sequence[int]) -> "Requests":
        """Some of them, joined anew."""
        inputs = [self.tree.sequence(number) for number in numbers]
        return Requests(
            tree=build_tree(inputs, origin=self.tree.origin), targets=tuple(self.targets[number] for number in numbers)
        )


def join_requests(requests: Sequence[ScoreRequest], *, held: int = 0) -> Requests:
    """Joins requests into a tree.

    Args:
        requests: All begin with the same `held` tokens, and have no more targets than tokens after these.
        held: Tokens that stand before the tree.
    """
    return Requests(
        tree=build_tree([request.inputs[held:] for request in requests], origin=held),
        targets=tuple(tuple(request.targets) for request in requests),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Targets `first_target` to `first_target + count` of a request, said after `first` and following tokens."""

    request: int
    first: int
    first_target: int
    count: int


def asked_by_node(tree: PrefixTree, requests: Requests) -> dict[int, list[Asked]]:
    """What is scored at each node of `tree`, which is that of the requests, maybe cut. `first` counts in the node."""
    asked: dict[int, list[Asked]] = {}
    for number, targets in enumerate(requests.targets):
        stop = tree.origin + tree.lengths[number]
        start = stop - len(targets)
        for place in tree.path(tree.leaf_of[number]):
            node = tree.nodes[place]
            first, last = max(start, node.start), min(stop, node.stop)
            if first < last:
                part = Asked(request=number, first=first - node.start, first_target=first - start, count=last - first)
                asked.setdefault(place, []).append(part)
            if node.start <= start:
                break
    return asked


class Tally:
    """What is known of each request so far."""

    def __init__(self, requests: Requests) -> None:
        self._targets = requests.targets
        self._sums: NDArray[np.float64] = np.zeros(len(requests))
        self._greedy: NDArray[np.bool_] = np.ones(len(requests), dtype=np.bool_)
        self._left = np.array([len(targets) for targets in requests.targets])
        self._memory: torch.Tensor | None = None

    def add(self, asked: Sequence[tuple[int, Asked]], blocks: Iterator[tuple[int, torch.Tensor]]) -> None:
        """Takes in what is said at some positions.

        Args:
            asked: Pairs of where a part's first position stands among the positions, and the part.
            blocks: Logits, (positions, vocabulary), a block after another with its first position.
        """
        at = np.concatenate([np.arange(first, first + part.count) for first, part in asked])
        number = np.concatenate([np.full(part.count, part.request) for _, part in asked])
        wanted = np.concatenate(
            [self._targets[p.request][p.first_target : p.first_target + p.count] for _, p in asked]
        ).astype(np.int64)
        for first, logits in blocks:
            for start, said in self._log_softmax(logits):
                mine = np.flatnonzero((at >= first + start) & (at < first + start + len(said)))
                rows = torch.from_numpy(at[mine] - first - start).to(said.device)
                columns = torch.from_numpy(wanted[mine]).to(said.device)
                values = said[rows, columns]
                np.add.at(self._sums, number[mine], values.double().cpu().numpy())
                np.logical_and.at(self._greedy, number[mine], _is_first_largest(said, rows, columns).cpu().numpy())
                np.subtract.at(self._left, number[mine], 1)

    def _log_softmax(self, logits: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
        """Log-probabilities in float32, some lines at a time, each time with the number of the first line.

        On a CPU the lines at a time fit in its cache, and stand in the same memory each time: taking fresh memory for
        every block costs more than the arithmetic.
        """
        if logits.device.type != "cpu":
            yield 0, logits.float().log_softmax(-1)
            return
        size = max(1, _CACHED_LOGITS // logits.shape[-1])
        if self._memory is None or self._memory.shape[1:] != (size, logits.shape[-1]):
            self._memory = torch.empty(2, size, logits.shape[-1])
        for start in range(0, len(logits), size):
            lines = logits[start : start + size]
            numbers, said = self._memory[:, : len(lines)]
            yield start, torch.log_softmax(numbers.copy_(lines), -1, out=said)

    def finished(self) -> dict[int, Scored]:
        """The requests of which every target is scored, by number."""
        return {
            int(number): Scored(loglikelihood=float(self._sums[number]), greedy=bool(self._greedy[number]))
            for number in np.flatnonzero(self._left == 0)
        }


def _is_first_largest(said: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Whether each column is what `argmax` gives for its row: of several largest values, the first."""
    largest = said[rows, columns] == said.amax(-1)[rows]
    unsure = largest.nonzero()[:, 0]
    largest[unsure] = said[rows[unsure]].argmax(-1) == columns[unsure]
    return largest
