import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from harness.stats.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha

NONE = None
# Krippendorff (2011), section C: four observers, twelve units, with missing ratings.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
    [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
]
UNITS = [[float(row[unit]) for row in OBSERVERS if row[unit] is not None] for unit in range(12)]
# Fleiss' kappa as worked out on Wikipedia: ten units, fourteen raters, five categories.
FOURTEEN = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_gives_krippendorffs_published_values(level, published: float) -> None:
    result = krippendorff_alpha(UNITS, level)
    assert result.value == pytest.approx(published, abs=5e-4)
    assert result.units == 11, "one unit has a single rating"
    assert result.low is not None
    assert result.high is not None
    assert -1 <= result.low < result.value < result.high <= 1


def test_alpha_is_worked_by_hand() -> None:
    """Two raters, (1 1), (2 2), (1 2): 2 of 6 values disagree; by chance 3 * 3 * 2 of 6 * 5. 1 - (2/6) / (18/30)."""
    result = krippendorff_alpha([[1, 1], [2, 2], [1, 2]], "nominal")
    assert result.value == pytest.approx(1 - (2 / 6) / (18 / 30))


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_the_interval_of_alpha_is_that_of_the_package_on_resampled_units(level) -> None:
    generator = np.random.default_rng(3)
    truth = generator.integers(1, 5, 60)
    ratings = [[float(v) for v in np.clip(one + generator.integers(-1, 2, 3), 1, 5)] for one in truth]
    result, data = krippendorff_alpha(ratings, level), np.array(ratings).T
    drawn = [
        krippendorff.alpha(data[:, generator.integers(0, 60, 60)], level_of_measurement=level) for _ in range(1000)
    ]
    assert (result.low, result.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]).tolist(), abs=0.03)


def test_the_same_ratings_give_the_same_interval_in_any_order_of_raters() -> None:
    assert krippendorff_alpha([unit[::-1] for unit in UNITS]) == krippendorff_alpha(UNITS)


@pytest.mark.parametrize(
    ("ratings", "said"),
    [
        ([], "No unit was rated by two"),
        ([[1], [2], []], "No unit was rated by two"),
        ([[3, 3], [3, 3]], "Every rating is 3"),
    ],
)
def test_alpha_is_undefined_without_pairs_or_without_variation(ratings, said: str) -> None:
    result = krippendorff_alpha(ratings)
    assert (result.value, result.low, result.high) == (None, None, None)
    assert result.note is not None
    assert said in result.note


def test_one_unit_has_an_alpha_and_no_interval() -> None:
    result = krippendorff_alpha([[1, 2]])
    assert result.value == 0
    assert (result.low, result.high) == (None, None)
    assert result.note == "Only 1 unit was rated by two raters, so no interval is defined."


def test_mostly_equal_ratings_have_an_alpha_and_no_interval() -> None:
    """In over a third of the resamples the one unit that differs is not drawn."""
    result = krippendorff_alpha([[5, 5]] * 19 + [[4, 5]])
    assert result.value is not None
    assert (result.low, result.high) == (None, None)
    assert result.note is not None
    assert "rate more units" in result.note


def test_perfect_agreement_still_has_an_interval_worked_by_hand() -> None:
    """Ten units, two levels: 0.27753 of units may disagree; chance disagrees on 10 * 10 * 2 of 20 * 19 pairs."""
    result = krippendorff_alpha([[1, 1], [2, 2]] * 5, "nominal")
    assert (result.value, result.high) == (1, 1)
    assert result.low == pytest.approx(1 - 0.277532 / (200 / 380), abs=1e-5)


def test_a_rating_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        krippendorff_alpha([[1, float("nan")], [1, 2]])


def test_cohens_kappa_gives_the_textbook_value() -> None:
    """Of 50: both yes 20, both no 15, 5 and 10 apart. Observed 0.7, by chance 0.5: kappa 0.4."""
    first, second = [1] * 25 + [0] * 25, [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    result = cohen_kappa(first, second)
    assert result.value == pytest.approx(0.4)
    assert result.low is not None
    assert result.low < 0.4
    assert result.units == 50


def test_cohens_weights_are_worked_by_hand() -> None:
    """Levels 1 to 3, pairs (1 1), (2 2), (3 3), (1 3): chance from rows 2 1 1 and columns 1 1 2 of 4.

    Plain: 1 - (1/4) / (11/16). Linear: 1 - (1/4 * 2) / (16/16). Quadratic: 1 - (1/4 * 4) / (26/16).
    """
    first, second = [1, 2, 3, 1], [1, 2, 3, 3]
    assert cohen_kappa(first, second).value == pytest.approx(1 - 4 / 11)
    assert cohen_kappa(first, second, weights="linear").value == pytest.approx(1 - 0.5)
    assert cohen_kappa(first, second, weights="quadratic").value == pytest.approx(1 - 16 / 26)


def test_a_level_that_nobody_used_still_counts_as_a_step() -> None:
    first, second = [1, 1, 3, 4], [1, 3, 3, 3]
    used, whole = (cohen_kappa(first, second, weights="linear", levels=levels) for levels in (None, [1, 2, 3, 4]))
    assert used.value != whole.value
    assert cohen_kappa(first, second, levels=[1, 2, 3, 4]).value == pytest.approx(cohen_kappa(first, second).value)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=2, max_size=30))
@settings(max_examples=50, deadline=None)
def test_cohens_kappa_is_symmetric_and_bounded(pairs) -> None:
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    result, swapped = cohen_kappa(first, second), cohen_kappa(second, first)
    if result.value is None:
        assert len({*first, *second}) == 1
        return
    assert -1 <= result.value <= 1
    assert swapped.value == pytest.approx(result.value)
    if result.low is None or result.high is None:
        assert result.note is not None
        return
    assert -1 <= result.low <= result.value <= result.high <= 1


def test_cohens_kappa_is_undefined_or_refused_where_it_says_nothing() -> None:
    assert cohen_kappa([2, 2, 2], [2, 2, 2]).value is None
    assert cohen_kappa([], []).value is None
    constant = cohen_kappa([2, 2, 2, 2], [1, 2, 3, 2])
    assert (constant.value, constant.low, constant.high) == (0, None, None)
    assert constant.note == "One rater gave the same level throughout, so no interval is defined."
    with pytest.raises(ValueError, match="same units"):
        cohen_kappa([1, 2], [1])
    with pytest.raises(ValueError, match="not among the levels"):
        cohen_kappa([1, 9], [1, 2], levels=[1, 2, 3])


def test_the_interval_of_kappa_is_near_the_normal_one_for_many_units() -> None:
    generator = np.random.default_rng(7)
    first = generator.integers(1, 4, 400)
    second = np.where(generator.random(400) < 0.6, first, generator.integers(1, 4, 400))
    result = cohen_kappa(first.tolist(), second.tolist())
    table = np.zeros((3, 3))
    np.add.at(table, (first - 1, second - 1), 1)
    oracle = cohens_kappa(table)
    assert result.value == pytest.approx(oracle.kappa)
    assert (result.low, result.high) == pytest.approx((oracle.kappa_low, oracle.kappa_upp), abs=0.01)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_perfect_kappa_has_an_interval_of_some_width(weights) -> None:
    ratings = [1, 2, 3] * 10
    result = cohen_kappa(ratings, ratings, weights=weights)
    assert (result.value, result.high) == (1, 1)
    assert result.low is not None
    assert 0 < result.low < 0.95


def test_fleiss_kappa_gives_the_published_value() -> None:
    result = fleiss_kappa(FOURTEEN)
    assert result.value == pytest.approx(0.210, abs=5e-4)
    assert result.low is not None
    assert result.high is not None
    assert result.low < result.value < result.high


def test_fleiss_kappa_of_two_raters_is_worked_by_hand() -> None:
    """Agreed on 2 of 3; shares of the levels 1/2 each, so chance agrees on 1/2."""
    assert fleiss_kappa([[2, 0], [0, 2], [1, 1]]).value == pytest.approx((2 / 3 - 1 / 2) / (1 / 2))


def test_fleiss_kappa_is_undefined_or_refused_where_it_says_nothing() -> None:
    assert fleiss_kappa([]).value is None
    assert fleiss_kappa([[1, 0], [0, 1]]).value is None
    assert fleiss_kappa([[3, 0], [3, 0]]).value is None
    assert fleiss_kappa([[3, 0], [0, 3]]).low is not None
    with pytest.raises(ValueError, match="use krippendorff_alpha"):
        fleiss_kappa([[3, 0], [2, 0]])


def test_units_that_stand_together_are_resampled_together() -> None:
    """Each unit twice is no more evidence: with the copies in one cluster the interval is that of the units alone."""
    rng = np.random.default_rng(4)
    units = [[float(level), float(min(5, level + rng.integers(0, 2)))] for level in rng.integers(1, 6, 40)]
    alone = krippendorff_alpha(units, seed=1)
    doubled = krippendorff_alpha([*units, *units], clusters=[*range(40), *range(40)], seed=1)
    naive = krippendorff_alpha([*units, *units], seed=1)
    assert doubled.units == 80
    assert doubled.high - doubled.low == pytest.approx(alone.high - alone.low, rel=0.05)
    assert naive.high - naive.low < 0.8 * (alone.high - alone.low)
    with pytest.raises(ValueError, match="zip"):
        krippendorff_alpha(units, clusters=[1, 2])
