"""Whether raters agree with one another: alpha by criterion, and who is strict."""

import streamlit as st

from harness.pipeline.campaign_view import CampaignView
from harness.rating.agreement import CriterionAgreement
from harness.records.evidence import Agreement
from harness.report.numbers import difference_text, interval_text, value_text
from reports import markup
from reports.markup import Cell, Forest, Line, Ticks

_LOW, _HIGH = -0.4, 1.0  # of the picture's scale; alpha may be lower still
_TICKS = (0.0, 0.4, 0.8, 1.0)


def show_agreement(view: CampaignView) -> None:
    """Krippendorff's alpha and exact agreement, a criterion a row."""
    markup.section(
        "Agreement",
        "Krippendorff's alpha with its 95 % interval, over all systems together: 1 is perfect, 0 is chance. It falls "
        "where all answers are equally good, so how often raters gave the very same level stands beside it.",
    )
    if not view.agreement:
        markup.say("Nothing was rated by two raters yet.")
        return
    ticks = Ticks(labels=tuple((_place(at), f"{at:g}") for at in _TICKS))
    heads: list[Cell] = ["criterion", ticks, "alpha", "the same", "items", ""]
    markup.table(heads, [_agreement_row(one) for one in view.agreement])


def _agreement_row(one: CriterionAgreement) -> list[Cell]:
    found = one.alpha
    interval = interval_text(found.low, found.high, "graded") if found.low is not None else "no interval yet"
    return [
        Line(text=one.metric),
        _picture(found),
        (Line(text=value_text(found.alpha, "graded"), tone="number"), Line(text=interval, small=True))
        if found.alpha is not None
        else Line(text="not known", tone="muted"),
        (Line(text=f"{one.exact:.0%}", tone="number"), Line(text=f"of {one.pairs} pairs", small=True))
        if one.exact is not None
        else "",
        (Line(text=str(found.items), tone="number"), Line(text=f"{found.raters} raters", small=True)),
        Line(text=one.note or "", small=True),
    ]


def _picture(found: Agreement) -> Cell:
    if found.alpha is None:
        return ""
    return Forest(
        at=_place(found.alpha),
        low=None if found.low is None else _place(found.low),
        high=None if found.high is None else _place(found.high),
        zero=_place(0.0),
        tone="better" if found.low is not None and found.low > 0 else "unclear",
        tip=f"alpha {found.alpha:.3f}",
    )


def _place(value: float) -> float:
    return min(max((value - _LOW) / (_HIGH - _LOW), 0.0), 1.0)


def show_severity(view: CampaignView) -> None:
    """How much more or less than the others each rater gives, on the same answers."""
    known = [one for one in view.severity if one.offset is not None]
    if not known:
        return
    criteria = list(dict.fromkeys(one.criterion_id for one in known))
    by_place = {(one.rater, one.criterion_id): one for one in known}
    with st.expander("Strict and lenient raters", expanded=False):
        markup.say("How many levels a rater gives more (+) or less (-) than the others, on the same answers.")
        rows: list[list[Cell]] = []
        for rater in sorted({one.rater for one in known}):
            cells: list[Cell] = [Line(text=rater)]
            for criterion in criteria:
                one = by_place.get((rater, criterion))
                cells.append(
                    (
                        Line(text=difference_text(one.offset, "graded"), tone="number"),
                        Line(text=f"{one.n} ratings", small=True),
                    )
                    if one and one.offset is not None
                    else ""
                )
            rows.append(cells)
        markup.table(["rater", *(Line(text=criterion) for criterion in criteria)], rows)
