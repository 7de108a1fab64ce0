"""A campaign and its links in memory are what their journals say, whichever process wrote last."""

import subprocess
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.records.rating import Assignment, CampaignEvent, Draft, Link, RatingEvent
from harness.store.rating_lines import Revocation, Sign, as_line, read_lines
from harness.store.rating_links import LiveLinks
from harness.store.rating_live import LiveCampaign, live_campaign
from harness.store.rating_plans import campaign_ids, journal_path, read_plan, write_plan
from tests.pipeline.rated import CAMPAIGN, OPENED, open_plan, plan

AT = OPENED + timedelta(hours=1)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    open_plan(tmp_path, plan())
    return tmp_path


def assignment(name: str = "a-1", *, rater: str = "Ada", position: int = 0) -> Assignment:
    return Assignment(
        assignment_id=name,
        campaign_id=CAMPAIGN,
        rater=rater,
        item_id="item-0",
        kind="rubric",
        purpose="scored",
        run_ids=("run-sentinel-1",),
        position=position,
        assigned_at=AT,
    )


def judged(event_id: str = "e-1", *, of: str = "a-1", revision: int = 1, level: int = 4) -> RatingEvent:
    return RatingEvent(
        event_id=event_id,
        campaign_id=CAMPAIGN,
        assignment_id=of,
        rater="Ada",
        revision=revision,
        at=AT + timedelta(seconds=revision),
        seconds=3.0,
        rubric_sha256="r" * 64,
        answer={"levels": {"accuracy": level}},
    )


def drafted(revision: int, text: str) -> Draft:
    return Draft(
        campaign_id=CAMPAIGN, assignment_id="a-1", rater="Ada", revision=revision, at=AT, answer={"comment": text}
    )


ENTRIES = [
    assignment(),
    judged(),
    drafted(3, "half"),
    Sign(assignment_id="a-1", at=AT),
    CampaignEvent(event_id="c", campaign_id=CAMPAIGN, kind="opened", at=AT, by="me", payload={"n": 1}),
    Link(link_id="l", role="rater", rater="Ada", campaign_id=CAMPAIGN, issued_at=AT, expires_at=AT),
    Revocation(link_id="l", revoked_at=AT),
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: type(entry).__name__)
def test_an_entry_comes_back_from_its_line_as_it_was(entry):
    assert read_lines([as_line(entry)]) == ([entry], 0)


def test_lines_that_say_nothing_are_counted_and_passed_by():
    strange = [{"kind": "later"}, {"kind": "judgement", "is": {"event_id": 1}}, {}, {"kind": "sign", "is": None}]
    assert read_lines([*strange, as_line(ENTRIES[3])]) == ([ENTRIES[3]], 4)


def test_a_plan_comes_back_as_it_was_and_is_the_owners_alone(home: Path):
    assert read_plan(home, CAMPAIGN) == plan()
    path = home / "ratings" / CAMPAIGN / "plan.json"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert campaign_ids(home) == [CAMPAIGN]


def test_a_campaign_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(StoreError, match="no plan of this campaign"):
        live_campaign(tmp_path, "c-none")


def test_what_is_added_is_there_and_in_the_journal(home: Path):
    live = LiveCampaign(home, CAMPAIGN)
    with live.change():
        live.add([assignment(), judged()], "on disk")
        assert live.latest["a-1"].answer == {"levels": {"accuracy": 4}}
    again = LiveCampaign(home, CAMPAIGN)
    with again.turn():
        assert again.state().events == (judged(),)
        assert again.state().judged == {"a-1"}
        assert list(again.of_rater("Ada")) == [assignment()]
        assert list(again.of_rater("Bob")) == []


def test_the_same_entry_twice_counts_once(home: Path):
    live = LiveCampaign(home, CAMPAIGN)
    other = judged(level=1)  # the same id with another answer: the first one stays
    with live.change():
        live.add([assignment(), assignment(position=7), judged(), judged(), other], "on disk")
    assert [one.position for one in live.of_rater("Ada")] == [0]
    assert list(live.events.values()) == [judged()]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_the_highest_revision_counts_in_whatever_order_they_come(home: Path, order: tuple[int, ...]):
    live = LiveCampaign(home, CAMPAIGN)
    with live.change():
        live.add([assignment()], "on disk")
        for revision in order:
            live.add([judged(f"e-{revision}", revision=revision, level=revision)], "on disk")
            live.add([drafted(revision, str(revision))], "handed over")
    assert live.latest["a-1"].revision == 3
    assert live.drafts["a-1"].answer == {"comment": "3"}
    assert len(live.events) == 3


def test_a_sign_of_life_is_the_latest_one(home: Path):
    live = LiveCampaign(home, CAMPAIGN)
    with live.change():
        live.add([assignment()], "on disk")
        assert live.last_sign == {"a-1": AT}
        live.add([Sign(assignment_id="a-1", at=AT + timedelta(minutes=5))], "handed over")
        live.add([Sign(assignment_id="a-1", at=AT + timedelta(minutes=2))], "handed over")
    assert live.last_sign == {"a-1": AT + timedelta(minutes=5)}


def test_an_extension_changes_the_campaign_and_not_its_plan(home: Path):
    live = LiveCampaign(home, CAMPAIGN)
    payload = {"item_ids": ["item-0", "item-4"], "raters_per_item": 3, "reason": "more"}
    event = CampaignEvent(event_id="x", campaign_id=CAMPAIGN, kind="extended", at=AT, by="me", payload=payload)
    with live.change():
        live.add([event], "on disk")
        assert (live.campaign.item_ids, live.campaign.raters_per_item) == (("item-0", "item-4"), 3)
        assert live.state().campaign == live.campaign
    assert live.plan.campaign.raters_per_item == 2


def test_a_change_of_another_process_is_seen_at_the_next_turn(home: Path, python: str):
    live = LiveCampaign(home, CAMPAIGN)
    with live.turn():
        assert live.closed is None
    script = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from harness.records.rating import CampaignEvent
from harness.store.rating_live import live_campaign
live = live_campaign(Path(sys.argv[1]), sys.argv[2])
with live.change():
    live.add([CampaignEvent(event_id="closed", campaign_id=sys.argv[2], kind="closed", at=datetime.now(UTC), by="me",
                            payload={})], "on disk")
"""
    subprocess.run([python, "-c", script, str(home), CAMPAIGN], check=True, timeout=60)
    with live.turn():
        assert live.closed is not None


def test_threads_that_change_at_once_lose_nothing(home: Path):
    live = LiveCampaign(home, CAMPAIGN)

    def work(number: int) -> None:
        for step in range(10):
            with live.change():
                count = len(live.assignments)
                live.add([assignment(f"a-{number}-{step}", position=count)], "handed over")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Each saw what the others had added before it.
    assert [one.position for one in live.assignments.values()] == list(range(80))


def test_torn_and_unknown_lines_are_counted(home: Path):
    with journal_path(home, CAMPAIGN).open("ab") as stream:
        stream.write(b'{"kind": "later", "is": {}}\n{"kind": "judge')
    live = LiveCampaign(home, CAMPAIGN)
    with live.change():
        live.add([assignment()], "on disk")
    assert live.unreadable == 2
    assert list(live.assignments) == ["a-1"]


def link(link_id: str = "l-1") -> Link:
    return Link(
        link_id=link_id,
        role="rater",
        rater="Ada",
        campaign_id=CAMPAIGN,
        issued_at=AT,
        expires_at=AT + timedelta(days=14),
    )


def test_a_link_is_found_by_every_process_and_a_revocation_stays(tmp_path: Path):
    ours, theirs = LiveLinks(tmp_path), LiveLinks(tmp_path)
    assert ours.find("l-1") is None
    theirs.add([link()])
    assert ours.find("l-1") == link()
    theirs.add([Revocation(link_id="l-1", revoked_at=AT)])
    theirs.add([Revocation(link_id="l-1", revoked_at=AT + timedelta(days=1)), link()])
    found = ours.find("l-1")
    assert found is not None
    assert found.revoked_at == AT
    assert [one.link_id for one in ours.all()] == ["l-1"]


def test_links_are_the_owners_alone(tmp_path: Path):
    LiveLinks(tmp_path).add([link()])
    assert (tmp_path / "ratings" / "links.jsonl").stat().st_mode & 0o077 == 0
    assert (tmp_path / "ratings").stat().st_mode & 0o077 == 0


def test_a_plan_that_is_no_plan_is_said(tmp_path: Path):
    write_plan(tmp_path, plan(campaign_id="c-bad"))
    (tmp_path / "ratings" / "c-bad" / "plan.json").write_text("{}")
    with pytest.raises(StoreError, match="cannot be read"):
        read_plan(tmp_path, "c-bad")
