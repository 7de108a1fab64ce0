"""Turns a GGUF file into an ordinary Hugging Face folder (bf16 safetensors), which loads in under a second."""

import contextlib
import io
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from harness.models.quiet import quiet_loading


def convert_gguf(source: Path, folder: Path) -> None:
    """Reads the quantised weights back into bf16 and saves model and tokenizer to `folder`.

    A model loaded from GGUF refuses to be saved, so its weights go into a fresh one of the same configuration.
    """
    with quiet_loading(), contextlib.redirect_stderr(io.StringIO()):  # the reader draws a bar that nothing turns off
        read = AutoModelForCausalLM.from_pretrained(str(source.parent), gguf_file=source.name, dtype=torch.bfloat16)
        tokenizer = AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name)
        config: Any = read.config
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        config.name_or_path = ""
        make: Any = type(read)
        fresh: PreTrainedModel = make(config).to(torch.bfloat16)
        fresh.load_state_dict(read.state_dict())
        fresh.tie_weights()
        fresh.generation_config = read.generation_config
        fresh.save_pretrained(str(folder))
        tokenizer.save_pretrained(str(folder))
