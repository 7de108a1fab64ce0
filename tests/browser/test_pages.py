"""The pages in a real browser: `harness ui` as a user starts it, from the leaderboard to a run and a comparison."""

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from harness.pipeline.rate import owner_token
from harness.store.ledger import Ledger
from harness.store.runs import start_run
from tests.browser.conftest import WAIT_MS, Watched
from tests.browser.serving import Server, free_port, running, start, wait_until_healthy
from tests.reports.ledger import LORA, STOPPED, ZERO, answer, build, finish, run_of

HOSTILE_NAME = "<img src=http://evil.invalid/system><b>![x](http://evil.invalid/name)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("pages") / "home"
    ledger = build(home)
    hostile = run_of(HOSTILE_NAME, STOPPED, minute=6)
    start_run(ledger, hostile)
    answer(ledger, hostile, "0" * 20)
    finish(ledger, hostile)
    with running(home) as started:
        yield started


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


def test_from_the_leaderboard_to_a_run_and_a_comparison(server: Server, watch: Callable[..., Watched]) -> None:
    watched = watch(server.owner_link())
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


def test_a_link_shows_the_same_view_and_back_goes_back(server: Server, watch: Callable[..., Watched]) -> None:
    watched = watch(server.owner_link())
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


def test_a_link_works_as_the_first_thing_that_a_server_is_asked(server: Server, watch: Callable[..., Watched]) -> None:
    # Streamlit makes pages of its own of a folder that is called `pages`, until the application has run once.
    with running(server.home) as fresh:
        page = watch(fresh.owner_link()).page
        page.goto(f"{fresh.url}/run?run={LORA}")
        see(page, f"Run {LORA} of experiment colours")
        expect(page.get_by_role("link", name="Leaderboard").first).to_be_visible()
        assert page.locator("[data-testid=stSidebarNav]").count() == 0


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


def test_hovering_a_dot_shows_value_n_and_difference(server: Server, watch: Callable[..., Watched]) -> None:
    watched = watch(server.owner_link())
    watched.page.goto(server.url)
    see(watched.page, "53.1 to 88.8; n 20")
    tip = hover(watched.page, "+25.0 points (+4.9 to +46.9) from zero_shot")
    expect(tip).to_contain_text("75.0 % (53.1 to 88.8)")
    expect(tip).to_contain_text("items")
    tip = hover(watched.page, "evil.invalid/system")
    assert tip.locator("img, a, script, b").count() == 0
    watched.assert_quiet(server.url)


def test_an_open_page_does_not_hold_the_ledger(server: Server, watch: Callable[..., Watched]) -> None:
    page = watch(server.owner_link()).page
    page.goto(server.url)
    see(page, "75.0 %")
    with Ledger(server.home / "harness.duckdb", wait_s=5.0).write() as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (6,)


def test_the_server_listens_on_loopback_and_refuses_foreign_hosts(server: Server) -> None:
    request = urllib.request.Request(server.url, headers={"Host": "evil.test"})
    with pytest.raises(urllib.error.HTTPError, match="421") as refused:
        urllib.request.urlopen(request, timeout=10)
    refused.value.close()
    with urllib.request.urlopen(server.owner_link(), timeout=10) as answer:
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
        wait_until_healthy(Server(url=f"http://127.0.0.1:{port}", home=tmp_path, process=process))
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


def test_a_public_address_without_login_is_refused_with_the_ways_round(tmp_path: Path) -> None:
    with start(tmp_path / "home", free_port(), "--host", "0.0.0.0", "--no-login") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "ssh -L" in said
    assert "--anybody-on-the-network-is-the-owner" in said


def test_a_public_address_with_login_answers_to_the_names_given_and_warns(tmp_path: Path) -> None:
    more = ("--host", "0.0.0.0", "--name", "rating.test")
    with running(tmp_path / "home", None, *more) as server:
        link = f"{server.url}/r/{owner_token(server.home)}"
        request = urllib.request.Request(link, headers={"Host": f"rating.test:{server.port}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
        request = urllib.request.Request(link, headers={"Host": "other.test"})
        with pytest.raises(urllib.error.HTTPError, match="421") as refused:
            urllib.request.urlopen(request, timeout=10)
        refused.value.close()
        server.process.terminate()
        said, _ = server.process.communicate(timeout=30)
    assert f"harness ui: http://rating.test:{server.port}/r/" in said
    assert "TLS" in said


def test_without_login_everybody_on_this_machine_is_the_owner(server: Server, watch: Callable[..., Watched]) -> None:
    with running(server.home, None, "--no-login") as open_server:
        page = watch().page
        page.goto(open_server.url)
        see(page, "Does an adapter name colours better?")


def test_the_printed_link_opens_the_pages_and_leaves_the_address_bar(
    tmp_path: Path, watch: Callable[..., Watched]
) -> None:
    port = free_port()
    with start(tmp_path / "home", port) as process:
        try:
            link = next(line for line in process.stdout if line.startswith("harness ui: ")).split()[2]
            wait_until_healthy(Server(url=f"http://127.0.0.1:{port}", home=tmp_path, process=process))
            watched = watch()
            watched.page.goto(link)
            see(watched.page, "No runs yet")
            assert watched.page.url == f"http://127.0.0.1:{port}/"
            [cookie] = [one for one in watched.context.cookies() if one["name"] == f"harness-{port}"]
            assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        finally:
            process.terminate()
