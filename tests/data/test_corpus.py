import json
from pathlib import Path

import pytest

from harness.data.corpus import CorpusPassage, load_corpus
from harness.errors import DataError


def _load(folder: Path, *lines: object) -> tuple[CorpusPassage, ...]:
    path = folder / "corpus.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return load_corpus(path)


def test_passages_are_read_in_file_order(tmp_path: Path) -> None:
    passages = _load(tmp_path, {"passage_id": "b", "text": "B"}, {"passage_id": "a", "title": "T", "text": "A"})
    assert passages == (
        CorpusPassage(passage_id="b", text="B"),
        CorpusPassage(passage_id="a", text="A", title="T"),
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"passage_id": "a", "text": "other"}, 'passage_id "a" is already used in line 1'),
        ({"passage_id": "b", "text": "A"}, "the same title and text stand already in line 1"),
        ({"passage_id": "b", "text": ""}, '"text" is empty'),
        ({"passage_id": "", "text": "x"}, '"passage_id" is empty'),
        ({"id": "b", "text": "x"}, '"id" is not a field of a passage; did you mean "passage_id"?'),
    ],
)
def test_a_planted_defect_is_named_with_file_and_line(tmp_path: Path, line: object, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        _load(tmp_path, {"passage_id": "a", "text": "A"}, line)
    assert f"corpus.jsonl:2: {expected}" in str(caught.value)
