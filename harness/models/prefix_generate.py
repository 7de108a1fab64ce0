"""Greedy continuation of many prompts at once: what they begin with is computed, and kept, once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from harness.models.prefix_attention import AttentionKind
from harness.models.prefix_layout import Kept, RowLayout
from harness.models.prefix_model import PackedModel
from harness.models.prefix_rows import HELD, Row, Span, plan_rows
from harness.models.prefix_tree import PrefixTree, build_tree

Stop = Callable[[Sequence[int]], bool]


def never(said: Sequence[int]) -> bool:
    """A `Stop` for answers that end only with an end mark, or for want of room."""
    return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoding:
    """When an answer is done: after `max_new_tokens`, with a token of `ends`, or when `stop` says so of what was said.

    `row_tokens` is the most tokens of one forward pass over prompts.
    """

    max_new_tokens: int
    ends: frozenset[int]
    row_tokens: int
    stop: Stop = never

    def is_done(self, said: Sequence[int]) -> bool:
        """Whether the answer is complete."""
        return said[-1] in self.ends or len(said) >= self.max_new_tokens or self.stop(said)


@dataclass(kw_only=True)
class _Own:
    """Keys and values of what a prompt shares with no other, and of what was said after it, a line a prompt.

    `layers` hold (prompts, key heads, room, size) each; `used` counts the tokens in each line.
    """

    layers: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    used: Tensor
    room: int

    def put(self, line: int, layer: int, keys: Tensor, values: Tensor, first: int) -> None:
        """Fills a line from `first` on; keys and values are (key heads, tokens, size)."""
        if layer not in self.layers:
            lines = len(self.used)
            self.layers[layer] = (
                keys.new_zeros(lines, keys.shape[0], self.room, keys.shape[2]),
                values.new_zeros(lines, values.shape[0], self.room, values.shape[2]),
            )
        for own, new in zip(self.layers[layer], (keys, values), strict=True):
            own[line, :, first : first + new.shape[1]] = new

    def only(self, lines: Tensor) -> None:
        """Lets go of all other lines."""
        self.used = self.used[lines]
        self.layers = {layer: (keys[lines], values[lines]) for layer, (keys, values) in self.layers.items()}


class _StepLayout(RowLayout):
    """One token of each prompt: it attends to its own line, and to the nodes before it."""

    def __init__(self, own: _Own, row: Row, kept: Kept) -> None:
        super().__init__(row, kept)
        self._own = own
        longest = int(own.used.max()) + 1
        places = torch.arange(longest, device=own.used.device)
        self._behind = own.used[:, None] - places  # how far each place lies behind the new token; (prompts, places)

    def _within(
        self, layer: int, projected: tuple[Tensor, Tensor, Tensor], joined: Tensor, lse: Tensor, kind: AttentionKind
    ) -> None:
        queries, keys, values = projected
        own_keys, own_values = self._own.layers[layer]
        lines = torch.arange(len(own_keys), device=own_keys.device)
        own_keys[lines, :, self._own.used] = keys.transpose(0, 1)
        own_values[lines, :, self._own.used] = values.transpose(0, 1)
        longest = self._behind.shape[1]
        hidden = self._behind < 0
        if kind.window is not None:
            hidden = hidden | (self._behind >= kind.window)
        each = queries.permute(2, 0, 1, 3)
        scores = (each @ own_keys[:, :, :longest].transpose(-1, -2)).float() * kind.scale
        if kind.softcap is not None:
            scores = torch.tanh(scores / kind.softcap) * kind.softcap
        scores.masked_fill_(hidden[:, None, None], -torch.inf)
        sums = scores.logsumexp(-1, keepdim=True)
        weights = (scores - sums).exp().to(own_values.dtype)
        joined.copy_((weights @ own_values[:, :, :longest]).permute(1, 2, 0, 3))
        lse.copy_(sums[..., 0].permute(1, 2, 0))


@torch.inference_mode()
def continue_packed(
    model: PackedModel, prompts: Sequence[Sequence[int]], decoding: Decoding, *, held: int = 0, kept: Kept | None = None
) -> list[list[int]]:
    """Says the likeliest token after each prompt, and so on. A prompt that is done takes no further part.

    Args:
        model: The model.
        prompts: Token ids; none is empty.
        decoding: When answers are done.
        held: Tokens that all prompts begin with, and that none ends with.
        kept: Keys and values of these: see `prefix_score.hold`.

    Returns:
        The tokens said after each prompt, the end mark included.
    """
    answers: dict[tuple[int, ...], list[int]] = {}
    todo = sorted({tuple(prompt[held:]) for prompt in prompts})
    while todo:
        # A prompt that another one begins with waits for the next turn: a path of the tree belongs to one prompt.
        now = [one for one, after in zip(todo, [*todo[1:], ()], strict=True) if after[: len(one)] != one]
        todo = sorted(set(todo) - set(now))
        tree = build_tree(now, origin=held).cut(decoding.row_tokens)
        answers |= dict(zip(now, _Batch(model=model, tree=tree, kept=dict(kept or {})).run(decoding), strict=True))
    return [list(answers[tuple(prompt[held:])]) for prompt in prompts]


@dataclass(kw_only=True)
class _Batch:
    """Prompts that are continued together: prompt i ends at leaf `tree.leaf_of[i]`, which is its alone."""

    model: PackedModel
    tree: PrefixTree
    kept: Kept

    def run(self, decoding: Decoding) -> list[list[int]]:
        """What is said after each prompt, in order."""
        order = sorted(range(len(self.tree.leaf_of)), key=lambda prompt: self.tree.leaf_of[prompt])
        said: list[list[int]] = [[] for _ in order]
        own, tokens = self._read(order, decoding)
        going = order
        while going:
            for prompt, token in zip(going, tokens.tolist(), strict=True):
                said[prompt].append(token)
            left = [line for line, prompt in enumerate(going) if not decoding.is_done(said[prompt])]
            if len(left) < len(going):
                lines = torch.tensor(left, dtype=torch.long, device=tokens.device)
                tokens, going = tokens[lines], [going[line] for line in left]
                own.only(lines)
            if going:
                tokens = self._step(own, tokens, going, [self.tree.lengths[p] + len(said[p]) - 1 for p in going])
        return said

    def _read(self, order: Sequence[int], decoding: Decoding) -> tuple[_Own, Tensor]:
        """Computes the prompts; their own keys and values, and the first token after each."""
        tree, shared = self.tree, self._shared()
        line_of = {
            place: line
            for line, prompt in enumerate(order)
            for place in tree.path(tree.leaf_of[prompt])
            if place not in shared
        }
        before = {}  # own tokens of a line before a node
        used = [0] * len(order)
        for place in sorted(line_of):
            before[place] = used[line_of[place]]
            used[line_of[place]] += len(tree.nodes[place].tokens)
        own = _Own(used=torch.tensor(used, device=self.model.device), room=max(used) + decoding.max_new_tokens)
        first = torch.zeros(len(order), dtype=torch.long, device=self.model.device)
        ends_at = {tree.leaf_of[prompt]: line for line, prompt in enumerate(order)}
        for row in plan_rows(tree, row_tokens=decoding.row_tokens):
            layout = RowLayout(replace(row, keep=tuple(row.places)), self.kept)
            ids, positions = (torch.from_numpy(a).long().to(self.model.device) for a in (row.ids, row.positions))
            hidden = self.model.hidden(ids, positions, layout)
            if asked := [place for place in row.places if place in ends_at]:
                lasts = torch.tensor([row.places[place][1] - 1 for place in asked], device=hidden.device)
                lines = torch.tensor([ends_at[place] for place in asked], device=hidden.device)
                first[lines] = self._likeliest(hidden[lasts])
            for place in [*row.places, *row.drop]:
                if place in line_of and place in self.kept and place not in row.keep:
                    for layer, (keys, values) in self.kept.pop(place).items():
                        own.put(line_of[place], layer, keys, values, before[place])
        return own, first

    def _shared(self) -> set[int]:
        """Nodes with more than one prompt below them."""
        below: dict[int, int] = {}
        for leaf in self.tree.leaf_of:
            for place in self.tree.path(leaf):
                below[place] = below.get(place, 0) + 1
        return {place for place, prompts in below.items() if prompts > 1}

    def _step(self, own: _Own, tokens: Tensor, going: Sequence[int], positions: Sequence[int]) -> Tensor:
        """The next token of each prompt."""
        reach: dict[int, tuple[int, int]] = {HELD: (0, len(going))} if self.tree.origin else {}
        for line, prompt in enumerate(going):
            for place in self.tree.path(self.tree.leaf_of[prompt]):
                if place in self.kept:
                    reach[place] = (reach.get(place, (line, 0))[0], line + 1)
        spans = tuple(
            Span(
                start=start,
                stop=last,
                node=place,
                source=None,
                first_position=0 if place == HELD else self.tree.nodes[place].start,
            )
            for place, (start, last) in reach.items()
        )
        at = np.array(positions, dtype=np.int32) + self.tree.origin
        row = Row(ids=at, positions=at, places={}, tiles=(), spans=spans, keep=(), drop=())
        hidden = self.model.hidden(
            tokens, torch.from_numpy(at).long().to(self.model.device), _StepLayout(own, row, self.kept)
        )
        own.used = own.used + 1
        return self._likeliest(hidden)

    def _likeliest(self, hidden: Tensor) -> Tensor:
        return torch.cat([self.model.logits(hidden[at]).argmax(-1) for at in self.model.blocks(len(hidden))])
