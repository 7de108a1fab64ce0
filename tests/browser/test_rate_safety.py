"""Who gets in, what a rater's browser learns, and what a model's text can do to it."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import WebSocket, expect

from harness.pipeline import rate_links
from reports.guard import cookie_name
from tests.browser.campaigns import SYSTEMS, Opened, open_campaign
from tests.browser.conftest import Watched, watched_page
from tests.browser.protocol import GONE, ProtocolRater
from tests.browser.rating import Form, proxied
from tests.browser.serving import Server, running

Watch = Callable[..., Watched]
EVIL = "http://evil.invalid"
HOSTILE = [
    f"<script>fetch('{EVIL}/1')</script>",
    f"<img src={EVIL}/2 onerror=alert(1)>",
    f"![x]({EVIL}/3.png)",
    f"[click]({EVIL}/4)",
    f"{EVIL}/auto",
    f"<iframe src={EVIL}/5></iframe>",
    f"<svg onload=\"fetch('{EVIL}/6')\"><image href={EVIL}/7 /></svg>",
    f"<style>@import url({EVIL}/8)</style><link rel=stylesheet href={EVIL}/9>",
    f"<video src={EVIL}/10 autoplay></video><audio src={EVIL}/11></audio>",
    '<a href="javascript:alert(1)">x</a>',
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "<object data=data:text/html,<script>alert(1)</script>></object>",
    f"| a |\n|---|\n| ![x]({EVIL}/12) |",
    f"<form action={EVIL}/13><input autofocus onfocus=alert(1)></form>",
    f"<meta http-equiv=refresh content='0;url={EVIL}/14'>",
    f"<base href={EVIL}/15>",
    "$$\\href{javascript:alert(1)}{x}$$ $5 and $6 :red[r] :smile:",
    f'</div></section><div style="position:fixed;inset:0;background:url({EVIL}/16)">over it all</div>',
    "\u202egnp.exe \u2066hidden\u2069 <b>bold</b> &lt;b&gt; &#60;script&#62;",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)} <template><img src=x onerror=alert(1)></template>",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("safe") / "home") as started:
        yield started


@pytest.fixture
def opened(server: Server, request: pytest.FixtureRequest) -> Callable[..., Opened]:
    def open_own(**asked: object) -> Opened:
        return open_campaign(server.home, name=f"c-20261121-{abs(hash(request.node.nodeid)):020d}", **asked)  # type: ignore[arg-type]

    return open_own


def asked(url: str, token: str | None = None) -> tuple[int, str]:
    """Status and text of an answer."""
    name = cookie_name(urlsplit(url).netloc)
    request = urllib.request.Request(url, headers={"Cookie": f"{name}={token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


PATHS = ("/", "/leaderboard", "/static/js/index.js", "/_stcore/host-config", "/_stcore/stream", "/favicon.png", "/x")
CLOSED = ("/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/upload_file/a/b", "/media/x", "/component/x/y")


def test_without_a_link_nothing_answers_but_health(server: Server) -> None:
    for path in PATHS:
        status, text = asked(server.url + path)
        assert status == 401, path
        assert "personal link" in text
        assert "streamlit" not in text.lower()
    assert asked(f"{server.url}/_stcore/health")[0] == 200
    stranger = ProtocolRater(server.url, "")
    with pytest.raises(GONE):
        stranger.open()


def test_forged_expired_revoked_and_foreign_links_open_nothing_and_say_why(
    server: Server, opened: Callable[..., Opened], tmp_path_factory: pytest.TempPathFactory
) -> None:
    campaign = opened(items=2)
    good = campaign.token()
    foreign = open_campaign(tmp_path_factory.mktemp("foreign") / "home", items=2).token()
    expired = campaign.token("Eve", days=1.0, now=datetime.now(UTC) - timedelta(days=2))
    revoked = campaign.token("Rob")
    rate_links.revoke(server.home, raters=["Rob"])
    flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
    for token, why in [
        (flipped, "not known here"),
        ("x", "not known here"),
        (foreign, "not known here"),
        (expired, "was good until"),
        (revoked, "taken back"),
    ]:
        for url, cookie in [(f"{server.url}/r/{token}", None), (server.url, token)]:
            status, text = asked(url, cookie)
            assert (status, why in text) == (403, True), (why, text)
        with pytest.raises(GONE):
            ProtocolRater(server.url, token).open()
    assert asked(server.url, good)[0] == 200


def test_internal_endpoints_are_closed_to_everybody(server: Server, opened: Callable[..., Opened]) -> None:
    for token in (opened(items=2).token(), server.owner_link().rpartition("/r/")[2]):
        for path in CLOSED:
            assert asked(server.url + path, token)[0] == 404, path


def test_a_link_taken_back_stops_an_open_page_and_its_websocket(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(items=3)
    form = Form(watch().page)
    form.open(campaign.link(server.url, "Mia"))
    rater = ProtocolRater(server.url, campaign.token("Mia"))
    rater.open()
    rate_links.revoke(server.home, raters=["Mia"])
    form.press("1", "2", "p", "Enter")
    expect(form.page.get_by_text("This link was taken back")).to_be_visible()
    assert campaign.judgements() == []
    before = len(rater.heard)
    rater.send([rater.judge({"levels": {}})])
    assert b"Question" not in rater.heard[before:]
    with pytest.raises(GONE):
        rater.send([rater.judge({"levels": {}})])


def test_a_rater_reaches_no_page_of_the_owner(server: Server, opened: Callable[..., Opened], watch: Watch) -> None:
    campaign = opened(items=2)
    owner = ProtocolRater(server.url, server.owner_link().rpartition("/r/")[2])
    owner.open()
    assert set(owner.pages) >= {"Leaderboard", "Gate", "Campaigns"}
    rater = ProtocolRater(server.url, campaign.token())
    rater.open()
    assert rater.pages == ["Rate"]
    for name in ("leaderboard", "campaigns", "run", "gate", "comparison"):
        rater.ask_for_page(name)
        rater.ask_for_page(page_hash=name)
        assert rater.pages == ["Rate"]
    assert b"Does an adapter name colours" not in rater.heard
    page = watch(campaign.link(server.url)).page
    page.goto(f"{server.url}/campaigns")
    expect(page.locator(".rate .frame")).to_be_visible()


def test_a_rater_can_neither_read_nor_judge_the_screen_of_another(
    server: Server, opened: Callable[..., Opened]
) -> None:
    campaign = opened(items=6)
    ada, ben = (ProtocolRater(server.url, campaign.token(name)) for name in ("Ada", "Ben"))
    ada.open()
    ben.open()
    hers = ada.data["screen"]["assignment_id"]
    event = {**ben.judge({"levels": {"accuracy": 1, "completeness": 1, "form": "pass"}}), "aid": hers}
    ben.send([event], show=hers)
    assert ben.data["confirmed"] == []
    assert [one["id"] for one in ben.data["refused"]] == [event["id"]]
    assert ben.data["screen"]["assignment_id"] != hers
    assert campaign.judgements() == []


def test_a_link_opened_in_the_same_browser_takes_over_aloud_and_loses_no_judgement_of_the_rater_before(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(items=6)
    with proxied(server.port) as proxy:
        adas, bens = (campaign.link(proxy.url, name) for name in ("Ada", "Ben"))
        first = watch()
        ada, ben = Form(first.page), Form(watched_page(first.context).page)
        ada.open(adas)
        ben.open(bens)
        proxy.closed = True
        proxy.cut()
        ada.press("1", "2", "p", "Enter")
        expect(ada.page.locator(".rate .status")).to_contain_text("kept in this browser")
        proxy.closed = False
        expect(ada.page.locator(".rate .help")).to_contain_text("you rate as Ben")
        assert campaign.judgements() == []
        ada.press("Enter")
        expect(ada.page.locator(".rate .rater")).to_have_text("Ben")
        assert ada.question() == ben.question()
        ada.press("5", "5", "f")
        ada.submit()
        ada.page.goto(adas)
        expect(ada.page.locator(".rate .rater")).to_have_text("Ada")
        expect(ada.page.locator(".rate .progress")).to_contain_text("1 of")
    given = {event.rater: event.answer["levels"]["accuracy"] for event in campaign.judgements()}
    assert given == {"Ada": 1, "Ben": 5}


def test_nonsense_over_the_websocket_is_no_judgement_and_breaks_nothing(
    server: Server, opened: Callable[..., Opened]
) -> None:
    campaign = opened(items=2)
    rater = ProtocolRater(server.url, campaign.token())
    rater.open()
    aid = rater.data["screen"]["assignment_id"]
    for nonsense in ([None, 7, "x"], [{}], [{"id": "a", "aid": aid, "type": "judgement", "rev": -1}], [[[]]], "text"):
        rater.send(nonsense)  # type: ignore[arg-type]
    assert rater.data["screen"]["assignment_id"] == aid
    assert campaign.judgements() == []


def test_a_link_in_web_mail_works_though_the_cookie_is_strict(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    link = opened(items=2).link(server.url)

    class Mail(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<a href='{link}'>rate</a>".encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Mail) as mail:
        Thread(target=mail.serve_forever, daemon=True).start()
        page = watch().page
        page.goto(f"http://localhost:{mail.server_port}/")  # another site than 127.0.0.1
        page.get_by_role("link", name="rate").click()
        expect(page.locator(".rate .frame")).to_be_visible()
        assert page.url == f"{server.url}/"
        mail.shutdown()


def test_hostile_answers_stay_text_and_nothing_leaves_this_machine(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(
        kind="pairwise",
        systems=("qzxsystemone", "qzxsystemtwo"),
        items=len(HOSTILE) // 2,
        text=lambda number, system: HOSTILE[2 * number - 2 + (system == "qzxsystemtwo")],
    )
    watched = watch()
    watched.page.on("dialog", lambda dialog: watched.problems.append(dialog.message))
    form = Form(watched.page)
    form.open(campaign.link(server.url))
    shown: set[str] = set()
    while not form.is_finished():
        shown |= set(form.page.locator(".rate .answer .text").all_text_contents())
        made = form.page.locator(".rate .text").evaluate_all("boxes => boxes.map(box => box.childElementCount)")
        assert set(made) == {0}
        form.press("1")
        form.submit()
    assert shown == set(HOSTILE)
    elements = form.page.evaluate("document.documentElement.outerHTML")
    assert "evil.invalid" not in elements  # it was text in the shadow root only
    watched.assert_quiet(server.url)


def everything_known(watched: Watched) -> str:
    """Page source with shadow roots, address, and the browser's storage."""
    return watched.page.evaluate(
        """() => {
            const roots = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean);
            const stored = [localStorage, sessionStorage, history.state].map(one => JSON.stringify(one));
            return [document.documentElement.outerHTML, ...roots.map(root => root.innerHTML), location.href,
                document.title, document.cookie, ...stored].join('\\n');
        }"""
    )


@pytest.mark.parametrize("kind", ["both", "validate"])
def test_no_screen_address_storage_or_message_tells_a_system_run_or_experiment(
    server: Server, opened: Callable[..., Opened], watch: Watch, kind: str
) -> None:
    campaign = opened(kind=kind, systems=tuple(SYSTEMS), items=3, raters_per_item=1, reference="after")
    secret = [*SYSTEMS, *SYSTEMS.values(), "qzx", "colours", "item-0", campaign.campaign.campaign_id]
    watched, frames = watch(), []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: frames.append(frame))

    watched.page.on("websocket", listen)
    form = Form(watched.page)
    form.open(campaign.link(server.url))
    kinds: set[str] = set()
    for _ in range(60):
        found = everything_known(watched)
        assert [name for name in secret if name in found] == []
        if form.is_finished():
            break
        kind_class = form.page.locator(".rate .frame").get_attribute("class")
        kinds.add(kind_class.split()[1])
        form.press("1", "1", "p") if "kind-rubric" in kind_class else form.press("1")
        form.submit()
    assert form.is_finished()
    assert kinds == ({"kind-validate"} if kind == "validate" else {"kind-rubric", "kind-pairwise", "kind-closing"})
    heard = b"\n".join(frame if isinstance(frame, bytes) else frame.encode() for frame in frames)
    assert b"Question" in heard
    assert [name for name in secret if name.encode() in heard] == []
    assert json.dumps(watched.requests).count("/r/") == 1
