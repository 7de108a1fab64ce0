"""Scoring with shared prefixes against the model's own forward pass, a sequence at a time."""

from collections.abc import Callable, Sequence
from typing import Any

import peft
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ModelError
from harness.models import prefix_attention
from harness.models.prefix import PrefixScorer
from harness.models.prefix_attention import AttentionKind, Mask, attention
from harness.models.prefix_requests import Scored, ScoreRequest

SMALL = {
    "vocab_size": 60,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.4,
}
OWN = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
GPT2 = {"vocab_size": 60, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "initializer_range": 0.4}
NEOX = {name: value for name, value in SMALL.items() if name != "num_key_value_heads"}
HEADS = {"head_dim": 8}
PACKED = {
    "llama": ("LlamaConfig", SMALL),
    "qwen2": ("Qwen2Config", SMALL),
    "qwen3": ("Qwen3Config", SMALL | HEADS),
    "gemma2": (
        "Gemma2Config",
        SMALL | HEADS | {"sliding_window": 9, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0},
    ),
    "gemma3": ("Gemma3TextConfig", SMALL | HEADS | {"sliding_window": 9}),
    "mistral": ("MistralConfig", SMALL | {"sliding_window": 9}),
    "gpt2": ("GPT2Config", GPT2),
    "gpt_neox": ("GPTNeoXConfig", NEOX),
    "phi": ("PhiConfig", SMALL),
    "opt": (
        "OPTConfig",
        {"vocab_size": 60, "hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
        | {"word_embed_proj_dim": 32, "max_position_embeddings": 256, "init_std": 0.4},
    ),
    "granite": ("GraniteConfig", SMALL | {"logits_scaling": 3.0}),
    "cohere": ("CohereConfig", SMALL | {"logit_scale": 0.3}),
}
# Alibi, attention sinks, and rotary positions that depend on what else is in the batch.
NOT_PACKED = {
    "bloom": ("BloomConfig", {"vocab_size": 60, "hidden_size": 32, "n_layer": 2, "n_head": 4}, "cached", "interface"),
    "gpt_oss": (
        "GptOssConfig",
        SMALL | HEADS | {"sliding_window": 9, "num_local_experts": 2, "num_experts_per_tok": 1},
        "cached",
        "takes s_aux",
    ),
    "mamba": (
        "MambaConfig",
        {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 2},
        "plain",
        "layers of linear_attention",
    ),
    "dynamic": (
        "LlamaConfig",
        SMALL | {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}},
        "cached",
        "dynamic positions depend on the longest sequence",
    ),
}


def build(config: str, said: dict[str, Any]) -> Any:
    torch.manual_seed(5)
    made = getattr(transformers, config)(**said, **OWN)
    return transformers.AutoModelForCausalLM.from_config(made).eval()


@pytest.fixture(scope="module")
def llama() -> Any:
    return build(*PACKED["llama"])


@torch.inference_mode()
def expected(model: Any, requests: Sequence[ScoreRequest]) -> list[Scored]:
    """What a forward pass over each sequence alone says."""
    answers: list[Scored] = []
    for request in requests:
        logits = model(input_ids=torch.tensor([list(request.inputs)])).logits[0].log_softmax(-1)
        said, targets = logits[-len(request.targets) :], torch.tensor(list(request.targets))
        value = said[torch.arange(len(targets)), targets].sum()
        answers.append(Scored(loglikelihood=float(value), greedy=bool((said.argmax(-1) == targets).all())))
    return answers


def assert_same(given_answers: Sequence[Scored], expected_answers: Sequence[Scored]) -> None:
    assert [one.greedy for one in given_answers] == [one.greedy for one in expected_answers]
    assert [one.loglikelihood for one in given_answers] == pytest.approx(
        [one.loglikelihood for one in expected_answers], abs=1e-4
    )


def suite(stem: int = 30, seed: int = 3) -> list[ScoreRequest]:
    """Two contexts after one stem, with options of one and of several tokens, some of them beginning alike."""
    draw = torch.Generator().manual_seed(seed)

    def tokens(count: int) -> list[int]:
        return torch.randint(3, 60, (count,), generator=draw).tolist()

    begins = tokens(stem)
    requests: list[ScoreRequest] = []
    for size in (12, 25):
        context = begins + tokens(size)
        alike = tokens(10)
        for ending in (tokens(1), tokens(1), alike, alike[:9] + tokens(3), tokens(20)):
            requests.append(ScoreRequest(inputs=(context + ending)[:-1], targets=ending))
    return requests


@pytest.mark.parametrize("name", PACKED)
def test_packed_rows_give_what_the_model_gives(name: str) -> None:
    model = build(*PACKED[name])
    before = model.config._attn_implementation
    requests = suite()
    scorer = PrefixScorer(model)
    assert (scorer.way, scorer.why) == ("packed", None)
    answers = scorer.score(scorer.join(requests))
    assert_same(answers, expected(model, requests))
    assert len({round(one.loglikelihood, 2) for one in answers}) > 5  # else the test could not fail
    assert model.config._attn_implementation == before
    assert scorer.counts.distinct <= scorer.counts.computed <= 1.15 * scorer.counts.distinct


@pytest.mark.parametrize("name", NOT_PACKED)
def test_a_model_that_cannot_be_packed_is_scored_another_way_and_says_why(name: str) -> None:
    config, said, way, why = NOT_PACKED[name]
    model = build(config, said)
    heard: list[str] = []
    scorer = PrefixScorer(model, say=heard.append)
    assert scorer.way == way
    assert why in (scorer.why or "")
    assert heard == [f"requests are scored the {way} way: {scorer.why}"]
    requests = suite()
    assert_same(scorer.score(scorer.join(requests)), expected(model, requests))


def test_a_model_that_would_be_packed_wrongly_is_found_out() -> None:
    model = build(*PACKED["llama"])

    def forget_positions(module: Any, given: Any, named: dict[str, Any]) -> Any:
        return given, {name: value for name, value in named.items() if name != "position_ids"}

    model.model.register_forward_pre_hook(forget_positions, with_kwargs=True)
    scorer = PrefixScorer(model)
    assert scorer.way == "cached"
    assert "packed: log-likelihoods differ by up to" in (scorer.why or "")
    requests = suite()
    assert_same(scorer.score(scorer.join(requests)), expected(model, requests))


@pytest.mark.parametrize("row_tokens", [17, 40, 4096])
@pytest.mark.parametrize("name", ["llama", "mistral", "gpt2"])
def test_the_budget_changes_no_result(name: str, row_tokens: int) -> None:
    model = build(*PACKED[name])
    scorer = PrefixScorer(model, row_tokens=row_tokens)
    requests = suite()
    assert_same(scorer.score(scorer.join(requests)), expected(model, requests))


tokens = st.lists(st.integers(0, 4), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(
    stems=st.lists(tokens, min_size=1, max_size=3),
    parts=st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.integers(0, 4), max_size=6), tokens), min_size=1, max_size=9
    ),
    row_tokens=st.sampled_from([13, 64, 2048]),
    name=st.sampled_from(["llama", "mistral"]),
)
def test_any_set_of_requests_is_scored_as_each_alone(
    models: dict[str, Any], stems: list[list[int]], parts: list[Any], row_tokens: int, name: str
) -> None:
    requests = [
        ScoreRequest(inputs=(stems[stem % len(stems)] + context + ending)[:-1], targets=ending)
        for stem, context, ending in parts
    ]
    scorer = PrefixScorer(models[name], row_tokens=row_tokens)
    assert_same(scorer.score(scorer.join(requests)), expected(models[name], requests))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    return {name: build(*PACKED[name]) for name in ("llama", "mistral")}


def test_what_is_held_is_computed_once_and_changes_no_result(llama: Any) -> None:
    requests = suite(stem=50)
    plain, holding = PrefixScorer(llama), PrefixScorer(llama, row_tokens=32)
    assert_same(plain.score(plain.join(requests)), expected(llama, requests))
    for first in range(0, len(requests), 2):
        holding.hold(requests[0].inputs[:50])
        few = requests[first : first + 2]
        joined = holding.join(few)
        assert joined.tree.origin == 50
        assert_same(holding.score(joined), expected(llama, few))
    assert holding.counts.computed < plain.counts.computed + 100  # the stem is among them once
    elsewhere = [ScoreRequest(inputs=[7, 8, 9], targets=[3])]
    assert_same(holding.score(holding.join(elsewhere)), expected(llama, elsewhere))


def test_an_adapter_is_part_of_what_is_scored(llama: Any) -> None:
    requests = suite()
    base = expected(llama, requests)
    adapted = with_adapter(llama, peft.LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    scorer = PrefixScorer(adapted)
    assert scorer.way == "packed"
    answers = scorer.score(scorer.join(requests))
    assert_same(answers, expected(adapted, requests))
    assert max(abs(a.loglikelihood - b.loglikelihood) for a, b in zip(answers, base, strict=True)) > 0.1
    assert_same(base, expected(adapted.unload(), requests))


def test_virtual_tokens_are_scored_plainly() -> None:
    model = build(*PACKED["llama"])
    adapted = with_adapter(model, peft.PromptTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM"))
    scorer = PrefixScorer(adapted)
    assert (scorer.way, scorer.why) == ("plain", "its adapter puts virtual tokens before every sequence")
    requests = suite()
    answers = scorer.score(scorer.join(requests))
    assert_same(answers, expected(adapted, requests))


def with_adapter(model: Any, config: Any) -> Any:
    adapted = peft.get_peft_model(model, config)
    torch.manual_seed(11)
    for name, weights in adapted.named_parameters():
        if "lora_B" in name or "prompt" in name:
            torch.nn.init.normal_(weights, std=0.5)
    return adapted.eval()


def test_four_bit_weights_are_scored_as_they_compute() -> None:
    pytest.importorskip("bitsandbytes")
    wide = SMALL | {"hidden_size": 128, "intermediate_size": 128, "num_key_value_heads": 4}
    model = build("LlamaConfig", wide)
    quantized = quantize(model)
    requests = suite()
    scorer = PrefixScorer(quantized)
    assert scorer.way == "packed"
    answers, alone = scorer.score(scorer.join(requests)), expected(quantized, requests)
    # The kernel multiplies in bfloat16: what differs by a last digit before it differs by more after it.
    assert [one.loglikelihood for one in answers] == pytest.approx([one.loglikelihood for one in alone], abs=0.1)


def quantize(model: Any) -> Any:
    import bitsandbytes

    for layer in model.model.layers:
        for part in (layer.self_attn, layer.mlp):
            for name, linear in list(part.named_children()):
                if isinstance(linear, torch.nn.Linear):
                    four = bitsandbytes.nn.Linear4bit(
                        linear.in_features, linear.out_features, bias=False, compute_dtype=torch.float32
                    )
                    four.weight = bitsandbytes.nn.Params4bit(linear.weight.data, requires_grad=False)
                    setattr(part, name, four.to("cpu"))
    return model


class Leaky:
    """Runs out of memory whenever it is shown more than `room` tokens."""

    def __init__(self, room: int, problem: Callable[[], Exception]) -> None:
        self.room, self.problem = room, problem

    def __call__(self, module: Any, inputs: Any) -> None:
        if inputs[0].shape[-1] > self.room:
            raise self.problem()


PROBLEMS = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
    "cpu": lambda: RuntimeError(
        "[enforce fail at alloc_cpu.cpp:119] DefaultCPUAllocator: can't allocate memory: you tried"
    ),
    "python": lambda: MemoryError("no room"),
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_the_budget_is_halved_when_memory_runs_out_and_the_work_goes_on(kind: str) -> None:
    model = build(*PACKED["llama"])
    requests = suite()
    said: list[str] = []
    scorer = PrefixScorer(model, row_tokens=100, say=said.append)
    leak = Leaky(60, PROBLEMS[kind])
    model.model.embed_tokens.register_forward_pre_hook(leak)
    answers = scorer.score(scorer.join(requests))
    assert said == ["memory ran out: going on with 50 tokens at a time"]
    assert scorer.row_tokens == 50
    leak.room = 1000
    assert_same(answers, expected(model, requests))


def test_memory_that_never_suffices_is_an_error_with_a_next_step() -> None:
    model = build(*PACKED["llama"])
    scorer = PrefixScorer(model, row_tokens=64)
    model.model.embed_tokens.register_forward_pre_hook(Leaky(0, PROBLEMS["cuda"]))
    with pytest.raises(ModelError, match=r"memory runs out with 32 tokens at a time.*choose a smaller model"):
        scorer.score(scorer.join(suite()))


def test_another_error_is_not_taken_for_want_of_memory(llama: Any) -> None:
    scorer = PrefixScorer(llama)
    with pytest.raises((RuntimeError, IndexError), match=r"(?i)index"):
        scorer.score(scorer.join([ScoreRequest(inputs=[1, 2, 1000], targets=[3])]))


def test_written_out_attention_is_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix_attention, "_QUERIES_AT_A_TIME", 4)
    draw = torch.Generator().manual_seed(1)
    query, key, value = (torch.randn(2, heads, 11, 8, generator=draw) for heads in (3, 1, 1))
    kind = AttentionKind(scale=0.3, window=None, softcap=None)
    allowed = torch.rand(11, 11, generator=draw) < 0.5
    allowed[3] = False
    for mask in ("causal", None, Mask(allowed, torch.float32)):
        kernel = attention(query, key[:, 0], value[:, 0], kind, mask)
        written = prefix_attention._written_out(query, key[:, 0], value[:, 0], kind, mask)
        for one, other in zip(kernel, written, strict=True):
            torch.testing.assert_close(one, other)
    assert kernel[1][:, :, 3].eq(-torch.inf).all()
