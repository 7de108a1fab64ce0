"""Assay sensitivity: a task on which the base model guesses cannot show that anything was forgotten."""

from harness.records.estimates import Estimate
from harness.records.scores import Metric


def is_at_chance(metric: Metric, base: Estimate) -> bool:
    """Whether the base's interval includes what guessing gives, or lies below it.

    Args:
        metric: With the chance level as a proportion; one without it is never at chance.
        base: The base model's value on the task.
    """
    return metric.chance is not None and base.low is not None and base.low <= metric.chance


def chance_sentence(metric: Metric, base: Estimate, *, name: str = "the base model") -> str:
    """What is said wherever such a task is shown; `name` is whose value it is."""
    return (
        f"{metric.name}: {name} is at chance ({base.value:.3f}, interval {base.low:.3f} to {base.high:.3f}, "
        f"guessing gives {metric.chance:g}), so this task cannot show forgetting."
    )
