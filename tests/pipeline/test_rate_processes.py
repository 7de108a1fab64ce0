"""Raters, servers and commands in processes of their own: killed, doubled, closed under way, and on a full disk."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import LinkError
from harness.pipeline.campaigns import campaign_state
from harness.pipeline.rate import record, screen, start, stop
from harness.store.ledger import Ledger
from harness.store.rating_fold import fold_journals
from tests.pipeline.rated import CAMPAIGN, judgement, open_plan, plan, rate_all, token_of

TOP = Path(__file__).parents[2]

_HEAD = """
import json, os, signal, sys, time
from pathlib import Path
from harness.errors import HarnessError, LinkError
from harness.pipeline.rate import record, screen, start, stop
from tests.pipeline.rated import judgement
home, tokens = Path(sys.argv[1]), sys.argv[2:]
def rate(token, n, again=1):
    for _ in range(n):
        shown = screen(home, token)
        if shown.assignment_id is None:
            return
        for _ in range(again):
            found = record(home, token, [judgement(shown)])
            for name in found.acknowledged:
                print(name, flush=True)
"""

Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    open_plan(tmp_path, plan(n_items=6, raters_per_item=3))
    return tmp_path


@pytest.fixture
def spawn(home: Path) -> Iterator[Spawn]:
    started: list[subprocess.Popen[str]] = []

    def begin(script: str, *tokens: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", _HEAD + script, str(home), *tokens],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=TOP,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def ended(process: "subprocess.Popen[str]", code: int = 0) -> list[str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    return out.split()


def stored(home: Path) -> list[str]:
    fold_journals(home)
    with Ledger(home / "harness.duckdb").read() as connection:
        return [row[0] for row in connection.execute("SELECT event_id FROM rating_events ORDER BY event_id").fetchall()]


def test_two_servers_give_no_screen_twice_and_lose_and_double_nothing(home: Path, spawn: Spawn) -> None:
    names = ("Ada", "Bob", "Cleo", "Dan")
    tokens = {name: token_of(home, rater=name) for name in names}
    # Ada's two tabs are at two servers, and every judgement is sent twice.
    servers = [
        spawn("start(home)\nfor token in tokens: rate(token, 99, again=2)\nstop(home)", *chosen)
        for chosen in ((tokens["Ada"], tokens["Bob"]), (tokens["Ada"], tokens["Cleo"], tokens["Dan"]))
    ]
    acknowledged = {name for server in servers for name in ended(server)}
    assert stored(home) == sorted(acknowledged)
    state = campaign_state(home, CAMPAIGN)
    raters: dict[str, set[str]] = {}
    shown: list[tuple[str, str, tuple[str, ...]]] = []
    for one in state.assignments:
        if one.kind == "rubric":
            raters.setdefault(one.item_id, set()).add(one.rater)
            shown.append((one.rater, one.item_id, one.run_ids))
    assert len(shown) == len(set(shown))
    assert {len(found) for found in raters.values()} == {3}
    assert len(state.judged) == len(state.assignments)


def test_a_server_killed_again_and_again_loses_nothing_that_it_acknowledged(home: Path, spawn: Spawn) -> None:
    token = token_of(home)
    acknowledged: list[str] = []
    for _ in range(3):
        server = spawn("start(home); rate(tokens[0], 3); os.kill(os.getpid(), signal.SIGKILL)", token)
        acknowledged += ended(server, -signal.SIGKILL)
    assert len(acknowledged) == len(set(acknowledged)) == 9
    rate_all(home, token)
    assert set(acknowledged) <= set(stored(home))
    assert stored(home) == sorted(event.event_id for event in campaign_state(home, CAMPAIGN).events)


def test_what_a_killed_server_was_writing_is_sent_again_and_stored_once(home: Path, spawn: Spawn) -> None:
    token = token_of(home)
    ended(spawn("rate(tokens[0], 1)", token))
    shown = screen(home, token)
    journal = home / "ratings" / CAMPAIGN / "journal.jsonl"
    with journal.open("ab") as stream:
        stream.write(b'{"kind":"judgement","is":{"event_id":"torn","campa')
    sent = judgement(shown, event_id="torn")
    assert record(home, token, [sent, sent]).acknowledged == ("torn",)
    assert "torn" in stored(home)
    assert len(stored(home)) == 2


def test_closing_from_another_process_holds_at_the_very_next_call(home: Path, spawn: Spawn) -> None:
    token = token_of(home)
    start(home)
    try:
        shown = screen(home, token)
        record(home, token, [judgement(shown)])
        waiting = screen(home, token)
        assert waiting.assignment_id is not None
        closing = """
from datetime import UTC, datetime
from harness.records.rating import CampaignEvent
from harness.store.rating_live import live_campaign
live = live_campaign(home, tokens[0])
with live.change():
    live.add([CampaignEvent(event_id="c", campaign_id=tokens[0], kind="closed", at=datetime.now(UTC), by="owner",
                            payload={"judged": len(live.latest)})], "on disk")
print(len(live.latest))
"""
        assert ended(spawn(closing, CAMPAIGN)) == ["1"]
        late = record(home, token, [judgement(waiting, event_id="late")])
        assert (late.acknowledged, list(late.refused)) == ((), ["late"])
        with pytest.raises(LinkError, match="was closed"):
            screen(home, token)
    finally:
        stop(home)
    assert stored(home) == [judgement(shown)["id"]]


def test_while_raters_work_a_close_counts_exactly_what_was_acknowledged(home: Path, spawn: Spawn) -> None:
    tokens = [token_of(home, rater=name) for name in ("Ada", "Bob")]
    working = """
start(home)
print("ready", flush=True)
try:
    while True:
        for token in tokens:
            rate(token, 1)
        time.sleep(0.005)
except LinkError as over:
    assert over.why == "closed"
stop(home)
"""
    server = spawn(working, *tokens)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    first = server.stdout.readline().strip()
    closing = """
from datetime import UTC, datetime
from harness.records.rating import CampaignEvent
from harness.store.rating_live import live_campaign
live = live_campaign(home, tokens[0])
with live.change():
    live.add([CampaignEvent(event_id="c", campaign_id=tokens[0], kind="closed", at=datetime.now(UTC), by="owner",
                            payload={})], "on disk")
    print(*live.events)
"""
    counted = ended(spawn(closing, CAMPAIGN))
    acknowledged = [first, *ended(server)]
    assert sorted(counted) == sorted(acknowledged) == stored(home)


def test_a_full_disk_refuses_what_does_not_fit_says_so_and_keeps_the_rest(home: Path, spawn: Spawn) -> None:
    token = token_of(home)
    script = """
import resource
screen(home, tokens[0])
size = (home / "ratings" / "CAMPAIGN" / "journal.jsonl").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 3000, size + 3000))
try:
    rate(tokens[0], 99)
except HarnessError as problem:
    print(json.dumps(f"{type(problem).__name__}: {problem}"))
""".replace("CAMPAIGN", CAMPAIGN)
    out, err = spawn(script, token).communicate(timeout=60)
    *acknowledged, said = out.splitlines()
    assert said.startswith('"DiskFullError: '), err
    assert "nothing more can be written" in json.loads(said)
    assert acknowledged
    assert stored(home) == sorted(acknowledged)
    rate_all(home, token)  # and on it goes when there is room
    assert len(stored(home)) == 13


def test_a_process_that_holds_the_ledger_delays_no_rater(home: Path, spawn: Spawn) -> None:
    token = token_of(home)
    fold_journals(home)
    holding = """
from harness.store.ledger import Ledger
with Ledger(home / "harness.duckdb").write():
    print("holding", flush=True)
    sys.stdin.readline()
"""
    holder = spawn(holding)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holding\n"
    start(home)
    try:
        began = time.monotonic()
        seen = rate_all(home, token)
        assert len(seen) == 13
        assert time.monotonic() - began < 10  # the ledger would be waited for 30 s
    finally:
        ender = threading.Timer(0.1, holder.kill)
        ender.start()
        stop(home)
        ender.join()
    assert len(stored(home)) == 13
