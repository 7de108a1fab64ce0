"""Metrics, and their values on items."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.records.items import Part
from harness.records.scores import Metric, Score
from harness.store import bulk
from harness.store.ledger import Ledger
from harness.store.runs import require_run

if TYPE_CHECKING:
    import duckdb

SCORES: Mapping[Part, str] = {"development": "scores", "sealed": "sealed_scores"}  # tables


def record_scores(ledger: Ledger, run_id: str, scores: Sequence[Score]) -> int:
    """Records scores in one unit. The first one of a task, item, sample index and scorer stays; a later one is dropped.

    Returns:
        How many are new.

    Raises:
        StoreError: The run is not in the ledger, or a text has no UTF-8 form.
    """
    with ledger.write() as connection:
        require_run(connection, run_id)
        return bulk.insert(connection, "scores", [run_score_columns(run_id, score) for score in scores])


def scores(ledger: Ledger, run_id: str, *, task: str | None = None) -> list[Score]:
    """The scores of a run, by task, scorer, item id and sample index; empty for an unknown run.

    Those of the evaluations that the run refers to are among them, those of sealed items are not.
    """
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT task, item_id, item_hash, scorer, value, status, sample_index, item_group, stratum, detail "
            "FROM v_scores WHERE run_id = $1 AND coalesce(task = $2, true) "
            "ORDER BY task, scorer, item_id, sample_index",
            [run_id, task],
        ).fetchall()
    return [read_score(row) for row in rows]


def own_scores(ledger: Ledger, run_id: str, *, part: Part) -> list[Score]:
    """A run's scores without those of evaluations, by task, scorer, item id and sample index.

    Only a gate asks for the sealed part.
    """
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT task, item_id, item_hash, scorer, value, status, sample_index, item_group, stratum, detail "
            f"FROM {SCORES[part]} WHERE run_id = ? ORDER BY task, scorer, item_id, sample_index",
            [run_id],
        ).fetchall()
    return [read_score(row) for row in rows]


def record_metrics(ledger: Ledger, metrics: Sequence[Metric]) -> None:
    """Records what metrics mean. A definition that differs from the last of its name is a revision, which counts."""
    with ledger.write() as connection:
        insert_metrics(connection, metrics)


def insert_metrics(connection: "duckdb.DuckDBPyConnection", metrics: Sequence[Metric]) -> None:
    """The same, inside a unit of work."""
    latest = _latest_metrics(connection)
    rows: list[dict[str, object]] = []
    for metric in metrics:
        revision, known = latest.get(metric.name, (0, None))
        if known != metric:
            latest[metric.name] = (revision + 1, metric)
            rows.append(_metric_row(revision + 1, metric))
    bulk.insert(connection, "metrics", rows)


def metrics(ledger: Ledger) -> dict[str, Metric]:
    """Every metric as last defined, by name (`task/scorer`)."""
    with ledger.read() as connection:
        return {name: metric for name, (_, metric) in _latest_metrics(connection).items()}


def _latest_metrics(connection: "duckdb.DuckDBPyConnection") -> dict[str, tuple[int, Metric]]:
    # Later revisions replace earlier ones as the dict is filled.
    rows = connection.execute(
        "SELECT revision, name, kind, direction, minimum, maximum, chance, description FROM metrics "
        "ORDER BY name, revision"
    ).fetchall()
    return {row[1]: (row[0], _metric(row)) for row in rows}


def run_score_columns(run_id: str, score: Score) -> dict[str, object]:
    """A score as a row of the table of runs' scores."""
    return {"run_id": run_id, "sample_index": score.sample_index, **score_columns(score)}


def score_columns(score: Score) -> dict[str, object]:
    """The columns of a score that are the same whether it belongs to a run or to an evaluation."""
    return {
        "task": score.task,
        "item_id": score.item_id,
        "scorer": score.scorer,
        "item_hash": score.item_hash,
        "value": score.value,
        "status": score.status,
        "item_group": score.group,
        "stratum": score.stratum,
        "detail": score.detail,
    }


def read_score(row: tuple[Any, ...]) -> Score:
    """A score from task, item_id, item_hash, scorer, value, status, sample_index, item_group, stratum and detail."""
    return Score(
        task=row[0],
        item_id=row[1],
        item_hash=row[2],
        scorer=row[3],
        value=row[4],
        status=row[5],
        sample_index=row[6],
        group=row[7],
        stratum=row[8],
        detail=row[9],
    )


def _metric_row(revision: int, metric: Metric) -> dict[str, object]:
    return {
        "name": metric.name,
        "revision": revision,
        "kind": metric.kind,
        "direction": metric.direction,
        "minimum": metric.minimum,
        "maximum": metric.maximum,
        "chance": metric.chance,
        "description": metric.description,
    }


def _metric(row: tuple[Any, ...]) -> Metric:
    return Metric(
        name=row[1],
        kind=row[2],
        direction=row[3],
        minimum=row[4],
        maximum=row[5],
        chance=row[6],
        description=row[7],
    )
