import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.assets import shipped
from tests.reports.ledger import build

Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the small ledger. Do not write there."""
    home = tmp_path_factory.mktemp("built") / "home"
    build(home)
    return home


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    """A home of the test's own with the small ledger."""
    home = tmp_path / "home"
    shutil.copytree(built, home)
    return home


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Runs a page without a browser, as `show(home, "run", run=..., item=...)`."""

    def open_page(home: Path, page: str = "leaderboard", **query: str) -> AppTest:
        monkeypatch.setenv("HARNESS_HOME", str(home))
        monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # which a page takes the place of
        monkeypatch.setenv("HARNESS_LOGIN", "off")  # a test without a browser has no cookie; so it is the owner
        app = AppTest.from_file(str(shipped("reports") / "app.py"), default_timeout=60)
        if page != "leaderboard":
            app.run()  # registers the pages
            app.switch_page(f"views/{page}.py")
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return open_page


@pytest.fixture
def said() -> Callable[[AppTest], str]:
    """Everything that a page shows as text or as HTML, in order."""

    def words(app: AppTest) -> str:
        shown = [element.proto.body for element in app.get("html")]
        for kind in ("text", "code", "caption", "markdown"):
            shown += [str(element.value) for element in app.get(kind)]
        return "\n".join(shown)

    return words
