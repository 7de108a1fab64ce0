"""What gates read besides scores: sealed items, how much was asked, which slices an item is in, what a run cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from harness.config.experiment import BASE, HUMAN
from harness.config.policy import Policy
from harness.pipeline.evidence import Chosen, human_notes, read_evidence, with_marks
from harness.records.evidence import Evidence
from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.runs import RunState
from harness.records.scores import Metric, Score
from harness.store.generations import generations
from harness.store.golden import golden_items
from harness.store.ledger import Ledger
from harness.store.scores import metrics, own_scores
from harness.store.sealed import sealed_stage

COST = "cost"
GOLDEN = "golden/"
LATENCY = "latency_s"


def lacking_sealed(
    ledger: Ledger, policy: Policy, states: Mapping[str, RunState], candidate: str, *, until: datetime
) -> list[str]:
    """The runs that the policy's golden gates read, and that had not answered their sealed items by a moment.

    Args:
        ledger: Where runs are.
        policy: The rules.
        states: The candidate and each baseline that has a run, by the name that is used.
        candidate: The candidate's name.
        until: A moment; what came later is as if not there, so that a verdict can be derived again without a look.

    Returns:
        Their names.
    """
    golden = [gate for gate in policy.gates if gate.metric.startswith(GOLDEN)]
    names = [candidate, *(name for gate in golden for name in gate.against)] if golden else []
    lacking: list[str] = []
    for name in dict.fromkeys(names):
        state = states.get(name)
        if state and state.run.system != BASE and golden_items(ledger, state.run.golden_sha256, part="sealed"):
            stage = sealed_stage(ledger, state.run.run_id, until=until)
            if stage is None or stage.status != "finished":
                lacking.append(name)
    return lacking


def read_gate_evidence(
    ledger: Ledger, state: RunState, *, name: str, chosen: Chosen, lacking: Sequence[str] = ()
) -> Evidence:
    """Everything that a gate may read of a run.

    Where the golden set has sealed items, golden scores are of these, and of no others. Where any run lacks them they
    are not read of any, so that no look is spent on half of the evidence.

    Each number among the run's facts is a metric `cost/<fact>` of one measurement. `cost/latency_s` has a value for
    each answered item; items of one batch share one measurement, and are a cluster. Costs are those of the development
    items.

    Args:
        ledger: Where the run is.
        state: The run.
        name: What it is called.
        chosen: Which evaluations count.
        lacking: The runs that have not answered their sealed items, as `lacking_sealed` has them.
    """
    evidence = read_evidence(ledger, state, name=name, chosen=chosen)
    costs = _costs(state, generations(ledger, state.run.run_id))
    items = golden_items(ledger, state.run.golden_sha256, part="sealed")
    if items and state.run.system != BASE:
        evidence = _sealed(ledger, evidence, items, lacking)
    else:
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


def _sealed(ledger: Ledger, evidence: Evidence, items: Sequence[Item], lacking: Sequence[str]) -> Evidence:
    """The evidence with golden scores of the sealed items in place of those of the development items."""
    kept = {metric: scores for metric, scores in evidence.scores.items() if not metric.startswith(GOLDEN)}
    golden = _by_metric([] if lacking else own_scores(ledger, evidence.state.run.run_id, part="sealed"))
    known = metrics(ledger)
    read = replace(
        evidence,
        metrics={**evidence.metrics, **{metric: known[metric] for metric in golden if metric in known}},
        scores={**kept, **{metric: scores for metric, scores in golden.items() if metric in known}},
        notes={metric: notes for metric, notes in evidence.notes.items() if not metric.startswith(GOLDEN)}
        | human_notes(evidence.state, golden),
        overlapping={},
        seen=evidence.seen and replace(evidence.seen, hashes={item.item_id: item.item_hash for item in items}),
        sealed_items=len(items),
        withheld=_withheld(evidence, len(items), lacking) if lacking else None,
    )
    return with_marks(ledger, read)


def _withheld(evidence: Evidence, items: int, lacking: Sequence[str]) -> tuple[str, str]:
    """Why golden scores of a run are not read, and the next step."""
    run = evidence.state.run
    commands = ["`harness run EXPERIMENT --sealed` has them answered"] if set(lacking) - {HUMAN} else []
    if HUMAN in lacking:
        commands.append(f"`harness run EXPERIMENT --only {HUMAN} --sealed` records the expert's answers to them")
    step = f"{', '.join(commands)}; then gate again."
    if evidence.name in lacking:
        return f"{evidence.name} has not answered the {items} sealed items of {run.golden_set} yet.", step
    verb = "have" if len(lacking) > 1 else "has"
    return (
        f"the sealed scores of {evidence.name} were not read, since {', '.join(lacking)} {verb} none yet: no look is "
        "spent on half of the evidence.",
        step,
    )


def _by_metric(scores: Iterable[Score]) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    for score in scores:
        found.setdefault(score.metric, []).append(score)
    return found


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
