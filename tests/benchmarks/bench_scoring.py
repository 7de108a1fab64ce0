"""Scoring with shared prefixes against lm-eval's `hf` with its best batch size: ratios in one process, interleaved.

Without arguments a quick form on few items; `--full` takes the sizes of the table in README.md, and about two hours.
`--threads 1` and the ratio of processor time are the figures to read on a machine that does other work as well.
"""

import argparse
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import peft
import torch
from scoring_measures import (
    Case,
    Flops,
    Took,
    arithmetic,
    ask,
    best_hf,
    chars,
    largest_matrix_rate,
    load,
    make,
    make_prefix,
    requests_of,
    seconds_by_operation,
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
Answers = Sequence[tuple[float, bool]]
OPTIONS = 4  # requests an item
MEMORY_ITEMS = (40, 8)  # without and with shots: more add nothing to the peak, as long as several rows are filled


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
    parser.add_argument(
        "--hf-every", type=int, default=1, help="time hf on each such item of MMLU and of 10-shot HellaSwag, and scale"
    )
    parser.add_argument("--no-adapters", dest="adapters", action="store_false")
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument("--peak", choices=("prefix", "hf"), help=argparse.SUPPRESS)
    parser.add_argument("--batch-size", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args()


def _scoring(dtype: str, cases: Sequence[Case], asked: argparse.Namespace) -> None:
    loaded = load(dtype)
    parts: list[tuple[str, Flops, dict[str, float]]] = []
    _head(f"Scoring, {dtype}, {asked.threads} threads", COLUMNS)
    for case in cases:
        requests = requests_of(case)
        every = asked.hf_every if case.shots else 1
        theirs_too = [number for number in range(len(requests)) if number // OPTIONS % every == 0]
        share = [requests[number] for number in theirs_too]
        prefix = make_prefix(loaded)
        hf = best_hf(loaded, share)
        ours, theirs = [], []
        for _ in range(asked.rounds):
            ours.append(ask(prefix, requests))
            theirs.append(ask(hf.lm, share))
        counts, rounds = prefix.scorer.counts, asked.rounds
        rate = largest_matrix_rate(loaded.dtype)
        flops = arithmetic(loaded.model, next(iter(prefix._joined.values())))
        reached = (flops.products + flops.attention) / min(one.wall_s for one in ours)
        scale = chars(requests) / chars(share)
        difference, flips, changed = _compare([ours[-1].answers[number] for number in theirs_too], theirs[-1].answers)
        _row(
            case.name + (f" (hf: each {every}th)" if every > 1 else ""),
            hf.batch_size,
            f"{scale * _ratio(ours, theirs, 'wall_s'):.2f}",
            f"{scale * _ratio(ours, theirs, 'cpu_s'):.2f}",
            f"{counts.computed / rounds / min(one.wall_s for one in ours):,.0f}",
            f"{counts.computed / counts.distinct:.3f}",
            f"{reached / 1e9:.0f} of {rate / 1e9:.0f} ({100 * reached / rate:.0f} %)",
            f"{difference:.1e}",
            f"{hf.own_difference:.1e}",
            f"{flips} of {len(share)}",
            f"{changed} of {len(share) // OPTIONS}",
            _memory(dtype, case, hf.batch_size, asked) if asked.memory else "",
        )
        parts.append((case.name, flops, seconds_by_operation(lambda p=prefix, r=requests: ask(p, r))))
    _head(f"Where its time goes, {dtype}, {asked.threads} threads", PARTS)
    for name, flops, took in parts:
        total = sum(took.values())
        shares = [f"{100 * seconds / total:.0f} %" for seconds in took.values()]
        rates = [f"{flops.products / took['products'] / 1e9:.0f}", f"{flops.attention / took['attention'] / 1e9:.0f}"]
        _row(name, *shares, *rates)


def _ratio(ours: Sequence[Took], theirs: Sequence[Took], seconds: str) -> float:
    return statistics.median(getattr(t, seconds) for t in theirs) / statistics.median(getattr(o, seconds) for o in ours)


COLUMNS = (
    "items", "batch of hf", "time, hf / prefix", "processor time, hf / prefix", "tokens/s",
    "computed / distinct", "GFLOP/s of the largest product", "largest difference (nats)", "hf from hf in other batches",
    "greedy flags that differ", "items with another likeliest option",
    "peak memory, prefix / hf (MB)",
)  # fmt: skip
PARTS = ("items", "matrix products", "attention", "all else", "GFLOP/s of the products", "GFLOP/s of attention")


def _compare(ours: Answers, theirs: Answers) -> tuple[float, int, int]:
    """The largest difference in nats, greedy flags that differ, and items of which another option is the likeliest."""
    pairs = list(zip(ours, theirs, strict=True))
    items = range(0, len(pairs), OPTIONS)
    return (
        max(abs(a[0] - b[0]) for a, b in pairs),
        sum(a[1] != b[1] for a, b in pairs),
        sum(
            _likeliest(ours[first : first + OPTIONS]) != _likeliest(theirs[first : first + OPTIONS]) for first in items
        ),
    )


def _likeliest(options: Answers) -> int:
    return max(range(len(options)), key=lambda option: options[option][0])


def _memory(dtype: str, case: Case, size: int, asked: argparse.Namespace) -> str:
    """The high-water mark of a process that does nothing but load the model and answer requests of the case's kind."""
    items = min(case.items, MEMORY_ITEMS[case.shots > 0])
    sizes = ",".join(str(items if (one.task, one.shots) == (case.task, case.shots) else 0) for one in QUICK)
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
    print(_peak_mb())  # noqa: T201


def _peak_mb() -> int:
    """Of this process alone: `ru_maxrss` would begin with that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) // 1024


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
        _row(count, f"{total:.1f}", f"{total / count / alone.wall_s:.2f}", _peak_mb())


def _head(title: str, columns: Sequence[str]) -> None:
    print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}", flush=True)  # noqa: T201


def _row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
