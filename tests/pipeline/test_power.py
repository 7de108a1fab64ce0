import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from harness.errors import ConfigError, DataError
from harness.pipeline.power import PowerLine, SetPower, named_set_power, power_sentence, set_power, value_text
from harness.pipeline.power_ratings import Spread, rated_pairs, rating_spreads
from harness.pipeline.power_spread import ASSUMED_RATING, assumed_spreads, measured_spreads
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message
from harness.records.scores import Metric, Score
from harness.stats.clusters import effective_items
from harness.stats.paired import tango_interval
from harness.stats.power import paired_proportions_power, smallest_detectable_difference_binary
from harness.store.migrate import open_ledger
from harness.store.runs import start_run
from harness.store.scores import record_metrics, record_scores
from tests.reports.ledger import EXACT, build, finish, golden_set, run_of


def _set_of(groups: Sequence[str | None]) -> GoldenSet:
    items = tuple(
        Item(item_id=f"i{n}", input=(Message(role="user", content=f"q{n}"),), references=("x",), group=group)
        for n, group in enumerate(groups)
    )
    return GoldenSet(
        name="small", version="1.0.0", sha256="5" * 64, licence="CC0", items=items, scorers=("exact_match",)
    )


def _spread(kind: str, value: float, *, width: float | None = 1.0, share: float = 1.0) -> Spread:
    return Spread(
        kind=kind,  # type: ignore[arg-type]
        metric=f"golden/{kind}",
        value=value,
        width=width,
        effective_share=share,
        basis="measured",
        is_measured=True,
    )


def _by_metric(found: SetPower) -> dict[str, PowerLine]:
    return {line.spread.metric: line for line in found.lines}


def test_fifty_items_show_what_the_exact_enumeration_says() -> None:
    lines = _by_metric(set_power(_set_of([None] * 50)))
    binary = lines["pass/fail"].smallest
    assert binary == smallest_detectable_difference_binary(50, 0.3)
    assert binary is not None
    assert paired_proportions_power(50, binary, 0.3) == pytest.approx(0.8)
    preference = lines["preference"].smallest
    assert preference is not None
    assert paired_proportions_power(50, 2 * preference - 1, 0.8) == pytest.approx(0.8)


def test_the_smallest_difference_is_seen_four_times_in_five_when_simulated() -> None:
    smallest = _by_metric(set_power(_set_of([None] * 50)))["pass/fail"].smallest
    assert smallest is not None
    chances = [(0.3 + smallest) / 2, (0.3 - smallest) / 2, 0.7]
    drawn = np.random.default_rng(17).multinomial(50, chances, size=2000).tolist()
    seen = [tango_interval(b, c, 50).low > 0 for b, c, _ in drawn]
    assert statistics.fmean(seen) == pytest.approx(0.8, abs=0.03)  # three standard errors are 0.027


def test_a_mean_without_bounds_agrees_with_statsmodels() -> None:
    line = _by_metric(set_power(_set_of([None] * 50), [_spread("graded", 2.0, width=None)]))["golden/graded"]
    assert line.smallest is not None
    assert TTestPower().power(line.smallest / 2.0, 50, 0.025, alternative="larger") == pytest.approx(0.8)


def test_a_bounded_mean_needs_more_than_the_t_test_says() -> None:
    lines = _by_metric(set_power(_set_of([None] * 50)))
    floor = 1.959964**2 / 50 * 4  # below it the score interval of a rubric from 1 to 5 cannot leave 0
    sd = math.sqrt(0.8**2 + 2 * 0.7**2 / 2)
    assert ASSUMED_RATING.sd(2) == pytest.approx(sd)
    assert lines["rubric 1-5"].smallest == pytest.approx(floor + 0.841621 * sd / math.sqrt(50), rel=1e-5)


def test_more_raters_see_less_but_never_below_what_systems_differ_in() -> None:
    assert ASSUMED_RATING.sd(1) > ASSUMED_RATING.sd(2) > ASSUMED_RATING.sd(1000) > 0.8
    one, five = (_by_metric(set_power(_set_of([None] * 50), raters=n))["rubric 1-5"].smallest for n in (1, 5))
    assert one is not None
    assert five is not None
    assert one > five


@pytest.mark.parametrize(
    ("groups", "share"),
    [([None] * 4, 1.0), (["a", "a", "b", "b"], 1 / 1.2), (["a", "a", "a", None], 1 / 1.3), (["a"] * 4, 1 / 1.6)],
)
def test_items_of_a_group_count_as_fewer(groups: list[str | None], share: float) -> None:
    # sizes 2 and 2: (4 + 4) / 4 = 2 items a group; 3 and 1: (9 + 1) / 4 = 2.5; 4: 4. Design effect 1 + (m - 1) * 0.2.
    assert [spread.effective_share for spread in assumed_spreads(_set_of(groups), raters=2)] == pytest.approx(
        [share] * 3
    )


def test_grouped_items_show_less_and_need_more() -> None:
    alone = set_power(_set_of([None] * 60), target=0.1)
    grouped = set_power(_set_of([f"g{n // 3}" for n in range(60)]), target=0.1)
    assert (alone.groups, grouped.groups) == (60, 20)
    for one, other in zip(alone.lines, grouped.lines, strict=True):
        assert one.smallest is not None
        assert other.smallest is not None
        assert one.items_needed is not None
        assert other.smallest > one.smallest
        assert other.items_needed == pytest.approx(one.items_needed * 1.4, abs=1)


def test_the_items_needed_are_the_first_that_reach_the_power() -> None:
    line = _by_metric(set_power(_set_of([None] * 20), target=0.15))["pass/fail"]
    assert line.items_needed is not None
    assert paired_proportions_power(line.items_needed, 0.15, 0.3) >= 0.8
    assert paired_proportions_power(line.items_needed - 1, 0.15, 0.3) < 0.8


def test_a_target_is_a_share_of_each_range() -> None:
    found = set_power(_set_of([None] * 20), [_spread("graded", 0.5, width=None)], target=0.1)
    assert [line.target for line in found.lines] == pytest.approx([0.1, 0.1, 0.4, 0.6])


def test_raters_are_offered_only_where_they_can_do_it() -> None:
    few, some = (_by_metric(set_power(_set_of([None] * n), target=0.1))["rubric 1-5"] for n in (20, 55))
    assert few.raters_needed is None
    assert some.raters_needed is not None
    enough = set_power(_set_of([None] * 55), raters=some.raters_needed)
    smallest = _by_metric(enough)["rubric 1-5"].smallest
    assert smallest is not None
    assert smallest <= 0.4


def test_systems_that_hardly_disagree_show_a_larger_difference_all_the_same() -> None:
    line = _by_metric(set_power(_set_of([None] * 50), [_spread("binary", 0.02)]))["golden/binary"]
    assert line.smallest is not None
    assert line.smallest > 0.02
    assert paired_proportions_power(50, line.smallest, line.smallest) == pytest.approx(0.8)


def test_a_set_of_three_items_shows_nothing() -> None:
    found = set_power(_set_of([None] * 3))
    assert [line.smallest for line in found.lines] == [None, None, None]
    assert "pass/fail none" in power_sentence(_set_of([None] * 3))


@pytest.mark.parametrize("wrong", [{"raters": 0}, {"target": 0.0}, {"target": 0.5}, {"target": -0.1}])
def test_what_cannot_be_planned_for_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="allowed: "):
        set_power(_set_of([None] * 10), **wrong)  # type: ignore[arg-type]


def test_disagreement_is_measured_between_the_systems_of_the_ledger(tmp_path: Path) -> None:
    build(tmp_path)
    spreads = {spread.metric: spread for spread in measured_spreads(golden_set(), tmp_path, raters=2)}
    # 1100, 1101 and 0111: pairs differ on 1, 3 and 2 of 4 items.
    exact = spreads["golden/exact_match"]
    assert (exact.kind, exact.value, exact.effective_share, exact.is_measured) == ("binary", 0.5, 1.0, True)
    assert "median of 3 pairs" in exact.basis
    of_pairs = (
        statistics.stdev([0, 0, 0, 0.5] * 5),
        statistics.stdev([0.5, 0, -0.5, -0.5] * 5),
        statistics.stdev([0.5, 0, -0.5, 0] * 5),
    )
    overlap = spreads["golden/overlap"]
    assert (overlap.kind, overlap.width) == ("graded", 1.0)
    assert overlap.value == pytest.approx(statistics.median(of_pairs))
    assert [line.spread.metric for line in set_power(golden_set(), list(spreads.values())).lines] == [
        "golden/exact_match",
        "golden/overlap",
        "rubric 1-5",
        "preference",
    ]


def test_runs_of_another_version_measure_nothing(tmp_path: Path) -> None:
    build(tmp_path)
    assert measured_spreads(golden_set("changed"), tmp_path, raters=2) == []
    assert measured_spreads(golden_set(), tmp_path / "nowhere", raters=2) == []
    assert not (tmp_path / "nowhere").exists()


def test_measured_groups_count_by_how_alike_their_items_turned_out(tmp_path: Path) -> None:
    golden = _set_of([f"g{n // 4}" for n in range(40)])
    ledger = open_ledger(tmp_path, create=True)
    record_metrics(ledger, [EXACT])
    marks = {"one": [1.0] * 40, "other": [float(n // 4 % 2) for n in range(40)]}
    for minute, (system, values) in enumerate(marks.items()):
        run = run_of(system, f"20261121-09000{minute}-bbbbbb", minute=minute, golden=golden)
        start_run(ledger, run)
        record_scores(
            ledger, run.run_id, [_score(item, value) for item, value in zip(golden.items, values, strict=True)]
        )
        finish(ledger, run)
    (spread,) = measured_spreads(golden, tmp_path, raters=2)
    differences = [1 - value for value in marks["other"]]
    expected = effective_items(differences, [n // 4 for n in range(40)]) / 40
    assert (spread.value, spread.effective_share) == (0.5, pytest.approx(expected))
    assert expected < 0.3


def _score(item: Item, value: float) -> Score:
    return Score(
        task="golden",
        item_id=item.item_id,
        item_hash=item.item_hash,
        scorer="exact_match",
        value=value,
        group=item.group,
    )


def test_a_set_is_found_by_name_or_said_to_be_missing(tmp_path: Path) -> None:
    assert named_set_power("icd10_coding", tmp_path).items == 72
    with pytest.raises(DataError):
        named_set_power("no_such_set", tmp_path)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [("binary", 0.213, "21.3 points"), ("graded", 0.425, "0.42"), ("preference", 0.675, "a win rate of 68 %")],
)
def test_values_are_said_in_the_unit_of_their_kind(kind: str, value: float, said: str) -> None:
    assert value_text(kind, value) == said  # type: ignore[arg-type]


ACCURACY = Metric(name="rating/accuracy", kind="graded", minimum=1.0, maximum=5.0)


def _ratings(values: Sequence[Sequence[float]], scorer: str = "accuracy", *, first_rater: int = 0) -> list[Score]:
    """Ratings of items i0, i1, ...: a value for each rater."""
    return [
        Score(
            task="rating", item_id=f"i{n}", item_hash="h", scorer=scorer, value=value, sample_index=first_rater + rater
        )
        for n, of_item in enumerate(values)
        for rater, value in enumerate(of_item)
    ]


def _pairs(ours: list[Score], theirs: list[Score], metric: str = "rating/accuracy"):
    return rated_pairs(("a", {metric: ours}), ("b", {metric: theirs}), {metric: ACCURACY})


def test_raters_part_is_told_from_the_items_by_hand() -> None:
    # Differences of rater 0: 1 and 3, of rater 1: 1 and 1. Means 1 and 2: variance 0.5. Within items: 0 and 2, mean 1.
    (pair,) = _pairs(_ratings([(3, 3), (5, 4)]), _ratings([(2, 2), (2, 3)]))
    assert (pair.sd**2, pair.raters, pair.rater_variance) == (pytest.approx(0.5), 2.0, pytest.approx(1.0))
    (spread,) = rating_spreads([pair], {"rating/accuracy": ACCURACY}, share=1.0, raters=4)
    assert spread.rating is not None
    assert (spread.rating.items, spread.rating.raters) == (pytest.approx(0.0), pytest.approx(1.0))  # 0.5 - 1/2, 1
    assert spread.value == pytest.approx(0.5)
    assert spread.width == 4.0
    assert spread.basis.startswith("measured: sd 0.5 with 4 raters; from item to item ")


def test_the_parts_that_ratings_were_drawn_from_come_back() -> None:
    draw = np.random.default_rng(5)
    n, raters, of_items, of_rater, severe = 4000, 3, 0.8, 0.6, np.array([-1.0, 0.0, 1.0])
    true = draw.normal(0.3, of_items, size=n)
    noise = draw.normal(0, of_rater, size=(2, n, raters)) + severe  # the same raters on both sides: severity cancels
    (pair,) = _pairs(_ratings((true[:, None] + noise[0]).tolist()), _ratings(noise[1].tolist()))
    (spread,) = rating_spreads([pair], {"rating/accuracy": ACCURACY}, share=1.0, raters=raters)
    assert spread.rating is not None
    assert spread.rating.items == pytest.approx(of_items**2, rel=0.05)
    assert spread.rating.raters == pytest.approx(2 * of_rater**2, rel=0.05)
    assert spread.value == pytest.approx(math.sqrt(of_items**2 + 2 * of_rater**2 / raters), rel=0.05)


def test_other_raters_on_each_side_bring_both_their_variances() -> None:
    (pair,) = _pairs(_ratings([(3, 5), (2, 2)]), _ratings([(1, 2), (4, 4)], first_rater=5))
    assert pair.rater_variance == pytest.approx((2.0 + 0.5 + 0.0) / 2)


def test_answers_that_nobody_rated_twice_leave_the_raters_part_unknown() -> None:
    (pair,) = _pairs(_ratings([(3,), (5,), (2,)]), _ratings([(2,), (2,), (2,)]))
    (spread,) = rating_spreads([pair], {"rating/accuracy": ACCURACY}, share=1.0, raters=2)
    assert (spread.rating, spread.value) == (None, pytest.approx(statistics.stdev([1, 3, 0])))
    assert "none rated twice" in spread.basis
    line = _by_metric(set_power(_set_of([None] * 30), [spread], target=0.05))["rating/accuracy"]
    assert line.raters_needed is None


def test_what_is_made_of_ratings_is_no_rating() -> None:
    both = _ratings([(3,), (5,)])
    assert _pairs(both, both, metric="rating/overall") == []
    assert _pairs(both, both, metric="rating/accuracy:adjudicated") == []
    assert _pairs(_ratings([(3,)]), _ratings([(2,)])) == []


def test_ties_of_a_preference_are_counted_over_its_choices() -> None:
    metric = "rating/preference:b"
    ours = _ratings([(1.0, 0.5), (0.5, 0.0), (0.0, 1.0), (1.0, 1.0)], "preference:b")
    (pair,) = rated_pairs(("a", {metric: ours}), ("b", {}), {})
    (spread,) = rating_spreads([pair], {}, share=0.9, raters=2)
    assert (spread.kind, spread.value, spread.effective_share) == ("preference", 0.25, 0.9)
    assert "25 % ties" in spread.basis


def test_measured_ratings_take_the_place_of_what_is_assumed(tmp_path: Path) -> None:
    ledger = build(tmp_path)
    record_metrics(ledger, [ACCURACY])
    items = golden_set().items
    for run_id, low in (("20261121-090001-aaaaaa", 2.0), ("20261121-090002-aaaaaa", 1.0)):
        record_scores(
            ledger,
            run_id,
            [
                replace(score, item_id=item.item_id, item_hash=item.item_hash)
                for n, item in enumerate(items)
                for score in _ratings([(low + n % (2 + low), low + (n + 1) % 2)])
            ],
        )
    measured = measured_spreads(golden_set(), tmp_path, raters=3, experiment="colours")
    rated = {spread.metric: spread for spread in measured}["rating/accuracy"]
    assert rated.is_measured
    lines = _by_metric(set_power(golden_set(), measured, target=0.2))
    assert "rating/accuracy" in lines
    assert "rubric 1-5" not in lines
    assert "preference" in lines
    with pytest.raises(ConfigError, match='"colors" is not an experiment with runs here'):
        measured_spreads(golden_set(), tmp_path, raters=3, experiment="colors")
