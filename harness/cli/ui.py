"""`harness ui`."""

import importlib.util
import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Home
from harness.errors import ConfigError, HarnessError

_LOOK_AT = 50  # further ports, to name one that is free
_EVERY_ADDRESS = ("0.0.0.0", "::")


def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="to listen on")] = 8501,
    host: Annotated[
        str, typer.Option(help="to listen on: this machine only, unless you name an address")
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None, typer.Option(help="under which browsers reach it, if that is not --host; may be repeated")
    ] = None,
    no_login: Annotated[
        bool, typer.Option("--no-login", help="whoever reaches the port is the owner; on this machine only")
    ] = False,
    anybody: Annotated[
        bool,
        typer.Option(
            "--anybody-on-the-network-is-the-owner", help="allows --no-login beyond this machine", hidden=True
        ),
    ] = False,
    home: Home = DEFAULT_HOME,
    debug: Debug = False,
) -> None:
    """Show the ledger in a browser, and let experts rate. Ctrl-C ends it.

    It prints the owner's link, which opens all pages; experts get links of their own with `harness rate invite`. The
    pages read the ledger each time for a moment: `harness run` may go on meanwhile.

    Examples:

      harness ui

      harness ui --home /data/harness --port 8600

      harness ui --host 0.0.0.0 --name rating.example.org
    """
    from harness.assets import shipped

    _require_reach(host, no_login=no_login, anybody=anybody)
    if importlib.util.find_spec("streamlit") is None:
        raise HarnessError(
            "the pages need the package streamlit, which is not installed. Run: pip install 'harness[ui]'"
        )
    _require_free(host, port)
    names = name or ([socket.gethostname()] if host in _EVERY_ADDRESS else [])
    shown = next(iter(names), host)
    _say_where(f"http://{f'[{shown}]' if ':' in shown else shown}:{port}", home.resolve(), login=not no_login)
    if not _is_loopback(host):
        typer.echo("Without TLS, whoever is on the way can read links and ratings: put a proxy with TLS before it.")
    sys.stdout.flush()
    server = shipped("reports") / "server.py"
    # The server takes this process over: Ctrl-C and SIGTERM are its own, and nothing is left behind it.
    os.execve(
        sys.executable,
        [sys.executable, str(server), "--host", host, "--port", str(port), *(f"--name={one}" for one in names)],
        {**os.environ, "HARNESS_HOME": str(home.resolve()), "HARNESS_LOGIN": "off" if no_login else "required"},
    )


def _say_where(url: str, home: Path, *, login: bool) -> None:
    if not login:
        typer.echo(f"harness ui: {url}  (no login; home {home}; Ctrl-C ends it)")
        return
    from harness.pipeline.rate import owner_token

    try:
        home.mkdir(parents=True, exist_ok=True)  # the key that signs links is kept there
    except OSError as error:
        raise ConfigError(
            f"--home {home}: it cannot be made: {error.strerror}. Name a folder that you may write to."
        ) from error
    typer.echo(f"harness ui: {url}/r/{owner_token(home)}")
    typer.echo("This link opens all pages for 12 hours: keep it to yourself. Another one: harness rate invite --owner")
    typer.echo(f"(home {home}; Ctrl-C ends it)")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _require_reach(host: str, *, no_login: bool, anybody: bool) -> None:
    if no_login and not anybody and not _is_loopback(host):
        raise ConfigError(
            f"--no-login with --host {host}: everybody who reaches this port could read all data, and decide. Leave "
            "--no-login out, so that a personal link is needed; or forward the port: ssh -L 8501:127.0.0.1:8501 "
            "THIS_MACHINE; or, if you mean it, add --anybody-on-the-network-is-the-owner"
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
