import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.paired import tango_interval
from harness.stats.power import paired_mean_power, paired_proportions_power
from harness.stats.sample_size import (
    items_to_decide,
    items_to_decide_binary,
    noninferiority_items_binary,
    noninferiority_items_mean,
)


def test_the_items_for_non_inferiority_have_the_power_and_many_fewer_have_not() -> None:
    n = noninferiority_items_binary(0.05, 0.1)
    assert n is not None
    assert paired_proportions_power(n, 0, 0.1, margin=0.05) >= 0.8
    assert paired_proportions_power(int(0.9 * n), 0, 0.1, margin=0.05) < 0.8
    assert n == pytest.approx((1.959964 + 0.841621) ** 2 * 0.1 / 0.05**2, rel=0.1), "the normal approximation"


def test_the_items_for_a_mean_are_the_first_with_the_power() -> None:
    n = noninferiority_items_mean(0.1, 0.5)
    assert n is not None
    assert paired_mean_power(n, 0, 0.5, margin=0.1) >= 0.8 > paired_mean_power(n - 1, 0, 0.5, margin=0.1)
    assert n == pytest.approx((1.959964 + 0.841621) ** 2 * 25, abs=4), "196 by the normal approximation, and a few more"


def test_without_disagreement_few_items_do_and_with_a_loss_at_the_margin_none() -> None:
    """0 of n excludes a loss of 10 % from z^2 / (n + z^2) < 0.1, n > 34.57."""
    assert noninferiority_items_binary(0.1, 0.0) == 35
    assert noninferiority_items_binary(0.1, 0.3, difference=-0.1) is None
    with pytest.raises(ValueError, match="power is 2"):
        noninferiority_items_mean(0.1, 0.5, 2)


def test_the_items_to_decide_are_worked_by_hand() -> None:
    """0.05 with a half width of 0.1 to the limit at 0: four times the items put the bound on it, one more beyond."""
    assert items_to_decide(value=0.05, low=-0.05, high=0.2, limit=0.0, n=50) == 201
    assert items_to_decide(value=-0.05, low=-0.2, high=0.05, limit=0.0, n=50) == 201
    assert items_to_decide(value=0.0, low=-0.1, high=0.1, limit=-0.05, n=100) == 401


def test_a_value_on_the_limit_is_never_decided_and_a_decided_one_needs_no_more() -> None:
    assert items_to_decide(value=0.0, low=-0.1, high=0.1, limit=0.0, n=50) is None
    assert items_to_decide(value=0.3, low=0.1, high=0.5, limit=0.0, n=50) == 50
    assert items_to_decide(value=0.3, low=0.0, high=0.5, limit=0.0, n=50) == 51, "the bound stands on the limit"


@pytest.mark.parametrize(("value", "low", "high", "n"), [(0.5, 0.6, 0.7, 10), (0.5, 0.1, 0.4, 10), (0.5, 0.4, 0.6, 0)])
def test_items_to_decide_need_an_estimate(value: float, low: float, high: float, n: int) -> None:
    with pytest.raises(ValueError, match="allowed"):
        items_to_decide(value=value, low=low, high=high, limit=0.0, n=n)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 40), st.sampled_from([-0.1, 0.0, 0.05]))
@settings(max_examples=60, deadline=None)
def test_the_items_to_decide_a_pass_fail_gate_are_exact(b: int, c: int, ties: int, limit: float) -> None:
    """At a whole multiple of the present table beyond them the interval is on one side, before them it is not."""
    n = b + c + ties
    items = items_to_decide_binary(b, c, n, limit=limit)
    if items is None:
        assert (b - c) / n == pytest.approx(limit)
        return
    beyond = math.ceil(items / n)
    after = tango_interval(beyond * b, beyond * c, beyond * n)
    assert after.low > limit or after.high < limit
    if beyond > 1 and (beyond - 1) * n < items - 1:
        before = tango_interval((beyond - 1) * b, (beyond - 1) * c, (beyond - 1) * n)
        assert before.low <= limit <= before.high


def test_no_discordance_is_never_superior_and_contradicting_counts_are_refused() -> None:
    assert items_to_decide_binary(0, 0, 50) is None
    assert items_to_decide_binary(0, 0, 50, limit=-0.05) == 73, "z^2 / (n + z^2) < 0.05 from n > 72.99"
    with pytest.raises(ValueError, match="n is 5"):
        items_to_decide_binary(4, 4, 5)
