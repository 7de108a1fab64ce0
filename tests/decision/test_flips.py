from harness.decision.chance import chance_sentence, is_at_chance
from harness.decision.flips import find_flips
from harness.records.estimates import Estimate
from harness.records.scores import Metric, Score


def _scores(values: dict[str, float | None], *, changed: tuple[str, ...] = ()) -> list[Score]:
    return [
        Score(
            task="regression/mmlu",
            item_id=name,
            item_hash="new" if name in changed else "old",
            scorer="acc",
            value=value,
            status="failed" if value is None else "scored",
            stratum=name.partition("/")[0],
        )
        for name, value in values.items()
    ]


def test_lost_and_gained_answers_are_named_by_subject_the_most_lost_first() -> None:
    before = _scores({"law/1": 1.0, "law/2": 1.0, "art/1": 0.0, "art/2": 1.0, "zoo/1": 1.0})
    after = _scores({"law/1": 0.0, "law/2": 0.0, "art/1": 1.0, "art/2": 0.0, "zoo/1": 1.0})
    flips = find_flips(after, before)
    assert [(one.stratum, one.n, one.lost, one.gained) for one in flips] == [
        ("law", 2, ("law/1", "law/2"), ()),
        ("art", 2, ("art/2",), ("art/1",)),
        ("zoo", 1, (), ()),
    ]


def test_items_that_changed_or_have_no_value_are_no_flips() -> None:
    before = _scores({"law/1": 1.0, "law/2": 1.0, "law/3": None})
    after = _scores({"law/1": 0.0, "law/2": None, "law/3": 0.0}, changed=("law/1",))
    assert find_flips(after, before) == []


def _estimate(low: float | None, value: float = 0.3) -> Estimate:
    return Estimate(value=value, low=low, high=0.4, n=100, method="Wilson")


MMLU = Metric(name="regression/mmlu/acc", kind="binary", chance=0.25)


def test_a_base_is_at_chance_when_its_interval_reaches_down_to_guessing() -> None:
    assert is_at_chance(MMLU, _estimate(0.22))
    assert is_at_chance(MMLU, _estimate(0.25))
    assert not is_at_chance(MMLU, _estimate(0.251))
    assert not is_at_chance(MMLU, _estimate(None))
    assert not is_at_chance(Metric(name="golden/f1", kind="graded"), _estimate(0.0))


def test_the_sentence_has_the_figures_and_what_follows() -> None:
    said = chance_sentence(MMLU, _estimate(0.22))
    assert "0.300" in said
    assert "0.25" in said
    assert "cannot show forgetting" in said
