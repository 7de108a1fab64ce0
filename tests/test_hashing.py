import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.hashing import canonical_json, content_hash, file_hash, files_hash, new_run_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
).filter(lambda value: "\ud800" not in repr(value))


def test_canonical_json_is_written_one_way() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "é"}) == '{"a":"é","b":[1,2.5,null]}'


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_the_order_of_keys_does_not_change_a_hash(value: dict[str, object]) -> None:
    assert content_hash(value) == content_hash(dict(reversed(value.items())))


def test_a_hash_is_sha256_of_the_canonical_text() -> None:
    assert content_hash({}) == hashlib.sha256(b"{}").hexdigest()
    assert content_hash({"a": 1}) != content_hash({"a": "1"})
    assert content_hash(["ab", "c"]) != content_hash(["a", "bc"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("nan")]])
def test_what_is_not_a_number_has_no_hash(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        content_hash(value)


@pytest.mark.parametrize("value", [{1, 2}, object(), Path("a")])
def test_what_has_no_json_form_has_no_hash(value: object) -> None:
    with pytest.raises(TypeError):
        content_hash(value)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_a_files_hash_is_sha256_of_its_bytes(tmp_path: Path, size: int) -> None:
    content = b"x" * size
    (tmp_path / "file").write_bytes(content)
    assert file_hash(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_a_hash_of_files_covers_names_and_contents_and_not_their_order(tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "2"), ("c", "1")):
        (tmp_path / name).write_text(text)
    assert files_hash(tmp_path, ["a", "b"]) == files_hash(tmp_path, ["b", "a"])
    assert files_hash(tmp_path, ["a"]) != files_hash(tmp_path, ["c"])


def test_run_ids_sort_by_time_and_do_not_repeat() -> None:
    ids = [new_run_id() for _ in range(50)]
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", run_id) for run_id in ids)
    assert len(set(ids)) == 50
    moments = [run_id[:15] for run_id in ids]
    assert moments == sorted(moments)
