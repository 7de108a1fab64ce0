"""Choices that stand in the URL, so that a link shows the same view."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from reports import markup


def asked(name: str) -> str | None:
    """What the URL says of a choice; None where it says nothing."""
    return st.query_params.get(name)


def choose(
    label: str,
    name: str,
    options: Sequence[str],
    *,
    default: str,
    show: Callable[[str], str] = str,
    clears: Sequence[str] = (),
) -> str:
    """A box to choose from, kept in the URL under `name`. The URL is what counts: going back in the browser goes back.

    Args:
        label: What is chosen. Markdown: never anything that a model or a file said.
        name: In the URL.
        options: At least one; shown as plain text.
        default: Chosen where the URL says nothing, or something that is not there.
        show: How an option is shown.
        clears: Other choices that mean nothing any more when this one changes.
    """
    said = asked(name)
    if said is not None and said not in options:
        markup.warn(f"The link's {name} is not here", f'"{said}" is not one of the choices; showing "{show(default)}".')
        said = None
    widget = f"choice_{name}"
    st.session_state[widget] = said or default
    return st.selectbox(label, options, key=widget, format_func=show, on_change=_to_url, args=(name, widget, clears))


def filter_by(label: str, name: str, options: Mapping[str, str], *, default: str) -> str:
    """One of a few choices side by side, kept in the URL under `name`; `options` are words of ours by the URL's."""
    said = asked(name)
    widget = f"choice_{name}"
    st.session_state[widget] = said if said in options else default
    chosen = st.segmented_control(
        label,
        list(options),
        key=widget,
        format_func=lambda option: options[option],
        required=True,
        label_visibility="collapsed",
        on_change=_to_url,
        args=(name, widget, ("item",)),
    )
    return chosen or default


def put(choices: Mapping[str, str | None]) -> None:
    """Writes choices into the URL, in one step of the browser's history; None takes one out."""
    together: dict[str, str | None] = {**st.query_params.to_dict(), **choices}
    st.query_params.from_dict({name: value for name, value in together.items() if value is not None})


def _to_url(name: str, widget: str, clears: Sequence[str]) -> None:
    put({name: st.session_state[widget], **dict.fromkeys(clears)})
