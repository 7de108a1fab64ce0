"""Tasks by lm-eval's own names: their data comes from the Hugging Face hub or its local cache."""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks import TaskManager

from harness.errors import EvaluationError
from harness.evaluation.regression_template import describe_template
from harness.hashing import content_hash
from harness.records.regression import RegressionItem
from harness.records.scores import Metric

_OUTPUT_TYPES = ("multiple_choice", "loglikelihood")
_ACCURACIES = ("acc", "acc_norm", "acc_bytes", "exact_match")


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedTask:
    """An lm-eval task or group, with its items in the order of its parts."""

    parts: Mapping[str, ConfigurableTask]
    items: tuple[RegressionItem, ...]
    metrics: tuple[Metric, ...]
    template_sha256: str


def load_named(name: str, shots: int) -> NamedTask:
    """Loads a task or group of tasks that lm-eval ships, with its data.

    Raises:
        EvaluationError: lm-eval does not know the name, the data cannot be had, or the task is answered with free text.
    """
    manager = TaskManager()
    if name not in manager.all_tasks:
        near = difflib.get_close_matches(name, manager.all_tasks, n=1)
        hint = f'did you mean "{near[0]}"?' if near else "`lm-eval ls tasks` lists its names."
        raise EvaluationError(f'task "{name}" is neither mmlu, hellaswag nor a task of lm-eval; {hint}')
    try:
        parts = manager.load([name])["tasks"]
    except ImportError as missing:
        raise EvaluationError(
            f"task {name} needs a package that is not installed: {str(missing).rstrip('.')}. "
            "Install it, or choose another task."
        ) from missing
    except (OSError, ValueError, RuntimeError) as problem:
        # ConnectionError, OfflineModeIsEnabled, DatasetNotFoundError and the hub's HTTP errors are all of these.
        first_line = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise EvaluationError(
            f"task {name} needs its data from the Hugging Face hub, which cannot be had: {first_line.rstrip('.')}. "
            "Connect to the hub once (the data then stays in its cache), or use a task that ships with harness: "
            "mmlu, hellaswag."
        ) from problem
    return describe_named(name, {part: _checked(name, task) for part, task in parts.items()}, shots)


def describe_named(name: str, parts: Mapping[str, ConfigurableTask], shots: int) -> NamedTask:
    """Items, metrics and template of lm-eval tasks that are loaded already; sets their number of shots.

    `chance` is the mean over items of one over the number of options, where a task has options.
    """
    items: list[RegressionItem] = []
    templates: dict[str, str] = {}
    guesses: list[float] = []
    values: dict[str, bool] = {}
    for part, task in parts.items():
        task.set_config(key="num_fewshot", value=shots)
        template = templates[part] = content_hash(describe_template(task))
        documents = cast("Iterable[Any]", task.eval_docs)
        for index, document in enumerate(documents):
            text, target = task.doc_to_text(document), task.doc_to_target(document)
            options = task.doc_to_choice(document) if task.OUTPUT_TYPE == "multiple_choice" else []
            guesses += [1 / len(options)] if options else []
            items.append(
                RegressionItem(
                    item_id=f"{name}/{index}" if part == name else f"{name}/{part}/{index}",
                    item_hash=content_hash([template, str(text), options, str(target)]),
                    part=part,
                    index=index,
                    stratum=None if part == name else part,
                    group=None,
                    size_chars=len(str(text)) + sum(map(len, options)),
                )
            )
        values |= task.higher_is_better()
    chance = math.fsum(guesses) / len(guesses) if guesses and len(guesses) == len(items) else None
    return NamedTask(
        parts=parts,
        items=tuple(items),
        metrics=tuple(_metric(name, value, bool(higher), chance) for value, higher in values.items()),
        template_sha256=content_hash(templates),
    )


def _checked(name: str, task: Any) -> ConfigurableTask:
    output_type = getattr(task, "OUTPUT_TYPE", None)
    if not isinstance(task, ConfigurableTask) or output_type not in _OUTPUT_TYPES:
        raise EvaluationError(
            f"task {name} is answered with {output_type}; a regression suite takes {' and '.join(_OUTPUT_TYPES)}. "
            "Choose another task, or put its questions into a golden set."
        )
    return task


def _metric(name: str, value: str, higher: bool, chance: float | None) -> Metric:
    is_accuracy = value in _ACCURACIES
    return Metric(
        name=f"regression/{name}/{value}",
        kind="binary" if is_accuracy else "graded",
        direction="higher_is_better" if higher else "lower_is_better",
        minimum=0.0 if is_accuracy else None,
        maximum=1.0 if is_accuracy else None,
        chance=chance if is_accuracy else None,
        description=f"lm-eval's {value} on {name}",
    )
