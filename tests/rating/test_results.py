from dataclasses import replace

from harness.rating.results import campaign_results
from tests.rating.room import START, Desk, make_campaign


def small(desk: Desk, *, wanted: int = 2, **changes: object) -> Desk:
    desk.campaign = make_campaign(item_ids=("i00", "i01"), raters_per_item=wanted, **changes)
    for item in ("i00", "i01"):
        for rater, level in (("ann", 4), ("bob", 5 if item == "i00" else 4)):
            for run in ("run-a", "run-b"):
                desk.levels(rater, item, run, level - (run == "run-b"))
            desk.put(rater, item, ["run-a", "run-b"], {"choice": "left"})
    return desk


def test_everything_comes_out_at_once(desk, rubric, items) -> None:
    found = campaign_results(small(desk).state, rubric, items)
    assert {one.name for one in found.metrics} == {
        "rating/accuracy",
        "rating/clarity",
        "rating/safe",
        "rating/overall",
        "rating/critical_error",
        "rating/preference:run-a",
        "rating/preference:run-b",
    }
    assert set(found.scores) == {"run-a", "run-b"}
    metrics = {one.name for one in found.metrics}
    assert all(one.metric in metrics for scores in found.scores.values() for one in scores)
    assert found.agreement["rating/accuracy"].raters == 2
    assert found.agreement["rating/preference"].alpha == 1.0
    assert found.notes == ()


def test_the_same_state_gives_the_same_results(desk, rubric, items) -> None:
    state = small(desk).state
    assert campaign_results(state, rubric, items) == campaign_results(state, rubric, items)


def test_what_was_not_complete_extended_or_adjudicated_is_said(desk, rubric, items) -> None:
    put = small(desk, wanted=3, reference="after")
    put.adjudicate("i00", "run-a", "accuracy", 4)
    extended = replace(put.campaign_events[0], event_id="y", kind="extended", at=START, payload={})
    put.campaign_events.append(extended)
    found = campaign_results(put.state, rubric, items)
    assert [note.partition(" ")[0] for note in found.notes] == ["2", "The", "1", "Raters"]
    assert "fewer than the 3 raters planned" in found.notes[0]
    assert "extended once" in found.notes[1]
    assert found.agreement["rating/accuracy:adjudicated"] == found.agreement["rating/accuracy"]
    assert "rating/accuracy:adjudicated" in {one.name for one in found.metrics}


def test_nothing_comes_out_of_a_campaign_that_validates_data(desk, rubric, items) -> None:
    desk.put("ann", "i00", [], {"decision": "accept"})
    desk.campaign = make_campaign(kind="validate", runs={})
    found = campaign_results(desk.state, rubric, items)
    assert (found.metrics, found.scores, found.agreement) == ((), {}, {})


def test_pairwise_campaigns_have_no_rubric_metrics_and_others_no_preference(desk, rubric, items) -> None:
    desk.put("ann", "i00", ["run-a", "run-b"], {"choice": "left"})
    names = {one.name for one in campaign_results(desk.state, rubric, items).metrics}
    assert names == {"rating/preference:run-a", "rating/preference:run-b"}
    other = Desk()
    other.levels("ann", "i00", "run-a", 3)
    assert not any("preference" in one.name for one in campaign_results(other.state, rubric, items).metrics)
