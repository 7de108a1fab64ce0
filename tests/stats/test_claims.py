import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.claims import equivalence, noninferiority, superiority, threshold

ordered = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted)


@pytest.mark.parametrize(
    ("low", "high", "by", "worthwhile", "outcome"),
    [
        (0.01, 0.2, 0.0, None, "pass"),
        (0.0, 0.2, 0.0, None, "inconclusive"),
        (-0.1, 0.0, 0.0, None, "fail"),
        (-0.1, 0.01, 0.0, None, "inconclusive"),
        (0.05, 0.2, 0.05, None, "inconclusive"),
        (0.06, 0.2, 0.05, None, "pass"),
        (-0.1, 0.05, 0.05, None, "fail"),
        (-0.02, 0.04, 0.0, 0.05, "fail"),
        (-0.02, 0.05, 0.0, 0.05, "inconclusive"),
        (0.01, 0.04, 0.0, 0.05, "pass"),
        (0.0, 0.0, 0.0, None, "fail"),
    ],
)
def test_superiority_is_decided_by_the_bounds(low, high, by, worthwhile, outcome) -> None:
    assert superiority(low, high, by=by, worthwhile=worthwhile) == outcome


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (-0.01, 0.1, "pass"),
        (-0.02, 0.1, "inconclusive"),
        (-0.1, -0.02, "inconclusive"),
        (-0.1, -0.021, "fail"),
        (-0.019, -0.01, "pass"),
    ],
)
def test_non_inferiority_is_decided_by_the_bounds(low, high, outcome) -> None:
    assert noninferiority(low, high, margin=0.02) == outcome


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (-0.01, 0.01, "pass"),
        (-0.02, 0.01, "inconclusive"),
        (-0.01, 0.02, "inconclusive"),
        (0.02, 0.1, "inconclusive"),
        (0.021, 0.1, "fail"),
        (-0.1, -0.021, "fail"),
        (-0.1, 0.1, "inconclusive"),
    ],
)
def test_equivalence_is_decided_by_both_bounds(low, high, outcome) -> None:
    assert equivalence(low, high, margin=0.02) == outcome


@pytest.mark.parametrize(
    ("low", "high", "at_least", "at_most", "outcome"),
    [
        (0.9, 1.0, 0.9, None, "pass"),
        (0.89, 1.0, 0.9, None, "inconclusive"),
        (0.8, 0.9, 0.9, None, "inconclusive"),
        (0.8, 0.89, 0.9, None, "fail"),
        (0.0, 0.1, None, 0.1, "pass"),
        (0.1, 0.2, None, 0.1, "inconclusive"),
        (0.11, 0.2, None, 0.1, "fail"),
        (0.4, 0.5, 0.3, 0.6, "pass"),
        (0.2, 0.5, 0.3, 0.6, "inconclusive"),
    ],
)
def test_a_threshold_is_decided_by_the_bound_on_the_risky_side(low, high, at_least, at_most, outcome) -> None:
    assert threshold(low, high, at_least=at_least, at_most=at_most) == outcome


@given(ordered, st.floats(0.001, 0.5))
def test_equivalence_passes_only_where_both_non_inferiorities_do(bounds: list[float], margin: float) -> None:
    low, high = bounds
    both = noninferiority(low, high, margin=margin) == noninferiority(-high, -low, margin=margin) == "pass"
    assert (equivalence(low, high, margin=margin) == "pass") == both


@given(ordered)
def test_a_candidate_that_is_superior_is_never_inferior(bounds: list[float]) -> None:
    if superiority(*bounds) == "pass":
        assert noninferiority(*bounds, margin=0.01) == "pass"


def test_claims_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="lower bound"):
        superiority(0.2, 0.1)
    with pytest.raises(ValueError, match=r"worthwhile is 0\.01"):
        superiority(0.1, 0.2, by=0.05, worthwhile=0.01)
    with pytest.raises(ValueError, match="margin is 0"):
        noninferiority(0.1, 0.2, margin=0)
    with pytest.raises(ValueError, match="margin is -1"):
        equivalence(0.1, 0.2, margin=-1)
    with pytest.raises(ValueError, match="both None"):
        threshold(0.1, 0.2)
    with pytest.raises(ValueError, match="no value keeps both"):
        threshold(0.1, 0.2, at_least=0.9, at_most=0.1)
    with pytest.raises(ValueError, match="lower bound"):
        threshold(float("nan"), 0.2, at_least=0.1)
