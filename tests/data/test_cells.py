import pytest

from harness.data.cells import cell_text, cell_texts


@pytest.mark.parametrize(
    ("value", "text"), [("x", "x"), (7, "7"), (2.5, "2.5"), (True, "true"), ([], None), ({}, None)]
)
def test_a_number_is_text_and_a_list_is_not(value: object, text: str | None) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize(
    ("value", "separators", "texts"),
    [
        ("a|b", "", ["a|b"]),
        ("a | b|", "|", ["a", "b"]),
        ("a;b, c", "|;,", ["a", "b", "c"]),
        ('["a|b", 2]', "|", ["a|b", "2"]),
        ("[a|b]", "|", ["[a", "b]"]),
        (["a", " ", "b"], "|", ["a", "b"]),
        ([["a"]], "", None),
        ({"a": 1}, "|", None),
        (7, "|", ["7"]),
        (" ", "", []),
    ],
)
def test_several_texts_are_a_list_or_cut_where_asked(value: object, separators: str, texts: list[str] | None) -> None:
    assert cell_texts(value, separators) == texts
