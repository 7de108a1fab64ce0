import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evaluation.scorers.icd10_answer import is_format_valid, parse_codes

_KNOWN = frozenset({"I10", "B20", "C61", "E11.9", "J45.909", "F32.A", "M45.AB", "S52.501A", "U07.1", "QA0.8"})


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("ICD-10 Codes:\n- J45.909 (Unspecified asthma)\n- I10 (Essential (primary) hypertension)", "J45.909 I10"),
        ("- j45.909 (asthma)\n- i10", "J45.909 I10"),
        ("1. I10: Hypertension\n2) E11.9 - Diabetes", "I10 E11.9"),
        ("**ICD-10-CM Codes:** I10, e11.9 and more", "I10 E11.9"),
        ("- i10, b20 and c61", "I10 B20 C61"),
        ("- `I10`\n* **B20** (HIV)", "I10 B20"),
        ("Z9X", "Z9X"),
        ("- Q88 (Invented)", "Q88"),
        ("I10\nI10", "I10"),
    ],
)
def test_a_list_line_gives_its_codes_in_any_case_and_known_or_not(text: str, codes: str) -> None:
    assert parse_codes(text, _KNOWN) == frozenset(codes.split())


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("The patient has asthma (j45.909), type 2 diabetes E11.9.", "J45.909 E11.9"),
        ("The right code is I10.", "I10"),
        ("Hypertension (I10) and HIV **B20**", "I10 B20"),
        ("Depression is F32.A here, spondylitis m45.ab", "F32.A M45.AB"),
        ("a fracture, S52.501A; COVID-19, U07.1; also QA0.8", "S52.501A U07.1 QA0.8"),
        ("an invented one is X99.123", "X99.123"),
        ('{"codes": ["I10", "E11.9"]}', "I10 E11.9"),
        ("I think j45.909.The rest is fine", "J45.909"),
    ],
)
def test_codes_are_read_from_running_text_too(text: str, codes: str) -> None:
    assert parse_codes(text, _KNOWN) == frozenset(codes.split())


@pytest.mark.parametrize(
    "text",
    [
        "A1C 9.2%, HbA1c high",
        "- A1C 9.2%",
        "- A1C: 9.2%",
        "vitamin B12 deficiency",
        "- B12 deficiency",
        "B12, folate and iron are low",
        "Take vitamin B12.The patient agrees",
        "T4 is low and T12 is fractured",
        "an N95 mask, HLA-B27 positive, D50 IV 25 mL",
        "500MG twice, 10 mg q6h, 2.5 mL Q12H",
        "pH7.4, i10 in prose",
        "ABI10 I100 J45.90999 XE11.9",
        "B20.",
        "None of these conditions",
        "none-specific pain",
        "I cannot help with that.",
        "",
    ],
)
def test_what_only_looks_like_a_code_is_not_read(text: str) -> None:
    assert parse_codes(text, _KNOWN - {"B20"} if text == "B20." else _KNOWN) is None


@pytest.mark.parametrize(
    "text",
    [
        "ICD-10 Codes:\n- NONE (No codable diagnosis)",
        "NONE",
        "none.",
        "**None**",
        "ICD-10 codes: None",
        "- NONE - a scheduling message",
        "No codable diagnosis.",
        "Let me think.\nNone: nothing is wrong",
    ],
)
def test_saying_that_there_is_none_is_the_empty_answer(text: str) -> None:
    assert parse_codes(text, _KNOWN) == frozenset()


def test_codes_outweigh_a_none_beside_them() -> None:
    assert parse_codes("- I10 (Hypertension)\n- NONE (No codable diagnosis)", _KNOWN) == {"I10"}


@pytest.mark.parametrize(
    "text",
    [
        "ICD-10 Codes:\n- I10 (Essential (primary) hypertension)",
        "\n ICD-10 Codes:\r\n- A1C (Not a code, but in form)\r\n- J45.909 (x)\n",
        "ICD-10 Codes:\n- NONE (No codable diagnosis)",
    ],
)
def test_the_demanded_format_is_recognised_and_can_be_read(text: str) -> None:
    assert is_format_valid(text)
    assert parse_codes(text, _KNOWN) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ICD-10 Codes:",
        "- I10 (Hypertension)",
        "- NONE (No codable diagnosis)",
        "ICD-10 codes:\n- I10 (Hypertension)",
        "ICD-10 Codes:\n- i10 (Hypertension)",
        "ICD-10 Codes:\n- I10",
        "ICD-10 Codes:\n- I10 ()",
        "ICD-10 Codes:\n* I10 (Hypertension)",
        "ICD-10 Codes:\n\n- I10 (Hypertension)",
        "ICD-10 Codes:\n- I10 (Hypertension)\n- I10 (Again)",
        "ICD-10 Codes:\n- I10 (Hypertension)\n- NONE (No codable diagnosis)",
        "ICD-10 Codes:\n- NONE (no codable diagnosis)",
        "ICD-10 Codes:\n- J45.90999 (Too long)",
        "Sure!\nICD-10 Codes:\n- I10 (Hypertension)",
        "ICD-10 Codes:\n- I10 (Hypertension)\nHope this helps!",
    ],
)
def test_anything_but_the_demanded_format_is_not_valid(text: str) -> None:
    assert not is_format_valid(text)


@given(text=st.text(alphabet="ABIJQ0123459.,:;()-*_ \n`'[]noneNOEcods|/", max_size=200))
def test_any_text_can_be_read_and_a_valid_format_always_gives_codes(text: str) -> None:
    codes = parse_codes(text, _KNOWN)
    assert codes is None or all(code == code.upper() for code in codes)
    assert not is_format_valid(text) or codes is not None


@pytest.mark.parametrize("unit", ["*", "_", "- ", "1. ", "I10, ", "code: ", " (", "none ", "A1", "\n- I10 (a)"])
def test_a_model_that_repeats_itself_does_not_make_reading_slow(unit: str) -> None:
    started = time.perf_counter()
    parse_codes(unit * 2000, _KNOWN)
    is_format_valid(f"ICD-10 Codes:{unit * 2000}")
    assert time.perf_counter() - started < 2
