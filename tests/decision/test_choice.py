from dataclasses import replace
from itertools import product

import pytest

from harness.decision.choice import METHOD_NAMES, MethodName, Values, allowed_methods, choose
from harness.errors import ComparisonError

EVERY = [
    Values(question=question, kind=kind, bounded=bounded, clustered=clustered, skewed=skewed)
    for question, kind, bounded, clustered, skewed in product(
        ("value", "difference"),
        ("binary", "graded", "count", "preference"),
        (True, False),
        (True, False),
        (True, False),
    )
]
PLAIN = Values(question="difference", kind="graded", bounded=True, clustered=False)


@pytest.mark.parametrize(
    ("question", "kind", "bounded", "clustered", "skewed", "name"),
    [
        ("value", "binary", True, False, False, "modified_wilson"),
        ("difference", "binary", True, False, False, "tango"),
        ("difference", "preference", True, False, False, "tango"),
        ("value", "binary", True, True, False, "bounded_score"),
        ("value", "preference", True, False, False, "tango"),
        ("difference", "preference", True, True, False, "bounded_score"),
        ("value", "graded", True, False, True, "bounded_score"),
        ("difference", "graded", True, True, False, "bounded_score"),
        ("value", "count", False, False, False, "student_t"),
        ("value", "count", False, False, True, "skew_t"),
        ("value", "count", False, True, True, "student_t"),
        ("difference", "count", False, False, True, "skew_t"),
    ],
)
def test_the_choice_follows_kind_bounds_and_clusters(
    question, kind, bounded: bool, clustered: bool, skewed: bool, name: str
) -> None:
    values = Values(question=question, kind=kind, bounded=bounded, clustered=clustered, skewed=skewed)
    method = choose(values)
    assert (method.name, method.fixed) == (name, False)


@pytest.mark.parametrize("values", EVERY)
def test_the_default_is_always_allowed_and_first_and_may_be_fixed(values: Values) -> None:
    allowed = allowed_methods(values)
    assert allowed[0] == choose(values).name
    assert len(set(allowed)) == len(allowed)
    for name in METHOD_NAMES:
        if name in allowed:
            assert choose(values, fixed=name).words.endswith("(fixed by the policy)")
        else:
            with pytest.raises(ComparisonError, match=f"method {name} .*allowed: {', '.join(allowed)}"):
                choose(values, fixed=name)


@pytest.mark.parametrize("values", [values for values in EVERY if values.clustered])
def test_nothing_that_ignores_clusters_may_be_used_on_clusters(values: Values) -> None:
    assert set(allowed_methods(values)) <= {"bounded_score", "student_t"}
    assert "cluster-robust" in choose(values).words


def test_a_score_interval_needs_bounds() -> None:
    with pytest.raises(ComparisonError, match=r"graded metric without bounds; allowed: student_t, skew_t, bca\."):
        choose(replace(PLAIN, bounded=False), fixed="bounded_score")


def test_a_misspelt_method_gets_the_nearest_name() -> None:
    misspelt: MethodName = "student_tt"  # pyright: ignore
    with pytest.raises(ComparisonError, match='did you mean "student_t"'):
        choose(PLAIN, fixed=misspelt)
