import math
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import lm_eval
import numpy as np
import peft
import pytest
import torch
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import LlamaConfig, LlamaForCausalLM

from harness.config.regression import Subset, SuiteTask
from harness.decision.values import collect_values
from harness.errors import EvaluationError
from harness.evaluation.regression import estimate_seconds, evaluate_task, order_items, seconds_left
from harness.evaluation.regression_lm import build_lm, engine_of
from harness.evaluation.regression_named import describe_named
from harness.evaluation.regression_scores import evaluation_inputs, evaluation_key, scores_of
from harness.evaluation.regression_tasks import RegressionTask, load_task
from harness.models.load import LoadedModel, load_model
from harness.models.source import find_model
from harness.records.regression import Engine, ItemResult

MODEL = "smollm2-135m-instruct"


@pytest.fixture(scope="module")
def real() -> LoadedModel:
    return load_model(find_model(MODEL), device="cpu", dtype="float32", trust_remote_code=False, say=lambda _: None)


@pytest.fixture(scope="module")
def tiny(real: LoadedModel) -> LoadedModel:
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=real.model.config.vocab_size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.4,
    )
    return LoadedModel(
        source=real.source,
        model=LlamaForCausalLM(config).eval(),
        tokenizer=real.tokenizer,
        device=torch.device("cpu"),
        dtype=torch.float32,
        template_name="own",
    )


def subset(task: str, shots: int, items: int, strata: tuple[Any, ...] = ()) -> RegressionTask:
    return load_task(SuiteTask(task=task, shots=shots, subset=Subset(items=items, seed=3, stratify_by=strata)))


def shortest(task: RegressionTask, items: int) -> RegressionTask:
    """So that the tests are quick: the tiny model's vocabulary is as large as the real one's."""
    return replace(task, items=tuple(sorted(task.items, key=lambda item: item.size_chars)[:items]))


@pytest.fixture(scope="module")
def mmlu() -> RegressionTask:
    return shortest(subset("mmlu", 5, 60), 10)


@pytest.fixture(scope="module")
def hellaswag() -> RegressionTask:
    return shortest(subset("hellaswag", 0, 60, ("source",)), 12)


def every(lm: Any, task: RegressionTask, **settings: Any) -> dict[str, ItemResult]:
    return {result.item_id: result for batch in evaluate_task(lm, task, **settings) for result in batch}


def held_against_lm_eval(loaded: LoadedModel, tasks: list[RegressionTask], *, within: float) -> None:
    """Runs lm-eval's own `simple_evaluate` and `hf` model once over the same items and compares item by item."""
    lm = build_lm(loaded)
    backend: Any = HFLM
    hf = backend(pretrained=loaded.model, tokenizer=loaded.tokenizer, batch_size=4)
    ours = {(item.part, item.index): item.item_id for task in tasks for item in task.items}
    results = {item_id: result for task in tasks for item_id, result in every(lm, task).items()}
    chosen: dict[str, list[int]] = {}
    for part, index in sorted(ours):
        chosen.setdefault(part, []).append(index)
    parts = {name: part for task in tasks for name, part in task.parts.items() if name in chosen}
    theirs = lm_eval.simple_evaluate(
        model=hf,
        tasks=list(parts.values()),
        samples=chosen,
        bootstrap_iters=0,
        log_samples=True,
        task_manager=TaskManager(include_defaults=False),
    )
    assert theirs is not None
    samples = [(part, sample) for part, rows in theirs["samples"].items() for sample in rows]
    assert len(samples) == len(ours) == len(results)
    for part, sample in samples:
        result = results[ours[part, sample["doc_id"]]]
        assert (result.values["acc"], result.values["acc_norm"]) == (sample["acc"], sample["acc_norm"])
        for key in ("doc_hash", "prompt_hash", "target_hash"):
            assert getattr(result, key) == sample[key]
        likelihoods, greedy = zip(*sample["filtered_resps"], strict=True)
        assert result.loglikelihoods == pytest.approx(likelihoods, abs=within)
        assert result.greedy == greedy
    for metric in ("acc", "acc_norm"):
        weighted = sum(theirs["results"][part][f"{metric},none"] * len(rows) for part, rows in chosen.items())
        assert sum(result.values[metric] for result in results.values()) == pytest.approx(weighted)


def test_a_tiny_model_scores_item_by_item_what_lm_eval_says(
    tiny: LoadedModel, mmlu: RegressionTask, hellaswag: RegressionTask
) -> None:
    held_against_lm_eval(tiny, [mmlu, hellaswag], within=1e-4)


@pytest.mark.parametrize("with_adapter", [False, True], ids=["base", "adapter"])
def test_the_real_model_scores_item_by_item_what_lm_eval_says(real: LoadedModel, with_adapter: bool) -> None:
    tasks = [shortest(subset("mmlu", 0, 60), 10), shortest(subset("hellaswag", 0, 60, ("answer",)), 8)]
    model = with_lora(real.model) if with_adapter else real.model
    held_against_lm_eval(replace(real, model=model), tasks, within=1e-4)
    if with_adapter:
        model.unload()


def with_lora(model: Any) -> Any:
    """An adapter that changes what the model says: PEFT's own starting weights would not."""
    wrapped = peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    torch.manual_seed(3)
    for name, weights in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.02)
    return wrapped.eval()


def test_an_interrupted_task_goes_on_where_it_was(tiny: LoadedModel, hellaswag: RegressionTask) -> None:
    lm = build_lm(tiny)
    whole = every(lm, hellaswag)
    batches = evaluate_task(lm, hellaswag, batch_items=3)
    first = {result.item_id: result for _ in range(3) for result in next(batches)}
    rest = every(lm, hellaswag, done=first.keys(), batch_items=3)
    assert len(first) == 1 + 3 + 3  # the first item goes alone
    assert not first.keys() & rest.keys()
    assert (first | rest).keys() == whole.keys()
    for item_id, result in (first | rest).items():
        assert result.values == pytest.approx(whole[item_id].values, abs=1e-5)
    assert list(evaluate_task(lm, hellaswag, done=whole.keys())) == []


def test_global_random_state_is_left_as_it_was(tiny: LoadedModel, hellaswag: RegressionTask) -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    def seed() -> None:
        random.seed(5)
        np.random.seed(5)
        torch.manual_seed(5)

    seed()
    expected = draw()
    seed()
    next(evaluate_task(build_lm(tiny), hellaswag, batch_items=2))
    assert draw() == expected


def test_scores_carry_the_metrics_that_policies_name(
    tiny: LoadedModel, mmlu: RegressionTask, hellaswag: RegressionTask
) -> None:
    for task in (mmlu, hellaswag):
        results = list(every(build_lm(tiny), task).values())
        scores = scores_of(task, results)
        assert {score.metric for score in scores} == {metric.name for metric in task.metrics}
        assert len(scores) == len(results) * len(task.metrics)
        for metric in task.metrics:
            assert len(collect_values(metric, [score for score in scores if score.metric == metric.name])) == len(
                results
            )
        by_id = {item.item_id: item for item in task.items}
        assert all((s.group, s.stratum) == (by_id[s.item_id].group, by_id[s.item_id].stratum) for s in scores)
    assert {score.status for score in scores} == {"scored"}
    assert scores[0].detail is not None
    assert scores[0].detail.startswith("chose ")


def test_loglik_per_byte_is_that_of_the_true_ending(tiny: LoadedModel, hellaswag: RegressionTask) -> None:
    for result in every(build_lm(tiny), hellaswag).values():
        assert result.gold is not None
        likelihood = result.loglikelihoods[result.gold]
        assert likelihood is not None
        assert result.values["loglik_per_byte"] == likelihood / result.option_bytes[result.gold] < 0


class Fake:
    """Answers every request with the same log-likelihood."""

    def __init__(self, value: float, *, lost: int = 0) -> None:
        self.value, self.lost = value, lost

    def loglikelihood(self, requests: Any, disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        return [(self.value, False)] * (len(requests) - self.lost)


def test_a_model_that_gives_nan_fails_its_items_instead_of_answering(hellaswag: RegressionTask) -> None:
    results = list(every(Fake(math.nan), hellaswag).values())
    assert {result.error for result in results} == {"log-likelihood is nan"}
    scores = scores_of(hellaswag, results)
    assert {(score.status, score.value) for score in scores} == {("failed", None)}


def test_a_model_that_loses_answers_is_an_error(hellaswag: RegressionTask) -> None:
    with pytest.raises(EvaluationError, match="4 requests, 3 answers from Fake"):
        every(Fake(-1.0, lost=1), hellaswag)


def test_a_prompt_that_does_not_fit_is_marked(tiny: LoadedModel, hellaswag: RegressionTask) -> None:
    lm = build_lm(tiny)
    assert not any(result.truncated for result in every(lm, hellaswag).values())
    lm._max_length = 48
    cut = every(lm, hellaswag)
    assert 0 < sum(result.truncated for result in cut.values()) <= 12


def test_a_task_of_lm_eval_with_drawn_shots_does_not_depend_on_what_was_done(tiny: LoadedModel) -> None:
    rows = [{"q": f"Is {index} odd?", "options": ["yes", "no"], "label": (index + 1) % 2} for index in range(12)]
    part = ConfigurableTask(
        config={
            "task": "own",
            "custom_dataset": lambda **_: {"test": datasets.Dataset.from_list(rows)},
            "test_split": "test",
            "fewshot_split": "test",
            "output_type": "multiple_choice",
            "doc_to_text": "{{q}}",
            "doc_to_choice": "options",
            "doc_to_target": "label",
        }
    )
    named = describe_named("own", {"own": part}, shots=3)
    task = RegressionTask(
        name="own",
        shots=3,
        metrics=named.metrics,
        template_sha256=named.template_sha256,
        items=named.items,
        whole_items=12,
        parts=named.parts,
        prefixes={},
    )
    lm = build_lm(tiny)
    whole = every(lm, task)
    rest = every(lm, task, done=[f"own/{index}" for index in range(5)])
    assert {i: r.prompt_hash for i, r in rest.items()} == {i: whole[i].prompt_hash for i in rest}
    assert {score.metric for score in scores_of(task, whole.values())} == {
        "regression/own/acc",
        "regression/own/acc_norm",
    }


def test_items_with_the_same_shots_are_asked_together_and_long_ones_first(mmlu: RegressionTask) -> None:
    parts = [item.part for item in order_items(mmlu)]
    assert len({part for place, part in enumerate(parts) if parts[place - 1] != part}) == len(set(parts))
    without_shots = order_items(subset("mmlu", 0, 10))
    assert [item.size_chars for item in without_shots] == sorted((i.size_chars for i in without_shots), reverse=True)


def test_the_key_depends_on_everything_that_changes_scores_and_on_no_name(
    mmlu: RegressionTask, hellaswag: RegressionTask
) -> None:
    said: dict[str, Any] = {"weights": "w", "adapter_sha256": None, "dtype": "float32"}
    lm = Fake(0.0)
    keys = [evaluation_key(task, lm, **said) for task in (mmlu, hellaswag, subset("mmlu", 0, 10), subset("mmlu", 5, 9))]
    keys += [evaluation_key(mmlu, lm, **{**said, name: "other"}) for name in said]
    other_engine = Fake(0.0)
    other_engine.engine = Engine(name="prefix", version="1")  # pyright: ignore[reportAttributeAccessIssue]
    keys.append(evaluation_key(mmlu, other_engine, **said))
    assert len(set(keys)) == len(keys) == 8
    assert evaluation_key(load_same(mmlu), lm, **said) == keys[0] == evaluation_inputs(mmlu, lm, **said).key


def load_same(task: RegressionTask) -> RegressionTask:
    return shortest(subset(task.name, task.shots, 60), len(task.items))


def test_the_engine_is_named_with_its_version(tiny: LoadedModel) -> None:
    assert engine_of(build_lm(tiny)) == Engine(name="harness-prefix", version="1")


class Slow(Fake):
    """Takes a fixed time for every character it is shown."""

    def loglikelihood(self, requests: Any, disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        time.sleep(sum(len(prompt) + len(ending) for prompt, ending in (request.args for request in requests)) * 4e-6)
        return super().loglikelihood(requests)


def test_the_time_estimate_is_that_of_the_whole_task_or_of_what_is_left() -> None:
    task = subset("hellaswag", 0, 60)
    estimate = estimate_seconds(Slow(-1.0), task)
    started = time.perf_counter()
    results = every(Slow(-1.0), task)
    taken_s = time.perf_counter() - started
    assert (estimate.items, estimate.measured_items) == (60, 16)
    assert taken_s / 3 < estimate.seconds < taken_s * 3
    half = list(results)[:30]
    chars = {item.item_id: item.size_chars for item in task.items}
    left, answered = sum(chars[one] for one in chars.keys() - set(half)), sum(chars[one] for one in half[5:])
    left_s = seconds_left(Slow(-1.0), task, before=half[:5], done=half, took_s=10.0)
    assert left_s == pytest.approx(10.0 * left / answered)
    assert seconds_left(Slow(-1.0), task, before=(), done=results.keys(), took_s=1.0) == 0


def test_the_suites_are_not_loaded_by_the_command_line() -> None:
    script = "import sys, harness.config.regression, harness.records.regression; print('lm_eval' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.strip() == "False"
