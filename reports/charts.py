"""Pictures: intervals as dots and whiskers, and training curves."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import altair as alt

from reports.markup import BETTER, INK, UNCLEAR, WORSE

Role = Literal["baseline", "better", "worse", "unclear", "alone"]

_COLOURS: dict[Role, str] = {
    "baseline": INK,
    "better": BETTER,
    "worse": WORSE,
    "unclear": UNCLEAR,
    "alone": UNCLEAR,
}
_ROW_HEIGHT = 22
_AXIS_HEIGHT = 42  # Streamlit fits the axis into the height


@dataclass(frozen=True, kw_only=True, slots=True)
class IntervalRow:
    """One dot with its whisker. Values are in the unit to be shown (percent for pass/fail metrics).

    `said`, `n` and `versus` are what shows on hover; all of it is plain text.
    """

    system: str
    value: float
    low: float | None
    high: float | None
    role: Role
    said: str
    n: str
    versus: str


def interval_panel(rows: Sequence[IntervalRow], *, unit: str, from_zero: bool, chance: float | None = None) -> Any:
    """Systems from top to bottom, on one metric.

    Args:
        rows: At least one.
        unit: What the axis counts; empty for the metric's own unit.
        from_zero: Whether the axis begins at 0.
        chance: What guessing gives, drawn as a dotted line.
    """
    seen = [bound for row in rows for bound in (row.value, row.low, row.high, chance) if bound is not None]
    bounds: list[float] = [*seen, 0.0] if from_zero else seen
    low, high = min(bounds), max(bounds)
    room = 0.04 * ((high - low) or abs(high) or 1.0)
    scale = alt.Scale(domain=[low if from_zero else low - room, high + room], nice=False, zero=False)
    x = alt.X(
        "value:Q",
        scale=scale,
        title=unit or None,
        axis=alt.Axis(tickCount=5, grid=True, gridColor="#eceff2", titlePadding=2),
    )
    order = [row.system for row in rows]
    y = alt.Y(
        "system:N",
        sort=order,
        title=None,
        axis=alt.Axis(labelLimit=110, labelOverlap=False, labelFlush=False, ticks=False, domain=False),
    )
    colour = alt.Color("role:N", scale=_scale(list(_COLOURS.values())), legend=None)
    shape = alt.Shape("role:N", scale=_scale(["diamond", *["circle"] * 4]), legend=None)
    tips = [
        alt.Tooltip("system:N", title="system"),
        alt.Tooltip("said:N", title="value"),
        alt.Tooltip("n:N", title="items"),
        alt.Tooltip("versus:N", title="difference"),
    ]
    chart = alt.Chart(alt.Data(values=[asdict(row) for row in rows]))
    layers: list[Any] = [_rule(row.value, INK, [2, 3]) for row in rows if row.role == "baseline"]
    if chance is not None:
        layers.append(_rule(chance, WORSE, [1, 3]))
    layers.append(
        chart.mark_rule(strokeWidth=2).encode(
            x=alt.X("low:Q", scale=scale), x2="high:Q", y=y, color=colour, tooltip=tips
        )
    )
    layers.append(
        chart.mark_point(filled=True, size=75, opacity=1).encode(x=x, y=y, color=colour, shape=shape, tooltip=tips)
    )
    return _styled(alt.layer(*layers), height=_ROW_HEIGHT * len(rows) + (_AXIS_HEIGHT if unit else _AXIS_HEIGHT - 15))


@dataclass(frozen=True, kw_only=True, slots=True)
class CurvePoint:
    """A value at an optimizer step. Points of one name are joined within a stage of the training, not across two."""

    name: str
    step: int
    value: float
    stage: int = 1


def curves(points: Sequence[CurvePoint], *, y_title: str, best_step: int | None = None) -> Any:
    """Lines through points, a colour for each name; `best_step` is marked."""
    data = alt.Data(values=[asdict(point) for point in points])
    x = alt.X("step:Q", title="optimizer step", axis=alt.Axis(tickMinStep=1, grid=False))
    y = alt.Y("value:Q", title=y_title, scale=alt.Scale(zero=True), axis=alt.Axis(gridColor="#eceff2", tickCount=5))
    names = list(dict.fromkeys(point.name for point in points))
    colour = alt.Color(
        "name:N",
        title=None,
        scale=alt.Scale(domain=names, range=[UNCLEAR, BETTER, WORSE][: len(names)]),
        legend=alt.Legend(orient="top") if len(names) > 1 else None,
    )
    tips = [
        alt.Tooltip("name:N", title="curve"),
        alt.Tooltip("step:Q", title="step"),
        alt.Tooltip("value:Q", title="value", format=".4g"),
    ]
    layers: list[Any] = []
    if best_step is not None:
        layers.append(_rule(best_step, INK, [2, 3]))
    layers.append(
        alt.Chart(data)
        .mark_line(point=alt.OverlayMarkDef(size=40))
        .encode(x=x, y=y, color=colour, tooltip=tips, detail="stage:N")
    )
    return _styled(alt.layer(*layers), height=200)


def _scale(values: list[str]) -> Any:
    return alt.Scale(domain=list(_COLOURS), range=values)


def _rule(at: float, colour: str, dash: list[int]) -> Any:
    return (
        alt.Chart(alt.Data(values=[{"at": at}]))
        .mark_rule(color=colour, strokeDash=dash, opacity=0.6, tooltip=None)
        .encode(x="at:Q")
    )


def _styled(chart: Any, *, height: int) -> Any:
    styled = chart.properties(height=height).configure_view(stroke=None)
    return styled.configure_axis(labelFontSize=11, titleFontSize=11, titleFontWeight="normal", labelColor=INK)
