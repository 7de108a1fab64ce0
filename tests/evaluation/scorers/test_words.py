import pytest

from harness.evaluation.scorers.words import answer_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Eiffel Tower, in Paris.", ("eiffel", "tower", "in", "paris")),
        ("3.5 or 1,000 or 1,000,000.25", ("3.5", "or", "1000", "or", "1000000.25")),
        ("-5 °C, +3 and −2", ("-5", "°", "c", "3", "and", "-2")),
        ("5-10 people on 2024-05-01.", ("5", "10", "people", "on", "2024", "05", "01")),
        ("COVID-19 and B12", ("covid", "19", "and", "b", "12")),
        ("ＰＡＲＩＳ", ("paris",)),
        ("東京 タワー", ("東", "京", "タ", "ワ", "ー")),
        ("The A", ("the", "a")),
        ("?! \n", ()),
    ],
)
def test_words_are_compared_without_case_punctuation_and_articles(text: str, words: tuple[str, ...]) -> None:
    assert answer_words(text) == words
