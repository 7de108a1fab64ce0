"""Frames: runs of words that belong to a template, and so say nothing about what is shared."""

from collections.abc import Sequence

import numpy as np

from harness.data.normalise import normalised_words
from harness.data.word_runs import Hashes, Numbers, Truths, hash_texts, runs_of

FRAME_SHARE = 0.05
FRAME_TEXTS = 3
LONG_RUN_WORDS = 8
LONG_RUN_TEXTS = 20


def most_before_frame(texts: int) -> int:
    """How many of so many texts may share a run before it counts as a frame: 5 %, and never fewer than 3."""
    return max(FRAME_TEXTS, int(FRAME_SHARE * texts))


def is_frame(hashes: Hashes, shared_by: Numbers, *, texts: int, templates: Sequence[str], length: int) -> Truths:
    """Which runs are frames: those that too many texts share, and those of a prompt's templates.

    Short runs are common in any language, so that their limit grows with the texts. A run of eight words or more that
    over 20 texts share was written once for all of them.

    Args:
        hashes: Of distinct runs.
        shared_by: How many texts hold each.
        texts: How many texts there are.
        templates: Texts that stand around every item, such as the system text.
        length: Words in a run.
    """
    of_templates = runs_of(hash_texts([normalised_words(text) for text in templates]), length).hashes
    most = most_before_frame(texts)
    if length >= LONG_RUN_WORDS:
        most = min(most, LONG_RUN_TEXTS)
    return (shared_by > most) | np.isin(hashes, of_templates)
