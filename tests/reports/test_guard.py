import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from harness.errors import LinkError, StoreError
from harness.records.rating import Link
from reports.guard import HEADERS, Guard, cookie_name

HERE = "127.0.0.1:8501"


def visitor(token: str) -> Link:
    """Lets `good` in and nobody else."""
    if token == "stuck":
        raise StoreError("the links cannot be read")
    if token != "good":
        raise LinkError("This link was <taken> back.", why="revoked")
    now = datetime.now(UTC)
    return Link(
        link_id="x",
        role="rater",
        rater="Ada",
        campaign_id="c",
        issued_at=now,
        expires_at=now + timedelta(hours=1),
    )


def ask(
    kind: str = "http", *, path: str = "/", token: str | None = "good", login: str = "required", **headers: str
) -> list[dict]:
    """What is sent in answer to a request, by a server that greets everybody."""
    sent: list[dict] = []

    async def app(scope, receive, send) -> None:
        assert kind == "http" or b"origin" not in dict(scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y"), (b"Cache-Control", b"z")]})
        await send({"type": "http.response.body", "body": b"hello"})

    async def send(message) -> None:
        sent.append(message)

    if token is not None:
        headers["cookie"] = f"other=1; {cookie_name(headers.get('host', ''))}={token}"
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    guard = Guard(app, visitor=visitor, login=login)  # type: ignore[arg-type]
    asyncio.run(guard({"type": kind, "path": path, "headers": pairs}, None, send))  # type: ignore[arg-type]
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


@pytest.mark.parametrize("path", ["/", "/leaderboard", "/static/js/a.js", "/form/a.js", "/_stcore/host-config"])
def test_without_a_link_nothing_is_answered(path: str) -> None:
    start, body = ask(path=path, token=None, host=HERE)
    assert start["status"] == 401
    assert b"personal link" in body["body"]
    [closed] = ask("websocket", path="/_stcore/stream", token=None, host=HERE)
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


def test_health_is_answered_without_a_link() -> None:
    assert ask(path="/_stcore/health", token=None, host=HERE)[0]["status"] == 200


def test_a_link_that_opens_nothing_is_refused_with_its_reason_as_text() -> None:
    start, body = ask(token="old", host=HERE)
    assert start["status"] == 403
    assert b"This link was &lt;taken&gt; back." in body["body"]
    assert ask(token="stuck", host=HERE)[0]["status"] == 503


def test_a_personal_link_becomes_a_cookie_that_scripts_and_other_sites_do_not_get() -> None:
    start, body = ask(path="/r/good", token=None, host=HERE)
    assert start["status"] == 200
    cookie = dict(start["headers"])[b"set-cookie"].decode()
    assert cookie.startswith(f"{cookie_name(HERE)}=good; Path=/; HttpOnly; SameSite=Strict; Max-Age=35")
    assert "Secure" not in cookie
    assert b"url=/" in body["body"]
    refused, said = ask(path="/r/forged", token=None, host=HERE)
    assert refused["status"] == 403
    assert b"set-cookie" not in dict(refused["headers"])
    assert b"taken" in said["body"]


def test_servers_on_two_ports_do_not_take_each_others_cookie() -> None:
    assert cookie_name("127.0.0.1:8501") != cookie_name("127.0.0.1:8502")
    assert cookie_name("rate.example.org") == cookie_name("[::1]") == "harness"
    other = {"host": HERE, "cookie": f"{cookie_name('127.0.0.1:1')}=good"}
    assert ask(token=None, **other)[0]["status"] == 401


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/agent/openapi.json",
        "/_stcore/upload_file/a/b",
        "/_stcore/script-health-check",
        "/media/x.png",
        "/component/a/b.js",
        "/app/static/x",
        "/oauth2callback",
    ],
)
def test_what_no_page_needs_is_closed_also_to_those_with_a_link(path: str) -> None:
    assert ask(path=path, host=HERE)[0]["status"] == 404


def test_answers_are_not_stored_by_browsers_but_files_with_a_hash_in_their_name_are() -> None:
    headers = [value for name, value in ask(host=HERE)[0]["headers"] if name.lower() == b"cache-control"]
    assert headers == [b"no-store"]
    headers = [v for n, v in ask(path="/form/abc.js", host=HERE)[0]["headers"] if n.lower() == b"cache-control"]
    assert headers == [b"z"]


def test_with_the_login_off_nobody_needs_a_link_and_a_bad_one_is_still_refused() -> None:
    assert ask(token=None, login="off", host=HERE)[0]["status"] == 200
    assert ask(token="old", login="off", host=HERE)[0]["status"] == 403


def test_a_websocket_hears_one_message_after_its_link_was_taken_back_and_then_closes() -> None:
    good, heard, sent = [True], [], []

    def once_good(token: str) -> Link:
        return visitor(token if good[0] else "old")

    async def app(scope, receive, send) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            heard.append(message["text"])
            good[0] = len(heard) < 2

    messages = iter({"type": "websocket.receive", "text": str(number)} for number in range(9))

    async def receive() -> dict:
        return next(messages)

    async def send(message) -> None:
        sent.append(message)

    headers = [(b"host", HERE.encode()), (b"cookie", f"{cookie_name(HERE)}=good".encode())]
    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": headers}
    asyncio.run(Guard(app, visitor=once_good)(scope, receive, send))
    assert heard == ["0", "1", "2"]
    assert [(one["type"], one["code"]) for one in sent] == [("websocket.close", 1008)]
