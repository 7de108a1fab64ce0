"""The owner's page about campaigns: progress, agreement and adjudication, and nothing about systems before the end."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.pipeline.campaign_close import close_campaign
from harness.pipeline.campaign_view import disagreements
from harness.pipeline.rate_links import revoke
from tests.browser.campaigns import Opened, open_campaign
from tests.reports.ledger import HOSTILE
from tests.reports.rated import rate_all
from tests.reports.test_hostile_text import ATTRIBUTES, OURS, Elements

SYSTEMS = ("lora", "zero_shot")


@pytest.fixture
def rated(copied: Path) -> Opened:
    """Half a campaign: twelve items, and three raters of whom Cleo is strict."""
    campaign = open_campaign(
        copied, kind="both", systems=SYSTEMS, items=12, repeats=0.1, text=lambda number, _: "x" * (number % 5) + HOSTILE
    )
    rate_all(campaign, most=30)
    return campaign


def test_an_owner_without_campaigns_reads_how_to_begin(show, said, built: Path) -> None:
    text = said(show(built, "campaigns"))
    assert "No campaign yet" in text
    assert "harness rate open EXPERIMENT" in text


def test_progress_raters_and_agreement_are_shown_while_raters_are_at_work(show, said, rated: Opened) -> None:
    text = said(show(rated.home, "campaigns"))
    assert "items rated by 2" in text
    for rater in ("Ada", "Ben", "Cleo"):
        assert f'<div class="h-plain">{rater}</div>' in text
    assert "rating/accuracy" in text
    assert "Enough?" in text
    assert "What the raters said" not in text


def test_a_disagreement_is_settled_and_the_raw_ratings_stay(show, said, rated: Opened) -> None:
    [first, *_] = disagreements(rated.home, rated.campaign.campaign_id)
    app: AppTest = show(rated.home, "campaigns")
    app.radio[0].set_value(app.radio[0].options[0])
    app.text_input[0].set_value("The dose is there.")
    app.text_input[1].set_value("Dora")
    app.button[0].click().run()
    assert not app.exception
    found = disagreements(rated.home, rated.campaign.campaign_id)
    [settled] = [one for one in found if one.settled is not None]
    assert (settled.assignment_id, settled.criterion_id) == (first.assignment_id, first.criterion_id)
    assert settled.said == first.said
    [event] = [one for one in rated.state().campaign_events if one.kind == "adjudicated"]
    assert (event.by, event.payload["note"]) == ("Dora", "The dose is there.")


def test_settling_needs_a_value_and_a_name(show, said, rated: Opened) -> None:
    app: AppTest = show(rated.home, "campaigns")
    app.button[0].click().run()
    assert "say who settles it" in said(app)
    assert [one.kind for one in rated.state().campaign_events] == ["opened"]


def test_a_link_taken_back_shows(show, said, rated: Opened) -> None:
    revoke(rated.home, raters=["Ben"])
    assert "taken back" in said(show(rated.home, "campaigns"))


def test_a_closed_campaign_shows_what_came_out(show, said, rated: Opened) -> None:
    rate_all(rated)
    close_campaign(rated.home, rated.campaign.campaign_id, by="Dora", anyway=True)
    text = said(show(rated.home, "campaigns"))
    assert "What the raters said" in text
    assert "share of choices" in text
    assert "nothing more is settled" in text


def test_records_that_were_validated_are_listed_with_what_to_do(show, said, copied: Path) -> None:
    campaign = open_campaign(copied, kind="validate", items=8, raters_per_item=1)
    rate_all(campaign, ["Ada"])
    text = said(show(copied, "campaigns"))
    assert "8 judged" in text
    assert "A better one" in text


def test_nothing_that_a_model_or_rater_wrote_becomes_an_element(show, rated: Opened) -> None:
    app: AppTest = show(rated.home, "campaigns")
    found = Elements()
    found.feed("\n".join(element.proto.body for element in app.get("html")))
    assert found.tags <= OURS
    assert found.attributes <= ATTRIBUTES
    words = [element.value for element in (*app.markdown, *app.caption)]
    words += [box.label for box in (*app.selectbox, *app.radio, *app.text_input)]
    assert not [word for word in words if "evil" in word or "<" in word]
