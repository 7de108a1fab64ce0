import pytest

from harness.rating.leaks import guesses, lengths

RUNS = ["run-a", "run-b", "run-c"]


def closing(desk, guessed: list[int | None]) -> None:
    for number, guess in enumerate(guessed):
        desk.put(f"r{number}", "i00", RUNS, {"guess": guess})


def test_guesses_are_held_against_chance_with_an_exact_interval(desk) -> None:
    closing(desk, [0, 0, 1, None])
    found = guesses(desk.judgements, {"run-a"})
    assert (found.right, found.guessed, found.cannot_tell) == (2, 3, 1)
    assert found.chance == pytest.approx(1 / 3)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.0943, 0.9916), abs=1e-4)  # scipy binomtest
    assert "2 of 3 raters who guessed" in found.sentence
    assert "too few to say" in found.sentence
    assert "run-" not in found.sentence


def test_raters_who_all_knew_are_said_to_have_known(desk) -> None:
    closing(desk, [0] * 8)
    assert "more than chance: the rating was not wholly blind" in guesses(desk.judgements, {"run-a"}).sentence


def test_raters_who_were_all_wrong_took_another_for_it(desk) -> None:
    closing(desk, [1] * 12)
    assert "took another for it" in guesses(desk.judgements, {"run-a"}).sentence


def test_who_cannot_tell_has_not_guessed(desk) -> None:
    closing(desk, [None, None])
    found = guesses(desk.judgements, {"run-a"})
    assert (found.guessed, found.interval) == (0, None)
    assert "No rater guessed" in found.sentence


@pytest.mark.parametrize("tuned", [set(), set(RUNS)])
def test_where_none_or_all_were_fine_tuned_there_is_nothing_to_guess(desk, tuned) -> None:
    closing(desk, [0])
    assert guesses(desk.judgements, tuned) is None


def test_length_alone_tells_the_fine_tuned_answer_that_is_always_shortest() -> None:
    characters = {
        "run-a": {"i0": 10, "i1": 12, "i2": 50},
        "run-b": {"i0": 30, "i1": 40, "i2": 40},
        "run-c": {"i0": 30, "i1": 12, "i2": 60},
    }
    found = lengths(characters, {"run-a"})
    assert found.end == "shortest"
    assert found.share == pytest.approx((1 + 0.5 + 0) / 3)
    assert found.chance == pytest.approx(1 / 3)
    assert found.ratio == pytest.approx(110 / 72)
    assert found.is_telling
    assert "run-" not in found.sentence


def test_lengths_without_a_fine_tuned_system_are_means_alone() -> None:
    found = lengths({"run-a": {"i0": 10}, "run-b": {"i0": 30}}, set())
    assert (found.share, found.ratio) == (None, 3.0)
    assert "3.0 times" in found.sentence
    assert found.is_telling


def test_answers_of_like_length_tell_nothing() -> None:
    characters = {"run-a": {"i0": 10, "i1": 12}, "run-b": {"i0": 11, "i1": 11}}
    assert not lengths(characters, {"run-a"}).is_telling
    assert not lengths({"run-a": {"i0": 10}}, set()).is_telling
