from harness.rating.speed import paces


def put(desk, rater: str, number: int, levels: tuple[int, int, int], seconds: float) -> None:
    answer = {"levels": dict(zip(("a", "b", "c"), levels, strict=True))}
    desk.put(rater, f"i{number:02}", ["run-a"], answer, seconds=seconds)


def test_fast_and_straight_raters_are_warned_about_and_others_are_not(desk) -> None:
    for number in range(12):
        put(desk, "ann", number, (1 + number % 5, 3, 4), 40.0)
        put(desk, "bob", number, (3, 3, 3), 5.0)
    ann, bob = paces(desk.judgements)
    assert (ann.warnings, ann.fast, ann.straight, ann.seconds) == ((), 0, 0, 40.0)
    assert (bob.fast, bob.straight, bob.straight_of, bob.longest_run) == (12, 12, 12, 12)
    assert [one.partition(" screens")[0] for one in bob.warnings] == ["12 of 12", "12 of 12", "12"]


def test_of_few_screens_nothing_is_said(desk) -> None:
    for number in range(9):
        put(desk, "bob", number, (3, 3, 3), 1.0)
    (bob,) = paces(desk.judgements)
    assert bob.warnings == ()
    assert bob.fast == 9


def test_the_time_of_the_first_answer_counts_not_of_a_later_change(desk) -> None:
    from tests.rating.room import make_event

    put(desk, "ann", 0, (1, 2, 3), 30.0)
    desk.events.append(make_event(desk.assignments[0], {"levels": {"a": 2}}, revision=5, seconds=1.0))
    (ann,) = paces(desk.judgements)
    assert ann.seconds == 30.0


def test_rubrics_with_fewer_than_three_criteria_are_no_straight_lines(desk) -> None:
    for number in range(12):
        desk.put("ann", f"i{number:02}", ["run-a"], {"levels": {"a": 3, "b": 3}})
    (ann,) = paces(desk.judgements)
    assert ann.straight_of == 0
