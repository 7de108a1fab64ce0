import math
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from harness.errors import ConfigError, DataError
from harness.pipeline.power import PowerLine, SetPower, named_set_power, power_sentence, set_power, value_text
from harness.pipeline.power_spread import Spread, assumed_spreads, measured_spreads, rubric_sd
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message
from harness.records.scores import Score
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
    assert rubric_sd(2) == pytest.approx(sd)
    assert lines["rubric 1-5"].smallest == pytest.approx(floor + 0.841621 * sd / math.sqrt(50), rel=1e-5)


def test_more_raters_see_less_but_never_below_what_systems_differ_in() -> None:
    assert rubric_sd(1) > rubric_sd(2) > rubric_sd(1000) > 0.8
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
    spreads = {spread.metric: spread for spread in measured_spreads(golden_set(), tmp_path)}
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
    assert measured_spreads(golden_set("changed"), tmp_path) == []
    assert measured_spreads(golden_set(), tmp_path / "nowhere") == []
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
    (spread,) = measured_spreads(golden, tmp_path)
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
