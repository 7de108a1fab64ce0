import asyncio

import pytest

from reports.guard import HEADERS, Guard


def ask(kind: str = "http", **headers: str) -> list[dict]:
    """What is sent in answer to a request, by a server that greets everybody."""
    sent: list[dict] = []

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body", "body": b"hello"})

    async def send(message) -> None:
        sent.append(message)

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(Guard(app)({"type": kind, "headers": pairs}, None, send))
    return sent


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "[::1]:8501", "LOCALHOST:1"])
def test_this_machine_is_answered_with_every_header(host: str) -> None:
    start, body = ask(host=host)
    assert body["body"] == b"hello"
    found = dict(start["headers"])
    assert found[b"x"] == b"y"
    assert found[b"content-security-policy"] == HEADERS["Content-Security-Policy"].encode()
    assert found[b"x-frame-options"] == b"DENY"
    assert found[b"referrer-policy"] == b"no-referrer"
    assert found[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test:8501", "", "[", "[::1"])
def test_another_host_is_refused_so_that_rebinding_does_not_help(host: str) -> None:
    start, body = ask(host=host)
    assert start["status"] == 421
    assert b"localhost" in body["body"]
    assert b"content-security-policy" in dict(start["headers"])


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://127.0.0.1:9999", "http://["])
def test_a_foreign_origin_is_refused(origin: str) -> None:
    assert ask(host="127.0.0.1:8501", origin=origin)[0]["status"] == 403


def test_the_own_origin_is_let_through() -> None:
    assert ask(host="127.0.0.1:8501", origin="http://127.0.0.1:8501")[0]["status"] == 200


def test_a_foreign_websocket_is_closed() -> None:
    [closed] = ask("websocket", host="127.0.0.1:8501", origin="http://evil.test")
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


def test_no_policy_lets_a_page_fetch_from_elsewhere() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "http:" not in policy
    assert "*" not in policy
    assert "'unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")
