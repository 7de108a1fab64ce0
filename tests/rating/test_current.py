from dataclasses import replace

import pytest

from harness.rating.current import adjudications, level_value, ratings, values_of
from tests.rating.room import make_event


def test_the_highest_revision_counts_whenever_it_was_stored(desk) -> None:
    desk.levels("ann", "i00", "run-a", 2)
    later = make_event(desk.assignments[0], {"levels": {"accuracy": 5, "safe": "pass"}}, revision=9)
    middle = make_event(desk.assignments[0], {"levels": {"accuracy": 3, "safe": "pass"}}, revision=4)
    desk.events += [later, middle]
    (found,) = desk.judgements
    assert (found.event, found.first, found.changes) == (later, desk.events[0], 2)


def test_the_same_answer_given_again_is_no_change(desk) -> None:
    desk.levels("ann", "i00", "run-a", 2)
    again = replace(desk.events[0], event_id="again", revision=7, stage="revise")
    desk.events.append(again)
    (found,) = desk.judgements
    assert (found.event, found.changes) == (again, 0)


def test_of_equal_revisions_the_one_stored_last_counts(desk) -> None:
    desk.levels("ann", "i00", "run-a", 2)
    other = replace(desk.events[0], event_id="other", answer={"levels": {"accuracy": 4, "safe": "pass"}})
    desk.events.append(other)
    assert desk.judgements[0].event == other


def test_answers_become_numbers_and_the_overall_is_weighted(rubric) -> None:
    answer = {"levels": {"accuracy": 4, "clarity": 2, "safe": "fail"}, "critical_error": True}
    # accuracy (4-1)/4 at weight 2, clarity (2-1)/4 at 1, safe 0 at 1
    assert values_of(answer, rubric) == {
        "accuracy": 4.0,
        "clarity": 2.0,
        "safe": 0.0,
        "critical_error": 1.0,
        "overall": pytest.approx((2 * 0.75 + 0.25 + 0.0) / 4),
    }


def test_an_open_optional_criterion_is_left_out_and_an_open_required_one_leaves_no_overall(rubric) -> None:
    assert values_of({"levels": {"accuracy": 5, "safe": "pass"}}, rubric)["overall"] == 1.0
    assert "overall" not in values_of({"levels": {"accuracy": 5}, "cannot_judge": ["safe"]}, rubric)


def test_only_the_purposes_asked_for_are_rated(desk, rubric) -> None:
    desk.levels("ann", "k1", "run-a", 3, purpose="calibration")
    first = desk.levels("ann", "i00", "run-a", 3)
    desk.levels("ann", "i00", "run-a", 4, purpose="repeat", repeat_of=first)
    desk.put("ann", "i00", ["run-a", "run-b"], {"choice": "left"})
    found = ratings(desk.judgements, rubric, purposes=("scored",))
    assert {one.item_id for one in found} == {"i00"}
    overall = pytest.approx((2 * 0.5 + 1) / 3)
    values = {one.criterion_id: one.value for one in found}
    assert values == {"accuracy": 3.0, "safe": 1.0, "critical_error": 0.0, "overall": overall}


def test_the_last_adjudication_of_an_answer_counts(desk) -> None:
    desk.adjudicate("i00", "run-a", "accuracy", 2, "third_rater")
    desk.adjudicate("i00", "run-a", "accuracy", 4)
    desk.adjudicate("i00", "run-a", "critical_error", True)
    found = {one.criterion_id: (one.value, one.method) for one in adjudications(desk.state)}
    assert found == {"accuracy": (4.0, "consensus"), "critical_error": (1.0, "consensus")}


def test_what_is_no_level_is_an_error() -> None:
    with pytest.raises(ValueError, match="no level"):
        level_value("good")
