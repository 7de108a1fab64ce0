"""HTML of our own around text of others: whatever is filled in is escaped, so that it can only ever be text.

Streamlit's Markdown (`st.markdown`, `st.write`, headers, labels) makes links, remote images and formulas of what a
model or a file says. These pages use it for words of their own only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import streamlit as st

Tone = Literal["plain", "better", "worse", "unclear", "muted", "number"]

# Told apart by colour-blind readers (Okabe, Ito); words or signs say the same without colour.
BETTER, WORSE, UNCLEAR, INK = "#0072b2", "#d55e00", "#8a8f98", "#1f2933"

ARROW = ":material/arrow_forward:"  # on links to another page

_STYLE = f"""
<style>
.h-title {{ margin: 0; font-size: 1.5rem; font-weight: 650; line-height: 1.25; color: {INK}; }}
.h-over {{ font-size: .8rem; color: #5f6b7a; letter-spacing: .02em; }}
.h-section {{ margin: .9rem 0 0; font-size: 1.05rem; font-weight: 650; color: {INK}; }}
.h-say {{ margin: 0; color: #4a5563; font-size: .87rem; max-width: 75rem; }}
.h-facts {{ display: flex; flex-wrap: wrap; gap: .1rem 1.4rem; font-size: .85rem; margin: .1rem 0; }}
.h-facts b {{ font-weight: 500; color: #5f6b7a; margin-right: .35rem; }}
.h-wrap {{ overflow-x: auto; }}
.h-table {{ border-collapse: collapse; font-size: .85rem; width: 100%; font-variant-numeric: tabular-nums; }}
.h-table th {{ text-align: left; font-weight: 600; color: #4a5563; border-bottom: 1px solid #b8c0ca;
  padding: .25rem .6rem; vertical-align: bottom; }}
.h-table td {{ border-bottom: 1px solid #e6e9ed; padding: .3rem .6rem; vertical-align: top; line-height: 1.3; }}
.h-table td div {{ white-space: pre-line; overflow-wrap: break-word; }}
.h-table tr.h-row-marked td {{ background: #f3f5f8; }}
.h-table .h-small {{ font-size: .78rem; }}
.h-table .h-small.h-plain, .h-table .h-small.h-number {{ color: #5f6b7a; }}
.h-table td div.h-small {{ overflow-wrap: anywhere; }}
.h-better {{ color: {BETTER}; font-weight: 600; }}
.h-worse {{ color: {WORSE}; font-weight: 600; }}
.h-unclear, .h-muted {{ color: #5f6b7a; }}
.h-table td div.h-number {{ white-space: nowrap; }}
.h-badge {{ display: inline-block; border-radius: .6rem; padding: 0 .5rem; margin-right: .3rem; font-size: .75rem;
  line-height: 1.25rem; background: #e6e9ed; color: {INK}; }}
.h-warn {{ border-left: 3px solid {WORSE}; background: #fdf4ee; padding: .5rem .8rem; font-size: .87rem;
  white-space: pre-line; overflow-wrap: anywhere; }}
.h-inform {{ border-left-color: {BETTER}; background: #eef5fa; }}
.h-notes {{ margin: .2rem 0 0; padding-left: 1.1rem; font-size: .85rem; color: #4a5563; }}
.h-notes li {{ margin: .1rem 0; overflow-wrap: anywhere; white-space: pre-line; }}
.h-forest {{ position: relative; height: 1.3rem; min-width: 11rem; }}
.h-forest i {{ position: absolute; display: block; }}
.h-forest .h-zero {{ top: -.3rem; bottom: -.3rem; width: 1px; background: #8a8f98; }}
.h-forest .h-whisker {{ top: .62rem; height: 2px; }}
.h-forest .h-dot {{ top: .37rem; width: .55rem; height: .55rem; margin-left: -.275rem; border-radius: 50%; }}
.h-scale {{ position: relative; height: 1rem; min-width: 11rem; font-size: .72rem; font-weight: 400; }}
.h-scale span {{ position: absolute; transform: translateX(-50%); white-space: nowrap; }}
.h-squares {{ display: flex; flex-wrap: wrap; gap: 3px; max-width: 75rem; margin: .2rem 0; }}
.h-squares i {{ width: .95rem; height: .95rem; border-radius: 3px; background: #e6e9ed; overflow: hidden; }}
.h-squares i b {{ display: block; height: 100%; background: {BETTER}; }}
.h-quote {{ white-space: pre-wrap; overflow-wrap: anywhere; max-height: 17rem; overflow-y: auto; font-size: .9rem;
  border: 1px solid #e6e9ed; border-radius: 6px; padding: .5rem .8rem; background: #fafbfc; }}
[data-testid="stText"] {{ overflow-wrap: anywhere; }}
</style>
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of a cell, and how it is meant."""

    text: str
    tone: Tone = "plain"
    small: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Forest:
    """A dot and its whisker on a line with a zero, all as shares of the width in [0, 1]; `tip` shows on hover."""

    at: float
    low: float | None
    high: float | None
    zero: float
    tone: Tone
    tip: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticks:
    """What stands over a column of forests: labels and where, as shares of the width in [0, 1]."""

    labels: tuple[tuple[float, str], ...]


Cell = str | Line | tuple[Line, ...] | Forest | Ticks


def style() -> None:
    """The style sheet; once a page."""
    st.html(_STYLE)


def title(text: str, over: str = "") -> None:
    """A page's title, with a smaller line over it."""
    _show('<div class="h-over">{}</div><h1 class="h-title">{}</h1>', over, text)


def section(text: str, said: str = "") -> None:
    """A heading, with a sentence or two under it."""
    _show('<h2 class="h-section">{}</h2><p class="h-say">{}</p>', text, said)


def say(text: str) -> None:
    """A paragraph in small type."""
    _show('<p class="h-say">{}</p>', text)


def warn(head: str, text: str) -> None:
    """Something that the reader must not miss."""
    _show('<div class="h-warn"><b>{}.</b> {}</div>', head, text)


def inform(head: str, text: str) -> None:
    """Something that the reader should know, and that is in order."""
    _show('<div class="h-warn h-inform"><b>{}.</b> {}</div>', head, text)


def notes(said: Sequence[str]) -> None:
    """A list of sentences."""
    st.html(f'<ul class="h-notes">{"".join(f"<li>{escape(one)}</li>" for one in said)}</ul>')


def facts(known: Iterable[tuple[str, object]]) -> None:
    """Names and values on a line."""
    spans = "".join(f"<span><b>{escape(name)}</b>{escape(str(value))}</span>" for name, value in known)
    st.html(f'<div class="h-facts">{spans}</div>')


def badges(head: str, labels: Sequence[str]) -> None:
    """A short name in bold, with labels beside it."""
    shown = "".join(f'<span class="h-badge">{escape(label)}</span>' for label in labels)
    st.html(f"<div><b>{escape(head)}</b> {shown}</div>")


def legend(entries: Sequence[tuple[str, str, str]]) -> None:
    """What signs mean: (sign, colour of ours, words)."""
    spans = "".join(
        f'<span><span style="color:{colour}">{escape(sign)}</span> {escape(words)}</span>'
        for sign, colour, words in entries
    )
    st.html(f'<div class="h-facts">{spans}</div>')


def squares(shares: Sequence[tuple[float, str]]) -> None:
    """A square for each thing, filled by its share in [0, 1] from the left, with words that show on hover."""
    drawn = "".join(
        f'<i title="{escape(words)}"><b style="width:{100 * min(max(share, 0.0), 1.0):.0f}%"></b></i>'
        for share, words in shares
    )
    st.html(f'<div class="h-squares">{drawn}</div>')


def quote(head: str, text: str) -> None:
    """A text of others in a box that scrolls, under a small heading."""
    _show('<div class="h-over">{}</div><div class="h-quote">{}</div>', head, text)


def table(columns: Sequence[Cell], rows: Sequence[Sequence[Cell]], *, marked: frozenset[int] = frozenset()) -> None:
    """A table; rows whose number is in `marked` have a background."""
    head = "".join(f"<th>{_cell(column)}</th>" for column in columns)
    body = "".join(
        f'<tr class="{"h-row-marked" if number in marked else ""}">'
        f"{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>"
        for number, row in enumerate(rows)
    )
    st.html(
        f'<div class="h-wrap"><table class="h-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _show(template: str, *values: str) -> None:
    st.html(template.format(*(escape(value) for value in values)))


def _cell(cell: Cell) -> str:
    match cell:
        case str():
            return f"<div>{escape(cell)}</div>"
        case Line():
            classes = f"h-{cell.tone}{' h-small' if cell.small else ''}"
            return f'<div class="{classes}">{escape(cell.text)}</div>'
        case tuple():
            return "".join(_cell(line) for line in cell)
        case Ticks():
            spans = "".join(f'<span style="left:{100 * at:.2f}%">{escape(label)}</span>' for at, label in cell.labels)
            return f'<div class="h-scale">{spans}</div>'
        case Forest():
            return _forest(cell)


def _forest(forest: Forest) -> str:
    colour = {"better": BETTER, "worse": WORSE, "plain": INK}.get(forest.tone, UNCLEAR)
    whisker = ""
    if forest.low is not None and forest.high is not None:
        left, width = 100 * forest.low, 100 * (forest.high - forest.low)
        whisker = f'<i class="h-whisker" style="left:{left:.2f}%;width:{width:.2f}%;background:{colour}"></i>'
    return (
        f'<div class="h-forest" title="{escape(forest.tip)}"><i class="h-zero" style="left:{100 * forest.zero:.2f}%">'
        f'</i>{whisker}<i class="h-dot" style="left:{100 * forest.at:.2f}%;background:{colour}"></i></div>'
    )
