"""A causal language model that computes packed rows: its layers once for a row, its head where it is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from harness.models.prefix_attention import NAME, Layout, UnpackableError, laid_out

_HEAD_BYTES = 48 << 20  # of logits in memory at a time
_CHANGES_WITH_LENGTH = frozenset({"dynamic", "longrope"})  # rotary positions that depend on the longest of a batch


def has_virtual_tokens(model: Any) -> bool:
    """Whether an adapter puts tokens of its own before every sequence."""
    adapters = getattr(model, "peft_config", None)
    return isinstance(adapters, dict) and any(getattr(one, "is_prompt_learning", False) for one in adapters.values())


def _is_plain_product(head: Any) -> bool:
    """Whether a head does nothing but multiply by its weights: no adapter, bias or hook of whatever library."""
    plain = type(head) is torch.nn.Linear and head.bias is None and "forward" not in vars(head)
    return plain and not head._forward_hooks and not head._forward_pre_hooks


class PackedModel:
    """A view of a model, with its adapter as it is, that takes rows without padding.

    Args:
        model: A causal model of transformers, in evaluation mode, maybe wrapped by PEFT.

    Raises:
        UnpackableError: The model is of a kind that cannot take them. Other kinds show only when it is used.
    """

    def __init__(self, model: Any) -> None:
        causal: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
        self.config: Any = causal.config.get_text_config()
        self._head: Any = causal.get_output_embeddings()
        self._decoder: Any = causal.get_decoder() if hasattr(causal, "get_decoder") else None
        if self._head is None or self._decoder is None or self._decoder is causal:
            raise UnpackableError("it has no decoder and head that could be called by themselves")
        if not causal._can_set_attn_implementation():
            raise UnpackableError("its attention does not go through transformers' attention interface")
        rope: Any = getattr(self.config, "rope_parameters", None) or {}
        kinds = [rope, *(one for one in rope.values() if isinstance(one, dict))]
        if odd := {one.get("rope_type") for one in kinds} & _CHANGES_WITH_LENGTH:
            raise UnpackableError(f"its {odd.pop()} positions depend on the longest sequence of a batch")
        kinds_of_layer = set(getattr(self.config, "layer_types", None) or ())
        if odd := kinds_of_layer - {"full_attention", "sliding_attention"}:
            raise UnpackableError(f"it has layers of {odd.pop()}")
        if getattr(self.config, "attention_chunk_size", None):
            raise UnpackableError("its attention is cut into chunks")
        slides = "sliding_attention" in kinds_of_layer or not kinds_of_layer
        self._window: Any = getattr(self.config, "sliding_window", None) if slides else None
        configs = {id(one): one for module in causal.modules() if (one := getattr(module, "config", None)) is not None}
        self._configs = [one for one in configs.values() if hasattr(one, "_attn_implementation")]
        self.device: torch.device = self._head.weight.device
        self.vocabulary: int = self.config.vocab_size
        self._memory: Tensor | None = None
        if self.device.type == "cpu" and _is_plain_product(self._head):
            self._memory = self._head.weight.new_empty(self._block_tokens, self.vocabulary)

    def hidden(self, ids: Tensor, positions: Tensor, layout: Layout) -> Tensor:
        """The last layer's output, (tokens, size).

        Args:
            ids: Token ids, (tokens,).
            positions: Each token's position in its own sequence, (tokens,).
            layout: How they attend.
        """
        with self._packed(), laid_out(layout):
            out = self._decoder(input_ids=ids[None], position_ids=positions[None], use_cache=False, return_dict=True)
        if self._window and layout.windows == {None} and getattr(self.config, "use_sliding_window", True):
            raise UnpackableError("its attention is not told of the model's sliding window")
        return out.last_hidden_state[0]

    def logits(self, hidden: Tensor) -> Tensor:
        """Next-token logits, (tokens, vocabulary), as the model's own forward pass makes them.

        They may stand where the next call's will: on a CPU, fresh memory for each block costs a fifth of the product.
        """
        if self._memory is not None and len(hidden) <= len(self._memory):
            logits = torch.mm(hidden, self._head.weight.T, out=self._memory[: len(hidden)])
        else:
            logits = self._head(hidden)
        scale: Any = getattr(self.config, "logit_scale", None)
        scaling: Any = getattr(self.config, "logits_scaling", None)
        cap: Any = getattr(self.config, "final_logit_softcapping", None)
        logits = logits * scale if scale else logits
        logits = logits / scaling if scaling else logits
        logits = torch.tanh(logits / cap) * cap if cap else logits
        return logits

    def blocks(self, count: int) -> Iterator[slice]:
        """Cuts `count` positions into blocks whose logits fit in memory."""
        return (slice(first, first + self._block_tokens) for first in range(0, count, self._block_tokens))

    @property
    def _block_tokens(self) -> int:
        return max(1, _HEAD_BYTES // (self.vocabulary * self._head.weight.element_size()))

    @contextmanager
    def _packed(self) -> Iterator[None]:
        before = [config._attn_implementation for config in self._configs]
        for config in self._configs:
            config._attn_implementation = NAME
        try:
            yield
        finally:
            for config, name in zip(self._configs, before, strict=True):
                config._attn_implementation = name
