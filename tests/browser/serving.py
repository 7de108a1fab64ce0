"""`harness ui` as a user starts it, for tests in a browser and over its protocol."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.pipeline.rate import owner_token


@dataclass
class Server:
    """A running `harness ui`."""

    url: str
    home: Path
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def owner_link(self) -> str:
        """A link that opens the owner's pages."""
        return f"{self.url}/r/{owner_token(self.home)}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(home: Path, port: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", "ui", "--home", str(home), "--port", str(port), *more]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_hear_ctrl_c,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _hear_ctrl_c() -> None:
    # A shell starts what runs in the background with Ctrl-C ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_until_healthy(server: Server) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.process.stdout.read()
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError("the server did not become healthy in 60 s")


@contextmanager
def running(home: Path, port: int | None = None, *more: str) -> Iterator[Server]:
    """A server on the home, healthy; ended afterwards."""
    port = port or free_port()
    with start(home, port, *more) as process:
        server = Server(url=f"http://127.0.0.1:{port}", home=home, process=process)
        try:
            wait_until_healthy(server)
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
