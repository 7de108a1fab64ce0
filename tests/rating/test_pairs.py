import pytest

from harness.rating.current import ratings
from harness.rating.pairs import corrections, preference_pairs


def pairs(desk, rubric, **options):
    rated = ratings(desk.judgements, rubric, purposes=("scored",))
    return preference_pairs(desk.judgements, rated, **options)


def test_a_choice_makes_a_pair_and_a_tie_does_not(desk, rubric) -> None:
    desk.put("ann", "i00", ["run-a", "run-b"], {"choice": "right"})
    desk.put("bob", "i00", ["run-b", "run-a"], {"choice": "left"})
    desk.put("ann", "i01", ["run-a", "run-b"], {"choice": "tie"})
    desk.put("ann", "i02", ["run-a", "run-b"], {"choice": "both_bad"})
    (found,) = pairs(desk, rubric)
    assert (found.item_id, found.chosen_run, found.rejected_run) == ("i00", "run-b", "run-a")
    assert (found.votes, found.source, found.margin) == (2, "choice", None)


def test_raters_who_chose_differently_make_no_pair_not_even_by_the_rubric(desk, rubric) -> None:
    desk.put("ann", "i00", ["run-a", "run-b"], {"choice": "left"})
    desk.put("bob", "i00", ["run-a", "run-b"], {"choice": "right"})
    desk.levels("ann", "i00", "run-a", 5)
    desk.levels("ann", "i00", "run-b", 1)
    assert pairs(desk, rubric) == ()


def test_rubric_screens_of_one_rater_make_a_pair_from_the_margin_on(desk, rubric) -> None:
    # accuracy at weight 2 of 3: one level is 1/6 of the overall, two are 1/3
    desk.levels("ann", "i00", "run-a", 4)
    desk.levels("ann", "i00", "run-b", 3)
    desk.levels("ann", "i01", "run-a", 5)
    desk.levels("ann", "i01", "run-b", 3)
    desk.levels("bob", "i02", "run-a", 5)
    desk.levels("ann", "i02", "run-b", 1)
    (found,) = pairs(desk, rubric)
    assert (found.item_id, found.chosen_run, found.source, found.votes) == ("i01", "run-a", "rubric", 1)
    assert found.margin == pytest.approx(1 / 3)
    assert [one.item_id for one in pairs(desk, rubric, margin=0.1)] == ["i00", "i01"]


def test_hidden_repeats_and_calibration_make_no_pairs(desk, rubric) -> None:
    desk.put("ann", "i00", ["run-a", "run-b"], {"choice": "left"}, purpose="repeat")
    desk.put("ann", "k1", ["run-a", "run-b"], {"choice": "left"}, purpose="calibration")
    assert pairs(desk, rubric) == ()


@pytest.mark.parametrize("margin", [0.0, 1.1])
def test_a_margin_outside_the_overall_is_refused(desk, rubric, margin: float) -> None:
    with pytest.raises(ValueError, match="margin is"):
        pairs(desk, rubric, margin=margin)


def test_corrected_answers_are_kept_with_what_they_correct(desk) -> None:
    desk.put("ann", "i00", ["run-a"], {"levels": {}, "corrected": "  better "})
    desk.put("ann", "i01", ["run-a"], {"levels": {}, "corrected": " "})
    desk.put("bob", "r1", [], {"decision": "correct", "corrected": "right"})
    found = [(one.item_id, one.run_id, one.text, one.rater) for one in corrections(desk.judgements)]
    assert found == [("i00", "run-a", "better", "ann"), ("r1", None, "right", "bob")]
