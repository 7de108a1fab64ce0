import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.tables import Table, read_table
from harness.errors import DataError

_EXPECTED = [{"question": "Who?", "answer": "Ann, or Bo"}, {"question": "Where?", "answer": "Übersee"}]
_COMMA = 'question,answer\nWho?,"Ann, or Bo"\nWhere?,Übersee\n'
_SEMICOLON = "question;answer\nWho?;Ann, or Bo\nWhere?;Übersee\n"
_TAB = "question\tanswer\nWho?\tAnn, or Bo\nWhere?\tÜbersee\n"


def _write(folder: Path, content: bytes | str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _cells(table: Table) -> list[dict[str, object]]:
    return [dict(row.cells) for row in table.rows]


def _problem(folder: Path, content: bytes | str, name: str = "rows.csv", encoding: str | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read_table(_write(folder, content, name), encoding=encoding)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "described"),
    [
        (_COMMA.encode(), "CSV, comma, utf-8"),
        (_SEMICOLON.encode(), "CSV, semicolon, utf-8"),
        (_TAB.encode(), "CSV, tab, utf-8"),
        (_TAB.replace("\t", "|").encode(), "CSV, bar, utf-8"),
        (_COMMA.encode("utf-8-sig"), "CSV, comma, utf-8"),
        (_TAB.encode("utf-16"), "CSV, tab, utf-16"),
        (_COMMA.replace("\n", "\r\n").encode(), "CSV, comma, utf-8"),
        (_COMMA.replace("\n", "\r").encode(), "CSV, comma, utf-8"),
        (("sep=;\r\n" + _SEMICOLON).encode(), "CSV, semicolon, utf-8"),
        (_COMMA.removesuffix("\n").encode(), "CSV, comma, utf-8"),
    ],
)
def test_every_dialect_gives_the_same_rows(tmp_path: Path, content: bytes, described: str) -> None:
    table = read_table(_write(tmp_path, content))
    assert _cells(table) == _EXPECTED
    assert (table.columns, table.described) == (("question", "answer"), described)


def test_a_delimiter_inside_the_texts_is_not_taken_for_the_delimiter(tmp_path: Path) -> None:
    table = read_table(_write(tmp_path, "question, put plainly;answer\nOne, two or three?;Two, I think, or one\n"))
    assert table.columns == ("question, put plainly", "answer")
    assert table.rows[0].cells["answer"] == "Two, I think, or one"


def test_another_encoding_is_named_by_the_user_and_not_guessed(tmp_path: Path) -> None:
    content = _COMMA.encode("cp1252")
    said = _problem(tmp_path, content)
    assert "rows.csv:3: byte 0xdc is not utf-8" in said
    assert "--encoding cp1252" in said
    table = read_table(tmp_path / "rows.csv", encoding="cp1252")
    assert (_cells(table), table.described) == (_EXPECTED, "CSV, comma, cp1252")
    for unknown in ("cp999", "hex", "undefined"):
        assert f'--encoding "{unknown}" is not known' in _problem(tmp_path, content, encoding=unknown)


def test_a_named_encoding_does_not_spoil_a_file_that_is_utf8(tmp_path: Path) -> None:
    for content in (_COMMA.encode(), _COMMA.encode("utf-8-sig"), _COMMA.encode("utf-16")):
        assert _cells(read_table(_write(tmp_path, content), encoding="cp1252")) == _EXPECTED


def test_a_row_is_named_by_the_physical_line_on_which_it_starts(tmp_path: Path) -> None:
    table = read_table(_write(tmp_path, 'q,a\n\n"one\ntwo",1\n,\n"three\r\nfour\nfive",2\nsix,3\n'))
    assert [row.line for row in table.rows] == [3, 6, 9]
    assert table.rows[0].cells == {"q": "one\ntwo", "a": "1"}
    assert table.rows[1].cells["q"] == "three\nfour\nfive"
    after_sep = read_table(_write(tmp_path, "sep=,\nq,a\n1,2\n"))
    assert [row.line for row in after_sep.rows] == [3]


def test_what_a_spreadsheet_would_run_is_text(tmp_path: Path) -> None:
    table = read_table(_write(tmp_path, "q,a\n=SUM(A1),+1\n-2,@x\n\"=cmd|' /C calc'!A0\",=1\n"))
    assert [list(row.cells.values()) for row in table.rows] == [
        ["=SUM(A1)", "+1"],
        ["-2", "@x"],
        ["=cmd|' /C calc'!A0", "=1"],
    ]


def test_empty_cells_rows_and_nameless_columns_are_left_out(tmp_path: Path) -> None:
    table = read_table(_write(tmp_path, "q,a,,\n x , ,,\n,,,\ny,2\n"))
    assert _cells(table) == [{"q": "x"}, {"q": "y", "a": "2"}]
    assert table.columns == ("q", "a")


def test_jsonl_keeps_its_values_and_leaves_out_null(tmp_path: Path) -> None:
    lines = [{"q": "x", "a": ["1", "2"], "note": None}, {"q": "y", "b": 3}]
    text = "\n\n".join(json.dumps(line) for line in lines)
    for name in ("rows.jsonl", "rows.ndjson", "rows.txt"):
        table = read_table(_write(tmp_path, text, name))
        assert (table.format, table.columns) == ("jsonl", ("q", "a", "note", "b"))
        assert [(row.line, dict(row.cells)) for row in table.rows] == [
            (1, {"q": "x", "a": ["1", "2"]}),
            (3, {"q": "y", "b": 3}),
        ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"sep=;\n", "the file is empty"),
        (b"PK\x03\x04whatever", "a workbook or a ZIP file, not CSV. Save the sheet as CSV"),
        (b"q,a\n\x00\x01,2\n", "rows.csv:2: a NUL character: this is not a text file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff", "not a text file"),
        (b"q,a\n", "a header and no rows"),
        (b'q,a\n1,2\n"open,3\n4,5\n', "rows.csv:3: a double quote is opened and never closed"),
        (b'q,a\n"x" y,2\n', "rows.csv:2: not CSV"),
        (b"q,a\n" + b"x" * 140_000 + b",2\n", "rows.csv:2: a cell has more than 131,072 characters"),
        (b"q,a,q\n1,2,3\n", 'rows.csv:1: the column "q" stands twice'),
        (b"q,a\n1,2\n3,4,5\n", "rows.csv:3: 3 cells, and the header names 2; the first one too many is `5`"),
        (b"q,\n1,2\n", "rows.csv:2: the cell `2` stands in a column without a name"),
    ],
)
def test_a_hostile_or_broken_file_is_one_clear_message(tmp_path: Path, content: bytes, expected: str) -> None:
    assert expected in _problem(tmp_path, content)


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    said = _problem(tmp_path, "q,a,a\n1,2,3\n1,2,3,4\n5,6,7,8\n")
    assert "3 problems" in said
    assert said.index(":1:") < said.index(":3:") < said.index(":4:")


def test_what_is_no_file_says_so(tmp_path: Path) -> None:
    for place, expected in ((tmp_path, "this is a folder"), (tmp_path / "gone.csv", "no such file")):
        with pytest.raises(DataError, match=expected):
            read_table(place)
    assert "one JSON list, JSONL is needed" in _problem(tmp_path, '[{"q": 1},\n{"q": 2}]', "rows.json")


@given(content=st.binary(max_size=120), begun=st.sampled_from([b"", b"q,a\n", b"sep=;\n", b"{", b"\xff\xfe", b'"']))
def test_any_bytes_are_a_table_or_a_message(
    content: bytes, begun: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(begun + content)
    try:
        table = read_table(path)
    except DataError:
        return
    assert table.rows
    assert all(set(row.cells) <= set(table.columns) for row in table.rows)
