"""Where raters disagree, and what it was settled on: raw ratings stay, and whose an answer is, is not shown."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from harness.errors import HarnessError
from harness.pipeline.campaign_view import CampaignView, Disagreement, disagreements
from harness.pipeline.campaigns import adjudicate
from harness.rating.current import CRITICAL
from harness.records.rating import Adjudication
from harness.records.rubric import Rubric
from reports import markup
from reports.markup import Cell, Line
from reports.reading import home

Method = Literal["third_rater", "consensus"]
_METHODS: dict[Method, str] = {"consensus": "those who disagreed agreed on it", "third_rater": "a third rater decided"}


def show(view: CampaignView) -> None:
    """Draws the disagreements one at a time, the widest first, with a form to settle the one shown."""
    campaign_id = view.progress.campaign.campaign_id
    found = disagreements(home(), campaign_id)
    if not found:
        return
    markup.section(
        "Disagreements",
        f"{len(found)} times raters are two levels or more apart on a criterion, or differ on yes and no; "
        f"{view.disagreements} not settled yet. What is settled is kept beside the raw ratings.",
    )
    place = st.number_input("Disagreement", min_value=1, max_value=len(found), step=1, key="disagreement", width=160)
    shown = found[int(place) - 1]
    left, right = st.columns(2, gap="medium")
    with left:
        _show_answer(shown)
    with right:
        _show_ratings(shown, view.rubric)
        if view.progress.closed:
            markup.say("The campaign is closed: it is known whose the answers are, so nothing more is settled.")
        else:
            _show_form(campaign_id, shown, view.rubric)


def _show_answer(shown: Disagreement) -> None:
    for role, text in shown.turns:
        markup.quote("asked" if role == "user" else role, text)
    markup.quote("answer", shown.answer)
    if shown.reference is not None:
        markup.quote("reference", shown.reference)


def _show_ratings(shown: Disagreement, rubric: Rubric) -> None:
    question, levels = _criterion(rubric, shown.criterion_id)
    markup.section(shown.criterion_id, question)
    words = dict(levels)
    rows: list[list[Cell]] = [
        [Line(text=said.rater), Line(text=_said(said.value, words)), Line(text=said.comment, small=True)]
        for said in shown.said
    ]
    markup.table(["rater", "said", "comment"], rows)
    if shown.settled is not None:
        markup.inform("Settled", f"on {_said(shown.settled, words)}")


def _show_form(campaign_id: str, shown: Disagreement, rubric: Rubric) -> None:
    _, levels = _criterion(rubric, shown.criterion_id)
    with st.form(f"settle {shown.assignment_id} {shown.criterion_id}", border=False):
        value = st.radio(
            "Settled on", [str(value) for value, _ in levels], index=None, horizontal=True, key="settled_on"
        )
        method = st.radio("How", list(_METHODS), format_func=lambda one: _METHODS[one], horizontal=True)
        why, who = st.columns([3, 2])
        note = why.text_input("Why", max_chars=500)
        by = who.text_input("Who settles it", max_chars=100)
        if not st.form_submit_button("Record"):
            return
    if value is None or not by.strip():
        markup.warn("Not recorded", "Choose what it is settled on, and say who settles it.")
        return
    chosen = next(one for one, _ in levels if str(one) == value)
    settled = Adjudication(
        assignment_id=shown.assignment_id,
        criterion=shown.criterion_id,
        value=chosen == "yes" if shown.criterion_id == CRITICAL else chosen,
        method=method,
        note=note.strip(),
    )
    try:
        adjudicate(home(), campaign_id, settled, by=by.strip())
    except HarnessError as problem:
        markup.warn("Not recorded", str(problem))
        return
    st.rerun()


def _criterion(rubric: Rubric, criterion_id: str) -> tuple[str, Sequence[tuple[int | str, str]]]:
    """A criterion's question, and its levels with their words."""
    if criterion_id == CRITICAL:
        return rubric.critical_question or "", (("no", ""), ("yes", ""))
    criterion = next(one for one in rubric.criteria if one.criterion_id == criterion_id)
    return criterion.question, [(level.value, level.text) for level in criterion.levels]


def _said(value: float, words: dict[int | str, str]) -> str:
    """A rating as the rater saw it, such as `4: Every condition is covered`."""
    names = [name for name in words if isinstance(name, str)]
    level = names[round(value)] if names else round(value)
    return f"{level}: {words[level]}" if words.get(level) else str(level)
