"""What the page of raters calls: nothing lost, nothing doubled, nothing of another's, and no word on who is who."""

import dataclasses
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import LinkError
from harness.pipeline.campaigns import campaign_state
from harness.pipeline.rate import folding_problem, owner_token, record, screen, start, stop, visitor
from harness.pipeline.rate_links import revoke
from harness.records.rating import CampaignEvent
from harness.store.ledger import Ledger
from harness.store.rating_live import live_campaign
from tests.pipeline.rated import CAMPAIGN, RUNS, answer_to, judgement, open_plan, plan, rate_all, token_of

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


def test_a_rater_goes_through_a_campaign_and_what_she_gave_is_what_is_stored(home: Path):
    token = token_of(home)
    given = {}
    while (shown := screen(home, token)).assignment_id:
        sent = judgement(shown, comment=f"on {shown.turns[0][1]}")
        assert record(home, token, [sent]).acknowledged == (sent["id"],)
        given[shown.assignment_id] = sent["answer"]
    state = campaign_state(home, CAMPAIGN)
    assert {event.assignment_id: dict(event.answer) for event in state.events} == given
    assert len(given) == 4 * 2 + 1  # two systems' answers to four items, and the closing question
    assert shown.stage == "finished"
    assert shown.message == "There is nothing left for you to rate. Thank you."


def test_a_judgement_keeps_who_what_when_how_long_and_by_which_rubric(home: Path):
    token = token_of(home)
    shown = screen(home, token, now=NOW)
    record(home, token, [judgement(shown, event_id="mine", rev=7)], now=NOW + timedelta(seconds=30))
    [event] = campaign_state(home, CAMPAIGN).events
    assert (event.event_id, event.rater, event.revision, event.seconds) == ("mine", "Ada", 7, 12.5)
    assert event.at == NOW + timedelta(seconds=30)
    assert event.rubric_sha256 == plan().campaign.rubric_sha256
    assert event.stage == "judge"


def test_sending_an_event_again_is_acknowledged_and_stored_once(home: Path):
    token = token_of(home)
    sent = judgement(screen(home, token))
    for _ in range(3):
        assert record(home, token, [sent, sent]).acknowledged == (sent["id"],)
    assert len(campaign_state(home, CAMPAIGN).events) == 1


def test_a_change_of_mind_is_a_new_event_and_the_higher_revision_counts_whenever_it_comes(home: Path):
    token = token_of(home)
    shown = screen(home, token)
    late = judgement(shown, rev=9, levels={"accuracy": 1})
    early = judgement(shown, rev=8, levels={"accuracy": 5})
    record(home, token, [late])
    record(home, token, [early])
    assert len(campaign_state(home, CAMPAIGN).events) == 2
    back = screen(home, token, show=shown.assignment_id)
    assert back.draft is not None
    assert back.draft["levels"] == {"accuracy": 1}
    assert back.revision == 9


def test_a_draft_comes_back_and_a_judgement_outlives_older_drafts(home: Path):
    token = token_of(home)
    shown = screen(home, token)
    assert (shown.draft, shown.revision) == (None, 0)
    typed = {"id": "d1", "aid": shown.assignment_id, "type": "draft", "rev": 5, "answer": {"comment": "half a sen"}}
    assert record(home, token, [typed]).acknowledged == ("d1",)
    again = screen(home, token)
    assert (again.assignment_id, again.draft, again.revision) == (shown.assignment_id, {"comment": "half a sen"}, 5)
    record(home, token, [judgement(shown, rev=6, comment="whole")])
    record(home, token, [{**typed, "id": "d2", "rev": 4}])
    back = screen(home, token, show=shown.assignment_id)
    assert back.draft is not None
    assert back.draft["comment"] == "whole"


def test_an_incomplete_judgement_is_refused_in_a_sentence_and_the_rest_is_kept(home: Path):
    token = token_of(home)
    shown = screen(home, token)
    good = judgement(shown, event_id="good")
    for bad in ({"levels": {}}, {"levels": {"accuracy": 6}}, {"levels": {"accuracy": 4}, "critical_error": "no"}):
        found = record(home, token, [judgement(shown, event_id="bad", **bad), good])
        assert found.acknowledged == ("good",)
        assert found.refused["bad"].endswith(".")
    assert len(campaign_state(home, CAMPAIGN).events) == 1


def test_another_raters_screen_takes_nothing_from_me_and_is_not_shown_to_me(home: Path):
    ada, bob = token_of(home), token_of(home, rater="Bob")
    hers, his = screen(home, ada), screen(home, bob)
    found = record(home, bob, [judgement(hers, event_id="foreign"), {**judgement(hers), "aid": "no-such-screen"}])
    assert found.acknowledged == ()
    assert set(found.refused.values()) == {
        "This screen is not one of yours. Reload the page; what you gave before is kept."
    }
    assert campaign_state(home, CAMPAIGN).events == ()
    assert screen(home, bob, show=hers.assignment_id).assignment_id == his.assignment_id


def test_an_id_that_another_rater_used_is_refused_not_acknowledged(home: Path):
    ada, bob = token_of(home), token_of(home, rater="Bob")
    record(home, ada, [judgement(screen(home, ada), event_id="same")])
    found = record(home, bob, [judgement(screen(home, bob), event_id="same")])
    assert (found.acknowledged, list(found.refused)) == ((), ["same"])


def test_raters_of_one_item_never_exceed_what_the_campaign_asks_for(home: Path):
    for rater in ("Ada", "Bob", "Cleo"):
        rate_all(home, token_of(home, rater=rater))
    state = campaign_state(home, CAMPAIGN)
    raters: dict[str, set[str]] = {}
    for one in state.assignments:
        if one.kind == "rubric":
            raters.setdefault(one.item_id, set()).add(one.rater)
    assert {item: len(found) for item, found in raters.items()} == dict.fromkeys(plan().campaign.item_ids, 2)
    assert not any(one.rater == "Cleo" and one.kind == "rubric" for one in state.assignments)


def test_an_item_that_was_left_goes_to_another_after_the_lease_and_what_was_given_stays(tmp_path: Path):
    open_plan(tmp_path, plan(n_items=1, raters_per_item=1))
    ada, bob = token_of(tmp_path), token_of(tmp_path, rater="Bob")
    shown = screen(tmp_path, ada, now=NOW)
    record(tmp_path, ada, [judgement(shown)], now=NOW)
    held = screen(tmp_path, bob, now=NOW + timedelta(minutes=29))
    assert held.assignment_id is None
    assert held.message is not None
    assert "with other raters" in held.message
    sign = {"id": "o", "aid": screen(tmp_path, ada, now=NOW).assignment_id, "type": "open"}
    record(tmp_path, ada, [sign], now=NOW + timedelta(minutes=20))
    assert screen(tmp_path, bob, now=NOW + timedelta(minutes=40)).assignment_id is None
    given = rate_all(tmp_path, bob, now=NOW + timedelta(minutes=51))
    assert sum(one.kind == "rubric" for one in given) == 2
    assert campaign_state(tmp_path, CAMPAIGN).events[0].assignment_id == shown.assignment_id


def test_she_goes_on_where_she_stopped_on_any_device(home: Path):
    first = screen(home, token_of(home))
    assert screen(home, token_of(home)).assignment_id == first.assignment_id
    assert screen(home, token_of(home)).storage_key == first.storage_key
    assert screen(home, token_of(home, rater="Bob")).storage_key != first.storage_key


def test_going_back_shows_what_she_gave_and_no_more(home: Path):
    token = token_of(home)
    first = screen(home, token)
    assert (first.can_go_back, first.acknowledged) == (False, ())
    record(home, token, [judgement(first, comment="first")])
    second = screen(home, token)
    assert (second.can_go_back, second.acknowledged) == (True, (first.assignment_id,))
    back = screen(home, token, show=second.acknowledged[-1])
    assert (back.assignment_id, back.can_go_back, back.stage) == (first.assignment_id, False, "judge")
    assert back.draft is not None
    assert back.draft["comment"] == "first"
    assert screen(home, token).assignment_id == second.assignment_id


def test_progress_is_counted_and_time_left_is_from_her_own_pace(home: Path):
    token = token_of(home)
    seen = rate_all(home, token)
    assert [shown.done for shown in seen] == list(range(9))
    assert {shown.total for shown in seen} == {9}
    assert [shown.minutes_left for shown in seen[:3]] == [None, None, None]
    assert seen[3].minutes_left == pytest.approx(6 * 12.5 / 60)


@pytest.mark.parametrize("kind", ["rubric", "pairwise", "both"])
def test_a_screen_holds_no_name_of_a_system_or_run(tmp_path: Path, kind: str):
    open_plan(tmp_path, plan(kind=kind))
    for shown in rate_all(tmp_path, token_of(tmp_path)):
        text = json.dumps(dataclasses.asdict(shown), default=str)
        assert not any(name in text for name in (*RUNS, *RUNS.values(), "sentinel"))


def test_the_reference_is_shown_hidden_or_revealed_once_all_answers_to_the_item_are_judged(tmp_path: Path):
    for reference in ("shown", "hidden", "after"):
        open_plan(tmp_path, plan(campaign_id=f"c-{reference}", kind="both", reference=reference))
    seen = {name: rate_all(tmp_path, token_of(tmp_path, f"c-{name}")) for name in ("shown", "hidden", "after")}
    assert all((one.reference is None) == (one.kind == "closing") for one in seen["shown"])
    assert all(one.reference is None for one in seen["hidden"])
    first_item = [(one.kind, one.stage, one.reference is not None) for one in seen["after"][:6]]
    assert first_item == [
        ("rubric", "judge", False),
        ("rubric", "judge", False),
        ("pairwise", "judge", False),
        ("rubric", "revise", True),
        ("rubric", "revise", True),
        ("pairwise", "revise", True),
    ]
    assert seen["after"][3].assignment_id == seen["after"][0].assignment_id
    assert seen["after"][3].draft == answer_to(seen["after"][0])
    stages = [event.stage for event in campaign_state(tmp_path, "c-after").events]
    assert (stages.count("judge"), stages.count("revise")) == (13, 12)
    assert [shown.done for shown in seen["after"]] == list(range(25))
    assert {shown.total for shown in seen["after"]} <= {25, 26}  # the closing question is taken to come again


def test_the_stage_is_not_the_browsers_to_choose(home: Path):
    token = token_of(home)
    record(home, token, [{**judgement(screen(home, token)), "stage": "revise"}])
    assert [event.stage for event in campaign_state(home, CAMPAIGN).events] == ["judge"]


def test_a_closed_campaign_shows_nothing_and_says_of_late_answers_that_they_are_late(home: Path):
    token = token_of(home)
    shown = screen(home, token)
    before, late = judgement(shown, event_id="before"), judgement(shown, event_id="late", rev=9)
    record(home, token, [before])
    close(home)
    for look in (visitor, screen):
        with pytest.raises(LinkError, match="closed on 21 November 2026") as over:
            look(home, token)
        assert over.value.why == "closed"
    found = record(home, token, [before, late])
    assert found.acknowledged == ("before",)
    assert "came too late" in found.refused["late"]
    assert len(campaign_state(home, CAMPAIGN).events) == 1


def test_a_revoked_link_ends_at_the_next_call(home: Path):
    token, other = token_of(home), token_of(home, rater="Bob")
    shown = screen(home, token)
    revoke(home, raters=["Ada"])
    for call in (lambda: visitor(home, token), lambda: screen(home, token), lambda: record(home, token, [])):
        with pytest.raises(LinkError) as ended:
            call()
        assert ended.value.why == "revoked"
    screen(home, other)
    record(home, token_of(home), [judgement(shown)])  # a fresh link of hers goes on


def test_an_owners_link_rates_nothing_and_a_raters_opens_only_her_campaign(home: Path):
    owner = owner_token(home)
    assert visitor(home, owner).role == "owner"
    for call in (lambda: screen(home, owner), lambda: record(home, owner, [])):
        with pytest.raises(LinkError, match="owner's link"):
            call()
    assert (visitor(home, token_of(home)).role, visitor(home, token_of(home)).campaign_id) == ("rater", CAMPAIGN)


def test_a_server_folds_while_it_runs_and_when_it_stops(home: Path):
    start(home)
    start(home)  # twice is once
    rate_all(home, token_of(home))
    stop(home)
    stop(home)
    with Ledger(home / "harness.duckdb").read() as connection:
        assert connection.execute("SELECT count(*) FROM rating_events").fetchone() == (9,)


def test_neither_showing_nor_storing_opens_the_ledger(home: Path):
    (home / "harness.duckdb").mkdir()  # whoever opened it would fail
    assert len(rate_all(home, token_of(home))) == 9


def test_a_ledger_that_takes_nothing_is_said_to_the_owner_and_costs_no_rater(home: Path):
    (home / "harness.duckdb").mkdir()
    assert folding_problem(home) is None
    start(home)
    try:
        rate_all(home, token_of(home))
        deadline = time.monotonic() + 20
        while folding_problem(home) is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert "harness.duckdb" in str(folding_problem(home))
    finally:
        stop(home)
