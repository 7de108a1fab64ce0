"""Scoring with shared prefixes against lm-eval's `hf` with its best batch size: ratios in one process, interleaved.

Without arguments a quick form on few items; `--full` takes the sizes of the table in README.md, and about two hours.
`--threads 1` and the ratio of processor time are the figures to read on a machine that does other work as well.
"""

import argparse
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import peft
import torch
from scoring_measures import (
    Case,
    Took,
    arithmetic,
    ask,
    best_hf,
    largest_matrix_rate,
    load,
    make,
    make_prefix,
    requests_of,
)

QUICK = (
    Case(task="mmlu", shots=5, items=10, subjects=2),
    Case(task="hellaswag", shots=0, items=12),
    Case(task="hellaswag", shots=10, items=4),
)
FULL = (
    Case(task="mmlu", shots=5, items=100, subjects=6),
    Case(task="hellaswag", shots=0, items=200),
    Case(task="hellaswag", shots=10, items=200),
)
ADAPTERS = (1, 4, 16)


def main() -> None:
    """Prints a table a number format, then one of adapters."""
    asked = _arguments()
    torch.set_num_threads(asked.threads)
    cases = list(FULL if asked.full else QUICK)
    if asked.sizes:
        cases = [
            Case(task=case.task, shots=case.shots, items=int(items), subjects=case.subjects and asked.subjects)
            for case, items in zip(cases, asked.sizes.split(","), strict=True)
            if int(items)
        ]
    if asked.peak:
        _print_peak(asked.peak, asked.dtypes, cases[0], asked.batch_size)
        return
    for dtype in asked.dtypes.split(","):
        _scoring(dtype, cases, asked)
    if asked.adapters:
        _adapters(asked.dtypes.split(",")[-1], cases[1] if len(cases) > 1 else cases[0])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--sizes", help="items of the three cases, such as 20,24,0; 0 leaves one out")
    parser.add_argument("--subjects", type=int, default=6, help="MMLU subjects, with --sizes")
    parser.add_argument("--no-adapters", dest="adapters", action="store_false")
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument("--peak", choices=("prefix", "hf"), help=argparse.SUPPRESS)
    parser.add_argument("--batch-size", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args()


def _scoring(dtype: str, cases: Sequence[Case], asked: argparse.Namespace) -> None:
    loaded = load(dtype)
    _head(f"Scoring, {dtype}, {asked.threads} threads", COLUMNS)
    for case in cases:
        requests = requests_of(case)
        prefix = make_prefix(loaded)
        hf, size = best_hf(loaded, requests)
        ours, theirs = [], []
        for _ in range(asked.rounds):
            ours.append(ask(prefix, requests))
            theirs.append(ask(hf, requests))
        counts, rounds = prefix.scorer.counts, asked.rounds
        joined = next(iter(prefix._joined.values()))
        positions = len(
            {
                (joined.tree.leaf_of[n], joined.tree.lengths[n] - k)
                for n, t in enumerate(joined.targets)
                for k in range(len(t))
            }
        )
        flops = arithmetic(loaded.model, joined.tree, positions)
        rate = largest_matrix_rate(loaded.dtype)
        fastest_s = min(one.wall_s for one in ours)
        difference, flips = _compare(ours[-1], theirs[-1])
        _row(
            case.name,
            size,
            f"{statistics.median(one.wall_s for one in theirs) / statistics.median(one.wall_s for one in ours):.2f}",
            f"{statistics.median(one.cpu_s for one in theirs) / statistics.median(one.cpu_s for one in ours):.2f}",
            f"{counts.computed / rounds / fastest_s:,.0f}",
            f"{counts.computed / counts.distinct:.3f}",
            f"{flops / fastest_s / 1e9:.0f} of {rate / 1e9:.0f} ({100 * flops / fastest_s / rate:.0f} %)",
            f"{difference:.1e}",
            flips,
            _memory(dtype, case, size, asked) if asked.memory else "",
        )


COLUMNS = (
    "items", "batch of hf", "time, hf / prefix", "processor time, hf / prefix", "tokens/s",
    "computed / distinct", "GFLOP/s of the largest product", "largest difference (nats)", "greedy flags that differ",
    "peak memory, prefix / hf (MB)",
)  # fmt: skip


def _compare(ours: Took, theirs: Took) -> tuple[float, int]:
    pairs = list(zip(ours.answers, theirs.answers, strict=True))
    return max(abs(a[0] - b[0]) for a, b in pairs), sum(a[1] != b[1] for a, b in pairs)


def _memory(dtype: str, case: Case, size: int, asked: argparse.Namespace) -> str:
    """The high-water mark of a process that does nothing but load the model and answer the requests."""
    sizes = ",".join(str(case.items) if one.task == case.task and one.shots == case.shots else "0" for one in QUICK)
    said: list[str] = []
    for kind in ("prefix", "hf"):
        command = [sys.executable, __file__, "--peak", kind, "--dtypes", dtype, "--batch-size", str(size)]
        command += ["--sizes", sizes, "--subjects", str(case.subjects or 1), "--threads", str(asked.threads)]
        said.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])
    return " / ".join(said)


def _print_peak(kind: str, dtype: str, case: Case, size: int) -> None:
    from lm_eval.models.huggingface import HFLM

    loaded, requests = load(dtype), requests_of(case)
    ask(make_prefix(loaded) if kind == "prefix" else make(HFLM, loaded, batch_size=size), requests)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)  # noqa: T201


def _adapters(dtype: str, case: Case) -> None:
    """One base, adapters in turn: the second one and those after it find everything encoded and joined."""
    loaded, requests = load(dtype), requests_of(case)
    base = loaded.model
    prefix = make_prefix(loaded)
    alone = ask(prefix, requests)
    _head(
        f"Adapters, {dtype}, {case.name}",
        ("adapters", "seconds", "seconds each, against the base's", "peak memory (MB)"),
    )
    for count in ADAPTERS:
        prefix._joined.clear()
        total = 0.0
        for seed in range(count):
            torch.manual_seed(seed)
            config = peft.LoraConfig(r=16, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
            adapted: Any = peft.get_peft_model(base, config).eval()
            prefix.switch_to(adapted)
            total += ask(prefix, requests, forget=False).wall_s
            base = adapted.unload()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        _row(count, f"{total:.1f}", f"{total / count / alone.wall_s:.2f}", peak)


def _head(title: str, columns: Sequence[str]) -> None:
    print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}", flush=True)  # noqa: T201


def _row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
