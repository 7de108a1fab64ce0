"""Items on a page: a list to choose one from, and what was asked and answered. Texts of others are shown as text."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from harness.records.generations import Generation
from harness.records.items import Item
from reports import markup
from reports.choosing import asked, put

_LIST_HEIGHT = 330


def choose_item(
    ids: Sequence[str], rows: Sequence[Mapping[str, object]], *, key: str, narrow: Sequence[str] = ()
) -> str | None:
    """A list of items with one chosen, kept in the URL as `item`; the first one where the URL names none.

    Args:
        ids: The items' ids.
        rows: Of each item, its cells by column.
        key: Another one for every other list, or a choice would carry over.
        narrow: Columns that need little room.
    """
    if not ids:
        return None
    said = asked("item")
    if said is not None and said not in ids:
        markup.warn("The link's item is not in this list", f'"{said}" is not here; showing "{ids[0]}".')
    chosen = said if said in ids else ids[0]
    config: dict[str, Any] = {name: st.column_config.TextColumn(name, width="small") for name in narrow}
    st.dataframe(
        [dict(row) for row in rows],
        hide_index=True,
        height=min(_LIST_HEIGHT, 38 + 35 * len(rows)),
        column_config=config,
        key=key,
        on_select=lambda: _to_url(ids, key),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [ids.index(chosen)]}},
        alt="Items; choose a row to see it below",
    )
    return chosen


def show_item(item: Item) -> None:
    """What was asked, what it is scored against, and what the golden set's authors note on it."""
    facts = [
        ("kind", item.kind),
        ("difficulty", item.difficulty),
        ("tags", ", ".join(item.tags)),
        ("group", item.group),
    ]
    markup.facts([(name, value) for name, value in facts if value])
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption("Asked")
        for turn in item.input:
            if len(item.input) > 1:
                st.text(f"{turn.role}:")
            st.code(turn.content, language=None, wrap_lines=True)
    with right:
        st.caption("Reference" if len(item.references) == 1 else "References: any of them is right")
        for reference in item.references:
            st.code(reference, language=None, wrap_lines=True)
        if item.notes:
            st.caption("Note of the golden set's authors")
            st.text(item.notes)


def show_generations(generations: Sequence[Generation]) -> None:
    """A run's answers to one item, each with the passages that it was given."""
    if not generations:
        st.text("No text is stored for this item.")
    for generation in generations:
        if generation.text is None:
            markup.warn("Never answered", generation.error or "no reason recorded")
            continue
        st.code(generation.text or " ", language=None, wrap_lines=True)
        if not generation.text:
            st.caption("The answer is empty.")
        if generation.finish_reason == "length":
            st.caption("Cut off at the most tokens allowed.")
        if generation.passages:
            with st.expander(f"{len(generation.passages)} retrieved passages"):
                for place, passage in enumerate(generation.passages, start=1):
                    st.text(f"{place}. {passage.passage_id} (retriever's score {passage.score:.3g})")
                    st.code(passage.text, language=None, wrap_lines=True)


def _to_url(ids: Sequence[str], key: str) -> None:
    rows: list[int] = st.session_state[key]["selection"]["rows"]
    if rows:
        put({"item": ids[rows[0]]})
