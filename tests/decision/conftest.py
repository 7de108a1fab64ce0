"""Builders of metrics, scores and evidence."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.records.evidence import Evidence
from harness.records.runs import Run, RunState
from harness.records.scores import Metric, Score

ScoresOf = Callable[..., list[Score]]


@pytest.fixture
def binary() -> Metric:
    return Metric(name="golden/exact_match", kind="binary")


@pytest.fixture
def graded() -> Metric:
    return Metric(name="golden/exact_match", kind="graded")


@pytest.fixture
def count() -> Metric:
    return Metric(name="golden/exact_match", kind="count", direction="lower_is_better", maximum=None)


@pytest.fixture
def scores_of() -> ScoresOf:
    """Scores of items i00, i01, ... with the values given; None stands for a failed item."""

    def build(
        values: Sequence[float | None],
        *,
        groups: Sequence[str | None] | None = None,
        hashes: Mapping[int, str] | None = None,
    ) -> list[Score]:
        return [
            Score(
                task="golden",
                scorer="exact_match",
                item_id=f"i{index:02}",
                item_hash=(hashes or {}).get(index, f"h{index}"),
                value=value,
                status="failed" if value is None else "scored",
                group=None if groups is None else groups[index],
            )
            for index, value in enumerate(values)
        ]

    return build


EvidenceOf = Callable[..., Evidence]


@pytest.fixture
def evidence_of() -> EvidenceOf:
    """What the ledger holds of a run: by metric name its values (None: failed), or its scores."""

    def build(
        name: str,
        scores: Mapping[str, Sequence[float | None] | Sequence[Score]],
        *,
        metrics: Sequence[Metric] = (),
        finetuned: bool = False,
        **more: Any,
    ) -> Evidence:
        run = Run(
            run_id=f"run-{name}",
            experiment="icd10-coding",
            experiment_id="e" * 16,
            system=name,
            inputs_hash="i" * 64,
            golden_set="icd10_coding",
            golden_version="1.0.0",
            golden_sha256=more.pop("golden_sha256", "g" * 64),
            system_config={"finetune": {"epochs": 3} if finetuned else None, "seed": 17},
            provenance={},
            started_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
        )
        known = {metric.name: metric for metric in metrics}
        return Evidence(
            name=name,
            state=RunState(run=run, status="finished", reason=None, ended_at=run.started_at, facts={}),
            metrics={metric: known.get(metric, Metric(name=metric, kind="binary")) for metric in scores},
            scores={metric: _as_scores(metric, values) for metric, values in scores.items()},
            notes=more.pop("notes", {}),
            **more,
        )

    return build


def _as_scores(metric: str, values: Sequence[float | None] | Sequence[Score]) -> list[Score]:
    task, _, scorer = metric.rpartition("/")
    return [
        value
        if isinstance(value, Score)
        else Score(
            task=task,
            scorer=scorer,
            item_id=f"i{index:04}",
            item_hash=f"h{index}",
            value=value,
            status="failed" if value is None else "scored",
        )
        for index, value in enumerate(values)
    ]
