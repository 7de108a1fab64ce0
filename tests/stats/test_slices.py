import numpy as np
import pytest

from harness.stats.bounded import bounded_mean_interval
from harness.stats.multiplicity import benjamini_hochberg
from harness.stats.paired import clustered_sign_flip_p, sign_flip_p
from harness.stats.slices import Slice, no_slice_loses, slice_differences


def sliced(**differences: list[float]):
    return slice_differences(
        [Slice(name=name, differences=values) for name, values in differences.items()], minimum=-1, maximum=1
    )


def test_each_slice_has_its_own_interval_and_an_adjusted_p_value() -> None:
    law, art = [1.0] * 8 + [0.0] * 12, [-1.0] * 2 + [0.0] * 10
    found = sliced(law=law, art=art)
    interval = bounded_mean_interval(law, minimum=-1, maximum=1)
    wider = bounded_mean_interval(law, minimum=-1, maximum=1, confidence=0.975)
    assert [(one.name, one.n) for one in found] == [("law", 20), ("art", 12)]
    assert found[0].difference == pytest.approx(0.4)
    assert found[0].interval == interval
    assert (found[0].family.low, found[0].family.high) == pytest.approx((wider.low, wider.high))
    p_values = [sign_flip_p(law), sign_flip_p(art)]
    assert [one.p_value for one in found] == p_values
    assert [one.adjusted_p for one in found] == pytest.approx(benjamini_hochberg(p_values))


def test_slices_in_clusters_are_judged_by_clusters() -> None:
    differences, clusters = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0], "aabbcc"
    (found,) = slice_differences([Slice(name="law", differences=differences, clusters=clusters)], minimum=-1, maximum=1)
    assert found.interval == bounded_mean_interval(differences, minimum=-1, maximum=1, clusters=clusters)
    assert found.p_value == clustered_sign_flip_p(differences, clusters)
    assert found.family == found.interval, "a single slice is its own family"


def test_no_slice_loses_only_where_each_shows_it() -> None:
    calm, small, lost = [0.0] * 60, [0.0] * 20, [-1.0] * 20 + [0.0] * 10
    assert no_slice_loses(sliced(law=calm, art=calm), margin=0.1) == "pass"
    assert no_slice_loses(sliced(law=calm, art=small), margin=0.1) == "inconclusive"
    assert no_slice_loses(sliced(law=calm, art=lost), margin=0.1) == "fail"


def test_a_slice_that_fails_alone_is_inconclusive_among_many() -> None:
    """Of 40 slices one or two lie beyond any bound by chance: the family's interval has to."""
    lost = [-1.0] * 9 + [0.0] * 20
    alone = sliced(lost=lost)
    among = sliced(lost=lost, **{f"calm {index}": [0.0] * 60 for index in range(39)})
    assert no_slice_loses(alone, margin=0.15) == "fail"
    assert no_slice_loses(among, margin=0.15) == "inconclusive"


def test_a_false_pass_stays_as_rare_with_many_slices_as_with_one() -> None:
    """One slice loses exactly the margin, nine others gain; seeded. 2.5 % nominal, 400 draws."""
    generator = np.random.default_rng(5)
    passed = 0
    for _ in range(400):
        losing = generator.choice([-1.0, 0.0, 1.0], p=[0.2, 0.7, 0.1], size=80).tolist()
        others = {f"s{index}": generator.choice([0.0, 1.0], size=30).tolist() for index in range(9)}
        slices = [Slice(name=name, differences=values) for name, values in {"losing": losing, **others}.items()]
        intervals = [bounded_mean_interval(one.differences, minimum=-1, maximum=1) for one in slices]
        passed += all(one.low > -0.1 for one in intervals)
    assert passed <= 0.045 * 400


def test_slices_need_items_and_names_of_their_own() -> None:
    assert slice_differences([], minimum=-1, maximum=1) == []
    with pytest.raises(ValueError, match="no slice"):
        no_slice_loses([], margin=0.1)
    with pytest.raises(ValueError, match="same name"):
        slice_differences([Slice(name="a", differences=[0.0])] * 2, minimum=-1, maximum=1)
    with pytest.raises(ValueError, match="too few"):
        sliced(law=[])
    with pytest.raises(ValueError, match="margin is 0"):
        no_slice_loses(sliced(law=[0.0]), margin=0)
