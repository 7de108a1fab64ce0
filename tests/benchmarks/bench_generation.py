"""Greedy answers to a golden set after shared shots, against transformers' padded `generate`: ratios in one process."""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from scoring_measures import load

from harness.models.generate import generate_padded
from harness.models.load import LoadedModel
from harness.models.prefix import PrefixScorer
from harness.pipeline.answer import ready_to_answer
from harness.pipeline.prepare import prepare

EXPERIMENT = Path(__file__).parents[2] / "suites" / "experiments" / "icd10_coding"


def main() -> None:
    """Prints a row a number format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--new-tokens", type=int, default=24)
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    prepared = prepare(EXPERIMENT)
    system = prepared.experiment.systems["few_shot"]
    columns = ("answers", "prompt tokens", "time, padded / prefix", "processor time, padded / prefix", "same tokens")
    print(f"| number format | {' | '.join(columns)} |\n|{' --- |' * (len(columns) + 1)}")  # noqa: T201
    for dtype in asked.dtypes.split(","):
        loaded = load(dtype)
        local = ready_to_answer(prepared, system, loaded)
        prompts = [local.prompt_ids(item.input) for item in prepared.golden_set.items[: asked.prompts]]
        scorer = PrefixScorer(loaded.model)

        def shared(scorer: PrefixScorer = scorer, prompts: list[list[int]] = prompts) -> list[list[int]]:
            return scorer.complete(prompts, max_new_tokens=asked.new_tokens, ends=())

        def padded(loaded: LoadedModel = loaded, prompts: list[list[int]] = prompts) -> list[list[int]]:
            return generate_padded(loaded, prompts, max_new_tokens=asked.new_tokens, ends=())

        times = [(_timed(shared), _timed(padded)) for _ in range(2)]
        ratios = [statistics.median(b[one] / a[one] for a, b in times) for one in (0, 1)]
        same = sum(a == b for a, b in zip(shared(), padded(), strict=True))
        cells = (
            len(prompts),
            sum(map(len, prompts)),
            f"{ratios[0]:.2f}",
            f"{ratios[1]:.2f}",
            f"{same} of {len(prompts)}",
        )
        print(f"| {dtype} | {' | '.join(map(str, cells))} |", flush=True)  # noqa: T201


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
