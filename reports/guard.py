"""What every answer of the server goes through: who may ask, and what a browser may do with the answer.

Streamlit sets no security header of its own and lets everybody in. Here a visitor needs a personal link: `/r/<token>`
puts the token into a cookie that scripts cannot read, and without a valid one nothing is answered, not the empty
page, not the websocket. What a visitor then sees is decided by the application, by the link's role (`app.py`).

An OpenID Connect login can be put in front of it all: a proxy such as oauth2-proxy, on the same machine, which then is
what others reach (name it with `--name`); personal links work through it as before. Streamlit's own `st.login` needs
its package extra `auth`, an `[auth]` section in `.streamlit/secrets.toml`, its two paths `/auth/` and
`/oauth2callback` let through by `_is_closed` and `_uninvited` below, since its cookie is another one than ours, and
`st.user.is_logged_in` asked in `app.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import Any, Literal
from urllib.parse import urlsplit

from harness.errors import HarnessError, LinkError
from harness.records.rating import Link

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Visitor = Callable[[str], Link]

COOKIE = "harness"
LINKS = "/r/"
HEALTH = "/_stcore/health"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
HEADERS = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'self'",
            "script-src 'self' blob: 'wasm-unsafe-eval'",  # blob: for components that bring their own script
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "frame-src 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_LASTING = ("/static/", "/form/")  # Streamlit's own files and the form, with a hash in their names
_INTERNAL = "/_stcore/"
_USED = frozenset({HEALTH, "/_stcore/host-config", "/_stcore/stream"})
_CLOSED = ("/media/", "/component/", "/app/static/", "/auth/", "/oauth2callback")


class Guard:
    """ASGI middleware: refuses foreign hosts and origins, asks for a personal link, and adds the security headers.

    A page elsewhere that gets a browser to ask this server (DNS rebinding, a cross-site websocket) is refused by its
    Host or Origin. `visitor` says whose a token is, and raises `LinkError`. With the login off, who has no link is let
    in too; links go on to work.
    """

    def __init__(
        self,
        app: Application,
        *,
        visitor: Visitor,
        hosts: frozenset[str] = LOOPBACK,
        login: Literal["required", "off"] = "required",
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._visitor = visitor
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if refusal := self._foreign(scope) or await self._uninvited(scope):
            await _refuse(scope, send, *refusal)
            return
        if scope["path"].startswith(LINKS) and scope["type"] == "http":
            await self._enter(scope, send)
            return
        lasting = scope["path"].startswith(_LASTING)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*_kept(message.get("headers", ()), lasting), *_header_bytes(lasting=lasting)]
            await send(message)

        if scope["type"] == "websocket":
            receive = self._watched(scope, receive, send)
            # Checked above. Streamlit would ask a server on the internet for this machine's address to check it again.
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"origin"]
        await self._app(scope, receive, send_guarded)

    def _foreign(self, scope: Scope) -> tuple[int, str] | None:
        """The status and sentence to refuse a request with that is not for this server; None for others."""
        host = _header(scope, b"host")
        if _host_name(f"//{host}") not in self._hosts:
            return 421, f"This server answers to {', '.join(sorted(self._hosts))} only."
        origin = _header(scope, b"origin")
        if origin and origin.partition("://")[2] != host:
            return 403, "Requests from other sites are refused."
        return (404, "There is nothing here.") if _is_closed(scope["path"]) else None

    async def _uninvited(self, scope: Scope) -> tuple[int, str] | None:
        """The same for a visitor without a link that is good."""
        if scope["path"] == HEALTH or scope["path"].startswith(LINKS):
            return None
        token = token_of(scope)
        if not token:
            return None if self._login == "off" else (401, "Please open the personal link that you were given.")
        try:
            # Aside, as it may wait for a moment while a judgement is written to disk.
            await asyncio.to_thread(self._visitor, token)
        except LinkError as refused:
            return 403, str(refused)
        except HarnessError as problem:
            return 503, str(problem)
        return None

    async def _enter(self, scope: Scope, send: Send) -> None:
        """Keeps the token of a personal link in a cookie, and goes on to the page itself.

        Going on is the page's own doing and no redirect: a browser that comes from a link on another site, such as web
        mail, would not send a SameSite=Strict cookie after a redirect.
        """
        token = scope["path"].removeprefix(LINKS).strip("/")
        try:
            link = await asyncio.to_thread(self._visitor, token)
        except HarnessError as refused:
            status = 403 if isinstance(refused, LinkError) else 503
            await _refuse(scope, send, status, str(refused))
            return
        left_s = max(0, int((link.expires_at - datetime.now(UTC)).total_seconds()))
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        name = cookie_name(_header(scope, b"host"))
        cookie = f"{name}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={left_s}{secure}"
        page = '<meta http-equiv="refresh" content="0; url=/"><p>Opening. <a href="/">Go on</a></p>'
        await _answer(send, 200, page, [(b"set-cookie", cookie.encode("ascii"))])

    def _watched(self, scope: Scope, receive: Receive, send: Send) -> Receive:
        """What comes in over a websocket, until its link no longer opens anything.

        The first message after that still goes through, so that the page, which asks again itself, can say why.
        """
        refused = False

        async def receive_watched() -> Message:
            nonlocal refused
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            if refused:
                await send({"type": "websocket.close", "code": 1008, "reason": "the link opens nothing any more"})
                return {"type": "websocket.disconnect", "code": 1008}
            refused = await self._uninvited(scope) is not None
            return message

        return receive_watched


def cookie_name(host: str) -> str:
    """The cookie's name at a host and port. Browsers send a cookie to every port; two homes may be open at once."""
    port = host.rpartition(":")[2]
    return f"{COOKIE}-{port}" if port.isdecimal() else COOKIE


def token_of(scope: Scope) -> str:
    """The token that a request's cookie holds; empty where there is none."""
    name = cookie_name(_header(scope, b"host"))
    try:
        cookies = SimpleCookie(_header(scope, b"cookie"))
    except CookieError:
        return ""
    return cookies[name].value if name in cookies else ""


def _is_closed(path: str) -> bool:
    """Whether a path is one of Streamlit's that no page here needs: metrics, uploads, media, its agent's."""
    return path.startswith(_CLOSED) or (path.startswith(_INTERNAL) and path not in _USED)


async def _refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": sentence[:120]})
        return
    await _answer(send, status, f"<h1>This page does not open</h1><p>{escape(sentence)}</p>", [])


async def _answer(send: Send, status: int, body: str, more: Iterable[tuple[bytes, bytes]]) -> None:
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>harness</title>{_PLAIN}{body}</html>'
    headers = [(b"content-type", b"text/html; charset=utf-8"), *more, *_header_bytes(lasting=False)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": page.encode()})


_PLAIN = """<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body { margin: 18vh auto 0; max-width: 32rem; padding: 0 1.5rem; color: #1f2933; font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.4rem; margin: 0 0 .5rem } p { color: #4a5563; margin: 0; overflow-wrap: anywhere }
</style>"""


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _host_name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # brackets that are no IPv6 address
        return ""


def _kept(headers: Iterable[tuple[bytes, bytes]], lasting: bool) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if lasting or name.lower() != b"cache-control"]


def _header_bytes(*, lasting: bool) -> list[tuple[bytes, bytes]]:
    stored = {} if lasting else {"Cache-Control": "no-store"}
    return [(name.lower().encode(), value.encode()) for name, value in {**HEADERS, **stored}.items()]
