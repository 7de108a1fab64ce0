"""Raters at once against the running server, also while it is killed and while the ledger is held by another process.

The full form, with latencies, is tests/benchmarks/bench_rating.py.
"""

import time
from pathlib import Path

from harness.store.ledger import Ledger
from tests.browser.campaigns import open_campaign
from tests.browser.load import Raters, assert_all_stored, ledger_held
from tests.browser.protocol import ProtocolRater
from tests.browser.serving import free_port, running

NAMES = [f"Rater {number}" for number in range(8)]
ITEMS = 6
PATIENCE_S = 120.0


def test_eight_raters_are_all_stored_once_while_another_process_holds_the_ledger(tmp_path: Path) -> None:
    campaign = open_campaign(tmp_path / "home", items=ITEMS, raters_per_item=len(NAMES))
    with running(campaign.home) as server, ledger_held(campaign.home):
        raters = Raters(server.url, campaign, NAMES, think_s=0.3)
        raters.start()
        raters.go.set()
        raters.join(PATIENCE_S)
    assert assert_all_stored(campaign, raters.done) == len(NAMES) * ITEMS
    assert raters.done.again == 0


def test_a_server_that_is_ended_leaves_the_ratings_in_the_ledger(tmp_path: Path) -> None:
    campaign = open_campaign(tmp_path / "home", items=3)
    with running(campaign.home) as server:
        rater = ProtocolRater(server.url, campaign.token())
        rater.open()
        for _ in range(3):
            rater.send([rater.judge({"levels": {"accuracy": 5, "completeness": 1, "form": "pass"}})])
        server.process.terminate()  # at once, with the page still open
        server.process.wait(30)
        rater.close()
    with Ledger(campaign.home / "harness.duckdb", wait_s=5.0).read() as connection:
        assert connection.execute("SELECT count(*) FROM rating_events").fetchone() == (3,)


def test_a_server_killed_half_way_and_started_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    campaign, port = open_campaign(tmp_path / "home", items=ITEMS, raters_per_item=len(NAMES)), free_port()
    with running(campaign.home, port) as server:
        raters = Raters(server.url, campaign, NAMES, think_s=0.3)
        raters.start()
        raters.go.set()
        while len(raters.done.given) < len(NAMES) * ITEMS // 2:
            time.sleep(0.02)
        server.process.kill()
        server.process.wait()
    with running(campaign.home, port):
        raters.join(PATIENCE_S)
    assert assert_all_stored(campaign, raters.done) == len(NAMES) * ITEMS
