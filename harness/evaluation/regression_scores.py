"""From what a model answered to scores, and to the key under which an evaluation is kept."""

from collections.abc import Iterable

from harness.evaluation.regression_lm import LoglikelihoodModel, engine_of
from harness.evaluation.regression_tasks import RegressionTask
from harness.records.regression import EvaluationInputs, ItemResult
from harness.records.scores import Score


def scores_of(task: RegressionTask, results: Iterable[ItemResult]) -> list[Score]:
    """One score per result and metric of the task; `failed` where the model gave no usable answer.

    `Score.task` is `regression/<task>`, so that `Score.metric` is `regression/mmlu/acc` and the like.
    """
    return [_score(result, *metric.name.rsplit("/", 1)) for result in results for metric in task.metrics]


def evaluation_inputs(
    task: RegressionTask, lm: LoglikelihoodModel, *, weights: str, adapter_sha256: str | None, dtype: str
) -> EvaluationInputs:
    """What the evaluation of one set of weights on `task` depends on; its `key` is what it is kept under.

    Args:
        weights: Content identity of the base model (`ModelSource.identity`).
        adapter_sha256: Content hash of the adapter; None for the base model itself.
        dtype: Such as `bfloat16`, or the name of a quantisation.
    """
    return EvaluationInputs(
        weights=weights,
        adapter_sha256=adapter_sha256,
        task=task.name,
        shots=task.shots,
        template_sha256=task.template_sha256,
        items_sha256=task.items_sha256,
        dtype=dtype,
        engine=engine_of(lm),
    )


def evaluation_key(
    task: RegressionTask, lm: LoglikelihoodModel, *, weights: str, adapter_sha256: str | None, dtype: str
) -> str:
    """Content hash of `evaluation_inputs`, 64 hexadecimal digits."""
    return evaluation_inputs(task, lm, weights=weights, adapter_sha256=adapter_sha256, dtype=dtype).key


def _score(result: ItemResult, task: str, scorer: str) -> Score:
    value = result.values.get(scorer)
    error = result.error or (f"lm-eval gave no {scorer}" if value is None else None)
    return Score(
        task=task,
        item_id=result.item_id,
        item_hash=result.item_hash,
        scorer=scorer,
        value=None if error else value,
        status="failed" if error else "scored",
        group=result.group,
        stratum=result.stratum,
        detail=error or _detail(result),
    )


def _detail(result: ItemResult) -> str | None:
    """Which option was chosen, so that a flip can be read without the log-likelihoods."""
    if result.chosen is None or result.gold is None or len(result.loglikelihoods) < 2:
        return None
    return f"chose {_letter(result.chosen)}, right {_letter(result.gold)}"


def _letter(option: int) -> str:
    return chr(ord("A") + option) if option < 26 else str(option + 1)
