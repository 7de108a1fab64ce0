"""Three ways to score joined requests: in packed rows, on cached contexts, and each sequence by itself."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from harness.models.prefix_layout import Kept, RowLayout
from harness.models.prefix_model import PackedModel
from harness.models.prefix_requests import Asked, Requests, Tally, asked_by_node
from harness.models.prefix_rows import HELD, TILE_TOKENS, Row, plan_rows
from harness.models.prefix_tree import build_tree

# Logits of whole rows, where a model is asked for all of them.
_PLAIN_LOGITS = 1 << 27


@torch.inference_mode()
def score_packed(
    model: PackedModel, requests: Requests, tally: Tally, *, row_tokens: int, kept: Kept, tile_tokens: int = TILE_TOKENS
) -> int:
    """Computes the tree in packed rows.

    Args:
        model: The model.
        requests: What is scored.
        tally: Takes in the results, a row at a time.
        row_tokens: Most tokens of a row.
        kept: Keys and values of what is held before the tree, if anything is; left as it was.
        tile_tokens: See `plan_rows`.

    Returns:
        Tokens computed.
    """
    tree = requests.tree.cut(row_tokens)
    asked = asked_by_node(tree, requests)
    kept = dict(kept)
    computed = 0
    for row in plan_rows(tree, row_tokens=row_tokens, tile_tokens=tile_tokens):
        hidden = _compute(model, row, kept)
        parts = [(row.places[place][0] + part.first, part) for place in row.places for part in asked.get(place, ())]
        if parts:
            tally.add(*_at_head(model, hidden, parts))
        for node in row.drop:
            del kept[node]
        computed += len(row.ids)
    return computed


def _compute(model: PackedModel, row: Row, kept: Kept) -> Tensor:
    ids = torch.from_numpy(row.ids).long().to(model.device)
    return model.hidden(ids, torch.from_numpy(row.positions).long().to(model.device), RowLayout(row, kept))


def _at_head(
    model: PackedModel, hidden: Tensor, parts: Sequence[tuple[int, Asked]]
) -> tuple[list[tuple[int, Asked]], Iterator[tuple[int, Tensor]]]:
    """The parts, counted in the positions that any of them needs, and logits at these, a block at a time."""
    needed = np.unique(np.concatenate([np.arange(first, first + part.count) for first, part in parts]))
    counted = [(int(np.searchsorted(needed, first)), part) for first, part in parts]
    chosen = hidden[torch.from_numpy(needed).to(hidden.device)]
    blocks = ((at.start, model.logits(chosen[at])) for at in model.blocks(len(needed)))
    return counted, blocks


@torch.inference_mode()
def hold(model: PackedModel, tokens: Sequence[int], *, row_tokens: int) -> Kept:
    """Keys and values of tokens that stand before trees to come. They depend on nothing but the tokens."""
    kept: Kept = {}
    tree = build_tree([tokens]).cut(row_tokens)
    for row in plan_rows(tree, row_tokens=row_tokens):
        _compute(model, replace(row, keep=tuple(row.places)), kept)
    parts = [kept[place] for place in sorted(kept)]
    return {
        HELD: {
            layer: (torch.cat([p[layer][0] for p in parts], 1), torch.cat([p[layer][1] for p in parts], 1))
            for layer in parts[0]
        }
    }


@torch.inference_mode()
def score_cached(model: Any, requests: Requests, tally: Tally, *, row_tokens: int) -> int:
    """Computes the tree node by node, each on a copy of its parent's cache, leaves of one parent as a padded batch.

    Returns:
        Tokens computed, padding included.
    """
    tree = requests.tree.cut(row_tokens)
    asked = asked_by_node(tree, requests)
    below: dict[int, list[int]] = {}
    for place, node in enumerate(tree.nodes):
        below.setdefault(node.parent, []).append(place)
    computed = 0
    todo: list[tuple[list[int], Any]] = [([root], None) for root in reversed(below.get(-1, []))]
    while todo:
        places, before = todo.pop()
        cache = DynamicCache(config=model.config) if before is None else copy.deepcopy(before)
        if len(places) > 1:
            cache.batch_repeat_interleave(len(places))
        longest = max(len(tree.nodes[place].tokens) for place in places)
        ids = np.zeros((len(places), longest), dtype=np.int64)
        for line, place in zip(ids, places, strict=True):
            line[: len(tree.nodes[place].tokens)] = tree.nodes[place].tokens
        out = model(input_ids=torch.from_numpy(ids).to(model.device), past_key_values=cache, use_cache=True)
        computed += ids.size
        for logits, place in zip(out.logits, places, strict=True):
            if parts := asked.get(place):
                tally.add([(part.first, part) for part in parts], iter([(0, logits)]))
        children = [child for place in places for child in below.get(place, [])]
        leaves = [child for child in children if child not in below]
        todo += [(batch, out.past_key_values) for batch in _padded(tree.nodes, leaves, row_tokens)]
        todo += [([child], out.past_key_values) for child in children if child in below]
    return computed


def _padded(nodes: Sequence[Any], places: Sequence[int], row_tokens: int) -> Iterator[list[int]]:
    """Batches of like length, within the budget."""
    batch: list[int] = []
    for place in sorted(places, key=lambda place: -len(nodes[place].tokens)):
        if batch and (len(batch) + 1) * len(nodes[batch[0]].tokens) > row_tokens:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


@torch.inference_mode()
def score_plain(model: Any, requests: Requests, tally: Tally, *, row_tokens: int) -> int:
    """Computes every sequence by itself, in padded batches, as lm-eval does; nothing is shared but whole sequences.

    Returns:
        Tokens computed, padding included.
    """
    tree = requests.tree
    by_leaf: dict[int, list[int]] = {}
    for number, leaf in enumerate(tree.leaf_of):
        by_leaf.setdefault(leaf, []).append(number)
    longest = {leaf: max(numbers, key=lambda number: tree.lengths[number]) for leaf, numbers in by_leaf.items()}
    order = sorted(by_leaf, key=lambda leaf: -tree.lengths[longest[leaf]])
    vocabulary = model.config.get_text_config().vocab_size
    budget = max(1, min(row_tokens, _PLAIN_LOGITS // vocabulary))
    computed = 0
    while order:
        width = tree.lengths[longest[order[0]]]
        size = max(1, budget // width)
        batch, order = order[:size], order[size:]
        ids = np.zeros((len(batch), width), dtype=np.int64)
        for line, leaf in zip(ids, batch, strict=True):
            line[: tree.lengths[longest[leaf]]] = tree.sequence(longest[leaf])
        logits = model(input_ids=torch.from_numpy(ids).to(model.device)).logits
        computed += ids.size
        virtual = logits.shape[1] - width  # tokens that an adapter puts before
        for line, leaf in zip(logits, batch, strict=True):
            parts = [_ending(requests, number) for number in by_leaf[leaf]]
            tally.add([(part.first, part) for part in parts], iter([(0, line[virtual:])]))
    return computed


def _ending(requests: Requests, number: int) -> Asked:
    count = len(requests.targets[number])
    return Asked(request=number, first=requests.tree.lengths[number] - count, first_target=0, count=count)
