"""Loads a base model with its tokenizer, ready to be prompted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from harness.errors import ModelError
from harness.models.chat import with_template
from harness.models.device import choose_device, choose_dtype
from harness.models.pull import catalog_model, pull
from harness.models.quiet import quiet_loading
from harness.models.source import ModelSource


@dataclass(kw_only=True)
class LoadedModel:
    """A model in memory. `model` may be wrapped by PEFT later; `context_tokens` is the longest input it takes."""

    source: ModelSource
    model: Any
    tokenizer: PreTrainedTokenizerBase
    device: torch.device
    dtype: torch.dtype
    template_name: str

    @property
    def context_tokens(self) -> int:
        """Positions the model was made for."""
        config = self.model.config
        return int(getattr(config, "max_position_embeddings", 0) or getattr(config, "n_positions", 0) or 1 << 30)


def load_model(
    source: ModelSource, *, device: str, dtype: str, trust_remote_code: bool, say: Callable[[str], None]
) -> LoadedModel:
    """Loads `source`; a catalog model is pulled first where it is not there yet.

    Args:
        device: `auto`, `cpu`, `cuda` or `mps`.
        dtype: `auto`, `float32`, `bfloat16` or `float16`.
        say: Told what takes long, and when a fallback chat template is used.

    Raises:
        ModelError: The model cannot be had or read, or the device is not here.
    """
    if source.kind == "catalog":
        pull(catalog_model(source.name), say)
    chosen_device = choose_device(device)
    chosen_dtype = choose_dtype(dtype, chosen_device)
    try:
        with quiet_loading():
            tokenizer = AutoTokenizer.from_pretrained(source.location, trust_remote_code=trust_remote_code)
            read: Any = AutoModelForCausalLM.from_pretrained(
                source.location, dtype=chosen_dtype, trust_remote_code=trust_remote_code, output_loading_info=True
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as problem:
        raise ModelError(_cannot_load(source, problem)) from problem
    model: PreTrainedModel = read[0]
    if missing := sorted(read[1]["missing_keys"]):  # transformers would make them up at random
        problem = ValueError(f"weights are missing, such as {missing[0]} ({len(missing)} in all).")
        raise ModelError(_cannot_load(source, problem))
    model.to(chosen_device).eval()  # pyright: ignore[reportArgumentType]
    model.generation_config = _end_marks(model.generation_config)
    template_name = with_template(tokenizer)
    if template_name != "own":
        say(f"{source.name} has no chat template: prompts are rendered with the fallback `{template_name}`")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return LoadedModel(
        source=source,
        model=model,
        tokenizer=tokenizer,
        device=chosen_device,
        dtype=chosen_dtype,
        template_name=template_name,
    )


def _end_marks(settings: GenerationConfig | None) -> GenerationConfig:
    """A model's own generation settings without those that change what greedy decoding says.

    A repetition penalty, beams or suppressed tokens would apply besides the system's decoding, unseen.
    """
    return GenerationConfig(
        bos_token_id=getattr(settings, "bos_token_id", None), eos_token_id=getattr(settings, "eos_token_id", None)
    )


def _cannot_load(source: ModelSource, problem: Exception) -> str:
    first_line = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    step = {
        "catalog": f"Delete {source.location} and run `harness models pull {source.name}`.",
        "folder": "Check that the folder holds a causal language model and its tokenizer, copied whole.",
        "hub": "Check the id and the network (HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE are honoured).",
    }[source.kind]
    return f"base_model {source.name} cannot be loaded: {first_line} {step}"
