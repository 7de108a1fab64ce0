"""What the benchmarks of scoring measure with: requests, matrix rates, arithmetic, and both engines."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from lm_eval.models.huggingface import HFLM
from torch.profiler import ProfilerActivity, profile

from harness.config.regression import SuiteTask
from harness.evaluation.prefix_lm import PrefixLM
from harness.evaluation.regression import evaluate_task
from harness.evaluation.regression_lm import quiet_lm_eval
from harness.evaluation.regression_tasks import RegressionTask, load_task
from harness.models.load import LoadedModel, load_model
from harness.models.prefix_requests import Requests
from harness.models.source import find_model

MODEL = "smollm2-135m-instruct"
SUBJECTS = (
    "abstract_algebra", "anatomy", "astronomy", "business_ethics", "high_school_geography", "world_religions",
)  # fmt: skip
BATCH_SIZES = (1, 2, 4, 8, 16, 32)
SAMPLE_CHARS = 40_000
KINDS = {
    "aten::mm": "products",
    "aten::addmm": "products",
    "aten::bmm": "products",
    "aten::_scaled_dot_product_flash_attention_for_cpu": "attention",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Items of one task: `items` of each MMLU subject, or of HellaSwag."""

    task: str
    shots: int
    items: int
    subjects: int = 0

    @property
    def name(self) -> str:
        what = f"MMLU, {self.subjects} x {self.items}" if self.task == "mmlu" else f"HellaSwag, {self.items}"
        return f"{what} items, {self.shots}-shot"


class Recorder:
    """Answers nothing, and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        self.requests += requests
        return [(0.0, False)] * len(requests)


@dataclass(frozen=True, kw_only=True, slots=True)
class Took:
    """Seconds by the clock and of the processor, and what was answered."""

    wall_s: float
    cpu_s: float
    answers: list[tuple[float, bool]]


def load(dtype: str) -> LoadedModel:
    return load_model(find_model(MODEL), device="cpu", dtype=dtype, trust_remote_code=False, say=lambda text: None)


def requests_of(case: Case) -> list[Any]:
    """lm-eval's requests for the case's items, spread evenly over each subject or the whole task."""
    task = load_task(SuiteTask(task=case.task, shots=case.shots))
    names = [f"mmlu_{subject}" for subject in SUBJECTS[: case.subjects]] or ["hellaswag"]
    items = [item for name in names for item in _spread([i for i in task.items if i.part == name], case.items)]
    recorder = Recorder()
    asked: RegressionTask = replace(task, items=tuple(items))
    for _ in evaluate_task(recorder, asked):
        pass
    return recorder.requests


def _spread(items: Sequence[Any], count: int) -> list[Any]:
    return [items[number * len(items) // count] for number in range(count)]


def make(kind: Any, loaded: LoadedModel, **named: Any) -> Any:
    with quiet_lm_eval():
        return kind(pretrained=loaded.model, tokenizer=loaded.tokenizer, **named)


def make_prefix(loaded: LoadedModel) -> PrefixLM:
    lm = make(PrefixLM, loaded)
    assert lm.scorer.way == "packed"
    return lm


def ask(lm: Any, requests: Sequence[Any], *, forget: bool = True) -> Took:
    """Times one whole call. What `PrefixLM` joined before is forgotten first: encoding is part of the time."""
    if isinstance(lm, PrefixLM) and forget:
        lm._joined.clear()
    with quiet_lm_eval():
        wall, cpu = time.perf_counter(), time.process_time()
        answers = lm.loglikelihood(list(requests), disable_tqdm=True)
        return Took(wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu, answers=answers)


@dataclass(frozen=True, kw_only=True, slots=True)
class BestHf:
    """lm-eval's `hf` with a batch size, and its answers' largest difference in nats from those with another one."""

    lm: Any
    batch_size: int
    own_difference: float


def best_hf(loaded: LoadedModel, requests: Sequence[Any]) -> BestHf:
    """The batch size with which `hf` takes the least time for a sample of the requests."""
    wanted = min(48, max(12, SAMPLE_CHARS * len(requests) // chars(requests)))
    sample = requests[:: max(1, len(requests) // wanted)]
    took: dict[int, Took] = {}
    for size in (size for size in BATCH_SIZES if size <= len(sample)):
        took[size] = ask(make(HFLM, loaded, batch_size=size), sample)
        if took[size].wall_s > 1.3 * min(one.wall_s for one in took.values()):
            break
    size = min(took, key=lambda one: took[one].wall_s)
    best = took.pop(size).answers
    return BestHf(
        lm=make(HFLM, loaded, batch_size=size),
        batch_size=size,
        own_difference=max(
            abs(a - b) for other in took.values() for (a, _), (b, _) in zip(best, other.answers, strict=True)
        ),
    )


def chars(requests: Sequence[Any]) -> int:
    """Characters of all prompts and continuations."""
    return sum(len(text) for request in requests for text in request.args)


def largest_matrix_rate(dtype: torch.dtype) -> float:
    """FLOP/s of the fastest of some large square products, in this process, now."""
    best = 0.0
    for size in (1024, 2048, 4096):
        one, other = (torch.randn(size, size).to(dtype) for _ in range(2))
        best = max(best, 2 * size**3 / fastest(lambda one=one, other=other: one @ other))
    return best


def fastest(work: Callable[[], object], rounds: int = 4) -> float:
    """The least of several times, in seconds, after one that warms up."""
    times: list[float] = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times[1:])


@dataclass(frozen=True, kw_only=True, slots=True)
class Flops:
    """Floating-point operations of computing a tree once: matrix products of layers and head, and attention."""

    products: float
    attention: float


def arithmetic(model: Any, requests: Requests) -> Flops:
    """What their tree takes if every distinct token is computed once, and the head only where it is asked."""
    tree = requests.tree
    scored = {
        (tree.leaf_of[number], tree.lengths[number] - back)
        for number, targets in enumerate(requests.targets)
        for back in range(len(targets))
    }
    config = model.config
    linear = sum(m.weight.numel() for m in model.model.layers.modules() if isinstance(m, torch.nn.Linear))
    attended = sum((node.start + node.stop + 1) * len(node.tokens) / 2 for node in tree.nodes)
    heads = config.num_attention_heads * (
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )
    head = 2 * config.hidden_size * config.vocab_size * len(scored)
    return Flops(products=2 * linear * tree.tokens + head, attention=4 * heads * config.num_hidden_layers * attended)


def seconds_by_operation(work: Callable[[], object]) -> dict[str, float]:
    """Seconds of the calling thread within matrix products, within attention, and in all else, by torch's profiler."""
    started = time.perf_counter()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        work()
        total = time.perf_counter() - started
    within = {"products": 0.0, "attention": 0.0}
    for event in profiler.key_averages():
        kind = KINDS.get(str(event.key))
        if kind:
            within[kind] += event.self_cpu_time_total / 1e6
    return {**within, "rest": total - sum(within.values())}
