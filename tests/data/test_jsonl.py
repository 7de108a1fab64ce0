from pathlib import Path

import pytest

from harness.data.jsonl import read_jsonl
from harness.errors import DataError


def _write(folder: Path, content: bytes) -> Path:
    path = folder / "some.jsonl"
    path.write_bytes(content)
    return path


def test_objects_come_with_their_line_numbers_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    path = _write(tmp_path, b'\xef\xbb\xbf{"a": 1}\r\n\n   \n{"b": "\xc3\xa9"}')
    assert read_jsonl(path) == [(1, {"a": 1}), (4, {"b": "é"})]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1}\n{"a": }\n', ":2: not valid JSON in column 7"),
        (b'{"a": 1}\n["a"]\n', ':2: a JSON object is needed, seen: `["a"]`'),
        (b'{"a": 1}\n\n"caf\xe9"\n', ":3: byte 0xe9 in column 5 is not UTF-8"),
        (b'{"a": NaN}\n', ":1: not valid JSON: NaN is not a JSON value"),
        (b'{"a": 1, "a": 2}\n', ':1: not valid JSON: "a" stands twice'),
        (b'{"a": "\\ud83d"}\n', ":1: half of a character pair"),
        (b'{"a": ' + b"[" * 100_000, ":1: not usable JSON: nested too deeply"),
        (b"", ":1: the file is empty"),
        (b"\n  \n", ":1: the file is empty"),
        (b'[{"a": 1},\n{"a": 2}]\n', ":1: the file is one JSON list"),
        ('{"a": 1}'.encode("utf-16"), ":1: the file is UTF-16"),
    ],
)
def test_a_planted_defect_is_named_with_file_and_line(tmp_path: Path, content: bytes, expected: str) -> None:
    path = _write(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_jsonl(path)
    assert f"{path}{expected}" in str(caught.value)


def test_all_problems_of_a_file_are_in_one_error(tmp_path: Path) -> None:
    path = _write(tmp_path, b'{"a": }\n{"a": 1}\n7\n')
    with pytest.raises(DataError, match=r"2 problems") as caught:
        read_jsonl(path)
    assert ":1: not valid JSON" in str(caught.value)
    assert ":3: a JSON object is needed" in str(caught.value)


def test_a_missing_file_and_a_folder_are_said_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.jsonl: no such file\. Check the path"):
        read_jsonl(tmp_path / "nothing.jsonl")
    with pytest.raises(DataError, match="this is a folder"):
        read_jsonl(tmp_path)


def test_whole_pairs_of_surrogates_are_text(tmp_path: Path) -> None:
    path = _write(tmp_path, b'{"a": "\\ud83d\\ude00"}')
    assert read_jsonl(path) == [(1, {"a": "😀"})]
