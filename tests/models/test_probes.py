from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.config.system import Prompt
from harness.models.adapters import attach_new_adapter, attach_saved_adapter, save_adapter
from harness.models.chat import build_messages, encode, render_example, render_prompt
from harness.models.load import LoadedModel
from harness.models.probes import (
    next_token_logits,
    probe_adapter_active,
    probe_same_rendering,
    probe_saved_equals_trained,
)
from harness.records.messages import Message

Load = Callable[..., LoadedModel]
PROMPTS = [[5, 6, 7], [8, 9, 10, 11], [12]]


@pytest.fixture
def untrained(load_tiny: Load) -> LoadedModel:
    """With an adapter whose B is still zero: it changes nothing."""
    loaded = load_tiny()
    attach_new_adapter(loaded, {"r": 4, "target_modules": "all-linear"})
    return loaded


@pytest.fixture
def trained(untrained: LoadedModel) -> LoadedModel:
    torch.manual_seed(3)
    with torch.no_grad():
        for name, weight in untrained.model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.1)
    return untrained


@pytest.fixture(scope="module")
def base_logits(tiny: LoadedModel) -> torch.Tensor:
    return next_token_logits(tiny, PROMPTS)


def test_logits_are_those_after_the_last_token_of_each_prompt(tiny: LoadedModel, base_logits: torch.Tensor) -> None:
    assert base_logits.shape == (3, len(tiny.tokenizer))
    with torch.inference_mode():
        expected = tiny.model(input_ids=torch.tensor([PROMPTS[1]])).logits[0, -1]
    torch.testing.assert_close(base_logits[1], expected)


def test_an_adapter_that_does_something_is_active(trained: LoadedModel, base_logits: torch.Tensor) -> None:
    outcome = probe_adapter_active(trained, base_logits, PROMPTS)
    assert (outcome.name, outcome.passed) == ("adapter_active", True)
    assert "KL to the base" in outcome.detail


def test_the_divergence_is_the_mean_of_the_prompts_in_nats(trained: LoadedModel, base_logits: torch.Tensor) -> None:
    p, q = next_token_logits(trained, PROMPTS).softmax(-1), base_logits.softmax(-1)
    expected = sum(float((p[i] * (p[i] / q[i]).log()).sum()) for i in range(3)) / 3
    assert f"KL to the base {expected:.3g}"[:19] in probe_adapter_active(trained, base_logits, PROMPTS).detail


def test_an_adapter_that_does_nothing_is_not_active(untrained: LoadedModel, base_logits: torch.Tensor) -> None:
    assert not probe_adapter_active(untrained, base_logits, PROMPTS).passed


def test_an_adapter_that_is_switched_off_is_not_active(trained: LoadedModel, base_logits: torch.Tensor) -> None:
    trained.model.base_model.disable_adapter_layers()
    assert not probe_adapter_active(trained, base_logits, PROMPTS).passed


def test_a_base_that_is_another_one_under_the_adapter_is_noticed(
    trained: LoadedModel, base_logits: torch.Tensor
) -> None:
    with torch.no_grad():
        trained.model.get_input_embeddings().weight.mul_(1.1)
    outcome = probe_adapter_active(trained, base_logits, PROMPTS)
    assert not outcome.passed
    assert "largest logit difference" in outcome.detail


def test_logits_that_are_not_numbers_do_not_pass(trained: LoadedModel, base_logits: torch.Tensor) -> None:
    with torch.no_grad():
        trained.model.get_input_embeddings().weight.fill_(float("nan"))
    assert not probe_adapter_active(trained, base_logits, PROMPTS).passed
    assert not probe_saved_equals_trained(trained, base_logits, PROMPTS).passed


def test_what_is_saved_equals_what_was_trained(trained: LoadedModel, load_tiny: Load, tmp_path: Path) -> None:
    logits = next_token_logits(trained, PROMPTS)
    save_adapter(trained, tmp_path / "adapter")
    again = load_tiny()
    attach_saved_adapter(again, tmp_path / "adapter")
    outcome = probe_saved_equals_trained(again, logits, PROMPTS)
    assert (outcome.name, outcome.passed) == ("saved_equals_trained", True)


def test_saved_weights_that_were_tampered_with_are_noticed(
    trained: LoadedModel, load_tiny: Load, tmp_path: Path
) -> None:
    logits = next_token_logits(trained, PROMPTS)
    save_adapter(trained, tmp_path / "adapter")
    path = tmp_path / "adapter" / "adapter_model.safetensors"
    weights = load_file(path)
    name = next(name for name in weights if "lora_B" in name)
    weights[name] += 0.05
    save_file(weights, path)
    again = load_tiny()
    attach_saved_adapter(again, tmp_path / "adapter")
    assert not probe_saved_equals_trained(again, logits, PROMPTS).passed


class TestSameRendering:
    TURNS = (Message(role="user", content="What colour is {grass}?"),)

    def evaluated(self, tiny: LoadedModel, prompt: Prompt) -> list[int]:
        return encode(tiny.tokenizer, render_prompt(tiny.tokenizer, build_messages(prompt, self.TURNS)))

    def trained_on(self, tiny: LoadedModel, prompt: Prompt) -> list[int]:
        asked, _ = render_example(tiny.tokenizer, build_messages(prompt, self.TURNS), "Green.")
        return encode(tiny.tokenizer, asked)

    def test_one_prompt_for_training_and_evaluation_passes(self, tiny: LoadedModel) -> None:
        prompt = Prompt(system="Answer with a colour.", template="Q: {input}")
        outcome = probe_same_rendering([self.trained_on(tiny, prompt)] * 2, [self.evaluated(tiny, prompt)] * 2)
        assert (outcome.name, outcome.passed) == ("same_rendering", True)
        assert outcome.detail.startswith("2 of 2 records")

    @pytest.mark.parametrize("other", [Prompt(system="Answer with a color."), Prompt(), Prompt(template="{input} ")])
    def test_another_prompt_in_training_is_noticed(self, tiny: LoadedModel, other: Prompt) -> None:
        prompt = Prompt(system="Answer with a colour.")
        right, wrong = self.trained_on(tiny, prompt), self.trained_on(tiny, other)
        evaluated = self.evaluated(tiny, prompt)
        outcome = probe_same_rendering([right, wrong], [evaluated, evaluated])
        assert not outcome.passed
        assert outcome.detail.startswith("1 of 2 records")
