"""Which interval is used for which values: a rule fixed beforehand, printed with the numbers, and overridable by name.

| values                      | one system      | difference    | may be fixed instead                              |
| --------------------------- | --------------- | ------------- | ------------------------------------------------- |
| binary                      | modified_wilson | tango         | wilson, clopper_pearson; bounded_score, student_t |
| preference (win, tie, loss) |                 | tango         | bounded_score, student_t                          |
| graded or count, bounded    | bounded_score   | bounded_score | student_t, skew_t, bca                            |
| graded or count, unbounded  | student_t       | student_t     | skew_t, bca                                       |

Without bounds, values that are skewed for their number (`is_skewed`) get `skew_t`. Items that share a group:
`bounded_score` and `student_t` have a cluster-robust form and use it; the others ignore clusters and are refused, so
clustered binary values get `bounded_score`, which on them is Wilson's or Tango's with an effective n.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict, get_args

from harness.errors import ComparisonError, nearest
from harness.records.scores import MetricKind

MethodName = Literal[
    "modified_wilson", "wilson", "clopper_pearson", "tango", "bounded_score", "student_t", "skew_t", "bca"
]
Question = Literal["value", "difference"]
ComparedKind: TypeAlias = MetricKind | Literal["preference"]
DEFAULT_CONFIDENCE = 0.95
METHOD_NAMES: tuple[MethodName, ...] = get_args(MethodName)

_WORDS: Mapping[MethodName, str] = {
    "modified_wilson": "modified Wilson score interval",
    "wilson": "Wilson score interval",
    "clopper_pearson": "Clopper-Pearson interval",
    "tango": "Tango score interval",
    "bounded_score": "bounded-mean score interval",
    "student_t": "Student t interval",
    "skew_t": "skewness-corrected t interval",
    "bca": "BCa bootstrap interval",
}
_CLUSTERED_WORDS: Mapping[MethodName, str] = {
    "bounded_score": "cluster-robust score interval",
    "student_t": "cluster-robust t interval",
}


class IntervalOptions(TypedDict, total=False):
    """How a comparison's interval is wanted.

    `confidence` is two-sided, in (0, 1), and 0.95 if not given. `method` is the one that a policy names; None, or not
    given, leaves it to `choose`. `seed` is that of resampling, 0 if not given.
    """

    confidence: float
    method: MethodName | None
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """What the choice depends on.

    `skewed` is what `is_skewed` says of the values: too skewed for their number to trust a t interval.
    """

    question: Question
    kind: ComparedKind
    bounded: bool
    clustered: bool
    skewed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """The method chosen, in words for the page, and whether the policy named it."""

    name: MethodName
    words: str
    fixed: bool


def choose(values: Values, *, fixed: MethodName | None = None) -> Method:
    """The method for these values, or the one that the policy names, if it can be used on them.

    Args:
        values: What the choice depends on.
        fixed: From the policy; None leaves the choice to the rule above.

    Raises:
        ComparisonError: `fixed` cannot be used on these values; the message has those that can.
    """
    allowed = allowed_methods(values)
    if fixed is not None and fixed not in allowed:
        hint = f"allowed: {', '.join(allowed)}" if fixed in METHOD_NAMES else nearest(fixed, METHOD_NAMES)
        raise ComparisonError(
            f"method {fixed} cannot be used for {_describe(values)}; {hint}. "
            "Correct `method` in the policy, or leave it out."
        )
    name = _default(values) if fixed is None else fixed
    words = _CLUSTERED_WORDS[name] if values.clustered else _WORDS[name]
    return Method(
        name=name, words=words if fixed is None else f"{words} (fixed by the policy)", fixed=fixed is not None
    )


def allowed_methods(values: Values) -> tuple[MethodName, ...]:
    """Every method that can be used on these values, the default first."""
    default = _default(values)
    others: list[MethodName] = [name for name in METHOD_NAMES if name != default and _is_allowed(name, values)]
    return (default, *others)


def _default(values: Values) -> MethodName:
    match values.kind:
        case "binary" | "preference" if not values.clustered:
            one_system = values.kind == "binary" and values.question == "value"
            return "modified_wilson" if one_system else "tango"
        case "binary" | "preference":
            return "bounded_score"
        case "graded" | "count":
            if values.bounded:
                return "bounded_score"
            return "skew_t" if values.skewed and not values.clustered else "student_t"


def _is_allowed(name: MethodName, values: Values) -> bool:
    whole = values.kind in ("binary", "preference")
    match name:
        case "modified_wilson" | "wilson" | "clopper_pearson":
            return values.kind == "binary" and values.question == "value" and not values.clustered
        case "tango":
            one_system = values.kind == "binary" and values.question == "value"
            return whole and not one_system and not values.clustered
        case "bounded_score":
            return whole or values.bounded
        case "student_t":
            return True
        case "skew_t" | "bca":
            return not whole and not values.clustered


def _describe(values: Values) -> str:
    what = "one system's value" if values.question == "value" else "a difference"
    bounds = "" if values.kind in ("binary", "preference") else " with bounds" if values.bounded else " without bounds"
    return f"{what} of a {values.kind} metric{bounds}" + (", items in clusters" if values.clustered else "")
