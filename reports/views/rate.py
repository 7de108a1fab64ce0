"""The rater's page: one screen at a time, in a form that lives in the browser (`reports/form/`).

Streamlit keeps nothing here: what was typed is in the browser until the store has it, and what is done is what the
store says. A fragment runs without the rest of the application, so it looks the link up itself, as the callback does.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

import streamlit as st

from harness.errors import HarnessError, LinkError
from harness.pipeline import rate
from harness.records.rating import Screen
from reports import markup, visiting
from reports.rate_form import rate_form
from reports.reading import home

_KEY = "form"
_REPLY = "reply"
# Streamlit's frame around the form: no header, and the whole window.
_FRAME = """
<style>
[data-testid="stHeader"], [data-testid="stStatusWidget"], [data-testid="stDecoration"] { display: none; }
[data-testid="stMainBlockContainer"] { padding: 12px 16px; max-width: 1500px; }
[data-testid="stMain"] [data-testid="stVerticalBlock"] { gap: 0; }
</style>
"""


@st.fragment
def _show() -> None:
    reply: dict[str, Any] = st.session_state.pop(_REPLY, {})
    try:
        rater = visiting.visitor().rater
        screen = rate.screen(home(), visiting.token(), show=reply.get("show"))
    except LinkError as refused:
        markup.warn("This link opens nothing any more", f"{refused} Everything that you submitted is kept.")
        return
    except HarnessError as problem:
        markup.warn("Your next screen cannot be shown right now", f"{problem} Everything that you submitted is kept.")
        st.button("Try again", key="again")
        return
    rate_form(key=_KEY, data={**reply, "rater": rater, "screen": _shown(screen)}, on_out_change=_store)


def _store() -> None:
    """Stores what the browser sent, before the form is shown again. Anybody with a link can send anything."""
    sent: Any = getattr(st.session_state.get(_KEY), "out", None)
    if not isinstance(sent, Mapping):
        return
    message = cast("Mapping[str, Any]", sent)
    events = [one for one in message.get("events") or () if isinstance(one, Mapping)]
    show = message.get("show")
    reply: dict[str, Any] = {"show": show if isinstance(show, str) else None}
    try:
        recorded = rate.record(home(), visiting.token(), events)
        reply["confirmed"] = list(recorded.acknowledged)
        reply["refused"] = [{"id": event_id, "text": text} for event_id, text in recorded.refused.items()]
    except LinkError:
        pass  # the page says so
    except HarnessError as problem:
        reply["trouble"] = str(problem)
    st.session_state[_REPLY] = reply


def _shown(screen: Screen) -> dict[str, Any]:
    """What the browser gets to know of a screen; `before` is the screen to go back to."""
    shown = asdict(screen)
    judged = shown.pop("acknowledged")
    del shown["campaign"]  # the browser has no use for it
    here = judged.index(screen.assignment_id) if screen.assignment_id in judged else len(judged)
    return {**shown, "before": judged[here - 1] if here and screen.can_go_back else None}


st.html(_FRAME)
_show()
