from pathlib import Path
from typing import get_args

import pytest

from harness.assets import shipped
from harness.config.audit import Limit, Limits, load_thresholds
from harness.data.audit_finding import Check
from harness.errors import ConfigError


@pytest.mark.parametrize("file", sorted((shipped("suites") / "audit").glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_thresholds_load_under_their_name(file: Path) -> None:
    assert load_thresholds(file.stem, beside=Path()).name == file.stem


def test_every_check_has_a_limit_and_every_limit_a_check() -> None:
    assert set(Limits.model_fields) == set(get_args(Check))


@pytest.mark.parametrize(
    ("limit", "value", "level"),
    [
        (Limit(), 1.0, "hint"),
        (Limit(warning=0), 0.0, "hint"),
        (Limit(warning=0), 0.001, "warning"),
        (Limit(warning=0.1, problem=0.5), 0.5, "warning"),
        (Limit(warning=0.1, problem=0.5), 0.51, "problem"),
        (Limit(problem=0), 0.1, "problem"),
    ],
)
def test_a_limit_is_broken_by_more_than_it(limit: Limit, value: float, level: str) -> None:
    assert limit.level(value) == level


def test_what_fails_is_said_by_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\ndescription: d\nfail_at: warning\nlimits: {}\n")
    thresholds = load_thresholds("mine.yaml", beside=tmp_path)
    assert [thresholds.is_broken_by(level) for level in ("hint", "warning", "problem")] == [False, True, True]
    path.write_text("name: mine\ndescription: d\nfail_at:\nlimits: {}\n")
    assert not load_thresholds(str(path), beside=Path()).is_broken_by("problem")


def test_a_misspelt_name_or_check_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='did you mean "default"'):
        load_thresholds("defualt", beside=tmp_path)
    (tmp_path / "mine.yaml").write_text("name: mine\ndescription: d\nlimits: {balence: {warning: 3}}\n")
    with pytest.raises(ConfigError, match='did you mean "balance"'):
        load_thresholds("mine.yaml", beside=tmp_path)
