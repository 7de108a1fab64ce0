from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.decision.compare import compare
from harness.decision.preference import PREFERENCE, face, facing_metric, is_facing, rank, win_rate_of
from harness.records.evidence import Evidence
from harness.records.runs import Run, RunState
from harness.records.scores import Metric, Score


def chosen(over: str, values: Mapping[str, Sequence[float]]) -> list[Score]:
    """By item: what each rater chose."""
    return [
        Score(
            task="rating",
            item_id=item,
            item_hash=f"h-{item}",
            scorer=f"preference:{over}",
            value=value,
            sample_index=rater,
        )
        for item, given in values.items()
        for rater, value in enumerate(given)
    ]


def evidence(run_id: str, scores: list[Score]) -> Evidence:
    run = Run(
        run_id=run_id,
        experiment="e",
        experiment_id="x",
        system=run_id,
        inputs_hash="h",
        golden_set="g",
        golden_version="1",
        golden_sha256="s",
        system_config={},
        provenance={},
        started_at=datetime(2026, 11, 21, tzinfo=UTC),
    )
    by_metric: dict[str, list[Score]] = {}
    for score in scores:
        by_metric.setdefault(score.metric, []).append(score)
    return Evidence(
        name=run_id,
        state=RunState(run=run, status="finished", reason=None, ended_at=None, facts={}),
        metrics={name: Metric(name=name, kind="graded") for name in by_metric},
        scores=by_metric,
        notes=dict.fromkeys(by_metric, ("said",)),
        evaluations=dict.fromkeys(by_metric, "c1"),
    )


def mirrored(scores: list[Score], over: str) -> list[Score]:
    return [replace(one, scorer=f"preference:{over}", value=1 - (one.value or 0.0)) for one in scores]


def test_two_runs_held_against_each_other_have_their_choices_as_preference() -> None:
    over_b = chosen("b", {"i1": [1, 1], "i2": [1, 0.5], "i3": [0, 0]})
    ours, theirs = face(evidence("a", [*over_b, *chosen("c", {"i1": [0]})]), evidence("b", mirrored(over_b, "a")))
    assert [one.value for one in ours.scores[PREFERENCE]] == [1, 1, 1, 0.5, 0, 0]
    assert [one.value for one in theirs.scores[PREFERENCE]] == [0, 0, 0, 0.5, 1, 1]
    assert (ours.evaluations[PREFERENCE], ours.notes[PREFERENCE]) == ("c1", ("said",))
    found = compare(
        ours.metrics[PREFERENCE],
        ours.scores[PREFERENCE],
        theirs.scores[PREFERENCE],
        candidate_name="a",
        baseline_name="b",
    )
    # By item 1, 0.75 and 0 against 0, 0.25 and 1
    assert found.difference == pytest.approx((1 + 0.5 - 1) / 3)
    rate = win_rate_of(found)
    assert rate.value == pytest.approx((1 + 0.75 + 0) / 3)
    assert 0 <= rate.low < rate.value < rate.high <= 1


def test_runs_that_were_never_compared_have_no_preference() -> None:
    ours, theirs = face(evidence("a", chosen("c", {"i1": [1]})), evidence("b", []))
    assert PREFERENCE not in ours.scores
    assert PREFERENCE not in theirs.scores


def test_choices_against_one_run_are_told_from_preference_itself() -> None:
    assert is_facing(facing_metric("run-1"))
    assert not is_facing(PREFERENCE)


def test_strengths_count_an_item_once_however_many_raters_it_had() -> None:
    def runs(raters: int) -> dict[str, list[Score]]:
        a_b = chosen("b", {f"i{n}": [float(n < 6)] * raters for n in range(8)})
        b_c = chosen("c", {f"i{n}": [float(n < 5)] * raters for n in range(8)})
        a_c = chosen("c", {f"i{n}": [float(n < 7)] * raters for n in range(8)})
        return {
            "a": [*a_b, *a_c],
            "b": [*mirrored(a_b, "a"), *b_c],
            "c": [*mirrored(b_c, "b"), *mirrored(a_c, "a")],
        }

    one, many = rank(runs(1)), rank(runs(5))
    assert one == many
    assert [each.name for each in one.strengths] == ["a", "b", "c"]
    assert not one.regularised


def test_two_systems_need_no_ranking_and_unconnected_ones_have_none() -> None:
    a_b, c_d = chosen("b", {"i1": [1]}), chosen("d", {"i1": [1]})
    two = {"a": a_b, "b": mirrored(a_b, "a")}
    assert rank(two) is None
    assert rank({**two, "c": c_d, "d": mirrored(c_d, "c")}) is None
