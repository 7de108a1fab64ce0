import shutil
from pathlib import Path

import pytest

from tests.pipeline.rated_campaign import Project
from tests.pipeline.rated_project import run_project, write_project


@pytest.fixture(scope="session")
def made_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an experiment without a model, and a home in which its systems have run. Do not write there."""
    folder = tmp_path_factory.mktemp("made")
    run_project(write_project(folder / "project"), folder / "home")
    return folder


@pytest.fixture
def project(made_project: Path, tmp_path: Path) -> Project:
    """The same, of a test's own."""
    shutil.copytree(made_project, tmp_path / "made")
    return Project(tmp_path / "made" / "project", tmp_path / "made" / "home")
