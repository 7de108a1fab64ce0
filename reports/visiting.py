"""Who is looking at a page: the role of the personal link that the guard put into a cookie."""

import os
from datetime import UTC, datetime

import streamlit as st

from harness.pipeline import rate
from harness.records.rating import Link
from reports.guard import cookie_name
from reports.reading import home

LOGIN = "HARNESS_LOGIN"  # "off" in the environment lets everybody in as an owner; `harness ui` sets it


def token() -> str:
    """The token of the visitor's link, as it came with this session's websocket; empty where there is none."""
    return st.context.cookies.to_dict().get(cookie_name(st.context.headers.get("Host", "")), "")


def visitor() -> Link:
    """The visitor's link, looked up anew: a link may have been taken back since the page was opened.

    Raises:
        LinkError: The link opens nothing, or nothing any more.
    """
    given = token()
    if not given and os.environ.get(LOGIN) == "off":
        return _ANYBODY
    return rate.visitor(home(), given)


_ANYBODY = Link(
    link_id="",
    role="owner",
    rater=None,
    campaign_id=None,
    issued_at=datetime.min.replace(tzinfo=UTC),
    expires_at=datetime.max.replace(tzinfo=UTC),
)
