from pathlib import Path

import pytest

from harness import assets
from harness.assets import golden_set_folder, shipped


@pytest.mark.parametrize("folder", ["suites", "golden_sets", "reports"])
def test_shipped_files_are_there(folder: str) -> None:
    assert any(shipped(folder).iterdir())


def test_a_golden_set_beside_the_experiment_comes_first(tmp_path: Path) -> None:
    for place in ("here/colours", "here/golden_sets/colours", "golden_sets/colours"):
        (tmp_path / place).mkdir(parents=True)
    assert golden_set_folder("colours", beside=tmp_path / "here") == tmp_path / "here" / "colours"


def test_a_golden_set_is_looked_for_in_every_folder_above(tmp_path: Path) -> None:
    (tmp_path / "golden_sets" / "colours").mkdir(parents=True)
    beside = tmp_path / "suites" / "experiments" / "mine"
    assert golden_set_folder("colours", beside=beside) == tmp_path / "golden_sets" / "colours"
    (beside / "golden_sets" / "colours").mkdir(parents=True)
    assert golden_set_folder("colours", beside=beside) == beside / "golden_sets" / "colours"


def test_a_golden_set_may_be_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sets" / "mine").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("../sets/mine", str(tmp_path / "sets" / "mine"), "~/sets/mine"):
        assert golden_set_folder(name, beside=tmp_path / "here").resolve() == tmp_path / "sets" / "mine"


def test_a_shipped_golden_set_is_found_from_anywhere(tmp_path: Path) -> None:
    assert golden_set_folder("icd10_coding", beside=tmp_path) == shipped("golden_sets") / "icd10_coding"


def test_what_is_nowhere_is_named_where_it_could_be_made(tmp_path: Path) -> None:
    assert golden_set_folder("gone", beside=tmp_path) == tmp_path / "golden_sets" / "gone"


def test_the_wheel_carries_what_the_checkout_ships() -> None:
    import tomllib

    top = Path(assets.__file__).parents[1]
    build = tomllib.loads((top / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    for folder in ("suites", "golden_sets", "reports"):
        assert build["force-include"][folder] == f"harness/_shipped/{folder}"
