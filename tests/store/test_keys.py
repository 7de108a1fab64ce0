import stat
import subprocess
import time
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.store.keys import home_key, is_signed, key_is_private, read_key, signature


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path):
    key = home_key(tmp_path)
    assert len(key) == 32
    assert (tmp_path / "key").read_text() == key.hex() + "\n"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert key_is_private(tmp_path)
    assert home_key(tmp_path) == read_key(tmp_path) == key
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_two_homes_have_different_keys(tmp_path: Path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    assert home_key(tmp_path / "one") != home_key(tmp_path / "other")


def test_a_key_that_others_may_read_is_noticed(tmp_path: Path):
    home_key(tmp_path)
    (tmp_path / "key").chmod(0o640)
    assert not key_is_private(tmp_path)


def test_processes_that_ask_at_once_get_the_same_key(tmp_path: Path, python: str):
    script = """
import sys, time
from pathlib import Path
from harness.store.keys import home_key
time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
print(home_key(Path(sys.argv[1])).hex())
"""
    at = str(time.time() + 1.0)
    askers = [
        subprocess.Popen([python, "-c", script, str(tmp_path), at], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = [asker.communicate(timeout=60)[0].strip() for asker in askers]
    assert answers == [read_key(tmp_path).hex()] * 4


def test_where_no_hard_link_can_be_made_a_key_is_made_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    assert home_key(tmp_path) == read_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_a_missing_key_is_never_replaced_by_reading(tmp_path: Path):
    with pytest.raises(StoreError, match=r"key is missing.*Put the file back"):
        read_key(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"short", b"g" * 64, b"\xff" * 64])
def test_a_file_that_is_no_key_is_refused_and_left_alone(tmp_path: Path, content: bytes):
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(StoreError, match="Put the file back"):
        home_key(tmp_path)
    assert (tmp_path / "key").read_bytes() == content


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="a folder you may write to"):
        home_key(tmp_path / "file")


def test_a_signature_is_hmac_sha256():
    # RFC 4231, test case 2.
    key, text = b"Jefe", "what do ya want for nothing?"
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signature(key, text) == known
    assert is_signed(key, text, known)
    assert not is_signed(key, text + ".", known)
    assert not is_signed(b"jefe", text, known)
    assert not is_signed(key, text, "é")
