"""What a policy asks that its metrics cannot give: wrong units, the wrong direction, a name that nothing has."""

from collections.abc import Mapping

from harness.config.gate_rules import family_of
from harness.config.policy import Gate, Policy
from harness.errors import nearest
from harness.records.scores import Metric

LARGEST_DIFFERENCE = 0.5  # of two proportions, beyond which percentage points were meant


def policy_problems(policy: Policy, metrics: Mapping[str, Metric]) -> list[str]:
    """Every gate that cannot mean what it says, given the metrics that are known; empty where none is wrong.

    A metric of a kind of which none is known is no problem here: its gate is inconclusive until it is measured.
    """
    problems: list[str] = []
    for name, gate in zip(policy.gate_names, policy.gates, strict=True):
        metric = metrics.get(gate.metric)
        found = _name_problems(gate, metrics) if metric is None else _limit_problems(gate, metric)
        problems += [f"{name}: {problem}" for problem in found]
    return problems


def _name_problems(gate: Gate, metrics: Mapping[str, Metric]) -> list[str]:
    """A metric that its neighbours have and it has not is a slip of the pen, not something still to be measured."""
    family = family_of(gate.metric)
    beside = gate.metric.rpartition("/")[0] if family == "regression" else family
    neighbours = [name for name in metrics if name.startswith(f"{beside}/")]
    if family in ("rating", "probe") or not neighbours:
        return []
    return [f'"{gate.metric}" is not measured, and {len(neighbours)} others are; {nearest(gate.metric, neighbours)}']


def _limit_problems(gate: Gate, metric: Metric) -> list[str]:
    problems: list[str] = []
    if _is_proportion(metric):
        for key in ("margin", "by", "worthwhile"):
            value = getattr(gate, key)
            if value is not None and value > LARGEST_DIFFERENCE:
                problems.append(
                    f"{key}: {value:g} looks like percentage points; write {value / 100:g} for {value:g} points"
                )
    for key in ("at_least", "at_most"):
        value = getattr(gate, key)
        if value is None:
            continue
        if metric.maximum is not None and value > metric.maximum:
            hint = f"; write {value / 100:g} for {value:g} %" if _is_proportion(metric) else ""
            problems.append(f"{key}: {value:g} is above the greatest value of {metric.name} ({metric.maximum:g}){hint}")
        if metric.minimum is not None and value < metric.minimum:
            problems.append(f"{key}: {value:g} is below the least value of {metric.name} ({metric.minimum:g})")
    if (gate.at_least is None) != (gate.at_most is None):  # both together ask for a range
        problems += _direction_problems("at_most" if gate.at_least is None else "at_least", metric)
    return problems


def _direction_problems(key: str, metric: Metric) -> list[str]:
    wanted = "at_most" if metric.direction == "lower_is_better" else "at_least"
    if key == wanted:
        return []
    better = "lower" if wanted == "at_most" else "higher"
    return [f"{key}: of {metric.name} {better} is better, and this asks for the opposite. Write `{wanted}:`"]


def _is_proportion(metric: Metric) -> bool:
    return metric.kind == "binary" or (metric.kind == "graded" and (metric.minimum, metric.maximum) == (0.0, 1.0))
