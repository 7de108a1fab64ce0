"""`harness ui`."""

import importlib.util
import ipaddress
import os
import socket
import sys
from typing import Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Home
from harness.errors import ConfigError, HarnessError

_LOOK_AT = 50  # further ports, to name one that is free


def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="to listen on")] = 8501,
    host: Annotated[str, typer.Option(help="to listen on; loopback only, since the pages have no login")] = "127.0.0.1",
    home: Home = DEFAULT_HOME,
    debug: Debug = False,
) -> None:
    """Show the ledger in a browser: leaderboard, runs and comparisons. Ctrl-C ends it.

    The pages only read, each time for a moment: `harness run` may go on meanwhile.

    Examples:

      harness ui

      harness ui --home /data/harness --port 8600
    """
    from harness.assets import shipped

    _require_loopback(host)
    if importlib.util.find_spec("streamlit") is None:
        raise HarnessError(
            "the pages need the package streamlit, which is not installed. Run: pip install 'harness[ui]'"
        )
    _require_free(host, port)
    typer.echo(
        f"harness ui: http://{f'[{host}]' if ':' in host else host}:{port}  (home {home.resolve()}; Ctrl-C ends it)"
    )
    sys.stdout.flush()
    server = shipped("reports") / "server.py"
    # The server takes this process over: Ctrl-C and SIGTERM are its own, and nothing is left behind it.
    os.execve(
        sys.executable,
        [sys.executable, str(server), "--host", host, "--port", str(port)],
        {**os.environ, "HARNESS_HOME": str(home.resolve())},
    )


def _require_loopback(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigError(
            f"--host {host}: the pages have no login, so they are shown on this machine only; allowed: 127.0.0.1, ::1, "
            "localhost. To look from another machine, forward the port: ssh -L 8501:127.0.0.1:8501 THIS_MACHINE"
        )


def _require_free(host: str, port: int) -> None:
    if _is_free(host, port):
        return
    others = range(port + 1, min(port + 1 + _LOOK_AT, 65536))
    free = next((other for other in others if _is_free(host, other)), None)
    hint = f"Port {free} is free: --port {free}" if free else "Name another with --port."
    raise HarnessError(f"port {port} of {host} is taken, perhaps by another `harness ui`. {hint}")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers bind: a port that a server has just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
