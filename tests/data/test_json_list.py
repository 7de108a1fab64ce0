from pathlib import Path

import pytest

from harness.data.json_list import scan_json_list
from harness.data.jsonl import JsonLines


def _scan(folder: Path, text: str | bytes) -> JsonLines:
    path = folder / "records.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return scan_json_list(path)


def test_each_object_comes_with_the_line_on_which_it_starts(tmp_path: Path) -> None:
    read = _scan(tmp_path, '\ufeff[\n  {"a": 1},\n\n  {\n    "a": "two\\nlines"\n  }, {"a": []}\n]\n')
    assert read.objects == ((2, {"a": 1}), (4, {"a": "two\nlines"}), (6, {"a": []}))
    assert read.problems == ()


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("[]", 1, "the list is empty"),
        ('{"a": 1}', 1, "a JSON list of objects is needed"),
        ('[{"a": 1},\n 7]', 2, "an object is needed, seen: `7]`"),
        ('[{"a": 1},\n{"a": NaN}]', 2, "NaN is not a JSON value"),
        ('[{"a": 1},\n{"a": 1, "a": 2}]', 2, '"a" stands twice in one object'),
        ('[{"a": 1}\n{"a": 2}]', 2, 'a comma or the end of the list is needed, seen: `{"a": 2}]`'),
        ('[{"a": 1},\n{"a": 2}', 2, "a comma or the end of the list is needed, seen: the end of the line"),
        ('[{"a": 1}]\n[2]', 2, "text after the end of the list: `[2]`"),
        ('[\n{"a": "\\ud83d"}]', 2, "half of a character pair"),
        (b'[\n{"a": "\xe9"}]', 2, "byte 0xe9 is not UTF-8"),
        ("[" * 100_000, 1, "not valid JSON"),
    ],
)
def test_a_planted_defect_is_named_with_its_line(tmp_path: Path, text: str | bytes, line: int, expected: str) -> None:
    ((seen, problem),) = _scan(tmp_path, text).problems
    assert seen == line
    assert expected in problem
