"""Greedy generation in batches made by token budget."""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig

from harness.models.load import LoadedModel
from harness.models.prefix import PrefixScorer
from harness.models.quiet import quiet_loading
from harness.records.generations import FinishReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """What followed one prompt. `tokens` counts those produced, the end mark included."""

    text: str
    tokens: int
    finish_reason: FinishReason
    latency_s: float


def plan_batches(lengths: Sequence[int], *, max_new_tokens: int, batch_tokens: int) -> list[list[int]]:
    """Groups prompts of like length so that a batch, padded and with room to answer, stays within the budget.

    Args:
        lengths: Tokens of each prompt.

    Returns:
        Indices into `lengths`, longest prompts first; a prompt that is over the budget alone is a batch by itself.
    """
    batches: list[list[int]] = []
    room = 0
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if batches and len(batches[-1]) < room:
            batches[-1].append(index)
        else:
            batches.append([index])
            room = max(1, batch_tokens // (lengths[index] + max_new_tokens))
    return batches


def generate(
    loaded: LoadedModel,
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    scorer: PrefixScorer | None = None,
) -> list[Completion]:
    """Answers one batch of prompts greedily.

    What prompts begin with is computed once, and a prompt that is answered takes no further part. A model that cannot
    be packed (see `prefix.PrefixScorer`) answers through transformers, padded on the left.

    Args:
        prompts: Token ids of each prompt.
        max_new_tokens: Room for each answer.
        scorer: Of this model, where something is held for the prompts already.

    Returns:
        One completion a prompt, in order.
    """
    started = time.perf_counter()
    ends = end_token_ids(loaded)
    scorer = scorer or PrefixScorer(loaded.model)
    if scorer.way == "packed":
        answers = scorer.complete(prompts, max_new_tokens=max_new_tokens, ends=ends)
    else:
        answers = generate_padded(loaded, prompts, max_new_tokens=max_new_tokens, ends=ends)
    latency_s = (time.perf_counter() - started) / len(prompts)
    return [_completion(loaded, tokens, ends, latency_s) for tokens in answers]


@torch.inference_mode()
def generate_padded(
    loaded: LoadedModel, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, ends: Collection[int]
) -> list[list[int]]:
    """Tokens that follow each prompt by transformers' own greedy search: one batch, padded on the left."""
    pad_id = loaded.tokenizer.pad_token_id
    longest = max(len(prompt) for prompt in prompts)
    ids_BT = torch.tensor([[pad_id] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
    mask_BT = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(ends) or None,
        pad_token_id=pad_id,
        use_cache=True,
    )
    with quiet_loading():
        out_BT = loaded.model.generate(
            input_ids=ids_BT.to(loaded.device), attention_mask=mask_BT.to(loaded.device), generation_config=settings
        )
    return out_BT[:, longest:].tolist()


def end_token_ids(loaded: LoadedModel) -> set[int]:
    """Tokens that end an answer: the tokenizer's, and those of the model's own generation settings."""
    configured: Any = getattr(loaded.model.generation_config, "eos_token_id", None)
    own: Any = loaded.tokenizer.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    return {int(i) for i in (*ids, own) if i is not None}


def stream_batches(
    loaded: LoadedModel,
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    batch_tokens: int,
    answered: Collection[int] = (),
) -> Iterator[list[tuple[int, Completion]]]:
    """Answers prompts, a batch at a time, as (index, completion) pairs.

    Args:
        loaded: The model.
        prompts: Token ids of all prompts. What is asked together decides the last digits.
        max_new_tokens: Room for each answer.
        batch_tokens: Budget of one batch, padding and answers included, without what all prompts begin with.
        answered: Indices of prompts that are answered already. A batch of these alone is left out; the others are as
            they would be without.
    """
    shared = _shared_tokens(prompts)
    lengths = [len(prompt) - shared for prompt in prompts]
    known = frozenset(answered)
    scorer: PrefixScorer | None = None
    for batch in plan_batches(lengths, max_new_tokens=max_new_tokens, batch_tokens=batch_tokens):
        if known.issuperset(batch):
            continue
        if scorer is None:
            scorer = PrefixScorer(loaded.model)
            scorer.hold(prompts[0][:shared])
        asked = [prompts[index] for index in batch]
        completions = generate(loaded, asked, max_new_tokens=max_new_tokens, scorer=scorer)
        yield list(zip(batch, completions, strict=True))


def _shared_tokens(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens that all prompts begin with; each has at least one more."""
    if len(prompts) < 2:
        return 0
    first, last = min(prompts, key=list), max(prompts, key=list)  # these two differ the earliest
    shared = next(
        (place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    return min(shared, *(len(prompt) - 1 for prompt in prompts))


def _completion(loaded: LoadedModel, tokens: list[int], ends: set[int], latency_s: float) -> Completion:
    end = next((position for position, token in enumerate(tokens) if token in ends), None)
    said = tokens if end is None else tokens[:end]
    return Completion(
        text=str(loaded.tokenizer.decode(said, skip_special_tokens=True)).strip(),
        tokens=len(said) + (end is not None),
        finish_reason="length" if end is None else "stop",
        latency_s=latency_s,
    )
