"""Reading the ledger for a page: short, kept until the ledger changes, and a sensible page where it cannot be read."""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from harness.errors import HarnessError, StoreBusyError
from harness.store.migrate import LEDGER_NAME
from reports import markup

T = TypeVar("T")

WAIT_S = 4.0  # as long as somebody looks at a page without an answer
_KEPT = 64
_KEPT_S = 60

# In a module and not in `st.cache_data`, which any visitor can clear for all.
_read: OrderedDict[Hashable, Any] = OrderedDict()
_read_guard = threading.Lock()


def home() -> Path:
    """The folder that the ledger is in, as `harness ui` was told."""
    return Path(os.environ.get("HARNESS_HOME") or ".harness").resolve()


def require_ledger() -> Path:
    """The home, where it holds a ledger; else the page says so and ends."""
    place = home()
    if not (place / LEDGER_NAME).exists():
        _show_empty_home(place)
        st.stop()
    return place


def read(query: Callable[..., T], *arguments: Hashable, watched: Sequence[Path] = ()) -> T:
    """The answer of a pipeline function `query(home, *arguments, wait_s=...)`, or a page that says why there is none.

    An answer is kept until the ledger's file changes, and for a minute at most, since waivers expire by the clock. So
    it must be a record that nobody changes. Where there is no answer, the page ends here.

    Args:
        query: What is asked.
        arguments: Of the question.
        watched: Further files that the answer depends on.
    """
    place = require_ledger()
    key = (query.__module__, query.__qualname__, arguments, _stamp(place / LEDGER_NAME, watched))
    with _read_guard:
        if key in _read:
            _read.move_to_end(key)
            return _read[key]
    try:
        answer = query(place, *arguments, wait_s=WAIT_S)
    except StoreBusyError as busy:
        markup.warn("The ledger is busy", f"{busy} Nothing is lost: this page only reads.")
        st.button("Try again", key="try_again")
        st.stop()
    except HarnessError as problem:
        markup.warn("This cannot be shown", str(problem))
        st.stop()
    with _read_guard:
        _read[key] = answer
        while len(_read) > _KEPT:
            _read.popitem(last=False)
    return answer


def _stamp(ledger: Path, watched: Sequence[Path]) -> Hashable:
    """What changes whenever one of the files does, or the write-ahead log (moment and size), and each minute."""
    marks: list[tuple[int, int, int] | None] = []
    for file in (ledger, ledger.with_name(f"{ledger.name}.wal"), *watched):
        try:
            status = file.stat()
        except FileNotFoundError:
            marks.append(None)
            continue
        marks.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return (str(ledger), *marks, int(time.time() // _KEPT_S))


def _show_empty_home(place: Path) -> None:
    markup.title("No runs yet", "There is no ledger in this home, so there is nothing to show.")
    markup.facts([("home", str(place))])
    st.text("Make one with:")
    st.code(f"harness run icd10_coding --home {place}", language=None, wrap_lines=True)
    st.text("If your ledger is elsewhere, end this server and start it with the folder that holds harness.duckdb:")
    st.code("harness ui --home FOLDER", language=None, wrap_lines=True)
    st.button("Look again", key="look_again")
