"""Pictures of intervals and curves, as SVG: dots are values, whiskers are intervals."""

import base64
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.errors import HarnessError

BLUE, ORANGE, GREY, RED = "#0072b2", "#d55e00", "#999999", "#b2182b"  # told apart by colour-blind readers (Okabe, Ito)
WIDTH = 560
_ROW_HEIGHT = 22
_FONT = "Helvetica, Arial, sans-serif"


@dataclass(frozen=True, kw_only=True, slots=True)
class IntervalRow:
    """One dot with its whisker; `low` and `high` are None where there is no interval, `limit` is what it is held to."""

    label: str
    value: float
    low: float | None
    high: float | None
    stands_out: bool = False
    limit: float | None = None


def interval_figure(rows: Sequence[IntervalRow], *, axis: str, percent: bool, zero: bool = False) -> str:
    """Dots and whiskers, a row each, from top to bottom.

    Args:
        rows: At least one.
        axis: What the numbers are, in words.
        percent: Whether they are proportions, to be shown as percentages.
        zero: Whether to draw a line at 0, for differences.

    Returns:
        A data URI of an SVG picture.
    """
    alt = _altair()
    data: Any = alt.Data(values=[asdict(row) for row in rows])
    order = [row.label for row in rows]
    bounds = [bound for row in rows for bound in (row.low, row.high, row.value, row.limit) if bound is not None]
    span = [min([*bounds, 0.0]), max([*bounds, 0.0])] if zero else [min(bounds), max(bounds)]
    room = 0.05 * ((span[1] - span[0]) or 1.0)
    scale: Any = alt.Scale(domain=[span[0] - room, span[1] + room], nice=False, zero=False)
    x: Any = alt.X("value:Q", title=axis, scale=scale, axis=alt.Axis(format=".0%" if percent else "~g"))
    y: Any = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False))
    colour: Any = alt.condition("datum.stands_out", alt.value(ORANGE), alt.value(BLUE))
    chart: Any = alt.Chart(data)
    layers: list[Any] = []
    if zero:
        layers.append(alt.Chart(alt.Data(values=[{"at": 0.0}])).mark_rule(color=GREY).encode(x="at:Q"))
    layers.append(chart.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=axis), x2="high:Q", y=y, color=colour))
    layers.append(chart.mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, color=colour))
    if any(row.limit is not None for row in rows):
        marks = chart.transform_filter("isValid(datum.limit)").mark_tick(color=RED, thickness=2, size=16)
        layers.append(marks.encode(x="limit:Q", y=y))
    return _data_uri(alt.layer(*layers).properties(width=WIDTH, height=_ROW_HEIGHT * len(rows)))


def curve_figure(points: Mapping[str, Sequence[tuple[float, float]]], *, x_title: str, y_title: str) -> str:
    """Lines through (x, y) points, one for each name.

    Returns:
        A data URI of an SVG picture.
    """
    alt = _altair()
    values = [{"name": name, "x": x, "y": y} for name, line in points.items() for x, y in line]
    chart: Any = alt.Chart(alt.Data(values=values)).mark_line(point=True)
    encoded = chart.encode(
        x=alt.X("x:Q", title=x_title),
        y=alt.Y("y:Q", title=y_title),
        color=alt.Color("name:N", title=None, scale=alt.Scale(range=[BLUE, ORANGE, GREY])),
    )
    return _data_uri(encoded.properties(width=WIDTH, height=180))


def _altair() -> Any:
    return _needed("altair")


def _needed(library: str) -> Any:
    """A library of the `report` extra."""
    try:
        return importlib.import_module(library)
    except ImportError as missing:
        raise HarnessError(
            f"pictures need the package {missing.name}, which is not installed. Run: pip install 'harness[report]'"
        ) from None


def _data_uri(chart: Any) -> str:
    styled = chart.configure_view(stroke=None).configure(font=_FONT, background="transparent")
    styled = styled.configure_axis(labelFontSize=11, titleFontSize=11)
    svg = str(_needed("vl_convert").vegalite_to_svg(styled.to_json(), allowed_base_urls=[]))
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
