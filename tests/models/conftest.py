import runpy
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path | None:
    """A cache folder of the test's own, but for tests of the real model, which lies in the user's."""
    if "real_model" in request.fixturenames:
        return None
    folder = tmp_path / "cache"
    monkeypatch.setenv("HARNESS_CACHE", str(folder))
    return folder


@pytest.fixture
def real_model() -> None:
    """Asked for by a test that uses a model of the user's cache."""


@pytest.fixture(scope="session")
def make_model() -> Callable[..., None]:
    """`make_tiny_model` of the top conftest."""
    return runpy.run_path(str(Path(__file__).parents[1] / "conftest.py"))["make_tiny_model"]


@pytest.fixture(scope="session")
def wide_model_folder(tmp_path_factory: pytest.TempPathFactory, make_model: Callable[..., None]) -> Path:
    """Another base: its hidden size is 48."""
    folder = tmp_path_factory.mktemp("models") / "wide-llama"
    make_model(folder, hidden_size=48)
    return folder
