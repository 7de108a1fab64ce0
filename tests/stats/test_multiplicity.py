import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.stats.multiplicity import benjamini_hochberg

# Benjamini and Hochberg (1995), section 4: of these 15, four are called at a rate of 5 %.
PUBLISHED = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0
]  # fmt: skip


def test_four_of_the_published_fifteen_are_called() -> None:
    adjusted = benjamini_hochberg(PUBLISHED)
    assert [value <= 0.05 for value in adjusted] == [True] * 4 + [False] * 11
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4)


def test_adjusting_is_worked_by_hand_in_the_order_given() -> None:
    """0.04 x 3 / 3 = 0.04 caps 0.03 x 3 / 2 = 0.045; 0.01 x 3 = 0.03."""
    assert benjamini_hochberg([0.04, 0.01, 0.03]) == pytest.approx([0.04, 0.03, 0.04])
    assert benjamini_hochberg([0.2]) == [0.2]
    assert benjamini_hochberg([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusting_agrees_with_scipy_and_never_lowers(p_values: list[float]) -> None:
    adjusted = benjamini_hochberg(p_values)
    assert adjusted == pytest.approx(stats.false_discovery_control(p_values).tolist())
    assert all(ours >= own - 1e-12 for ours, own in zip(adjusted, p_values, strict=True))


@pytest.mark.parametrize(("p_values", "rate"), [([1.2], 0.05), ([-0.1], 0.05), ([float("nan")], 0.05), ([0.5], 1.0)])
def test_what_is_no_probability_is_refused(p_values: list[float], rate: float) -> None:
    with pytest.raises(ValueError, match="allowed"):
        benjamini_hochberg(p_values, rate=rate)
