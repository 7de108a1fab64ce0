"""Few-shot examples, drawn once per system from the training set."""

import random
from collections.abc import Sequence

from harness.errors import ConfigError
from harness.records.messages import Message
from harness.records.training import TrainingRecord


def draw_shots(records: Sequence[TrainingRecord], count: int, *, seed: int) -> list[tuple[Message, Message]]:
    """Draws `count` records without replacement, the same for every item of a run.

    Returns:
        Pairs of the user's turn and the answer.

    Raises:
        ConfigError: More shots than records.
    """
    if count > len(records):
        raise ConfigError(f"prompt.shots is {count}, and the training set has {len(records)} records. Ask for fewer.")
    return [
        (record.prompt[-1], Message(role="assistant", content=record.completion))
        for record in drawn_records(records, count, seed=seed)
    ]


def drawn_records(records: Sequence[TrainingRecord], count: int, *, seed: int) -> list[TrainingRecord]:
    """The records that are shown as shots, in the order they are shown; `count` is at most their number."""
    return random.Random(seed).sample(list(records), count)
