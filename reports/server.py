"""Starts the application: `python server.py --host 127.0.0.1 --port 8501`, with the home in `$HARNESS_HOME`.

`harness ui` runs this, after it has checked what can be checked beforehand.
"""

import argparse
import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

FOLDER = Path(__file__).resolve().parent

# Run as a script, this file has its own folder on the path; pages import `reports`, which is a folder above.
if str(FOLDER.parent) not in sys.path:
    sys.path.insert(0, str(FOLDER.parent))

from reports.guard import LOOPBACK, Guard  # noqa: E402

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


def main() -> None:
    """Serves until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    hosts = LOOPBACK | {asked.host}
    app = st.App(FOLDER / "app.py", middleware=[Middleware(Guard, hosts=hosts)])
    where = {"server.address": asked.host, "server.port": asked.port, "server.allowedHosts": sorted(hosts)}
    try:
        app.run(config={**SETTINGS, **where})
    except KeyboardInterrupt:  # uvicorn has closed everything, and raises the signal again
        sys.exit(130)


if __name__ == "__main__":
    main()
