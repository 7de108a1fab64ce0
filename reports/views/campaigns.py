"""Campaigns of rating, for their owner: how they stand, and whether the raters can be relied on."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from harness.pipeline.campaign_view import CampaignView, campaign_view
from harness.pipeline.campaigns import CampaignProgress, RaterProgress, campaign_list
from harness.rating.speed import Pace
from harness.records.rating import Link
from harness.store.rating_links import links_path
from harness.store.rating_plans import journal_path
from reports import adjudicating, campaign_results, markup, raters, wording
from reports.choosing import choose
from reports.markup import Cell, Line
from reports.reading import home, read, require_ledger


def show() -> None:
    """Draws the page."""
    campaigns = {one.campaign.campaign_id: one for one in campaign_list(require_ledger())}
    if not campaigns:
        _show_how_to_begin()
        return
    left, right = st.columns([3, 2], gap="medium")
    with right:
        chosen = choose(
            "Campaign",
            "campaign",
            list(campaigns),
            default=next(iter(campaigns)),
            show=lambda campaign_id: _label(campaigns[campaign_id]),
        )
    view = read(campaign_view, chosen, watched=(journal_path(home(), chosen), links_path(home())))
    with left:
        _show_heading(view.progress)
    _show_facts(view)
    _show_progress(view.progress)
    _show_raters(view)
    raters.show_agreement(view)
    raters.show_severity(view)
    _show_blindness(view)
    if view.enough:
        markup.section("Enough?", "The size was fixed when the campaign was opened; whoever extends it says why.")
        markup.notes(list(dict.fromkeys(one.sentence for one in view.enough)))  # early on, all criteria say the same
    campaign_results.show_outcomes(view)
    if view.results:
        campaign_results.show_results(view.results)
    adjudicating.show(view)


def _show_how_to_begin() -> None:
    markup.title("No campaign yet", "In a campaign, experts rate the answers of several systems without knowing whose.")
    st.text("Open one, and invite raters; each gets a link of her own:")
    st.code("harness rate open EXPERIMENT --runs lora few_shot --raters-per-item 2", language=None, wrap_lines=True)
    st.code("harness rate invite ADA BEN", language=None, wrap_lines=True)


def _label(progress: CampaignProgress) -> str:
    state = "closed" if progress.closed else "open"
    return f"{progress.campaign.experiment} · {wording.moment(progress.campaign.opened_at)} · {state}"


def _show_heading(progress: CampaignProgress) -> None:
    campaign = progress.campaign
    done, wanted = progress.items_done, len(campaign.item_ids)
    if progress.closed:
        head = f"Closed: {done} of {wanted} items rated by {campaign.raters_per_item}"
    else:
        head = f"{done} of {wanted} items rated by {campaign.raters_per_item}"
    markup.title(head, f"Campaign of {campaign.experiment}: {campaign.kind}")


def _show_facts(view: CampaignView) -> None:
    campaign = view.progress.campaign
    what = f"{campaign.golden_set} {campaign.golden_version}"
    markup.facts(
        [
            ("campaign", campaign.campaign_id),
            ("systems", ", ".join(sorted(campaign.runs)) or f"none: {campaign.validated}"),
            ("golden set", what),
            ("rubric", f"{view.rubric.name} {view.rubric.version}"),
            ("reference", campaign.reference),
            ("hidden repeats", f"{campaign.repeats:.0%}"),
            ("opened", f"{wording.moment(campaign.opened_at)} by {campaign.by}"),
        ]
    )
    if closed := view.progress.closed:
        markup.say(
            f"Closed {wording.moment(closed.at)} by {closed.by}; from then on it is known whose the answers are."
        )
    if view.progress.unreadable:
        markup.warn("The journal", f"{view.progress.unreadable} lines of it cannot be read and were passed over.")


def _show_progress(progress: CampaignProgress) -> None:
    wanted = progress.campaign.raters_per_item
    counts = Counter(min(done, wanted) for done in progress.raters_done.values())
    said = ", ".join(f"{counts[done]} by {done}" for done in sorted(counts, reverse=True))
    markup.section(
        "Items",
        f"Finished by how many of the {wanted} rater{'s' if wanted != 1 else ''} wanted: {said}. A square is an item.",
    )
    markup.squares(
        [
            (done / wanted, f"{item_id}: {done} of {wanted}")
            for item_id, done in sorted(progress.raters_done.items(), key=lambda one: (-one[1], one[0]))
        ]
    )
    if progress.calibration_done:
        total = sum(progress.calibration_done.values())
        markup.say(
            f"Calibration: {len(progress.calibration_done)} items, which everybody rates first and which are counted "
            f"apart; finished {total} times."
        )


def _show_raters(view: CampaignView) -> None:
    progress = view.progress
    markup.section("Raters", f"{progress.judgements} screens judged, {view.changed} of them changed later.")
    if not progress.raters:
        markup.say("Nobody was invited yet. Each rater gets a link of her own:")
        command = f"harness rate invite NAME --campaign {progress.campaign.campaign_id} --home {home()}"
        st.code(command, language=None, wrap_lines=True)
        return
    heads: list[Cell] = ["rater", "link", "judged", "last seen", "seconds a screen", "same as before", "left chosen"]
    markup.table(heads, [_rater_row(rater, view) for rater in progress.raters])
    warnings = [f"{pace.rater}: {warning}" for pace in view.paces for warning in pace.warnings]
    if warnings:
        markup.notes(warnings)


def _rater_row(rater: RaterProgress, view: CampaignView) -> list[Cell]:
    pace = next((one for one in view.paces if one.rater == rater.rater), None)
    kept = next((one for one in view.consistency if one.rater == rater.rater), None)
    side = next((one for one in view.sides if one.rater == rater.rater), None)
    return [
        Line(text=rater.rater),
        Line(text=_link_said(rater.links), small=True),
        (Line(text=str(rater.judged), tone="number"), Line(text=f"of {rater.screens} shown", small=True)),
        Line(text=wording.moment(rater.last_seen) or "not yet", small=True),
        (
            Line(text=f"{pace.seconds:.0f}", tone="number"),
            Line(text=_pace_said(pace), small=True),
        )
        if pace
        else "",
        (
            Line(text=f"{kept.same} of {kept.answers}", tone="number"),
            Line(text=f"{kept.repeats} screens shown twice", small=True),
        )
        if kept
        else "",
        Line(text=f"{side.left} of {side.decided}", tone="number") if side else "",
    ]


def _pace_said(pace: Pace) -> str:
    fast = f"{pace.fast} very fast"
    return f"{fast}; one level throughout {pace.straight} of {pace.straight_of}" if pace.straight_of else fast


def _link_said(links: Sequence[Link]) -> str:
    good = [link for link in links if link.revoked_at is None and link.expires_at > datetime.now(UTC)]
    if good:
        return f"good until {wording.moment(max(link.expires_at for link in good))}"
    if not links:
        return "none here"
    return "taken back" if any(link.revoked_at for link in links) else "expired"


def _show_blindness(view: CampaignView) -> None:
    if view.leaks:
        markup.section("Were they blind?", "What could have told raters which system wrote what, and whether it did.")
        markup.notes(view.leaks)


show()
