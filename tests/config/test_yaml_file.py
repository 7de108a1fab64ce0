from pathlib import Path

import pytest

from harness.config.yaml_file import YamlFile, read_yaml
from harness.errors import ConfigError


@pytest.fixture
def read(tmp_path: Path):
    def write_and_read(text: str) -> YamlFile:
        (tmp_path / "file.yaml").write_text(text, encoding="utf-8")
        return read_yaml(tmp_path / "file.yaml")

    return write_and_read


def test_the_line_of_every_key_and_list_entry_is_known(read) -> None:
    source = read("# a comment\na: 1\nb:\n  c:\n    - x\n    - {d: y}\n")
    assert source.content == {"a": 1, "b": {"c": ["x", {"d": "y"}]}}
    assert source.lines[("a",)] == 2
    assert source.lines[("b", "c")] == 4
    assert source.lines[("b", "c", 1)] == 6
    assert source.lines[("b", "c", 1, "d")] == 6


def test_a_key_that_is_not_in_the_file_has_the_line_of_its_nearest_parent(read) -> None:
    source = read("a: 1\nb:\n  c: 2\n")
    assert source.line_of(("b", "missing", "deeper")) == 2
    assert source.line_of(("missing",)) is None


def test_a_byte_order_mark_is_no_part_of_the_first_key(read) -> None:
    assert read("\ufeffa: 1\n").content == {"a": 1}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, '"a" stands already in line 1'),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, '"b" stands already in line 2'),
        ("a: 1\n b: 2\n", 2, "not valid YAML"),
        ("a: [1, 2\n", 2, "not valid YAML"),
        ("a: 1\nb: !unknown x\n", 2, "not valid YAML"),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "not valid YAML"),
        ("a: 1\n? [b]\n: 2\n", 2, "not valid YAML"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(read, tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(text)
    assert str(error.value).startswith(f"{tmp_path / 'file.yaml'}:{line}: ")
    assert said in str(error.value)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n", "# nothing\n", "a: 1\n---\nb: 2\n", "a: \x07\n"])
def test_a_file_that_is_no_mapping_is_refused_in_a_line(read, tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(text)
    assert str(tmp_path / "file.yaml") in str(error.value)


@pytest.mark.parametrize("text", ["a: 2026-13-45\n", "a: &a\n  b: *a\n"])
def test_values_that_yaml_reads_but_nobody_can_use_are_refused(read, tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"file\.yaml"):
        read(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: no such file"):
        read_yaml(tmp_path / "gone.yaml")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("a: déjà vu\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin\.yaml: cannot be read .*UTF-8"):
        read_yaml(tmp_path / "latin.yaml")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path)
