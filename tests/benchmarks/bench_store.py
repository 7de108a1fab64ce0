"""Writing a full suite's scores in bulk against row by row, in one process: prints a table of ratios."""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from harness.records.runs import Run
from harness.records.scores import Score
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import start_run
from harness.store.scores import record_scores, scores

SUITE_ITEMS = 24_084
ROW_BY_ROW = 1_000
ROUNDS = 3


def main() -> None:
    """Times each way on fresh ledgers, interleaved, and prints the median of the ratios."""
    ratios: list[float] = []
    bulk_s: list[float] = []
    for _ in range(ROUNDS):
        bulk = _timed(_write_in_bulk) / SUITE_ITEMS
        single = _timed(_write_row_by_row) / ROW_BY_ROW
        bulk_s.append(bulk * SUITE_ITEMS)
        ratios.append(single / bulk)
    print("| what | median of 3 | lowest | highest |\n| --- | --- | --- | --- |")  # noqa: T201
    _row("row by row against bulk, time a row (ratio)", ratios)
    _row(f"{SUITE_ITEMS:,} item scores in bulk (s)", bulk_s)


def _row(what: str, values: list[float]) -> None:
    low, middle, high = sorted(values)
    print(f"| {what} | {middle:.2f} | {low:.2f} | {high:.2f} |")  # noqa: T201


def _timed(write: Callable[[Ledger], None]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(Path(folder), create=True)
        start_run(ledger, _run())
        started = time.perf_counter()
        write(ledger)
        took_s = time.perf_counter() - started
        assert scores(ledger, "bench")
    return took_s


def _write_in_bulk(ledger: Ledger) -> None:
    record_scores(ledger, "bench", [_score(number) for number in range(SUITE_ITEMS)])


def _write_row_by_row(ledger: Ledger) -> None:
    rows = [
        ("bench", "regression/mmlu", f"item-{n}", 0, "acc", f"{n:064d}", n % 2, "scored") for n in range(ROW_BY_ROW)
    ]
    with ledger.write() as connection:
        connection.executemany(
            "INSERT INTO scores (run_id, task, item_id, sample_index, scorer, item_hash, value, status) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def _score(number: int) -> Score:
    return Score(
        task="regression/mmlu",
        item_id=f"item-{number}",
        item_hash=f"{number:064d}",
        scorer="acc",
        value=float(number % 2),
    )


def _run() -> Run:
    return Run(
        run_id="bench",
        experiment="bench",
        experiment_id="e",
        system="base",
        inputs_hash="i",
        golden_set="none",
        golden_version="1",
        golden_sha256="g",
        system_config={},
        provenance={},
        started_at=datetime.now(UTC),
    )


if __name__ == "__main__":
    main()
