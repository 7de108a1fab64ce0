"""Nothing that a model, a file or a link says becomes an element of a page."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.reports.ledger import FAILED, HOSTILE, LORA, ZERO

OURS = {"b", "div", "h1", "h2", "i", "li", "p", "span", "style", "table", "tbody", "td", "th", "thead", "tr", "ul"}
ATTRIBUTES = {"class", "style", "title"}
PAGES = [
    ("leaderboard", {}),
    ("leaderboard", {"experiment": HOSTILE, "baseline": HOSTILE}),
    ("run", {"run": LORA, "item": "item-01"}),
    ("run", {"run": FAILED}),
    ("run", {"run": HOSTILE, "item": HOSTILE}),
    ("comparison", {"candidate": LORA, "baseline": ZERO, "item": "item-01"}),
]


class Elements(HTMLParser):
    """Names of the elements and attributes of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize(("page", "query"), PAGES)
def test_html_holds_no_element_of_others_and_markdown_no_word(
    show, built: Path, page: str, query: dict[str, str]
) -> None:
    app: AppTest = show(built, page, **query)
    html = "\n".join(element.proto.body for element in app.get("html"))
    assert "&lt;img src=http://evil.invalid/x" in html
    found = Elements()
    found.feed(html)
    assert found.tags <= OURS
    assert found.attributes <= ATTRIBUTES
    words = [element.value for element in (*app.markdown, *app.caption)]
    words += [box.label for box in app.selectbox] + [box.label for box in app.expander]
    words += [link.proto.label for link in app.get("page_link")]
    assert words
    assert not [word for word in words if "evil" in word or "<" in word]


def test_a_whole_answer_is_shown_as_it_is(show, built: Path) -> None:
    app = show(built, "run", run=LORA, item="item-01")
    assert f"lora says {HOSTILE}" in [element.value for element in app.code]
    assert all(element.language == "plaintext" or not element.language for element in app.code)
