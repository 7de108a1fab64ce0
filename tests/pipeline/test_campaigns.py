"""Looking after campaigns: progress without unblinding, recorded extensions, adjudications beside the raw ratings."""

import dataclasses
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import RatingError
from harness.pipeline.campaigns import (
    adjudicate,
    campaign_list,
    campaign_progress,
    campaign_state,
    extend_campaign,
    find_campaign,
    in_drawn_order,
)
from harness.pipeline.rate import record, screen
from harness.records.rating import Adjudication, CampaignEvent
from harness.store.rating_fold import fold_journals
from harness.store.rating_live import live_campaign
from tests.pipeline.rated import CAMPAIGN, RUNS, judgement, open_plan, plan, rate_all, token_of

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    open_plan(tmp_path, plan())
    return tmp_path


def close(home: Path, campaign_id: str = CAMPAIGN) -> None:
    live = live_campaign(home, campaign_id)
    event = CampaignEvent(event_id="closed", campaign_id=campaign_id, kind="closed", at=NOW, by="owner", payload={})
    with live.change():
        live.add([event], "on disk")


def test_progress_is_by_rater_and_item_and_tells_no_run(home: Path) -> None:
    rate_all(home, token_of(home))
    bob = token_of(home, rater="Bob")
    record(home, bob, [judgement(screen(home, bob))])
    token_of(home, rater="Cleo")
    found = campaign_progress(home, CAMPAIGN)
    assert [(one.rater, one.judged, len(one.links)) for one in found.raters] == [
        ("Ada", 9, 1),
        ("Bob", 1, 1),
        ("Cleo", 0, 1),
    ]
    assert (found.raters_done, found.items_done, found.judgements) == (
        dict.fromkeys(plan().campaign.item_ids, 1),
        0,
        10,
    )
    assert found.raters[2].last_seen is None
    text = json.dumps(dataclasses.asdict(dataclasses.replace(found, campaign=plan(runs={}).campaign)), default=str)
    assert not any(run in text for run in RUNS.values())
    rate_all(home, bob)
    assert campaign_progress(home, CAMPAIGN).items_done == 4


def test_campaigns_are_listed_newest_first(home: Path) -> None:
    open_plan(home, plan(campaign_id="c-20261122-000000-bbbbbb"))
    assert [one.campaign.campaign_id for one in campaign_list(home)] == ["c-20261122-000000-bbbbbb", CAMPAIGN]


def test_a_campaign_is_found_by_the_beginning_of_its_id_or_by_being_the_only_open_one(home: Path) -> None:
    assert find_campaign(home, None) == find_campaign(home, "c-2026") == find_campaign(home, CAMPAIGN) == CAMPAIGN
    other = open_plan(home, plan(campaign_id="c-20261122-000000-bbbbbb"))
    with pytest.raises(RatingError, match="2 campaigns are open: name one of"):
        find_campaign(home, None)
    with pytest.raises(RatingError, match="begins the ids of 2 campaigns"):
        find_campaign(home, "c-2026")
    close(home)
    assert find_campaign(home, None) == other
    close(home, other)
    with pytest.raises(RatingError, match=f"no campaign is open.*The last one, {other}, is closed"):
        find_campaign(home, None)
    with pytest.raises(RatingError, match='no campaign "x"'):
        find_campaign(home, "x")


def test_where_there_is_no_campaign_the_next_step_is_said(tmp_path: Path) -> None:
    for prefix in (None, "c-1"):
        with pytest.raises(RatingError, match="harness rate open EXPERIMENT"):
            find_campaign(tmp_path, prefix)


def test_an_extension_adds_items_and_raters_and_is_recorded_with_its_reason(home: Path) -> None:
    rate_all(home, token_of(home))
    rate_all(home, token_of(home, rater="Bob"))
    extended = extend_campaign(home, CAMPAIGN, items=2, raters_per_item=3, reason=" too wide ", by="owner")
    assert extended.item_ids[:4] == plan().campaign.item_ids
    assert set(extended.item_ids[4:]) == {"item-4", "item-5"}
    [opened, event] = campaign_state(home, CAMPAIGN).campaign_events
    assert (event.kind, event.by, event.payload["reason"]) == ("extended", "owner", "too wide")
    assert (event.payload["items_before"], event.payload["raters_per_item_before"]) == (4, 2)
    assert sum(one.kind == "rubric" for one in rate_all(home, token_of(home, rater="Cleo"))) == 12
    assert sum(one.kind == "rubric" for one in rate_all(home, token_of(home))) == 4
    assert opened.kind == "opened"


@pytest.mark.parametrize(
    ("items", "raters", "reason", "said"),
    [
        (1, None, "  ", "--reason is empty"),
        (None, None, "more", "say by what"),
        (3, None, "more", "--items is 3; allowed: 1 to 2, which are left"),
        (0, None, "more", "--items is 0"),
        (None, 2, "more", "--raters-per-item is 2; allowed: more than 2"),
    ],
)
def test_an_extension_that_is_none_is_refused(
    home: Path, items: int | None, raters: int | None, reason: str, said: str
) -> None:
    with pytest.raises(RatingError, match=said):
        extend_campaign(home, CAMPAIGN, items=items, raters_per_item=raters, reason=reason, by="owner")
    assert campaign_state(home, CAMPAIGN).campaign == plan().campaign


def settled(home: Path, **changes: object) -> Adjudication:
    first = next(one for one in campaign_state(home, CAMPAIGN).assignments if one.kind == "rubric")
    fields: dict[str, object] = {
        "assignment_id": first.assignment_id,
        "criterion": "accuracy",
        "value": 3,
        "method": "consensus",
        "note": "it is teal",
    }
    return Adjudication(**{**fields, **changes})  # type: ignore[arg-type]


def test_an_adjudication_stands_beside_the_raw_rating(home: Path) -> None:
    [first, *_] = rate_all(home, token_of(home))
    adjudicate(home, CAMPAIGN, settled(home), by="owner")
    state = campaign_state(home, CAMPAIGN)
    event = state.campaign_events[-1]
    assert (event.kind, event.by) == ("adjudicated", "owner")
    assignment = next(one for one in state.assignments if one.assignment_id == first.assignment_id)
    assert dict(event.payload) == {
        "item_id": assignment.item_id,
        "run_id": assignment.run_ids[0],
        "criterion": "accuracy",
        "value": 3,
        "method": "consensus",
        "note": "it is teal",
    }
    assert state.events[0].answer["levels"] == {"accuracy": 4, "form": "pass"}
    adjudicate(home, CAMPAIGN, settled(home, criterion="form", value="fail"), by="owner")
    adjudicate(home, CAMPAIGN, settled(home, criterion="critical_error", value=True), by="owner")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"assignment_id": "none"}, '"none" is no screen'),
        ({"criterion": "acuracy"}, 'did you mean "accuracy"'),
        ({"value": 6}, "accuracy is 6; allowed: 1, 2, 3, 4, 5"),
        ({"value": True}, "accuracy is True"),
        ({"criterion": "form", "value": 1}, "form is 1; allowed: fail, pass"),
        ({"criterion": "critical_error", "value": 1}, "critical_error is 1; allowed: True, False"),
    ],
)
def test_an_adjudication_of_nothing_or_to_nothing_is_refused(home: Path, changes: dict[str, object], said: str) -> None:
    rate_all(home, token_of(home))
    with pytest.raises(RatingError, match=said):
        adjudicate(home, CAMPAIGN, settled(home, **changes), by="owner")


def test_a_screen_that_nobody_judged_cannot_be_adjudicated(home: Path) -> None:
    screen(home, token_of(home))
    with pytest.raises(RatingError, match="is no screen on which an answer was rated"):
        adjudicate(home, CAMPAIGN, settled(home), by="owner")


def test_a_closed_campaign_takes_neither_extension_nor_adjudication(home: Path) -> None:
    rate_all(home, token_of(home))
    close(home)
    with pytest.raises(RatingError, match=r"was closed by owner on 2026-11-21, and is unblinded"):
        extend_campaign(home, CAMPAIGN, items=1, raters_per_item=None, reason="more", by="owner")
    with pytest.raises(RatingError, match="nothing is added to it"):
        adjudicate(home, CAMPAIGN, settled(home), by="owner")


def test_items_are_drawn_by_the_seed_and_not_by_their_order() -> None:
    names = [f"item-{number}" for number in range(50)]
    drawn = in_drawn_order(names, 17)
    assert drawn == in_drawn_order(list(reversed(names)), 17)
    assert sorted(drawn) == sorted(names)
    assert len({tuple(in_drawn_order(names, seed)[:5]) for seed in range(20)}) == 20


def test_a_campaign_whose_files_are_gone_is_named_with_what_is_left_of_it(home: Path) -> None:
    with pytest.raises(RatingError) as unknown:
        find_campaign(home, "c-2027")
    assert "The ledger has" not in str(unknown.value)
    fold_journals(home)
    shutil.rmtree(home / "ratings")
    for prefix in (None, CAMPAIGN):
        with pytest.raises(RatingError, match=rf"The ledger has {CAMPAIGN} too, without its folder .* from a copy"):
            find_campaign(home, prefix)
