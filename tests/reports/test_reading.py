import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.assets import shipped
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import start_run
from tests.reports.ledger import STOPPED, run_of

_HOLD = """
import sys
from pathlib import Path
from harness.store.ledger import Ledger
with Ledger(Path(sys.argv[1])).write() as connection:
    print("holding", flush=True)
    sys.stdin.readline()
"""

_NO_TORCH = """
import sys
from streamlit.testing.v1 import AppTest
for page in ("leaderboard", "run", "comparison"):
    app = AppTest.from_file(sys.argv[1], default_timeout=60).run()
    app.switch_page(f"views/{page}.py").run()
    assert not app.exception, app.exception
    assert app.get("html")
print(sorted({"torch", "transformers", "peft"} & set(sys.modules)))
"""


@pytest.fixture
def hold(copied: Path):
    """Starts another process that holds the ledger until its input is closed."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _HOLD, str(copied / "harness.duckdb")]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "holding\n"
        return started[-1]

    yield start
    for process in started:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


def test_a_page_waits_while_another_process_writes_for_a_moment(show, said, copied: Path, hold) -> None:
    release = threading.Timer(0.5, hold().stdin.close)
    release.start()
    assert "75.0 %" in said(show(copied))
    release.join()


def test_a_ledger_that_stays_busy_is_said_with_the_process_and_a_button(show, said, copied: Path, hold) -> None:
    holder = hold()
    app = show(copied)
    assert "The ledger is busy" in said(app)
    assert f"process {holder.pid}" in said(app)
    holder.stdin.close()
    holder.wait(timeout=30)
    app.button[0].click().run()
    assert "75.0 %" in said(app)


def test_a_page_that_was_read_leaves_the_ledger_to_writers(show, said, copied: Path) -> None:
    app = show(copied)
    with Ledger(copied / "harness.duckdb", wait_s=0.0).write() as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (5,)
    assert "75.0 %" in said(app.run())


def test_what_was_read_is_read_again_once_the_ledger_changed(show, said, copied: Path) -> None:
    app = show(copied)
    assert STOPPED not in str(app.get("page_link"))
    start_run(open_ledger(copied, create=False), run_of("lora", STOPPED, minute=6))
    assert "A run of lora stopped" in said(app.run())


def test_an_unchanged_ledger_is_not_read_again(show, said, copied: Path, hold) -> None:
    app = show(copied)
    hold()  # whoever read now would be told that it is busy
    assert "75.0 %" in said(app.run())


def test_pages_import_no_torch(built: Path) -> None:
    app = shipped("reports") / "app.py"
    environment = {"HARNESS_HOME": str(built), "PATH": "", "HOME": str(built)}
    ran = subprocess.run(
        [sys.executable, "-c", _NO_TORCH, str(app)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().splitlines()[-1] == "[]"
