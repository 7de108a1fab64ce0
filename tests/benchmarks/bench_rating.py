"""Twenty raters at once on the rating page, two of them in real browsers: prints latencies, and that nothing is lost.

`python bench_rating.py [--raters 20] [--items 20] [--think 3] [--only NAME]`
"""

import argparse
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.browser.campaigns import open_campaign
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.load import Browsers, Raters, assert_all_stored, ledger_held
from tests.browser.serving import free_port, running

VARIANTS = ("quiet", "ledger held 0.3 s of each 1.3 s", "server killed half-way")
BROWSERS = ("Browser A", "Browser B")


def main() -> None:
    """Runs each variant once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--raters", type=int, default=20)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--think", type=float, default=3.0, help="seconds between two submissions of a rater")
    parser.add_argument("--only", choices=VARIANTS)
    asked = parser.parse_args()
    print("| variant | who | stored | submissions, latency |\n| --- | --- | --- | --- |")  # noqa: T201
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        for variant in VARIANTS:
            if asked.only in (None, variant):
                _run(variant, asked, browser)
        browser.close()


def _run(variant: str, asked: argparse.Namespace, browser: Browser) -> None:
    kills = variant == VARIANTS[2]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        home, port = Path(folder) / "home", free_port()
        names = [f"Rater {number}" for number in range(asked.raters - (0 if kills else len(BROWSERS)))]
        campaign = open_campaign(home, items=asked.items, raters_per_item=asked.raters)
        server = servers.enter_context(running(home, port))
        raters = Raters(server.url, campaign, names, think_s=asked.think)
        pages = {} if kills else {name: browser.new_context().new_page() for name in BROWSERS}
        browsers = Browsers(server.url, campaign, pages)
        raters.start()
        with ledger_held(home) if variant == VARIANTS[1] else nullcontext():
            raters.go.set()
            if kills:
                while len(raters.done.given) < len(names) * asked.items // 2:
                    time.sleep(0.02)
                server.process.kill()
                server.process.wait()
                servers.enter_context(running(home, port))
            browsers.rate(think_s=asked.think)
            raters.join(60 + 10 * asked.items * (asked.think + 1))
        stored = assert_all_stored(campaign, raters.done, browsers)
        whole = f"{stored} of {asked.raters * asked.items}"
        print(f"| {variant} | {len(names)} protocol raters | {whole} | {raters.done.said()} |")  # noqa: T201
        if pages:
            print(f"| {variant} | {len(pages)} Chromium | | {browsers.done.said()} |", flush=True)  # noqa: T201
        for page in pages.values():
            page.context.close()
    assert threading.active_count() < 50


if __name__ == "__main__":
    main()
