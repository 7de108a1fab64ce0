import pytest

from harness.data.encoding_damage import damage_kinds, odd_kinds

MOJIBAKE = ["UTF-8 read as Windows-1252"]


@pytest.mark.parametrize(
    "text", ["Ménière", "naïve", "it’s", "“so”", "Übelkeit", "señor", "10 €", "café – bar", "日本語", "боль", "😀"]
)
def test_text_that_was_decoded_twice_is_damaged_and_the_text_itself_is_not(text: str) -> None:
    wrong = "".join(bytes([b]).decode("cp1252", errors="ignore") or chr(b) for b in text.encode())
    assert damage_kinds(wrong) == MOJIBAKE
    assert damage_kinds(text) == []


@pytest.mark.parametrize(
    "text", ["„Spaß“", "“CAFÉ”", "«été»", "Größe: 5 µm ± 2 °C", "¿Qué?", "façade", "Ångström", "50 £ ×3"]
)
def test_real_text_is_not_damaged(text: str) -> None:
    assert damage_kinds(text) == []
    assert odd_kinds(text) == []


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a\x00b", ["control character"]),
        ("a\tb\nc\r\n", []),
        ("so\u00adft", ["invisible character"]),
        ("\ufeffa", ["invisible character"]),
        ("a\u200db", ["invisible character"]),
        ("👩\u200d⚕️", []),
        ("می\u200cخواهم", []),
        ("a\u2066b\u2069", ["direction mark"]),
    ],
)
def test_characters_that_nobody_sees(text: str, kinds: list[str]) -> None:
    assert odd_kinds(text) == kinds
