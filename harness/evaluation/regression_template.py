"""What decides how an lm-eval task asks its items, in a form that can be hashed."""

import inspect
from collections.abc import Mapping
from typing import Any

from lm_eval.api.task import ConfigurableTask

_ASKING = (
    "output_type",
    "use_prompt",
    "description",
    "doc_to_text",
    "doc_to_choice",
    "doc_to_target",
    "process_docs",
    "process_results",
    "gen_prefix",
    "target_delimiter",
    "fewshot_delimiter",
    "num_fewshot",
    "generation_kwargs",
    "filter_list",
)


def describe_template(task: ConfigurableTask) -> dict[str, object]:
    """Everything but the item that decides an item's prompt and how its answer is read: a JSON object.

    The shots are in it as they stand in prompts where they are the same for every item, and by the name of lm-eval's
    sampler where they are drawn.
    """
    config = task.config
    said: dict[str, object] = {key: _plain(getattr(config, key, None)) for key in _ASKING}
    said["version"] = str(task.VERSION)
    said["sampler"] = task.fewshot_cfg.sampler
    shots = config.num_fewshot or 0
    if shots and task.fewshot_cfg.sampler == "first_n":
        said["shots"] = [_plain(shot) for shot in task.sampler.sample(n=shots)]
    return said


def _plain(value: Any) -> object:
    """JSON as it is; a function as its source, which is what changes when lm-eval changes it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if callable(value):
        try:
            return inspect.getsource(value)
        except (OSError, TypeError):
            return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    return value if isinstance(value, str | int | float | bool | None) else str(value)
