"""Starts the application: `python server.py --host 127.0.0.1 --port 8501`, with the home in `$HARNESS_HOME`.

`harness ui` runs this, after it has checked what can be checked beforehand.
"""

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import streamlit as st
from starlette.middleware import Middleware

FOLDER = Path(__file__).resolve().parent

# Run as a script, this file has its own folder on the path; pages import `reports`, which is a folder above.
if str(FOLDER.parent) not in sys.path:
    sys.path.insert(0, str(FOLDER.parent))

from harness.errors import HarnessError  # noqa: E402
from harness.pipeline import rate  # noqa: E402
from reports import rate_form  # noqa: E402
from reports.guard import LOOPBACK, Guard  # noqa: E402
from reports.reading import home  # noqa: E402
from reports.visiting import LOGIN  # noqa: E402

SETTINGS = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "logger.enableRich": False,
    "logger.hideWelcomeMessage": True,
    "runner.magicEnabled": False,
    "runner.postScriptGC": False,  # a full collection after each run of a page holds everybody else up
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxUploadSize": 1,
    "theme.base": "light",
    "theme.baseFontSize": 14,
    "theme.primaryColor": "#0072b2",
    "theme.textColor": "#1f2933",
    "theme.paddingTop": "1rem",
    "theme.paddingBottom": "2rem",
}


def _send_at_once(port: int) -> None:
    """Keeps the kernel from holding small messages back for 40 ms, until the browser has confirmed the one before.

    asyncio sees to that for sockets that it makes; Streamlit makes this one. Connections inherit it from the socket
    that listens. Where a system does not let a process look at its own sockets, screens come a little later.
    """
    with suppress(psutil.Error, OSError):
        for connection in psutil.Process().net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                with socket.socket(fileno=os.dup(connection.fd)) as listening:
                    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@asynccontextmanager
async def _serving(_app: st.App) -> AsyncIterator[None]:
    """What happens between the first request and the last: at the end, what raters gave goes into the ledger."""
    _send_at_once(st.get_option("server.port"))
    try:
        yield
    finally:
        await asyncio.to_thread(rate.stop, home())


def main() -> None:
    """Serves until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", action="append", default=[])
    asked = parser.parse_args()
    hosts = LOOPBACK | {asked.host, *asked.name}
    login = "off" if os.environ.get(LOGIN) == "off" else "required"
    guard = Middleware(Guard, visitor=partial(rate.visitor, home()), hosts=hosts, login=login)
    app = st.App(FOLDER / "app.py", lifespan=_serving, routes=[rate_form.route], middleware=[guard])
    where: dict[str, Any] = {
        "server.address": asked.host,
        "server.port": asked.port,
        "server.allowedHosts": sorted(hosts),
    }
    try:
        rate.start(home())  # takes up what an earlier server left in the journals
    except HarnessError as problem:
        sys.exit(f"error: {problem}")
    try:
        app.run(config={**SETTINGS, **where})
    except KeyboardInterrupt:  # uvicorn has closed everything, and raises the signal again
        sys.exit(130)


if __name__ == "__main__":
    main()
