"""What came out of a campaign: for closed ones, of systems; for those that validate data, of records."""

from collections import Counter

from harness.pipeline.campaign_view import CampaignView
from harness.rating.validation import Outcome
from harness.report.content import RatingSection
from harness.report.numbers import difference_text, interval_text, value_text
from reports import markup, wording
from reports.markup import Cell, Line

_OUTCOMES: dict[Outcome, str] = {
    "accept": "accepted",
    "correct": "to be corrected",
    "reject": "rejected",
    "divided": "raters differ",
}


def show_outcomes(view: CampaignView) -> None:
    """Records that were validated, those first that need somebody's hand."""
    if not view.outcomes:
        return
    counts = Counter(one.outcome for one in view.outcomes)
    said = ", ".join(f"{counts[outcome]} {words}" for outcome, words in _OUTCOMES.items() if counts[outcome])
    markup.section("Records", f"{len(view.outcomes)} judged: {said}. `harness rate export` writes them.")
    order = list(_OUTCOMES)
    rows: list[list[Cell]] = [
        [
            Line(text=one.record_id),
            Line(text=_OUTCOMES[one.outcome], tone="worse" if one.outcome in ("reject", "divided") else "plain"),
            Line(text=f"{one.accepted} / {one.corrections} / {one.rejected}", tone="number"),
            tuple(Line(text=text) for text in one.corrected),
            tuple(Line(text=text, small=True) for text in one.comments),
        ]
        for one in sorted(view.outcomes, key=lambda one: -order.index(one.outcome))
        if one.outcome != "accept" or one.comments
    ]
    if rows:
        markup.table(["record", "outcome", "accept / correct / reject", "corrected answer", "comments"], rows)


def show_results(results: RatingSection) -> None:
    """Systems on each criterion, who was preferred, and what must be said with it."""
    markup.section(
        "What the raters said", "Means over items and raters; both are sources of variation in the interval."
    )
    rows: list[list[Cell]] = [
        [
            Line(text=row.metric),
            Line(text=row.system),
            Line(text=wording.value(row.estimate, "graded"), tone="number"),
            Line(text=f"{wording.interval(row.estimate, 'graded')}; n {row.estimate.n}", small=True),
            Line(text="" if row.adjusted is None else value_text(row.adjusted, "graded"), tone="number"),
        ]
        for row in results.systems
    ]
    markup.table(["metric", "system", "mean", "interval", "without the raters' severity"], rows)
    if results.wins:
        wins: list[list[Cell]] = [
            [
                Line(text=win.winner),
                Line(text=win.loser),
                Line(text=value_text(win.share, "binary"), tone="number"),
                Line(text=f"{interval_text(win.low, win.high, 'binary')}; n {win.n}", small=True),
            ]
            for win in results.wins
        ]
        markup.table(["chosen", "over", "share of choices", "interval"], wins)
        markup.say("A tie, or both bad, counts as half a choice.")
    if results.strengths:
        said = "; ".join(
            f"{one.name} {difference_text(one.strength, 'graded')}"
            f" ({interval_text(one.low, one.high, 'graded', signed=True)})"
            for one in results.strengths.strengths
        )
        markup.say(f"Strengths (Bradley and Terry, log-odds around their mean): {said}.")
    if results.notes:
        markup.notes(results.notes)
