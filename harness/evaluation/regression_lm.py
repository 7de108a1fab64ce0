"""What answers lm-eval's requests: the prefix-shared engine, around a model that is loaded already."""

import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Any, Protocol

import numpy as np
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from harness.evaluation.prefix_lm import PrefixLM
from harness.models.load import LoadedModel
from harness.records.regression import Engine


class LoglikelihoodModel(Protocol):
    """The part of lm-eval's `LM` that regression suites call: any subclass of it will do.

    Where a model also has lm-eval's `tok_encode` and `max_length`, prompts that are cut are noticed. Where it has
    `hold_prefix`, it is told what the prompts to come begin with; `unit_chars` is how much it is asked at a time.
    """

    def loglikelihood(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """For each request (context, continuation): log-likelihood in nats, and whether greedy decoding gives it."""
        ...


def build_lm(loaded: LoadedModel) -> PrefixLM:
    """The prefix-shared engine around `loaded`, with its adapter as it is now.

    The model is left in evaluation mode. After an adapter was attached or detached: `PrefixLM.switch_to`.
    """
    loaded.model.eval()
    with quiet_lm_eval():
        return PrefixLM(pretrained=loaded.model, tokenizer=loaded.tokenizer)


def engine_of(lm: LoglikelihoodModel) -> Engine:
    """What makes an evaluation's numbers: the model class's own `engine` (an `Engine`) where it has one.

    Without one, lm-eval's transformers backend is `lm-eval-hf` with lm-eval's version, and anything else goes by its
    class's name.
    """
    own = getattr(lm, "engine", None)
    if isinstance(own, Engine):
        return own
    version = metadata.version("lm_eval")
    if type(lm) is HFLM:
        return Engine(name="lm-eval-hf", version=version)
    return Engine(name=f"{type(lm).__module__}.{type(lm).__qualname__}", version=version)


@contextmanager
def quiet_lm_eval() -> Iterator[None]:
    """Silences what lm-eval and the hub's client log below errors; what matters is reported in results or raised."""
    logs = [logging.getLogger(name) for name in ("lm_eval", "huggingface_hub")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


@contextmanager
def kept_random_state() -> Iterator[None]:
    """Puts the global generators of python, numpy and torch (and every CUDA device) back as they were."""
    python, numpy_state, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda: Any = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
