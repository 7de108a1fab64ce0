"""Ratings made elsewhere: all of a file or none, once or many times, and every problem with its line."""

import pytest

from harness.errors import DataError, RatingError
from harness.pipeline.campaign_close import close_campaign
from harness.pipeline.campaigns import campaign_progress, campaign_state
from harness.pipeline.rate_import import import_ratings
from harness.records.rating import Campaign
from harness.store.migrate import open_ledger
from harness.store.scores import scores
from tests.pipeline.rated_campaign import PLAIN, TUNED, Project

HEAD = "rater,item,system,criterion,value\n"


@pytest.fixture
def campaign(project: Project) -> Campaign:
    return project.open(PLAIN, TUNED, items=2, raters_per_item=1)


def put(project: Project, campaign: Campaign, text: str, *, head: str = HEAD):
    file = project.home / "ratings.csv"
    file.write_text(head + text, encoding="utf-8")
    return import_ratings(project.home, campaign.campaign_id, file, by="owner")


def whole(campaign: Campaign, rater: str = "Ada", *, tuned: str = "5") -> str:
    return "".join(
        f"{rater},{item},{system},accuracy,{value}\n{rater},{item},{system},comment,good\n"
        for item in campaign.item_ids
        for system, value in ((PLAIN, "2"), (TUNED, tuned))
    )


def test_ratings_of_a_file_count_like_those_of_the_page(project: Project, campaign: Campaign) -> None:
    done = put(project, campaign, whole(campaign))
    assert (done.judgements, done.new, done.raters) == (4, 4, ("Ada",))
    assert campaign_progress(project.home, campaign.campaign_id).items_done == 2
    close_campaign(project.home, campaign.campaign_id, by="owner")
    found = scores(open_ledger(project.home, create=False), campaign.runs[TUNED], task="rating")
    assert [score.value for score in found if score.scorer == "accuracy"] == [5.0, 5.0]
    event = campaign_state(project.home, campaign.campaign_id).campaign_events[1]
    assert (event.kind, event.by, event.payload["file"]) == ("imported", "owner", "ratings.csv")


def test_a_file_twice_is_the_file_once_and_a_changed_value_is_a_change_of_mind(
    project: Project, campaign: Campaign
) -> None:
    put(project, campaign, whole(campaign))
    assert put(project, campaign, whole(campaign)).new == 0
    assert put(project, campaign, whole(campaign, tuned="4")).new == 2
    state = campaign_state(project.home, campaign.campaign_id)
    assert (len(state.assignments), len(state.events)) == (4, 6)
    assert put(project, campaign, whole(campaign)).new == 2  # back again: the newest counts


def test_values_are_read_as_people_and_spreadsheets_write_them(project: Project, campaign: Campaign) -> None:
    item = campaign.item_ids[0]
    rows = f" Ada ,{item},{PLAIN},accuracy,4.0\nAda,{item},{PLAIN},form,pass\nAda,{item},{PLAIN},critical_error,Yes\n"
    put(project, campaign, rows, head="\ufeff" + HEAD)
    [event] = campaign_state(project.home, campaign.campaign_id).events
    assert event.rater == "Ada"
    assert dict(event.answer) == {"levels": {"accuracy": 4, "form": "pass"}, "critical_error": True}


def test_text_that_no_database_takes_is_replaced(project: Project, campaign: Campaign) -> None:
    item = campaign.item_ids[0]
    put(project, campaign, f"Ada,{item},{PLAIN},accuracy,4\nAda,{item},{PLAIN},comment,a\x00b\n")
    [event] = campaign_state(project.home, campaign.campaign_id).events
    assert event.answer["comment"] == "a\ufffdb"


def test_every_problem_is_said_with_its_line_and_nothing_is_added(project: Project, campaign: Campaign) -> None:
    item = campaign.item_ids[0]
    rows = [
        f",{item},{PLAIN},accuracy,4",
        f"Ada,item-99,{PLAIN},accuracy,4",
        f"Ada,{item},sentinal_plain,accuracy,4",
        f"Ada,{item},{PLAIN},acuracy,4",
        f"Ada,{item},{PLAIN},accuracy,9",
        f"Ada,{item},{PLAIN},critical_error,maybe",
        f"Ada,{item},{TUNED},form,pass",
        f"Ada,{item},{TUNED},form,fail",
        f"Bob,{item},{PLAIN},accuracy,4",
    ]
    with pytest.raises(DataError) as wrong:
        put(project, campaign, "\n".join(rows))
    said = str(wrong.value)
    for place in (
        "line 2: rater is empty.",
        'line 3: "item-99" is no item of the campaign',
        'line 4: "sentinal_plain" is no system of the campaign; did you mean "sentinel_plain"?',
        'line 5: "acuracy" is no criterion of the rubric; did you mean "accuracy"?',
        'line 6: accuracy is "9"; allowed: 1, 2, 3, 4, 5.',
        'line 7: critical_error is "maybe"; allowed: true, false.',
        "line 9: form of Ada on",
        "line 8, Ada on",  # accuracy, which is required, was left open
    ):
        assert place in said
    assert campaign_state(project.home, campaign.campaign_id).events == ()


@pytest.mark.parametrize(
    ("head", "text", "said"),
    [
        ("rater,item,criterion,value\n", "", "system is missing. Needed: rater, item, system, criterion, value"),
        ("", "", "the columns are none"),
        (HEAD, "", "there is no line below the heading"),
        (HEAD, '"Ada,item\n', "not CSV"),
    ],
)
def test_a_file_that_is_no_table_of_ratings_is_refused(
    project: Project, campaign: Campaign, head: str, text: str, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        put(project, campaign, text, head=head)


def test_what_was_rated_on_the_page_is_not_rated_again_in_a_file(project: Project, campaign: Campaign) -> None:
    project.rate(campaign, "Ada", {})
    with pytest.raises(DataError, match=r"Ada rated item-.* on the page"):
        put(project, campaign, whole(campaign))
    assert put(project, campaign, whole(campaign, "Bob")).new == 4


def test_a_closed_campaign_takes_no_file_and_a_missing_file_is_named(project: Project, campaign: Campaign) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        import_ratings(project.home, campaign.campaign_id, project.home / "none.csv", by="owner")
    project.rate(campaign, "Ada", {})
    close_campaign(project.home, campaign.campaign_id, by="owner")
    with pytest.raises(RatingError, match="nothing is added to it"):
        put(project, campaign, whole(campaign, "Bob"))
