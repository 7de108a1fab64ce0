from harness.rating.consistency import self_consistency, side_choices


def test_repeats_are_compared_answer_by_answer(desk, rubric) -> None:
    first = desk.levels("ann", "i00", "run-a", 4)
    desk.levels("ann", "i00", "run-a", 2, purpose="repeat", repeat_of=first)
    second = desk.levels("ann", "i01", "run-a", 3)
    desk.levels("ann", "i01", "run-a", 3, purpose="repeat", repeat_of=second)
    (found,) = self_consistency(desk.judgements, rubric)
    # accuracy, safe and critical_error, twice; one level differs, by 2
    assert (found.rater, found.repeats, found.answers, found.same, found.distance) == ("ann", 2, 6, 5, 1.0)


def test_a_pair_shown_again_from_the_other_side_is_the_same_when_the_same_answer_is_chosen(desk, rubric) -> None:
    one = desk.put("ann", "i00", ["run-a", "run-b"], {"choice": "left"})
    desk.put("ann", "i00", ["run-b", "run-a"], {"choice": "right"}, purpose="repeat", repeat_of=one)
    two = desk.put("ann", "i01", ["run-a", "run-b"], {"choice": "left"})
    desk.put("ann", "i01", ["run-b", "run-a"], {"choice": "left"}, purpose="repeat", repeat_of=two)
    (found,) = self_consistency(desk.judgements, rubric)
    assert (found.repeats, found.answers, found.same, found.distance) == (2, 2, 1, None)


def test_who_had_no_repeat_is_not_there(desk, rubric) -> None:
    desk.levels("ann", "i00", "run-a", 4)
    assert self_consistency(desk.judgements, rubric) == ()


def test_choices_of_one_side_are_counted_without_ties(desk) -> None:
    for number, choice in enumerate(["left", "left", "left", "right", "tie", "both_bad"]):
        desk.put("ann", f"i{number:02}", ["run-a", "run-b"], {"choice": choice})
    (found,) = side_choices(desk.judgements)
    assert (found.left, found.decided) == (3, 4)
    assert found.interval.low < 0.5 < found.interval.high
