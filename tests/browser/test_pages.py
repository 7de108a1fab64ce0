"""The pages in a real browser: `harness ui` as a user starts it, from the leaderboard to a run and a comparison."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect, sync_playwright

from harness.store.ledger import Ledger
from harness.store.runs import start_run
from tests.reports.ledger import LORA, STOPPED, ZERO, answer, build, finish, run_of

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
# Streamlit's own: a script of its shell that the policy blocks, and paths it tries below a page's.
KNOWN = ("Executing inline script violates", "status of 404")
HOSTILE_NAME = "<img src=http://evil.invalid/system><b>![x](http://evil.invalid/name)"
WAIT_MS = 15_000


@dataclass
class Server:
    """A running `harness ui`."""

    url: str
    home: Path
    process: subprocess.Popen[str]


@dataclass
class Watched:
    """A page, with what it asked for and what its console said."""

    page: Page
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def assert_quiet(self, url: str) -> None:
        """Nothing was asked of another host, and nothing went wrong."""
        assert self.requests
        assert [asked for asked in self.requests if not asked.startswith((url, "data:", "blob:"))] == []
        assert self.problems == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(home: Path, port: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", "ui", "--home", str(home), "--port", str(port), *more]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=_hear_ctrl_c
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("pages") / "home"
    ledger = build(home)
    hostile = run_of(HOSTILE_NAME, STOPPED, minute=6)
    start_run(ledger, hostile)
    answer(ledger, hostile, "0" * 20)
    finish(ledger, hostile)
    port = free_port()
    with start(home, port) as process:
        running = Server(url=f"http://127.0.0.1:{port}", home=home, process=process)
        try:
            wait_until_healthy(running)
            yield running
        finally:
            if process.poll() is None:
                process.terminate()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watch(chromium: Browser) -> Iterator[Callable[[], Watched]]:
    contexts = []

    def open_page() -> Watched:
        contexts.append(chromium.new_context(viewport={"width": 1366, "height": 768}))
        watched = Watched(page=contexts[-1].new_page())
        watched.page.set_default_timeout(WAIT_MS)

        def hear(message: ConsoleMessage) -> None:
            if message.type == "error" and not any(known in message.text for known in KNOWN):
                watched.problems.append(message.text)

        def note(request: Request) -> None:
            watched.requests.append(request.url)

        watched.page.on("console", hear)
        watched.page.on("pageerror", lambda error: watched.problems.append(str(error)))
        watched.page.on("request", note)
        return watched

    yield open_page
    for context in contexts:
        context.close()


def see(page: Page, *texts: str) -> None:
    for text in texts:
        expect(page.get_by_text(text).locator("visible=true").first).to_be_visible(timeout=WAIT_MS)


def assert_no_element_of_others(page: Page) -> None:
    found = page.evaluate(
        """() => [...document.querySelectorAll('img, iframe, a, script, video, object, embed, link')]
            .map(element => element.src || element.href || element.data || '').filter(url => url.includes('evil'))"""
    )
    assert found == []
    assert page.locator(".katex").count() == 0


def test_from_the_leaderboard_to_a_run_and_a_comparison(server: Server, watch: Callable[[], Watched]) -> None:
    watched = watch()
    page = watched.page
    page.goto(server.url)
    see(page, "Does an adapter name colours better?", "colours 1.0.0, 20 items", "75.0 %", "53.1 to 88.8; n 20")
    expect(page.locator("[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas")).to_have_count(3)
    assert_no_element_of_others(page)

    lora = page.locator("[data-testid=stColumn]").filter(has=page.get_by_text("own weights")).last
    lora.get_by_role("link", name="Run").click()
    see(page, f"Run {LORA} of experiment colours", "KL 3.4 nats", "epoch 2: validation loss 0.7000")
    assert page.url == f"{server.url}/run?run={LORA}"
    expect(page.locator("[data-testid=stVegaLiteChart]")).to_be_visible()
    expect(page.locator("[data-testid=stDataFrame]")).to_be_visible()
    see(page, "lora says <img src=http://evil.invalid/x")
    assert_no_element_of_others(page)

    page.get_by_role("link", name="Compare", exact=True).click()
    see(page, "lora against zero_shot", "+25.0 points", "10 / 5 / 5", "Worse 5")
    page.get_by_text("Better 10").click()
    see(page, "lora is better")
    assert "show=better" in page.url
    assert_no_element_of_others(page)
    watched.assert_quiet(server.url)


def test_a_link_shows_the_same_view_and_back_goes_back(server: Server, watch: Callable[[], Watched]) -> None:
    watched = watch()
    page = watched.page
    link = f"{server.url}/comparison?candidate={LORA}&baseline={ZERO}&metric=golden%2Foverlap&show=worse&item=item-05"
    page.goto(link)
    see(page, "golden/overlap: lora is worse", "lora says 0", "zero_shot says 1")
    page.get_by_text("Same 5").click()
    see(page, "golden/overlap: lora is the same")
    page.go_back()
    see(page, "golden/overlap: lora is worse")
    assert "show=worse" in page.url
    watched.assert_quiet(server.url)


def test_a_link_works_as_the_first_thing_that_a_server_is_asked(server: Server, watch: Callable[[], Watched]) -> None:
    # Streamlit makes pages of its own of a folder that is called `pages`, until the application has run once.
    port = free_port()
    with start(server.home, port) as process:
        fresh = Server(url=f"http://127.0.0.1:{port}", home=server.home, process=process)
        try:
            wait_until_healthy(fresh)
            page = watch().page
            page.goto(f"{fresh.url}/run?run={LORA}")
            see(page, f"Run {LORA} of experiment colours")
            expect(page.get_by_role("link", name="Leaderboard").first).to_be_visible()
            assert page.locator("[data-testid=stSidebarNav]").count() == 0
        finally:
            process.terminate()


def hover(page: Page, wanted: str) -> Locator:
    """Moves over the first picture of intervals until the note of a dot says what is wanted."""
    chart = page.locator("[data-testid=stVegaLiteChart]").first
    chart.scroll_into_view_if_needed()
    box = chart.locator("canvas, svg").first.bounding_box()
    tip = page.locator("#vg-tooltip-element")
    for down in range(6, int(box["height"]) - 30, 5):
        for across in range(90, int(box["width"]), 8):
            page.mouse.move(box["x"] + across, box["y"] + down)
            if tip.count() and tip.is_visible() and wanted in tip.inner_text():
                return tip
    raise AssertionError(f"no dot says {wanted!r}")


def test_hovering_a_dot_shows_value_n_and_difference(server: Server, watch: Callable[[], Watched]) -> None:
    watched = watch()
    watched.page.goto(server.url)
    see(watched.page, "53.1 to 88.8; n 20")
    tip = hover(watched.page, "+25.0 points (+4.9 to +46.9) from zero_shot")
    expect(tip).to_contain_text("75.0 % (53.1 to 88.8)")
    expect(tip).to_contain_text("items")
    tip = hover(watched.page, "evil.invalid/system")
    assert tip.locator("img, a, script, b").count() == 0
    watched.assert_quiet(server.url)


def test_an_open_page_does_not_hold_the_ledger(server: Server, watch: Callable[[], Watched]) -> None:
    page = watch().page
    page.goto(server.url)
    see(page, "75.0 %")
    with Ledger(server.home / "harness.duckdb", wait_s=0.0).write() as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (6,)


def test_the_server_listens_on_loopback_and_refuses_foreign_hosts(server: Server) -> None:
    request = urllib.request.Request(server.url, headers={"Host": "evil.test"})
    with pytest.raises(urllib.error.HTTPError, match="421") as refused:
        urllib.request.urlopen(request, timeout=10)
    refused.value.close()
    with urllib.request.urlopen(server.url, timeout=10) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_port_that_is_taken_is_said_with_a_free_one(server: Server, tmp_path: Path) -> None:
    with start(tmp_path, int(server.url.rpartition(":")[2])) as second:
        said, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "is taken" in said
    assert "is free: --port" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path, sent: signal.Signals) -> None:
    port = free_port()
    with start(tmp_path / "nowhere", port) as process:
        running = Server(url=f"http://127.0.0.1:{port}", home=tmp_path, process=process)
        wait_until_healthy(running)
        process.send_signal(sent)
        said, _ = process.communicate(timeout=30)
    assert "Traceback" not in said
    assert f"harness ui: http://127.0.0.1:{port}" in said
    assert process.returncode == (130 if sent == signal.SIGINT else -signal.SIGTERM)


def test_a_missing_streamlit_is_said_with_what_to_install(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['streamlit'] = None; sys.argv = ['harness', 'ui']; "
        "from harness.cli.main import main; main()"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "pip install 'harness[ui]'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_public_address_is_refused_with_the_way_round() -> None:
    with start(Path("nowhere"), free_port(), "--host", "0.0.0.0") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "on this machine only" in said
    assert "ssh -L" in said
