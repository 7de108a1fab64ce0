import json
import subprocess
from pathlib import Path

import pytest

from harness.provenance import describe_environment, git_state, package_versions


@pytest.fixture(autouse=True)
def no_repository_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Git looks no higher than the test's folder, and reads nobody's settings."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return tmp_path


def test_a_clean_tree_is_its_revision(repository: Path) -> None:
    assert git_state(repository) == {"revision": git(repository, "rev-parse", "HEAD"), "dirty": False}


@pytest.mark.parametrize("name", ["file", "new-file"])
def test_a_changed_or_added_file_makes_it_dirty(repository: Path, name: str) -> None:
    (repository / name).write_text("two")
    assert git_state(repository) == {"revision": git(repository, "rev-parse", "HEAD"), "dirty": True}


def test_a_folder_inside_a_repository_has_its_state(repository: Path) -> None:
    (repository / "deeper").mkdir()
    assert git_state(repository / "deeper") == git_state(repository)


def test_outside_a_repository_there_is_no_revision(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None


def test_without_git_there_is_no_revision(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_state(repository) is None


def test_another_repository_in_the_environment_does_not_change_whose_state_is_told(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # As inside a git hook.
    expected = git_state(repository)
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert git_state(repository) == expected


def test_versions_of_packages_are_told(tmp_path: Path) -> None:
    versions = package_versions()
    assert versions["torch"]
    assert versions["harness"]
    assert set(versions) >= {"transformers", "peft", "trl", "duckdb", "numpy"}


def test_an_environment_can_be_stored_as_json(tmp_path: Path) -> None:
    told = describe_environment(tmp_path)
    assert json.loads(json.dumps(told)) == told
    assert {"git", "packages", "python", "platform", "processor", "cores", "command"} <= set(told)
