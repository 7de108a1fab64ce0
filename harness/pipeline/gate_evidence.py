"""What gates read besides scores: how much was asked, which slices an item is in, and what a run cost."""

from collections.abc import Sequence
from dataclasses import replace

from harness.pipeline.evidence import Chosen, read_evidence
from harness.records.evidence import Evidence
from harness.records.generations import Generation
from harness.records.runs import RunState
from harness.records.scores import Metric, Score
from harness.store.generations import generations
from harness.store.golden import golden_items
from harness.store.ledger import Ledger

COST = "cost"
GOLDEN = "golden/"
LATENCY = "latency_s"


def read_gate_evidence(ledger: Ledger, state: RunState, *, name: str, chosen: Chosen) -> Evidence:
    """Everything that a gate may read of a run.

    Each number among the run's facts is a metric `cost/<fact>` of one measurement. `cost/latency_s` has a value for
    each answered item; items of one batch share one measurement, and are a cluster.
    """
    evidence = read_evidence(ledger, state, name=name, chosen=chosen)
    costs = _costs(state, generations(ledger, state.run.run_id))
    items = golden_items(ledger, state.run.golden_sha256)
    return replace(
        evidence,
        metrics={**evidence.metrics, **{metric: _cost_metric(metric) for metric in costs}},
        scores={**evidence.scores, **costs},
        asked={**evidence.asked, **{metric: len(items) for metric in evidence.scores if metric.startswith(GOLDEN)}},
        labels={
            item.item_id: {
                "tag": item.tags,
                "kind": (item.kind,),
                "difficulty": () if item.difficulty is None else (item.difficulty,),
            }
            for item in items
        },
    )


def _costs(state: RunState, answered: Sequence[Generation]) -> dict[str, list[Score]]:
    costs = {
        f"{COST}/{fact}": [_cost_score(fact, "run", state.run.run_id, float(value))]
        for fact, value in state.facts.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    first = [one for one in answered if one.sample_index == 0]
    latencies = [_latency(one) for one in first] if any(one.latency_s is not None for one in first) else []
    return {**costs, **({f"{COST}/{LATENCY}": latencies} if latencies else {})}


def _latency(one: Generation) -> Score:
    """How long an item took; failed where it was never answered, so that what timed out is not left out in silence."""
    if one.latency_s is None:
        return replace(_cost_score(LATENCY, one.item_id, one.item_hash, 0.0), value=None, status="failed")
    return replace(_cost_score(LATENCY, one.item_id, one.item_hash, one.latency_s), group=repr(one.latency_s))


def _cost_score(scorer: str, item_id: str, item_hash: str, value: float) -> Score:
    return Score(task=COST, item_id=item_id, item_hash=item_hash, scorer=scorer, value=value)


def _cost_metric(name: str) -> Metric:
    return Metric(name=name, kind="count", direction="lower_is_better", minimum=0.0, maximum=None)
