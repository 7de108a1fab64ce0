"""How the tokens of a packed row attend: each to its tile, and to the nodes of the tree that stand before it."""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.models.prefix_attention import AttentionKind, KeysValues, Mask, attention, join
from harness.models.prefix_rows import Row, Span, Tile

Kept = dict[int, dict[int, KeysValues]]  # by node, by layer


class RowLayout:
    """A row of a plan. Keys and values that later rows need are put into `kept` as layers are computed."""

    def __init__(self, row: Row, kept: Kept) -> None:
        self._row, self._kept = row, kept
        self.windows: set[int | None] = set()
        self._masks: dict[tuple[str, int, int, int | None], Mask | None] = {}
        for node in row.keep:
            kept[node] = {}

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, kind: AttentionKind) -> Tensor:
        """See `Layout`."""
        keys, values = key[0], value[0]
        queries = query[0].unflatten(0, (len(keys), -1))
        output = query.new_empty(1, query.shape[2], query.shape[1], value.shape[-1])
        joined = output[0].unflatten(1, (len(keys), -1)).permute(1, 2, 0, 3)
        lse = query.new_empty(queries.shape[:3], dtype=torch.promote_types(query.dtype, torch.float32))
        self._within(layer, (queries, keys, values), joined, lse, kind)
        for span in self._row.spans:
            at = slice(span.start, span.stop)
            if span.source:
                known = keys[:, slice(*span.source)], values[:, slice(*span.source)]
            else:
                known = self._kept[span.node][layer]
            mask = self._span_mask(span, known[0].shape[1], kind.window, query)
            join(joined[:, :, at], lse[:, :, at], *attention(queries[:, :, at], *known, kind, mask))
        for node in self._row.keep:
            at = slice(*self._row.places[node])
            self._kept[node][layer] = keys[:, at].clone(), values[:, at].clone()
        return output

    def _within(
        self, layer: int, projected: tuple[Tensor, Tensor, Tensor], joined: Tensor, lse: Tensor, kind: AttentionKind
    ) -> None:
        """Attention among the tokens of the row: fills `joined` and `lse`."""
        queries, keys, values = projected
        for tile in self._row.tiles:
            at = slice(tile.start, tile.stop)
            mask = self._tile_mask(tile, kind.window, queries)
            joined[:, :, at], lse[:, :, at] = attention(queries[:, :, at], keys[:, at], values[:, at], kind, mask)

    def _tile_mask(self, tile: Tile, window: int | None, like: Tensor) -> Mask | Literal["causal"]:
        known = ("tile", tile.start, tile.stop, window)
        if known not in self._masks:
            positions = self._row.positions[tile.start : tile.stop]
            allowed = tile.allowed
            if window is not None and positions.max() - positions.min() >= window:
                whole = np.tri(len(positions), dtype=np.bool_) if allowed is None else allowed
                allowed = whole & (positions[:, None] - positions < window)
            self._masks[known] = _mask(allowed, like)
        return self._masks[known] or "causal"

    def _span_mask(self, span: Span, keys: int, window: int | None, like: Tensor) -> Mask | None:
        known = ("span", span.start, span.node, window)
        if known not in self._masks:
            positions = self._row.positions[span.start : span.stop]
            allowed = None
            if window is not None and positions.max() - span.first_position >= window:
                before = np.arange(span.first_position, span.first_position + keys)
                allowed = positions[:, None] - before < window
            self._masks[known] = _mask(allowed, like)
        return self._masks[known]


def _mask(allowed: NDArray[np.bool_] | None, like: Tensor) -> Mask | None:
    return None if allowed is None else Mask(torch.from_numpy(allowed).to(like.device), like.dtype)
