import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from reports.guard import cookie_name

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
# Streamlit's own: a script of its shell that the policy blocks, and paths it tries below a page's.
KNOWN = ("Executing inline script violates", "status of 404")
WAIT_MS = 15_000


@dataclass
class Watched:
    """A page, with what it asked for and what its console said."""

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def assert_quiet(self, url: str) -> None:
        """Nothing was asked of another host, and nothing went wrong."""
        assert self.requests
        self.assert_stayed_on(url)
        assert self.problems == []

    def assert_stayed_on(self, url: str) -> None:
        """Nothing was asked of another host."""
        assert [asked for asked in self.requests if not asked.startswith((url, "data:", "blob:"))] == []


def watched_page(context: BrowserContext) -> Watched:
    """A new page of a context."""
    watched = Watched(page=context.new_page(), context=context)
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


@pytest.fixture(scope="module")  # Playwright keeps an event loop running in this thread as long as it lives
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watch(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens pages, each in a profile of its own: `watch(link)` enters by a personal link, `watch()` does not."""
    contexts: list[BrowserContext] = []

    def open_page(link: str | None = None, *, width: int = 1366, height: int = 768) -> Watched:
        contexts.append(chromium.new_context(viewport={"width": width, "height": height}))
        if link:
            url, _, token = link.rpartition("/r/")
            contexts[-1].add_cookies([{"name": cookie_name(urlsplit(url).netloc), "value": token, "url": url}])
        return watched_page(contexts[-1])

    yield open_page
    for context in contexts:
        context.close()
