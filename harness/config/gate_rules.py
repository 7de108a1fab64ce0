"""What contradicts itself in a gate, as far as that can be seen without any evidence."""

from collections.abc import Mapping, Sequence
from typing import cast

from harness.errors import nearest

FAMILIES = {
    "golden": "golden/exact_match",
    "regression": "regression/hellaswag/acc_norm",
    "rating": "rating/accuracy",
    "probe": "probe/adapter_active",
    "cost": "cost/latency_s",
}
_COMPARED = ("test", "against", "by", "worthwhile", "margin")
_LIMITS = ("at_least", "at_most")
_RATED = ("min_raters", "min_agreement")


def family_of(metric: str) -> str:
    """What stands before the first slash: `golden`, `regression`, `rating`, `probe` or `cost`."""
    return metric.partition("/")[0]


def metric_problems(metric: str) -> list[str]:
    """What is wrong with a metric's name, a clause each with its next step."""
    family, _, rest = metric.partition("/")
    if family not in FAMILIES:
        return [f'metric "{metric}" begins with none of the kinds of metric; {nearest(family, FAMILIES)}']
    if not rest.strip("/") or (family == "regression") != ("/" in rest):
        return [f'metric "{metric}" is not a name of this kind; write it like {FAMILIES[family]}']
    return []


def rule_problems(said: Mapping[str, object]) -> list[str]:
    """What contradicts itself in a gate, a clause each with its next step.

    Args:
        said: The keys of the gate that are set.
    """
    family = family_of(str(said["metric"]))
    asked = [key for key in ("require", "test", *_LIMITS) if key in said]
    if not asked:
        return [
            "nothing is asked of the metric. Add `require: true`, `test:` with `against:`, `at_least:` or `at_most:`"
        ]
    if family == "probe" or "require" in said:
        return _probe_problems(said, family)
    problems = _test_problems(said) if "test" in said else _threshold_problems(said)
    if family != "rating":
        problems += [f"{key} is for rating/ metrics. Remove it" for key in _RATED if key in said]
    if family == "cost":
        problems += _cost_problems(said)
    return problems


def _probe_problems(said: Mapping[str, object], family: str) -> list[str]:
    if family != "probe":
        return [f"require is for probe/ metrics, and {said['metric']} is a number. Write `at_least:` or a `test:`"]
    if "require" not in said:
        return ["a probe passes or it does not. Write `require: true` and no limit"]
    others = [key for key in said if key not in ("metric", "name", "require", "on_missing")]
    return [f"{_these(others)} cannot stand beside require. Remove {_it(others)}"] if others else []


def _test_problems(said: Mapping[str, object]) -> list[str]:
    problems: list[str] = []
    test = said["test"]
    if limits := [key for key in _LIMITS if key in said]:
        problems.append(f"{_these(limits)} cannot stand beside test: they ask different things. Make two gates of it")
    if not said.get("against"):
        problems.append(f"test: {test} needs baselines. Add `against: [zero_shot]`, or `against: [base]`")
    problems += _baseline_problems(said.get("against"))
    if test == "noninferiority":
        problems += [f"{key} is for superiority. Remove it" for key in ("by", "worthwhile") if key in said]
        if "margin" not in said:
            problems.append("noninferiority needs the loss that would not be accepted. Add `margin: 0.02` (2 points)")
    elif "margin" in said:
        problems.append(
            "margin is for noninferiority; superiority has `by` and `worthwhile`. Remove it, or change test"
        )
    margin, by, worthwhile = _number(said, "margin"), _number(said, "by"), _number(said, "worthwhile")
    if margin is not None and margin <= 0:
        problems.append(f"margin is {margin:g}; allowed: above 0, the loss that would not be accepted")
    if by is not None and by < 0:
        problems.append(f"by is {by:g}; allowed: 0 or more. To allow for a loss write `test: noninferiority`")
    if worthwhile is not None and worthwhile <= (by or 0.0):
        problems.append(f"worthwhile is {worthwhile:g}; allowed: above `by` ({by or 0.0:g}). Raise it, or leave it out")
    return problems


def _threshold_problems(said: Mapping[str, object]) -> list[str]:
    compared = [key for key in _COMPARED if key in said]
    problems: list[str] = []
    if compared:
        problems.append(
            f"{_these(compared)} needs a comparison. Add `test: superiority` or `test: noninferiority`, "
            "and put any limit on the value into another gate"
        )
    if said["metric"] == "rating/preference":
        problems.append(
            "rating/preference is about two systems. Write `test: superiority` with `against:`; `by: 0.2` asks for 20 "
            "points more wins than losses"
        )
    least, most = _number(said, "at_least"), _number(said, "at_most")
    if least is not None and most is not None and least > most:
        problems.append(f"at_least is {least:g} and at_most is {most:g}: no value keeps both. Swap or change them")
    return problems


def _cost_problems(said: Mapping[str, object]) -> list[str]:
    wrong = [key for key in (*_COMPARED, "slices") if key in said]
    return [f"{_these(wrong)} cannot be asked of a cost. Write `at_most:` alone"] if wrong else []


def _baseline_problems(against: object) -> list[str]:
    names = [str(name) for name in cast("Sequence[object]", against)] if isinstance(against, Sequence) else []
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"against names {', '.join(twice)} twice. Keep one"] if twice else []


def _number(said: Mapping[str, object], key: str) -> float | None:
    value = said.get(key)
    return value if isinstance(value, float) else None


def _these(keys: Sequence[str]) -> str:
    return " and ".join(keys) if len(keys) < 3 else f"{', '.join(keys[:-1])} and {keys[-1]}"


def _it(keys: Sequence[str]) -> str:
    return "it" if len(keys) == 1 else "them"
