"""Continuing many prompts at once against one at a time by hand."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.models.prefix import PrefixScorer
from harness.models.prefix_attention import UnpackableError

SMALL = {
    "vocab_size": 40,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.4,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
MODELS = {
    "llama": ("LlamaConfig", {}),
    "mistral": ("MistralConfig", {"sliding_window": 7}),
    "gemma2": ("Gemma2Config", {"head_dim": 8, "sliding_window": 7, "attn_logit_softcapping": 2.0}),
}


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, (config, said) in MODELS.items():
        torch.manual_seed(5)
        settings_of = getattr(transformers, config)(**SMALL | said)
        made[name] = transformers.AutoModelForCausalLM.from_config(settings_of).eval()
    return made


@torch.inference_mode()
def by_hand(model: Any, prompt: Sequence[int], max_new_tokens: int, ends: set[int]) -> list[int]:
    ids = list(prompt)
    for _ in range(max_new_tokens):
        ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
        if ids[-1] in ends:
            break
    return ids[len(prompt) :]


stem = st.lists(st.integers(3, 9), max_size=12)
prompts = st.lists(st.tuples(st.integers(0, 1), st.lists(st.integers(3, 6), min_size=1, max_size=9)), max_size=6)


@settings(max_examples=30, deadline=None)
@given(
    stems=st.tuples(stem, stem),
    parts=prompts.filter(bool),
    name=st.sampled_from(list(MODELS)),
    row_tokens=st.sampled_from([5, 30, 2048]),
    max_new_tokens=st.integers(1, 12),
    held=st.booleans(),
)
def test_prompts_are_answered_together_as_each_alone(
    models: dict[str, Any],
    stems: tuple[list[int], list[int]],
    parts: list[tuple[int, list[int]]],
    name: str,
    row_tokens: int,
    max_new_tokens: int,
    held: bool,
) -> None:
    asked = [stems[which] + rest for which, rest in parts]
    scorer = PrefixScorer(models[name], row_tokens=row_tokens)
    if held:
        scorer.hold(stems[0])
    ends = {2, 4, 17, 30, 31, 32}
    said = scorer.complete(asked, max_new_tokens=max_new_tokens, ends=ends)
    assert said == [by_hand(models[name], prompt, max_new_tokens, ends) for prompt in asked]


def test_what_prompts_begin_with_is_computed_once_and_answered_prompts_leave(models: dict[str, Any]) -> None:
    model = models["llama"]
    begins = [int(token) for token in torch.randint(3, 40, (30,), generator=torch.Generator().manual_seed(1))]
    asked = [[*begins, 5, token] for token in range(3, 11)]
    scorer = PrefixScorer(model)
    shown: list[int] = []
    hook = model.model.embed_tokens.register_forward_hook(lambda module, given, out: shown.append(given[0].shape[-1]))
    answers = [by_hand(model, prompt, 12, set()) for prompt in asked]
    ends = {answers[0][2], answers[3][5]}
    answers = [by_hand(model, prompt, 12, ends) for prompt in asked]
    shown.clear()
    assert scorer.complete(asked, max_new_tokens=12, ends=ends) == answers
    hook.remove()
    lengths = [len(answer) for answer in answers]
    assert len(set(lengths)) > 1
    assert shown == [31 + 8] + [sum(length > step for length in lengths) for step in range(1, max(lengths))]


def test_an_answer_ends_where_the_caller_says_so(models: dict[str, Any]) -> None:
    model = models["llama"]
    whole = by_hand(model, [5, 6], 10, set())
    said = PrefixScorer(model).complete(
        [[5, 6], [7]], max_new_tokens=10, ends=(), stop=lambda so_far: list(so_far[-2:]) == whole[2:4]
    )
    assert said[0] == whole[:4]


def test_too_little_memory_for_all_prompts_is_enough_for_some(models: dict[str, Any]) -> None:
    model = models["llama"]
    asked = [[5, 6, 7], [8, 9], [3, 3, 3, 3], [10]]
    scorer = PrefixScorer(model, row_tokens=64)
    said = scorer.complete(asked, max_new_tokens=4, ends=())
    most = 6

    def leak(module: Any, given: Any) -> None:
        if given[0].shape[-1] > most:
            raise torch.OutOfMemoryError("out of memory")

    hook = model.model.embed_tokens.register_forward_pre_hook(leak)
    try:
        assert scorer.complete(asked, max_new_tokens=4, ends=()) == said
    finally:
        hook.remove()
    assert scorer.row_tokens == 32


def test_a_model_that_cannot_be_packed_does_not_answer_here() -> None:
    torch.manual_seed(5)
    bloom = transformers.BloomConfig(vocab_size=60, hidden_size=32, n_layer=2, n_head=4)
    scorer = PrefixScorer(transformers.AutoModelForCausalLM.from_config(bloom))
    with pytest.raises(UnpackableError, match="attention interface"):
        scorer.complete([[5]], max_new_tokens=2, ends=())
