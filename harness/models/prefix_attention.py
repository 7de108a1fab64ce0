"""Attention within packed rows, for every model that calls transformers' attention interface.

A token's keys lie in several places: its own tile, and each node before it. Each place is attended to by itself, and
the results are joined by their log-sum-exps, which gives what one softmax over all of them would (Dao et al. 2022,
FlashAttention).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from transformers import AttentionInterface

NAME = "harness_prefix"
# What models tell an attention function besides its tensors, and which changes nothing about a packed row.
_HARMLESS = frozenset({"position_ids", "cache_position", "dropout", "use_cache", "is_causal", "return_dict"})
_QUERIES_AT_A_TIME = 512  # where scores are written out

KeysValues = tuple[Tensor, Tensor]  # each (key heads, tokens, size)


class UnpackableError(Exception):
    """The model's attention is of a kind that packed rows do not have; the text says which."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttentionKind:
    """How a layer attends: its scale, its sliding window in tokens and the cap on its scores, None for none."""

    scale: float
    window: int | None
    softcap: float | None


class Layout(Protocol):
    """What stands in the row that is being computed, and what each of its tokens attends to.

    `windows` are the sliding windows that layers were told of so far.
    """

    windows: set[int | None]

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, kind: AttentionKind) -> Tensor:
        """Query (1, heads, tokens, size), key and value (1, key heads, tokens, size): (1, tokens, heads, size)."""
        ...


_LAYOUT: ContextVar[Layout] = ContextVar("prefix_layout")


@contextmanager
def laid_out(layout: Layout) -> Iterator[None]:
    """Within the block, models whose attention is set to `NAME` attend as `layout` says."""
    token = _LAYOUT.set(layout)
    try:
        yield
    finally:
        _LAYOUT.reset(token)


def _attend(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **told: Any
) -> tuple[Tensor, None]:
    """What transformers calls in every attention layer."""
    scale, window, softcap = (told.pop(name, None) for name in ("scaling", "sliding_window", "softcap"))
    layer: int | None = getattr(module, "layer_idx", None)
    odd = [
        name for name, said in sorted(told.items()) if name not in _HARMLESS and said is not None and said is not False
    ]
    if attention_mask is not None:
        odd.append("a mask of its own")
    if told.get("is_causal") is False or not getattr(module, "is_causal", True):
        odd.append("tokens that come later")
    if odd or layer is None:
        raise UnpackableError(f"its attention takes {', '.join(odd) or 'layers that have no number'}")
    kind = AttentionKind(
        scale=query.shape[-1] ** -0.5 if scale is None else float(scale), window=window, softcap=softcap
    )
    layout = _LAYOUT.get()
    layout.windows.add(window)
    return layout.attend(layer, query, key, value, kind), None


AttentionInterface.register(NAME, _attend)


class Mask:
    """Which keys each query attends to: (queries, keys), and the same in the forms that kernels want."""

    def __init__(self, allowed: Tensor, dtype: torch.dtype) -> None:
        self.allowed = allowed
        self.added = torch.zeros_like(allowed, dtype=dtype).masked_fill_(~allowed, -torch.inf)
        empty = ~allowed.any(-1)
        self.empty = empty if bool(empty.any()) else None


def attention(
    query: Tensor, key: Tensor, value: Tensor, kind: AttentionKind, mask: Mask | Literal["causal"] | None
) -> tuple[Tensor, Tensor]:
    """Attention of one place, with what is needed to join it with others.

    Args:
        query: (key heads, heads of each, queries, size).
        key: (key heads, keys, size).
        value: Like `key`.
        kind: Its scale and softcap; the window is the mask's matter.
        mask: `causal`: query i attends to keys 0 to i, and there are as many keys as queries.

    Returns:
        Output like `query`, and the log-sum-exp of its scores, (key heads, heads of each, queries) in float32; 0 and
        minus infinity where nothing is allowed.
    """
    if query.device.type != "cpu" or kind.softcap is not None or query.shape[-1] != value.shape[-1]:
        return _written_out(query, key, value, kind, mask)
    each = query.shape[1]
    heads = (tensor[:, None].expand(-1, each, -1, -1) for tensor in (key, value))
    added = mask.added if isinstance(mask, Mask) else None
    output, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, *heads, 0.0, mask == "causal", attn_mask=added, scale=kind.scale
    )
    if isinstance(mask, Mask) and mask.empty is not None:  # where the kernel says 0
        lse = lse.masked_fill(mask.empty, -torch.inf)
    return output, lse


def _written_out(
    query: Tensor, key: Tensor, value: Tensor, kind: AttentionKind, mask: Mask | Literal["causal"] | None
) -> tuple[Tensor, Tensor]:
    """The same by plain matrix products, for what the kernel does not have and devices that it is not for."""
    outputs: list[Tensor] = []
    sums: list[Tensor] = []
    keys = torch.arange(key.shape[1], device=query.device)
    for first in range(0, query.shape[2], _QUERIES_AT_A_TIME):
        chunk = query[:, :, first : first + _QUERIES_AT_A_TIME]
        scores = (chunk @ key[:, None].transpose(-1, -2)).float() * kind.scale
        if kind.softcap is not None:
            scores = torch.tanh(scores / kind.softcap) * kind.softcap
        if mask == "causal":
            scores.masked_fill_(keys > keys[first : first + chunk.shape[2], None], -torch.inf)
        elif mask is not None:
            scores.masked_fill_(~mask.allowed[first : first + chunk.shape[2]], -torch.inf)
        lse = scores.logsumexp(-1)
        weights = (scores - lse.clamp_min(torch.finfo(scores.dtype).min)[..., None]).exp()
        outputs.append(weights.to(value.dtype) @ value[:, None])
        sums.append(lse)
    return torch.cat(outputs, dim=2), torch.cat(sums, dim=2)


def join(output: Tensor, lse: Tensor, more: Tensor, more_lse: Tensor) -> None:
    """Adds what was attended to at another place, in place."""
    output.lerp_(more, torch.sigmoid(more_lse - lse)[..., None].to(output.dtype))
    torch.logaddexp(lse, more_lse, out=lse)
