import json
from pathlib import Path

import pytest

from harness.data.audit_records import AuditedSet, read_for_audit
from harness.errors import DataError


def read(tmp_path: Path, *records: object) -> AuditedSet:
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records), encoding="utf-8")
    return read_for_audit(path)


def seen(audited: AuditedSet) -> dict[str, tuple[int, ...]]:
    return {one.check: one.lines for one in audited.observations}


GOOD = {"prompt": "Why?", "completion": "So.", "tags": ["typical", 3], "group": "g"}


def test_a_sound_file_is_read_as_training_reads_it(tmp_path: Path) -> None:
    audited = read(tmp_path, GOOD, "", GOOD)
    assert audited.observations == ()
    assert [(r.line, r.record.question, r.answer, r.tags, r.record.group) for r in audited.records] == [
        (1, "Why?", "So.", ("typical",), "g"),
        (3, "Why?", "So.", ("typical",), "g"),
    ]


def test_damaged_records_are_read_as_far_as_they_can_be(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    audited = read(
        tmp_path,
        {"messages": chat},
        {"messages": chat[:1]},
        {"messages": [*chat, {"role": "robot"}, 7]},
        {"messages": "no list"},
        {"instruction": "Code it.", "input": "A cough.", "output": None},
        {"prompt": "Why?", "chosen": "So.", "rejected": "No secret."},
        {"colour": "red"},
    )
    texts = [(record.record.question, record.answer) for record in audited.records]
    assert texts[0] == texts[2] == ("Why?", "So.")
    assert texts[1] == ("Why?", "")
    assert texts[4] == ("Code it.\n\nA cough.", "")
    assert texts[5] == ("Why?", "So.")
    assert "No secret." in audited.records[5].texts
    assert "red" in audited.records[6].texts
    assert seen(audited)["formats"] == (5, 6, 7)
    assert 5 in seen(audited)["fields"]


def test_each_way_a_field_can_be_missing_is_named(tmp_path: Path) -> None:
    audited = read(
        tmp_path, GOOD, {"prompt": "Why?"}, {"prompt": " ", "completion": "So."}, {"prompt": [], "completion": "x"}
    )
    (fields,) = [one for one in audited.observations if one.check == "fields"]
    assert fields.lines == (2, 3, 4)
    assert fields.examples == (
        'line 2: "completion" is missing',
        'line 3: "prompt" is empty',
        'line 4: "prompt" is empty',
    )


def test_what_the_reader_refuses_besides_is_quoted_with_its_line(tmp_path: Path) -> None:
    audited = read(tmp_path, GOOD, GOOD | {"colour": "red"})
    (refused,) = audited.observations
    assert (refused.check, refused.lines) == ("refused_records", (2,))
    assert '"colour" is not a field' in refused.examples[0]


def test_lines_without_an_object_are_found(tmp_path: Path) -> None:
    assert seen(read(tmp_path, GOOD, "[1]", "{", GOOD)) == {"unreadable_lines": (2, 3)}


@pytest.mark.parametrize("content", ["", "nonsense\n"])
def test_a_file_without_any_record_is_an_error(content: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.jsonl"):
        read(tmp_path, content)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_for_audit(tmp_path / "nowhere.jsonl")
