"""Probes: is the thing measured the thing meant? Each says what it saw; the pipeline stores it and stops on failure."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from harness.models.adapters import adapter_disabled
from harness.models.load import LoadedModel

PROMPTS = 8  # probed prompts: enough for an adapter to show, quick on a CPU
SAME_LOGITS = 1e-3  # largest difference allowed between what was trained and what was saved


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeOutcome:
    """`passed`, and the figures behind it in one sentence."""

    name: str
    passed: bool
    detail: str


@torch.inference_mode()
def next_token_logits(loaded: LoadedModel, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
    """Logits after the last token of each prompt, one forward pass a prompt (no padding to blur the figures).

    Returns:
        float32 on the CPU, shape (prompts, vocabulary).
    """
    loaded.model.eval()
    rows = [
        loaded.model(input_ids=torch.tensor([list(prompt)], device=loaded.device), logits_to_keep=1).logits[0, -1]
        for prompt in prompts
    ]
    return torch.stack(rows).float().cpu()


def probe_adapter_active(
    loaded: LoadedModel, base_logits_PV: torch.Tensor, prompts: Sequence[Sequence[int]]
) -> ProbeOutcome:
    """Passes when the attached adapter changes the next-token distribution, and disabling it gives the base again.

    Args:
        base_logits_PV: `next_token_logits` of the base model before the adapter was attached.
    """
    active = _mean_kl(next_token_logits(loaded, prompts), base_logits_PV)
    with adapter_disabled(loaded):
        off = next_token_logits(loaded, prompts)
    left = float((off - base_logits_PV).abs().max())
    return ProbeOutcome(
        name="adapter_active",
        passed=active > 1e-6 and left <= SAME_LOGITS,
        detail=f"KL to the base {active:.4g} nats with the adapter; largest logit difference {left:.3g} without it",
    )


def probe_saved_equals_trained(
    loaded: LoadedModel, trained_logits_PV: torch.Tensor, prompts: Sequence[Sequence[int]]
) -> ProbeOutcome:
    """Passes when the adapter read back from disk gives the logits that the trained one gave in memory."""
    largest = float((next_token_logits(loaded, prompts) - trained_logits_PV).abs().max())
    return ProbeOutcome(
        name="saved_equals_trained",
        passed=largest <= SAME_LOGITS,
        detail=f"largest logit difference {largest:.3g} between the trained adapter and the saved one, read back",
    )


def probe_same_rendering(trained_on: Sequence[Sequence[int]], evaluated_with: Sequence[Sequence[int]]) -> ProbeOutcome:
    """Passes when each training example begins, token for token, with the prompt that evaluation gives the same record.

    Args:
        trained_on: Token ids that training saw, up to the answer, a row a record.
        evaluated_with: Token ids of the prompt that the system renders for the same record.
    """
    pairs = list(zip(trained_on, evaluated_with, strict=True))
    differing = [number for number, (seen, asked) in enumerate(pairs, start=1) if list(seen) != list(asked)]
    return ProbeOutcome(
        name="same_rendering",
        passed=not differing,
        detail=f"{len(pairs) - len(differing)} of {len(pairs)} records are rendered alike for training and evaluation",
    )


def _mean_kl(logits_PV: torch.Tensor, base_logits_PV: torch.Tensor) -> float:
    """Mean over prompts of KL(with adapter || base), in nats."""
    log_p, log_q = logits_PV.log_softmax(-1), base_logits_PV.log_softmax(-1)
    return float((log_p.exp() * (log_p - log_q)).sum(-1).mean())
