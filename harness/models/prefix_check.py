"""Whether a way of scoring gives what the model's own forward pass gives, on a few made-up requests."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from harness.models.prefix_requests import Requests, Scored, ScoreRequest, Tally, join_requests
from harness.models.prefix_score import score_plain

# Largest difference of a token's log-likelihood, in nats. Half formats differ by as much between two batch sizes.
_TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-3}
_HALF_TOLERANCE = 0.3
_STEM_TOKENS = 40
_LARGEST_STEM_TOKENS = 300

Score = Callable[[Requests, Tally], object]


def largest_difference(model: Any, score: Score) -> float:
    """Scores one tree (a stem, contexts, endings of 1 to 9 tokens) both ways.

    The stem is longer than a small sliding window.

    Returns:
        The largest difference of a request's log-likelihood per token, in nats; infinity where a request was not
        scored at all.
    """
    requests = join_requests(_requests(model.config.get_text_config()))
    plain, other = Tally(requests), Tally(requests)
    score_plain(model, requests, plain, row_tokens=1)
    score(requests, other)
    expected, given = plain.finished(), other.finished()
    nothing = Scored(loglikelihood=float("inf"), greedy=False)
    return max(
        abs(given.get(number, nothing).loglikelihood - one.loglikelihood) / len(requests.targets[number])
        for number, one in expected.items()
    )


def tolerance(model: Any) -> float:
    """What `largest_difference` may be: a number format's last digits; quantised weights multiply in a half one."""
    quantised = any(not weights.is_floating_point() for weights in model.parameters())
    return _HALF_TOLERANCE if quantised else _TOLERANCE.get(model.dtype, _HALF_TOLERANCE)


def _requests(config: Any) -> list[ScoreRequest]:
    draw = np.random.default_rng(17)
    longest = int(getattr(config, "max_position_embeddings", 0) or 2048)
    window = int(getattr(config, "sliding_window", 0) or 0)
    stem_tokens = window + 8 if window + 8 <= _LARGEST_STEM_TOKENS else _STEM_TOKENS
    stem_tokens = min(stem_tokens, max(1, longest - 32))

    def tokens(count: int) -> list[int]:
        return draw.integers(0, config.vocab_size, count).tolist()

    stem = tokens(stem_tokens)
    requests: list[ScoreRequest] = []
    for context_tokens in (14, 9):
        context = stem + tokens(context_tokens)
        for ending in (tokens(1), tokens(1), tokens(4), tokens(9)):
            requests.append(ScoreRequest(inputs=(context + ending)[:-1], targets=ending))
    return requests
