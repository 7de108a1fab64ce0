"""Many raters at once: protocol clients in threads, and real browsers among them."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.campaigns import Opened
from tests.browser.protocol import GONE, ProtocolRater
from tests.browser.rating import Form, random_judgement

# Between keydown of Enter and the frame of animation in which the next screen can be used, in milliseconds.
_MEASURE = """() => {
    const frame = () => [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
        .map(root => root.querySelector('.rate .frame')).find(Boolean);
    let pressed = null, before = null;
    window.latencies = [];
    window.addEventListener('keydown', event => {
        if (event.key === 'Enter') [pressed, before] = [performance.now(), frame()];
    }, true);
    const look = () => {
        const now = frame();
        if (pressed !== null && now && now !== before && now.getAttribute('aria-busy') !== 'true') {
            window.latencies.push(performance.now() - pressed);
            pressed = null;
        }
        requestAnimationFrame(look);
    };
    look();
}"""
_WRITER = """
import sys, time
import duckdb
end = time.monotonic() + 600
while time.monotonic() < end:
    try:
        connection = duckdb.connect(sys.argv[1])
    except duckdb.Error:
        time.sleep(0.01)
        continue
    connection.execute("CREATE TABLE IF NOT EXISTS held (n INTEGER)")
    connection.execute("INSERT INTO held SELECT * FROM range(300)")
    time.sleep(0.3)
    connection.close()
    time.sleep(1.0)
"""


@dataclass
class Done:
    """What raters did: latencies in milliseconds, how often an event had to be sent again, and what each gave."""

    latencies_ms: list[float] = field(default_factory=list)
    again: int = 0
    given: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """The latency that `share` of the submissions stay within, such as 0.95."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    def said(self) -> str:
        """`160 submitted, p50 12, p95 30, max 51 ms, 0 sent again`."""
        marks = f"p50 {self.percentile(0.5):.0f}, p95 {self.percentile(0.95):.0f}, max {max(self.latencies_ms):.0f} ms"
        return f"{len(self.latencies_ms)} submitted, {marks}, {self.again} sent again"


class Raters:
    """Protocol raters, each in a thread: think, send a draft, think, submit; what is not confirmed is sent again."""

    def __init__(self, url: str, campaign: Opened, names: Sequence[str], *, think_s: float) -> None:
        self.done = Done()
        self._url, self._campaign, self._think_s = url, campaign, think_s
        self._guard = threading.Lock()
        self.go = threading.Event()
        self._ready = threading.Barrier(len(names) + 1)
        self._threads = [threading.Thread(target=self._rate, args=(name,), daemon=True) for name in names]

    def start(self) -> None:
        """Returns when every rater has her first screen; they begin with `go`."""
        for thread in self._threads:
            thread.start()
        self._ready.wait(120)

    def join(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        assert not any(thread.is_alive() for thread in self._threads), "raters did not finish in time"
        assert self.done.failed == []

    def _rate(self, name: str) -> None:
        rater, draw = ProtocolRater(self._url, self._campaign.token(name)), random.Random(name)
        try:
            self._insist(rater, rater.open)
            self._ready.wait(120)
            self.go.wait(120)
            while rater.data["screen"]["assignment_id"]:
                self._judge(rater, draw)
        except (AssertionError, KeyError, threading.BrokenBarrierError) as problem:
            self.done.failed.append(f"{name}: {problem!r}")
        finally:
            rater.close()

    def _judge(self, rater: ProtocolRater, draw: random.Random) -> None:
        _, answer = random_judgement(draw)
        half = self._think_s * draw.uniform(0.25, 0.75)
        time.sleep(half)
        draft = rater.judge({**answer, "comment": "half a"}, kind="draft")
        self._insist(rater, lambda: rater.send([draft]))
        time.sleep(half)
        event = rater.judge(answer)
        began = time.perf_counter()
        self._insist(rater, lambda: rater.send([event]), until=event["id"])
        with self._guard:
            self.done.latencies_ms.append(1000 * (time.perf_counter() - began))
            assert event["aid"] not in self.done.given
            self.done.given[event["aid"]] = answer

    def _insist(self, rater: ProtocolRater, act: Callable[[], None], *, until: str | None = None) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                act()
                if until is None or until in rater.data.get("confirmed", ()):
                    return
            except GONE:
                pass
            with self._guard:
                self.done.again += until is not None
            time.sleep(0.3)
            try:
                rater.open()
            except GONE:
                continue
        raise AssertionError("no answer from the server in 60 s")


class Browsers:
    """Raters in real browsers, taking turns in this thread."""

    def __init__(self, url: str, campaign: Opened, pages: dict[str, Page]) -> None:
        self.done = Done()
        self.by_question: dict[str, dict[str, Any]] = {name: {} for name in pages}
        self._forms = {name: Form(page) for name, page in pages.items()}
        for name, form in self._forms.items():
            form.open(campaign.link(url, name))
            form.page.evaluate(_MEASURE)

    def rate(self, *, think_s: float) -> None:
        """Until nothing is left for them."""
        draw = random.Random(1)
        while waiting := {name: form for name, form in self._forms.items() if not form.is_finished()}:
            for name, form in waiting.items():
                time.sleep(think_s / len(waiting))
                keys, answer = random_judgement(draw)
                self.by_question[name][form.question()] = answer
                form.press(*keys)
                form.submit()
        for form in self._forms.values():
            self.done.latencies_ms += form.page.evaluate("window.latencies")


@contextmanager
def ledger_held(home: Path) -> Iterator[None]:
    """Another process that holds the ledger's file for 0.3 s of every 1.3 s, and writes."""
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(home / "harness.duckdb")]) as writer:
        try:
            yield
        finally:
            writer.kill()


def assert_all_stored(campaign: Opened, done: Done, browsers: Browsers | None = None) -> int:
    """Every judgement is stored exactly once, as it was given; returns how many there are."""
    state = campaign.state()
    items = {one.assignment_id: one.item_id for one in state.assignments}
    raters = {one.assignment_id: one.rater for one in state.assignments}
    found: dict[str, Any] = {}
    for event in state.events:
        assert event.assignment_id not in found, "judged twice"
        found[event.assignment_id] = dict(event.answer)
    expected = dict(done.given)
    for name, typed in (browsers.by_question if browsers else {}).items():
        for aid, rater in raters.items():
            if rater == name:
                expected[aid] = typed[f"Question {int(items[aid].removeprefix('item-'))}"]
    assert found == expected
    return len(found)
