"""How many optimizer steps a training takes. Loads no library for models."""

import math

from harness.config.system import Finetune


def total_steps(settings: Finetune, train_records: int) -> int:
    """Optimizer steps of a whole fine-tuning, if it does not stop early."""
    batches = math.ceil(train_records / settings.batch_size)
    return settings.epochs * math.ceil(batches / settings.gradient_accumulation_steps)
