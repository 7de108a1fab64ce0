import pytest

from harness.rating.agreement import Unit, agree, preference_agreement, rubric_agreement
from harness.rating.current import ratings
from harness.stats.agreement import krippendorff_alpha
from tests.rating.room import make_item

# Krippendorff (2011), "Computing Krippendorff's alpha-reliability": four observers, twelve units; ordinal alpha 0.815.
PUBLISHED = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def test_krippendorffs_example_comes_out_of_a_campaign(desk, rubric, items) -> None:
    for rater, levels in enumerate(PUBLISHED):
        for number, level in enumerate(levels):
            if level is not None:
                desk.levels(f"r{rater}", f"i{number:02}", "run-a", level)
    found = {
        one.metric: one
        for one in rubric_agreement(ratings(desk.judgements, rubric, purposes=("scored",)), rubric, items, seed=1)
    }
    accuracy = found["rating/accuracy"]
    assert accuracy.alpha.alpha == pytest.approx(0.815, abs=0.0005)
    assert (accuracy.alpha.raters, accuracy.alpha.items) == (4, 11)
    # Pairs of raters by unit, and those who gave the same level.
    assert accuracy.pairs == 3 + 6 + 6 + 6 + 6 + 6 + 6 + 6 + 6 + 3 + 1
    assert accuracy.exact == pytest.approx((3 + 3 + 6 + 6 + 6 + 0 + 6 + 3 + 6 + 3 + 1) / accuracy.pairs)
    assert found["rating/safe"].alpha.alpha is None
    assert "shows nothing about agreement" in str(found["rating/safe"].note)


def test_agreement_is_pooled_over_systems_and_resampled_by_item() -> None:
    units = [
        Unit(cluster=number // 2, item_id=f"i{number // 2}", by_rater={"ann": level, "bob": other})
        for number, (level, other) in enumerate([(1, 1), (5, 4), (2, 2), (4, 4), (3, 1), (5, 5)] * 4)
    ]
    found = agree("rating/x", units, "ordinal", seed=3)
    pairs = [list(unit.by_rater.values()) for unit in units]
    clustered = krippendorff_alpha(pairs, clusters=[unit.cluster for unit in units], seed=3)
    alone = krippendorff_alpha(pairs, seed=3)
    assert (found.alpha.alpha, found.alpha.low, found.alpha.high) == (clustered.value, clustered.low, clustered.high)
    assert clustered.value == alone.value
    assert clustered.low != alone.low
    assert found.alpha.items == 12


def test_agreement_on_preference_does_not_hang_on_which_system_comes_first(desk, items) -> None:
    for number in range(6):
        desk.put("ann", f"i{number:02}", ["run-a", "run-b"], {"choice": "left"})
        desk.put("bob", f"i{number:02}", ["run-b", "run-a"], {"choice": "right" if number else "left"})
    found = preference_agreement(desk.judgements, items, seed=0)
    assert found.exact == pytest.approx(5 / 6)
    assert found.pairs == 6
    # Both ways: 5 of 6 agree, coincidences 10 + 10 on the diagonal and 4 beside it of 24; chance 1/2 (23 left to pair).
    assert found.alpha.alpha == pytest.approx(1 - 23 * 4 / (2 * 12 * 12))


def test_without_pairs_there_is_no_agreement_on_preference(desk, items) -> None:
    desk.levels("ann", "i00", "run-a", 3)
    assert preference_agreement(desk.judgements, items, seed=0) is None


def test_items_of_one_group_are_resampled_together(desk, rubric) -> None:
    grouped = {f"i{number:02}": make_item(f"i{number:02}", group=f"g{number // 6}") for number in range(12)}
    alone = {f"i{number:02}": make_item(f"i{number:02}") for number in range(12)}
    for number in range(12):
        desk.levels("ann", f"i{number:02}", "run-a", 1 + number % 5)
        desk.levels("bob", f"i{number:02}", "run-a", 1 + (number + (number > 5)) % 5)
    rated = ratings(desk.judgements, rubric, purposes=("scored",))
    lows = [rubric_agreement(rated, rubric, items, seed=1)[0].alpha.low for items in (grouped, alone)]
    assert lows[0] != lows[1]
