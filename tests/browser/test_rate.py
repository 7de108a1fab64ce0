"""The rating page in a real browser: what is typed is what is stored, whatever happens to page, line and server."""

import random
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.campaigns import Opened, open_campaign
from tests.browser.conftest import Watched, watched_page
from tests.browser.rating import Form, current, proxied, random_judgement, stored_by_question
from tests.browser.serving import Server, free_port, running

Watch = Callable[..., Watched]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("rate") / "home") as started:
        yield started


@pytest.fixture
def opened(server: Server, request: pytest.FixtureRequest) -> Callable[..., Opened]:
    """Opens a campaign of the test's own on the module's server."""

    def open_own(**asked: object) -> Opened:
        return open_campaign(server.home, name=f"c-20261121-{abs(hash(request.node.nodeid)):020d}", **asked)  # type: ignore[arg-type]

    return open_own


def test_a_campaign_by_keyboard_only_is_stored_as_it_was_typed(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign, draw, typed = opened(items=20), random.Random(17), {}
    watched = watch()
    form = Form(watched.page)
    form.open(campaign.link(server.url))
    for place in range(20):
        keys, answer = random_judgement(draw)
        form.press(*keys)
        if place % 7 == 3:
            form.press("m")
            watched.page.keyboard.type(f"Dose is missing, {place} ?1x")
            answer["comment"] = f"Dose is missing, {place} ?1x"
            form.press("Escape")
        typed[form.question()] = answer
        form.submit()
    assert form.is_finished()
    expect(watched.page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert len(typed) == 20
    assert stored_by_question(campaign.state(), "Ada") == {question: [answer] for question, answer in typed.items()}
    watched.assert_quiet(server.url)


def test_bursts_of_keys_against_a_slow_server_are_stored_as_typed(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign, draw, typed = opened(items=6), random.Random(5), {}
    with proxied(server.port, delay_s=0.15) as proxy:
        form = Form(watch().page)
        form.open(campaign.link(proxy.url))
        while not form.is_finished():
            keys, answer = random_judgement(draw)
            typed[form.question()] = answer
            mark = form.screen_mark()
            # Enter again and again, and digits for a screen that is not there yet.
            form.press(*keys, "Enter", "Enter", "3", "Enter")
            form.wait_for_change(mark)
            assert set(form.checked().values()) <= {""}
    assert stored_by_question(campaign.state(), "Ada") == {question: [answer] for question, answer in typed.items()}


def test_a_reload_in_mid_item_and_another_device_lose_nothing(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(items=3)
    link = campaign.link(server.url)
    page = watch().page
    form = Form(page)
    form.open(link)
    form.press("4", "2", "x", "m")
    page.keyboard.type("half a sent")
    page.reload()
    expect(page.locator(".rate textarea")).to_have_value("half a sent")
    assert form.checked() == {"accuracy": "4", "completeness": "2", "form": ""}
    expect(page.locator(".rate .critical")).to_have_attribute("aria-checked", "true")
    page.goto("about:blank")
    page.go_back()
    expect(page.locator(".rate textarea")).to_have_value("half a sent")
    # The draft was pushed at the latest when the page came back.
    elsewhere = Form(watch().page)
    elsewhere.open(link)
    expect(elsewhere.page.locator(".rate textarea")).to_have_value("half a sent")
    elsewhere.press("p")
    elsewhere.submit()
    [event] = campaign.judgements()
    assert event.answer["levels"] == {"accuracy": 4, "completeness": 2, "form": "pass"}
    assert (event.answer["comment"], event.answer["critical_error"]) == ("half a sent", True)


def test_two_tabs_on_the_same_item_make_one_judgement_of_it(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(items=4)
    first = watch()
    here, there = Form(first.page), Form(watched_page(first.context).page)
    here.open(campaign.link(server.url))
    there.open(server.url)
    assert here.question() == there.question() != ""
    here.press("1", "1", "p")
    here.submit()
    there.press("2", "2", "f")
    there.submit()
    assert here.question() == there.question()
    state = campaign.state()
    assert len(state.judged) == 1
    assert [event.answer["levels"]["accuracy"] for event in state.events] == [1, 2]
    assert len(state.assignments) == 2


def test_two_raters_at_once_never_get_the_same_item_where_one_is_enough(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(items=6, raters_per_item=1)
    forms = {name: Form(watch().page) for name in ("Ada", "Ben")}
    for name, form in forms.items():
        form.open(campaign.link(server.url, name))
    while not all(form.is_finished() for form in forms.values()):
        for form in forms.values():
            if not form.is_finished():
                form.press("3", "3", "p")
                form.submit()
    judged = [set(stored_by_question(campaign.state(), name)) for name in forms]
    assert not judged[0] & judged[1]
    assert len(judged[0] | judged[1]) == 6
    assert min(map(len, judged)) >= 2


def test_undo_takes_back_a_key_and_then_goes_back_to_the_screen_before(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(items=3)
    form = Form(watch().page)
    form.open(campaign.link(server.url))
    form.press("1", "5", "u", "2", "f")
    assert form.checked() == {"accuracy": "1", "completeness": "2", "form": "Fail"}
    first = form.question()
    form.submit()
    mark = form.screen_mark()
    form.press("u")
    form.wait_for_change(mark)
    assert form.question() == first
    assert form.checked() == {"accuracy": "1", "completeness": "2", "form": "Fail"}
    form.press("ArrowUp", "ArrowUp", "ArrowUp", "5")
    form.submit()
    assert form.question() != first
    found = stored_by_question(campaign.state(), "Ada")
    assert [answer["levels"]["accuracy"] for answer in found[first]] == [1, 5]
    assert list(found) == [first]


def test_an_open_criterion_is_named_and_nothing_is_sent(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(items=2)
    form = Form(watch().page)
    form.open(campaign.link(server.url))
    form.press("4", "Enter")
    expect(form.page.get_by_role("alert")).to_have_text("“Completeness” is still open.")
    assert campaign.judgements() == []


def test_the_reference_is_revealed_after_the_first_judgement_and_both_are_kept(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(items=2, reference="after")
    form = Form(watch().page)
    form.open(campaign.link(server.url))
    first = form.question()
    expect(form.page.locator(".rate .reference")).to_have_count(0)
    form.press("2", "2", "p")
    form.submit()
    assert form.question() == first
    expect(form.page.locator(".rate .reference .text")).to_have_text(first.replace("Question", "Reference"))
    form.press("ArrowUp", "ArrowUp", "ArrowUp", "5")
    form.submit()
    assert form.question() != first
    assert [(event.stage, event.answer["levels"]["accuracy"]) for event in campaign.judgements()] == [
        ("judge", 2),
        ("revise", 5),
    ]


def test_pairs_and_the_closing_question_by_keyboard(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(kind="pairwise", items=4, systems=("qzxsystemone", "qzxsystemtwo"))
    form = Form(watch().page)
    form.open(campaign.link(server.url))
    while not form.is_finished():
        if form.page.locator(".rate .kind-closing").count():
            form.press("2")
        else:
            form.press("a", "3")
        form.submit()
    answers = [dict(event.answer) for event in campaign.judgements()]
    pairs = [answer for answer in answers if "choice" in answer]
    assert len(pairs) == 4
    assert all((pair["choice"], pair["strength"]) == ("left", 3) for pair in pairs)
    guesses = [answer["guess"] for answer in answers if "guess" in answer]
    assert guesses
    assert set(guesses) == {1}


def test_data_are_validated_by_keyboard_with_a_corrected_answer(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(kind="validate", items=2, raters_per_item=1)
    form = Form(watch().page)
    form.open(campaign.link(server.url))
    form.press("2")
    expect(form.page.locator(".rate textarea")).to_be_focused()
    form.press("Control+a")
    form.page.keyboard.type("A better one")
    mark = form.screen_mark()
    form.press("Control+Enter")
    form.wait_for_change(mark)
    form.press("3")
    form.submit()
    given = sorted((event.answer["decision"], event.answer["corrected"]) for event in campaign.judgements())
    assert given == [("correct", "A better one"), ("reject", "")]


def test_a_laptop_shows_all_without_scrolling_and_a_phone_never_scrolls_sideways(
    server: Server, opened: Callable[..., Opened], watch: Watch
) -> None:
    campaign = opened(items=2)
    laptop, phone = watch(width=1366, height=700), watch(width=390, height=800)
    for watched in (laptop, phone):
        Form(watched.page).open(campaign.link(server.url))
    heights = "['stMain'].map(name => document.querySelector(`[data-testid=${name}]`)).map(e => e.scrollHeight)[0]"
    assert laptop.page.evaluate(heights) <= 700
    inner = laptop.page.locator(".rate .judge-scroll").evaluate("e => e.scrollHeight - e.clientHeight")
    assert inner <= 0
    assert phone.page.evaluate("document.documentElement.scrollWidth") == 390
    form = Form(phone.page)
    for row in ("accuracy", "completeness"):
        phone.page.locator(f".rate [data-row={row}] .option").nth(3).click()
    phone.page.locator(".rate [data-row=form] .option").nth(1).click()
    phone.page.get_by_role("button", name="+ Comment").click()
    written, bar = (phone.page.locator(f".rate {one}").bounding_box() for one in ("textarea", ".judge-end"))
    assert written
    assert bar
    assert written["y"] + written["height"] <= bar["y"]
    mark = form.screen_mark()
    phone.page.get_by_role("button", name="Submit and go on").click()
    form.wait_for_change(mark)
    [event] = campaign.judgements()
    assert event.answer["levels"] == {"accuracy": 4, "completeness": 4, "form": "pass"}


def test_a_cut_line_and_a_killed_server_lose_and_double_nothing(
    tmp_path_factory: pytest.TempPathFactory, watch: Watch
) -> None:
    home, port = tmp_path_factory.mktemp("killed") / "home", free_port()
    campaign = open_campaign(home, items=6)
    typed: dict[str, object] = {}
    draw = random.Random(3)

    def judge(form: Form) -> str:
        keys, answer = random_judgement(draw)
        typed[form.question()] = answer
        form.press(*keys)
        mark = form.screen_mark()
        form.press("Enter")
        return mark

    with proxied(port) as proxy:
        with running(home, port) as server:
            form = Form(watch().page)
            form.open(campaign.link(proxy.url))
            form.wait_for_change(judge(form))
            proxy.cut()  # while nothing is under way
            form.wait_for_change(judge(form))
            proxy.closed = True
            proxy.cut()
            mark = judge(form)  # while there is no line
            expect(form.page.locator(".rate .status")).to_contain_text("kept in this browser")
            proxy.closed = False
            form.wait_for_change(mark)
            server.process.kill()
            server.process.wait()
            mark = judge(form)
        with running(home, port):
            form.wait_for_change(mark)
            while not form.is_finished():
                form.wait_for_change(judge(form))
    assert stored_by_question(campaign.state(), "Ada") == {question: [answer] for question, answer in typed.items()}
    assert current(stored_by_question(campaign.state(), "Ada")).keys() == {f"Question {n}" for n in range(1, 7)}
