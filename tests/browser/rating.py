"""The rating form as a test sees and types into it."""

import random
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from playwright.sync_api import Page, expect

from harness.records.rating import CampaignState

_PATIENCE_MS = 20_000
CRITERIA = ("accuracy", "completeness", "form")


class Form:
    """The form on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, link: str) -> None:
        """Enters by a link; closes the help that greets a new rater."""
        self.page.goto(link)
        expect(self.page.locator(".rate .frame")).to_be_visible(timeout=_PATIENCE_MS)
        if self.page.locator(".rate .help").count():
            self.press("Enter")
            expect(self.page.locator(".rate .help")).to_have_count(0)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def question(self) -> str:
        """What is asked now, such as `Question 4`; empty when there is nothing (left)."""
        asked = self.page.locator(".rate .asked .text")
        return asked.first.inner_text() if asked.count() else ""

    def submit(self) -> None:
        """Enter, and waits until another screen is there."""
        before = self.screen_mark()
        self.press("Enter")
        self.wait_for_change(before)

    def screen_mark(self) -> str:
        """Different for every screen drawn anew."""
        return self.page.evaluate(
            """() => {
                const frame = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
                    .map(root => root.querySelector('.rate .frame')).find(Boolean);
                return frame.dataset.mark ??= Math.random().toString();
            }"""
        )

    def wait_for_change(self, before: str) -> None:
        self.page.wait_for_function(
            """before => {
                const frame = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
                    .map(root => root.querySelector('.rate .frame')).find(Boolean);
                return frame && frame.dataset.mark !== before && frame.getAttribute('aria-busy') !== 'true';
            }""",
            arg=before,
            timeout=_PATIENCE_MS,
        )

    def checked(self) -> dict[str, str]:
        """What is chosen, by row."""
        return self.page.locator(".rate").evaluate(
            """rate => Object.fromEntries([...rate.querySelectorAll('[data-row]')].map(row =>
                [row.dataset.row, row.querySelector('[aria-checked=true] .short')?.textContent ?? '']))"""
        )

    def is_finished(self) -> bool:
        return self.page.locator(".rate .finished").count() == 1


def random_judgement(draw: random.Random) -> tuple[list[str], dict[str, Any]]:
    """Keys for a screen of the tests' rubric, and the answer that they must make."""
    keys: list[str] = []
    levels: dict[str, Any] = {}
    cannot: list[str] = []
    for criterion in CRITERIA:
        if draw.random() < 0.1:
            cannot.append(criterion)
            keys.append(draw.choice(["0", "n"]))
        elif criterion == "form":
            levels[criterion] = draw.choice(["pass", "fail"])
            keys.append(levels[criterion][0])
        else:
            levels[criterion] = draw.randint(1, 5)
            keys.append(str(levels[criterion]))
    critical = draw.random() < 0.3
    if critical:
        keys.insert(draw.randint(0, len(keys)), "x")
    answer = {"levels": levels, "cannot_judge": cannot, "critical_error": critical, "comment": "", "corrected": ""}
    return keys, answer


def stored_by_question(state: CampaignState, rater: str) -> dict[str, list[Any]]:
    """What is on disk of a rater: every judgement of each question, oldest first."""
    items = {one.assignment_id: one.item_id for one in state.assignments if one.rater == rater}
    found: dict[str, list[Any]] = {}
    for event in state.events:
        if event.rater == rater:
            number = int(items[event.assignment_id].removeprefix("item-"))
            found.setdefault(f"Question {number}", []).append(dict(event.answer))
    return found


class Proxy:
    """A TCP proxy to a server: it can be slow, cut every connection, and refuse new ones."""

    def __init__(self, port: int, *, delay_s: float = 0.0) -> None:
        self.target = port
        self.delay_s = delay_s
        self.closed = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Ends every connection, in the middle of whatever it was at."""
        for pair in self._pairs:
            for end in pair:
                _shut(end)
        self._pairs.clear()

    def stop(self) -> None:
        _shut(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self.closed:
                    raise OSError("closed for now")
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                _shut(client)
                continue
            server.settimeout(None)
            self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if self.delay_s:
                    time.sleep(self.delay_s)
                sink.sendall(data)
        except OSError:
            pass
        _shut(sink)
        _shut(source)


@contextmanager
def proxied(port: int, *, delay_s: float = 0.0) -> Iterator[Proxy]:
    proxy = Proxy(port, delay_s=delay_s)
    try:
        yield proxy
    finally:
        proxy.stop()


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def current(found: dict[str, list[Any]]) -> dict[str, Any]:
    """The newest answer to each question."""
    return {question: answers[-1] for question, answers in found.items()}


def keys_of(answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answers as they count: without empty text."""
    return [{key: value for key, value in answer.items() if value not in ("", None)} for answer in answers]
