"""Systems on some metrics: a picture for each metric, the same in numbers, and what must be said with them."""

from collections.abc import Sequence

import streamlit as st

from harness.pipeline.board import BoardRow
from harness.records.scores import Metric
from reports import markup, wording
from reports.charts import IntervalRow, Role, interval_panel
from reports.markup import BETTER, INK, UNCLEAR, WORSE, Cell, Line

_IN_A_ROW = 4


def show_metrics(metrics: Sequence[Metric], rows: Sequence[BoardRow], against: str) -> None:
    """Draws the systems that have a value, a panel a metric.

    Args:
        metrics: In the order to show them in.
        rows: In the order to show them in.
        against: The system that the rows' differences are from.
    """
    measured = [row for row in rows if any(metric.name in row.estimates for metric in metrics)]
    markup.legend(
        [
            ("◆", INK, against),
            ("●", BETTER, "clearly better"),
            ("●", WORSE, "clearly worse"),
            ("●", UNCLEAR, "no clear difference, or not compared"),
        ]
    )
    for first in range(0, len(metrics), _IN_A_ROW):
        columns = st.columns(_IN_A_ROW, gap="small")
        for column, metric in zip(columns, metrics[first : first + _IN_A_ROW], strict=False):
            with column:
                _show_panel(metric, measured, against)
    with st.expander("The same in numbers", expanded=True):
        _show_numbers(metrics, measured, against)
    notes = [note for metric in metrics for row in measured for note in _notes(metric, row)]
    if notes:
        markup.notes(list(dict.fromkeys(notes)))


def _notes(metric: Metric, row: BoardRow) -> list[str]:
    """What must be said with one system's number."""
    estimate = row.estimates.get(metric.name)
    own = [f"{metric.name} of {row.system}: {estimate.note}"] if estimate and estimate.note else []
    return [*own, *row.notes.get(metric.name, ())]


def _show_panel(metric: Metric, rows: Sequence[BoardRow], against: str) -> None:
    markup.badges(metric.name, [said] if (said := wording.direction(metric)) else [])
    scale = 100.0 if metric.kind == "binary" else 1.0
    shown = [
        IntervalRow(
            system=row.system,
            value=scale * estimate.value,
            low=None if estimate.low is None else scale * estimate.low,
            high=None if estimate.high is None else scale * estimate.high,
            role=_role(row, metric, against),
            said=f"{wording.value(estimate, metric.kind)} ({wording.interval(estimate, metric.kind)})",
            n=f"{estimate.n}" + (f"; {estimate.note}" if estimate.note else ""),
            versus=_versus(row, metric, against),
        )
        for row in rows
        if (estimate := row.estimates.get(metric.name))
    ]
    if not shown:
        markup.say("No system has a value.")
        return
    picture = interval_panel(
        shown,
        unit="%" if metric.kind == "binary" else "",
        from_zero=metric.minimum == 0,
        chance=None if metric.chance is None else scale * metric.chance,
    )
    words = "; ".join(f"{row.system} {row.said}" for row in shown)
    st.altair_chart(picture, width="stretch", alt=f"{metric.name}: {words}")


def _role(row: BoardRow, metric: Metric, against: str) -> Role:
    if row.system == against:
        return "baseline"
    difference = row.differences.get(metric.name)
    return wording.standing(difference) if difference else "alone"


def _versus(row: BoardRow, metric: Metric, against: str) -> str:
    if row.system == against:
        return "the others are held against it"
    difference = row.differences.get(metric.name)
    return f"{wording.difference(difference)} from {against}" if difference else f"not compared with {against}"


def _show_numbers(metrics: Sequence[Metric], rows: Sequence[BoardRow], against: str) -> None:
    heads: list[Cell] = ["system"]
    heads += [(Line(text=metric.name), Line(text=wording.direction(metric), small=True)) for metric in metrics]
    body = [[Line(text=row.system), *(_number_cell(row, metric, against) for metric in metrics)] for row in rows]
    marked = frozenset(number for number, row in enumerate(rows) if row.system == against)
    markup.table(heads, body, marked=marked)
    markup.say(
        f"Value, its 95 % interval, n; then the paired difference from {against} with its interval: ▲ clearly better, "
        "▼ clearly worse, ~ not clear. Differences are signed so that positive is better."
    )


def _number_cell(row: BoardRow, metric: Metric, against: str) -> Cell:
    estimate = row.estimates.get(metric.name)
    if estimate is None:
        return Line(text="not measured", tone="muted", small=True)
    lines = [
        Line(text=wording.value(estimate, metric.kind), tone="number"),
        Line(text=f"{wording.interval(estimate, metric.kind)}; n {estimate.n}", small=True),
    ]
    if row.system != against and (difference := row.differences.get(metric.name)):
        lines.append(Line(text=wording.difference(difference), tone=wording.standing(difference), small=True))
        lines.append(
            Line(text=f"{difference.better} better, {difference.worse} worse, {difference.same} same", small=True)
        )
    return tuple(lines)
