import json
from pathlib import Path

import pytest

from harness.data.corpus_rows import CorpusRows, read_corpus_rows
from harness.data.tables import read_table
from harness.errors import DataError


def _read(folder: Path, content: str, name: str = "own.csv") -> CorpusRows:
    path = folder / name
    path.write_text(content)
    return read_corpus_rows(read_table(path))


def test_passages_are_recognised_and_get_ids_where_they_have_none(tmp_path: Path) -> None:
    rows = _read(tmp_path, "Title,Content,url\nOne,first,u\n,second,u\n")
    assert rows.lines == (
        {"passage_id": "p001", "title": "One", "text": "first"},
        {"passage_id": "p002", "text": "second"},
    )
    assert (rows.count, rows.unused) == (2, ("url",))


def test_a_corpus_is_taken_as_it_is(tmp_path: Path) -> None:
    rows = _read(tmp_path, json.dumps({"passage_id": "a", "text": "x"}), "own.jsonl")
    assert (rows.count, rows.lines) == (1, None)


def test_every_problem_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _read(tmp_path, "id,text,title\na,one,\na,two,\nb,,T\nc,one,\n")
    said = str(caught.value)
    assert "3 problems" in said
    assert 'own.csv:3: the id "a" is already used in line 2' in said
    assert 'own.csv:4: "text" is empty' in said
    assert "own.csv:5: the same passage stands already in line 2" in said


def test_a_file_without_texts_names_its_columns(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r'columns seen: "question", "answer".*\n.*no column is the text of the passage'
    ):
        _read(tmp_path, "question,answer\na,b\n")
