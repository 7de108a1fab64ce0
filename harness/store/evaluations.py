"""Evaluations of weights on regression tasks, kept under the hash of everything their numbers depend on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from harness.errors import StoreError
from harness.hashing import canonical_json
from harness.records.regression import EvaluationInputs, ItemResult
from harness.records.scores import Score
from harness.store import bulk
from harness.store.ledger import Ledger
from harness.store.runs import require_run
from harness.store.scores import read_score, score_columns


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredEvaluation:
    """An evaluation that a run refers to.

    `asked` is the suite's entry as canonical JSON. `n_items` are to be evaluated, out of `whole_items` of the task, and
    `n_done` of them are. `conditions` are the number format and the engine, in words.
    """

    key: str
    task: str
    asked: str
    n_items: int
    whole_items: int
    n_done: int
    conditions: str

    @property
    def is_complete(self) -> bool:
        """Whether every item is evaluated."""
        return self.n_done >= self.n_items


def open_evaluation(
    ledger: Ledger, run_id: str, inputs: EvaluationInputs, *, asked: str, n_items: int, whole_items: int
) -> set[str]:
    """Makes a run refer to the evaluation of these inputs, which begins here if nobody began it before.

    Args:
        ledger: Where the run was started.
        run_id: The run that refers to it.
        inputs: What the evaluation's key is the hash of.
        asked: The suite's entry as canonical JSON.
        n_items: Items to be evaluated.
        whole_items: Items of the whole task.

    Returns:
        Ids of the items that are evaluated already, for this run or any other.

    Raises:
        StoreError: The run is not in the ledger.
    """
    row: Mapping[str, object] = {
        "evaluation_key": inputs.key,
        "task": inputs.task,
        "inputs": canonical_json(asdict(inputs)),
        "n_items": n_items,
        "whole_items": whole_items,
        "recorded_at": datetime.now(UTC),
    }
    with ledger.write() as connection:
        require_run(connection, run_id)
        bulk.insert(connection, "evaluations", [row])
        link = {"run_id": run_id, "evaluation_key": inputs.key, "asked": asked}
        bulk.insert(connection, "run_evaluations", [link])
        done = connection.execute("SELECT item_id FROM evaluation_items WHERE evaluation_key = ?", [inputs.key])
        return {item_id for (item_id,) in done.fetchall()}


def evaluations(ledger: Ledger, run_id: str) -> list[StoredEvaluation]:
    """The evaluations that a run refers to, by task; empty for an unknown run."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT evaluation_key, task, asked, n_items, whole_items, "
            "concat_ws(' ', inputs ->> '$.dtype', 'by', inputs ->> '$.engine.name', inputs ->> '$.engine.version'), "
            "(SELECT count(*) FROM evaluation_items AS items WHERE items.evaluation_key = evaluations.evaluation_key) "
            "FROM run_evaluations JOIN evaluations USING (evaluation_key) WHERE run_id = ? "
            "ORDER BY task, evaluation_key",
            [run_id],
        ).fetchall()
    return [
        StoredEvaluation(
            key=key,
            task=task,
            asked=asked,
            n_items=n_items,
            whole_items=whole_items,
            n_done=n_done,
            conditions=conditions,
        )
        for key, task, asked, n_items, whole_items, conditions, n_done in rows
    ]


def evaluation_scores(ledger: Ledger, key: str) -> list[Score]:
    """The scores of one evaluation, by scorer and item id; empty for an unknown key."""
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT task, item_id, item_hash, scorer, value, status, 0, item_group, stratum, detail "
            "FROM evaluation_scores WHERE evaluation_key = ? ORDER BY task, scorer, item_id",
            [key],
        ).fetchall()
    return [read_score(row) for row in rows]


def record_results(ledger: Ledger, key: str, results: Sequence[ItemResult], scores: Sequence[Score]) -> int:
    """Records what a model said to some items and the scores that follow, in one unit; what is there stays.

    Returns:
        How many items are new.

    Raises:
        StoreError: The evaluation was never opened.
    """
    with ledger.write() as connection:
        if connection.execute("SELECT 1 FROM evaluations WHERE evaluation_key = ?", [key]).fetchone() is None:
            raise StoreError(f"evaluation {key[:12]} is not in the ledger; open it for a run before writing to it.")
        bulk.insert(
            connection, "evaluation_scores", [{"evaluation_key": key, **score_columns(score)} for score in scores]
        )
        return bulk.insert(connection, "evaluation_items", [_item_row(key, result) for result in results])


def _item_row(key: str, result: ItemResult) -> dict[str, object]:
    return {
        "evaluation_key": key,
        "item_id": result.item_id,
        "item_hash": result.item_hash,
        "stratum": result.stratum,
        "item_group": result.group,
        "gold": result.gold,
        "loglikelihoods": list(result.loglikelihoods),
        "greedy": list(result.greedy),
        "option_chars": list(result.option_chars),
        "option_bytes": list(result.option_bytes),
        "doc_hash": result.doc_hash,
        "prompt_hash": result.prompt_hash,
        "target_hash": result.target_hash,
        "truncated": result.truncated,
        "error": result.error,
    }
