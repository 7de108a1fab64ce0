"""What runs produced for items."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.records.generations import Generation, Passage
from harness.records.items import Part
from harness.store import bulk
from harness.store.ledger import Ledger
from harness.store.runs import require_run

GENERATIONS: Mapping[Part, str] = {"development": "generations", "sealed": "sealed_generations"}  # tables


def record_generations(ledger: Ledger, run_id: str, generations: Sequence[Generation]) -> int:
    """Records generations in one unit. The first one of an item and sample index stays; a later one is dropped.

    Returns:
        How many are new.

    Raises:
        StoreError: The run is not in the ledger, or a text has no UTF-8 form.
    """
    with ledger.write() as connection:
        require_run(connection, run_id)
        return bulk.insert(
            connection, "generations", [generation_columns(run_id, generation) for generation in generations]
        )


def generations(ledger: Ledger, run_id: str, *, part: Part = "development") -> list[Generation]:
    """What a run produced so far for one part's items, by item id and sample index; empty for an unknown run."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT item_id, item_hash, sample_index, text, error, finish_reason, prompt_hash, prompt_tokens, "
            f"completion_tokens, latency_s, passages FROM {GENERATIONS[part]} WHERE run_id = ? "
            "ORDER BY item_id, sample_index",
            [run_id],
        ).fetchall()
    return [_generation(row) for row in rows]


def generation_columns(run_id: str, generation: Generation) -> dict[str, object]:
    """A generation as a row of its table."""
    return {
        "run_id": run_id,
        "item_id": generation.item_id,
        "sample_index": generation.sample_index,
        "item_hash": generation.item_hash,
        "text": generation.text,
        "error": generation.error,
        "finish_reason": generation.finish_reason,
        "prompt_hash": generation.prompt_hash,
        "prompt_tokens": generation.prompt_tokens,
        "completion_tokens": generation.completion_tokens,
        "latency_s": generation.latency_s,
        "passages": [
            {"passage_id": passage.passage_id, "text": passage.text, "score": passage.score}
            for passage in generation.passages
        ],
    }


def _generation(row: tuple[Any, ...]) -> Generation:
    return Generation(
        item_id=row[0],
        item_hash=row[1],
        sample_index=row[2],
        text=row[3],
        error=row[4],
        finish_reason=row[5],
        prompt_hash=row[6],
        prompt_tokens=row[7],
        completion_tokens=row[8],
        latency_s=row[9],
        passages=tuple(
            Passage(passage_id=passage["passage_id"], text=passage["text"], score=passage["score"])
            for passage in row[10]
        ),
    )
