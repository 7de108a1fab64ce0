"""A base model's tokenizer and context without its weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transformers import AutoConfig, AutoTokenizer

from harness.errors import ModelError
from harness.models.chat import with_template
from harness.models.pull import catalog_model, pull
from harness.models.quiet import quiet_loading
from harness.models.source import ModelSource


@dataclass(frozen=True, kw_only=True)
class LoadedTokenizer:
    """A tokenizer that has a chat template. `context_tokens` is None where the configuration does not say."""

    tokenizer: Any
    context_tokens: int | None


def load_tokenizer(source: ModelSource, *, trust_remote_code: bool, say: Callable[[str], None]) -> LoadedTokenizer:
    """Loads the tokenizer of `source`; a catalog model is pulled first where it is not there yet.

    Raises:
        ModelError: The tokenizer or the model's configuration cannot be had or read.
    """
    if source.kind == "catalog":
        pull(catalog_model(source.name), say)
    try:
        with quiet_loading():
            tokenizer: Any = AutoTokenizer.from_pretrained(source.location, trust_remote_code=trust_remote_code)
            config: Any = AutoConfig.from_pretrained(source.location, trust_remote_code=trust_remote_code)
    except (OSError, ValueError, KeyError) as problem:
        first_line = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise ModelError(
            f"base_model {source.name}: its tokenizer cannot be loaded: {first_line} Check that the model was copied "
            "whole, or leave the model out to count words."
        ) from problem
    if (fallback := with_template(tokenizer)) != "own":
        say(f"{source.name} has no chat template: prompts are rendered with the fallback `{fallback}`")
    context = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
    return LoadedTokenizer(tokenizer=tokenizer, context_tokens=int(context) if context else None)
