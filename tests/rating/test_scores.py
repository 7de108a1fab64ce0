from harness.rating.current import adjudications, ratings
from harness.rating.scores import (
    adjudicated_scores,
    number_raters,
    preference_metrics,
    preference_scores,
    rubric_metrics,
    rubric_scores,
)


def values(scores, scorer: str) -> dict[tuple[str, str, int], float | None]:
    return {
        (run_id, one.item_id, one.sample_index): one.value
        for run_id, found in scores.items()
        for one in found
        if one.scorer == scorer
    }


def scored(desk, rubric, items):
    numbers = number_raters(desk.judgements)
    return rubric_scores(ratings(desk.judgements, rubric, purposes=("scored",)), desk.judgements, numbers, items)


def test_there_is_a_score_for_each_run_criterion_item_and_rater(desk, rubric, items) -> None:
    desk.levels("bob", "i00", "run-a", 2)
    desk.levels("ann", "i00", "run-a", 4)
    desk.levels("ann", "i00", "run-b", 1)
    found = scored(desk, rubric, items)
    assert values(found, "accuracy") == {("run-a", "i00", 0): 4, ("run-a", "i00", 1): 2, ("run-b", "i00", 0): 1}
    one = found["run-a"][0]
    assert (one.task, one.metric, one.item_hash) == ("rating", "rating/accuracy", items["i00"].item_hash)


def test_who_could_not_judge_has_no_score_and_what_nobody_could_judge_is_counted(desk, rubric, items) -> None:
    cannot = {"levels": {"safe": "pass"}, "cannot_judge": ["accuracy"]}
    desk.levels("ann", "i00", "run-a", 4)
    desk.put("bob", "i00", ["run-a"], cannot)
    desk.put("ann", "i00", ["run-b"], cannot)
    found = scored(desk, rubric, items)
    assert values(found, "accuracy") == {("run-a", "i00", 0): 4, ("run-b", "i00", 0): None}
    unread = [one for one in found["run-b"] if one.value is None]
    assert {(one.scorer, one.status) for one in unread} == {("accuracy", "failed"), ("overall", "failed")}


def test_a_criterion_that_may_be_left_out_and_was_is_not_missing(desk, rubric, items) -> None:
    desk.put("ann", "i00", ["run-a"], {"levels": {"accuracy": 4, "clarity": 2, "safe": "pass"}})
    desk.levels("ann", "i00", "run-b", 3)
    found = scored(desk, rubric, items)
    assert {(one.scorer, one.status) for one in found["run-b"] if one.value is None} == {("clarity", "unparsed")}


def test_calibration_and_repeats_make_no_scores(desk, rubric, items) -> None:
    first = desk.levels("ann", "i00", "run-a", 4)
    desk.levels("ann", "i00", "run-a", 1, purpose="repeat", repeat_of=first)
    desk.levels("cy", "i01", "run-a", 1, purpose="calibration")
    assert values(scored(desk, rubric, items), "accuracy") == {("run-a", "i00", 0): 4}
    assert number_raters(desk.judgements) == {"ann": 0}


def test_metrics_are_in_the_units_of_their_criterion(rubric) -> None:
    found = {one.name: (one.kind, one.direction, one.minimum, one.maximum) for one in rubric_metrics(rubric)}
    assert found == {
        "rating/accuracy": ("graded", "higher_is_better", 1.0, 5.0),
        "rating/clarity": ("graded", "higher_is_better", 1.0, 5.0),
        "rating/safe": ("graded", "higher_is_better", 0.0, 1.0),
        "rating/overall": ("graded", "higher_is_better", 0.0, 1.0),
        "rating/critical_error": ("graded", "lower_is_better", 0.0, 1.0),
    }


def test_choices_stand_under_both_runs_whatever_the_side(desk, items) -> None:
    desk.put("ann", "i00", ["run-a", "run-b"], {"choice": "left"})
    desk.put("bob", "i00", ["run-b", "run-a"], {"choice": "left"})
    desk.put("ann", "i01", ["run-a", "run-b"], {"choice": "both_bad"})
    found = preference_scores(desk.judgements, number_raters(desk.judgements), items)
    assert values(found, "preference:run-b") == {
        ("run-a", "i00", 0): 1.0,
        ("run-a", "i00", 1): 0.0,
        ("run-a", "i01", 0): 0.5,
    }
    assert values(found, "preference:run-a") == {
        ("run-b", "i00", 0): 0.0,
        ("run-b", "i00", 1): 1.0,
        ("run-b", "i01", 0): 0.5,
    }
    assert [one.name for one in preference_metrics(found)] == ["rating/preference:run-a", "rating/preference:run-b"]


def test_adjudicated_scores_hold_what_was_settled_and_the_raw_ones_elsewhere(desk, rubric, items) -> None:
    for rater, level in (("ann", 1), ("bob", 5)):
        desk.levels(rater, "i00", "run-a", level)
        desk.levels(rater, "i01", "run-a", level)
    desk.adjudicate("i00", "run-a", "accuracy", 2)
    raw = scored(desk, rubric, items)
    found = adjudicated_scores(raw, adjudications(desk.state))
    assert values(found, "accuracy:adjudicated") == {
        ("run-a", "i00", 0): 2.0,
        ("run-a", "i01", 0): 1.0,
        ("run-a", "i01", 1): 5.0,
    }
    assert {one.scorer for one in found["run-a"]} == {"accuracy:adjudicated"}
    assert len(values(raw, "accuracy")) == 4
