"""Asks a model a regression task's items, in batches that can be stored as they come."""

import json
import math
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from lm_eval.api.instance import Instance
from lm_eval.utils import handle_non_serializable, hash_string

from harness.errors import EvaluationError
from harness.evaluation.regression_lm import LoglikelihoodModel, kept_random_state, quiet_lm_eval
from harness.evaluation.regression_tasks import RegressionTask
from harness.records.regression import ItemResult, RegressionItem, TimeEstimate

# What lm-eval seeds its drawing of shots with (`fewshot_random_seed`).
_FEWSHOT_SEED = 1234
_UNIT_CHARS = 16_000  # characters of questions and options asked at a time, of a model that says no other number


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """An item with its requests, one per option, and what each says: (prompt, continuation)."""

    item: RegressionItem
    document: dict[str, Any]
    requests: list[Instance]
    texts: list[tuple[str, str]]


def evaluate_task(
    lm: LoglikelihoodModel, task: RegressionTask, *, done: Collection[str] = (), batch_items: int = 64
) -> Iterator[list[ItemResult]]:
    """Asks every item that is not yet done; the union over interrupted calls is that of one whole call.

    Requests and metrics are lm-eval's own. Items come with equal shots together and long ones first, not in the
    task's order. Global random state is as it was whenever the caller has the word.

    Args:
        lm: What answers. How much it is asked at a time is its `unit_chars`.
        task: What is asked.
        done: Ids of items whose results are kept already. What is asked together does not depend on them, as long as
            whole batches are done.
        batch_items: Most items handed to the model, and given back, at a time.

    Raises:
        EvaluationError: The model gave another number of answers than it was asked for.
    """
    known = frozenset(done)
    for batch in _batches(lm, task, order_items(task), batch_items):
        if left := [item for item in batch if item.item_id not in known]:
            yield _evaluate_batch(lm, task, left)


def _batches(
    lm: LoglikelihoodModel, task: RegressionTask, items: Sequence[RegressionItem], batch_items: int
) -> Iterator[list[RegressionItem]]:
    """Items asked together: of one part, where its shots stand before all of them, and no more than `lm` wants.

    The first item goes alone, so that a first result is seen, and kept, soon.
    """
    most_chars: int = getattr(lm, "unit_chars", _UNIT_CHARS)
    yield from ([item] for item in items[:1])
    batch: list[RegressionItem] = []
    for item in items[1:]:
        is_full = len(batch) == batch_items or sum(one.size_chars for one in batch) >= most_chars
        if batch and (is_full or (task.shots and item.part != batch[0].part)):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def order_items(task: RegressionTask, done: Collection[str] = ()) -> list[RegressionItem]:
    """The items that are left, in the order they are asked: parts with shots stay together, longest items first."""
    known = frozenset(done)
    places = {part: place if task.shots else 0 for place, part in enumerate(task.parts)}
    left = [item for item in task.items if item.item_id not in known]
    return sorted(left, key=lambda item: (places[item.part], -item.size_chars))


def seconds_left(
    lm: LoglikelihoodModel, task: RegressionTask, *, before: Collection[str], done: Collection[str], took_s: float
) -> float:
    """How long the items that are left will take, from what the ones answered so far took.

    Args:
        lm: What answers.
        task: What is asked.
        before: Ids of items that were done before the clock was started.
        done: Ids of all that are done now, more than those.
        took_s: Seconds between the two.
    """
    left = _chars_by_part(lm, task, order_items(task, done))
    return took_s * left / (_chars_by_part(lm, task, order_items(task, before)) - left)


def estimate_seconds(lm: LoglikelihoodModel, task: RegressionTask, *, sample_items: int = 16) -> TimeEstimate:
    """Measures a few items and says how long the whole task would take, these included.

    Two batches are measured, a quarter and three quarters of the way through the order in which items are asked, after
    one item that warms up. Characters stand for tokens: those of question and options, and of the shots before them,
    which a model that holds prefixes computes once a part.
    """
    items = order_items(task)
    most = max(1, sample_items // 2)
    batches = list(_batches(lm, task, items, most))
    if len(batches) > 4:
        batches = [batches[len(batches) // 4], batches[3 * len(batches) // 4]]
    _evaluate_batch(lm, task, items[-1:])
    started = time.perf_counter()
    for batch in batches:
        _evaluate_batch(lm, task, batch)
    measured_s = time.perf_counter() - started
    chars_per_s = sum(_chars(lm, task, batch) for batch in batches) / measured_s
    return TimeEstimate(
        seconds=_chars_by_part(lm, task, items) / chars_per_s,
        items=len(items),
        measured_items=sum(map(len, batches)),
        measured_s=measured_s,
        chars_per_s=chars_per_s,
    )


def _chars_by_part(lm: LoglikelihoodModel, task: RegressionTask, items: Sequence[RegressionItem]) -> int:
    """Characters to be computed for items that are asked a part after another."""
    parts: dict[str, list[RegressionItem]] = {}
    for item in items:
        parts.setdefault(item.part, []).append(item)
    return sum(_chars(lm, task, of_part) for of_part in parts.values())


def _chars(lm: LoglikelihoodModel, task: RegressionTask, items: Sequence[RegressionItem]) -> int:
    """Characters to be computed for items that are asked one after another."""
    parts = [item.part for item in items]
    shown = set(parts) if hasattr(lm, "hold_prefix") else parts
    before = {part: _shots_chars(task, part) for part in set(parts)}
    return sum(item.size_chars for item in items) + sum(before[part] for part in shown)


def _shots_chars(task: RegressionTask, part: str) -> int:
    """Length of what stands before an item of this part: description and shots."""
    item = next(item for item in task.items if item.part == part)
    asked = _ask(task, item)
    alone = task.parts[part].doc_to_text(asked.document)
    return max(0, len(asked.texts[0][0]) - len(str(alone)))


def _evaluate_batch(lm: LoglikelihoodModel, task: RegressionTask, items: Sequence[RegressionItem]) -> list[ItemResult]:
    hold = getattr(lm, "hold_prefix", None)
    with quiet_lm_eval(), kept_random_state():
        if hold is not None:
            hold(task.prefixes.get(items[0].part, "") if task.shots else "")
        asked = [_ask(task, item) for item in items]
        requests = [request for one in asked for request in one.requests]
        answers = lm.loglikelihood(requests, disable_tqdm=True)
        if len(answers) != len(requests):
            raise EvaluationError(
                f"{task.name}: {len(requests)} requests, {len(answers)} answers from {type(lm).__name__}. "
                "This is a defect of that model class."
            )
        results: list[ItemResult] = []
        for one in asked:
            own, answers = answers[: len(one.requests)], answers[len(one.requests) :]
            results.append(_result(lm, task, one, own))
        return results


def _ask(task: RegressionTask, item: RegressionItem) -> _Asked:
    part = task.parts[item.part]
    document = part.eval_docs[item.index]
    if (prefix := task.prefixes.get(item.part)) is not None:
        context = prefix + part.doc_to_text(document)
    else:
        # Each item draws its shots from the same start, so that what it is shown does not depend on resuming.
        part.set_fewshot_seed(seed=_FEWSHOT_SEED)
        context = part.fewshot_context(document, num_fewshot=task.shots, gen_prefix=part.doc_to_prefix(document))
    built = part.construct_requests(doc=document, ctx=context, metadata=(item.part, item.index, 1))
    requests: list[Instance] = built if isinstance(built, list) else [built]
    texts = [cast("tuple[str, str]", request.args) for request in requests]
    return _Asked(item=item, document=document, requests=requests, texts=texts)


def _result(
    lm: LoglikelihoodModel, task: RegressionTask, asked: _Asked, answers: Sequence[tuple[float, bool]]
) -> ItemResult:
    part = task.parts[asked.item.part]
    options = part.doc_to_choice(asked.document) if part.OUTPUT_TYPE == "multiple_choice" else [asked.texts[0][1]]
    target = part.doc_to_target(asked.document)
    texts = asked.texts[: len(options)]
    loglikelihoods = [float(value) for value, _ in answers]
    broken = [value for value in loglikelihoods if not math.isfinite(value)]
    gold = _gold(target, options)
    values: dict[str, float] = {}
    if not broken:
        computed = part.process_results(asked.document, list(answers))
        values = {name: float(value) for name, value in computed.items() if isinstance(value, int | float)}
        if gold is not None:
            values["loglik_per_byte"] = loglikelihoods[gold] / len(texts[gold][1].encode())
    return ItemResult(
        item_id=asked.item.item_id,
        item_hash=asked.item.item_hash,
        stratum=asked.item.stratum,
        group=asked.item.group,
        gold=gold,
        loglikelihoods=tuple(value if math.isfinite(value) else None for value in loglikelihoods),
        greedy=tuple(bool(greedy) for _, greedy in answers),
        option_chars=tuple(len(option) for option in options),
        option_bytes=tuple(len(continuation.encode()) for _, continuation in texts),
        values=values,
        doc_hash=_document_hash(asked.document),
        prompt_hash=hash_string(asked.texts[0][0]),
        target_hash=hash_string(str(target)),
        truncated=any(_is_cut(lm, prompt + continuation) for prompt, continuation in texts),
        error=f"log-likelihood is {broken[0]}" if broken else None,
    )


def _gold(target: object, options: Sequence[str]) -> int | None:
    if isinstance(target, int) and 0 <= target < len(options):
        return target
    if isinstance(target, str) and target in options:
        return list(options).index(target)
    return None


def _document_hash(document: dict[str, Any]) -> str:
    """As lm-eval makes `doc_hash` of a logged sample."""
    return hash_string(json.dumps(document, indent=2, default=handle_non_serializable, ensure_ascii=False))


def _is_cut(lm: Any, text: str) -> bool:
    """Whether lm-eval drops the beginning of this prompt and continuation to fit the model's context."""
    longest, encode = getattr(lm, "max_length", None), getattr(lm, "tok_encode", None)
    # A token is at least one byte, so that short texts need not be encoded again.
    if longest is None or encode is None or len(text.encode()) <= longest:
        return False
    return len(encode(text)) > longest + 1
