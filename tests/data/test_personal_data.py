import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.personal_data import is_card_number, is_iban, personal_data


def kinds(text: str) -> list[str]:
    return [one.kind for one in personal_data(text)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to a.b+c@" + "clinic.co.uk.", "email address"),
        ("call +49 (0)30 " + "901820-11 now", "phone number"),
        ("call +1 212-736" + "-5000", "phone number"),
        ("call (212) 736" + "-5000.", "phone number"),
        ("call 0044 20 7946 " + "0958", "phone number"),
        ("SSN 219-09" + "-9998", "social security number"),
        ("DE89 3704 0044 " + "0532 0130 00 PAID", "IBAN"),
        ("card 5500-0000-" + "0000-0004", "card number"),
        ("MRN 12345" + "678", "record number"),
        ("Patient ID: AB-123" + "4567", "record number"),
        ("host 10.20." + "30.40 said", "IP address"),
        ("2001:0db8:85a3:0000:" + "0000:8a2e:0370:7334", "IP address"),
    ],
)
def test_each_kind_is_found_once_and_as_nothing_else(text: str, kind: str) -> None:
    assert kinds(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "Revenue: 88,427; 80,045\nCost of sales: (52,498); (47,166)",
        "2019-2020 and 2021-2022, on 2021-11-05 at 10:30:59",
        "codes E11.9, S72.001A and ICD-10-CM 2024.1.15",
        "call 212-555" + "-0143 or mail someone@example.com",
        "SSN 000-12-3456 and 987-65-4321",
        "card 4111 1111 1111 1112",
        "GB82 WEST 1234 5698 7654 33",
        "version 256.1.1.1 at 127.0.0.1",
        "1 000 000 000 EUR, 123456789012345",
        "a @ b, @home, x@y",
        "blood pressure 140/90, pulse 72, 36.6-37.2 °C",
        "",
    ],
)
def test_other_numbers_are_not_personal(text: str) -> None:
    assert kinds(text) == []


def test_check_digits_are_checked() -> None:
    assert is_iban("GB82WEST12345698765432")  # the registry's own example
    assert not is_iban("GB82WEST12345698765431")
    assert not is_iban("GB82WEST1234569876543")  # too short for its country
    assert is_card_number("4111 1111 1111 1111")
    assert not is_card_number("4111 1111 1111 1121")
    assert not is_card_number("0000 0000 0000 0000")


@given(st.text(alphabet="0123456789+-(). /:@aAZ", max_size=300))
def test_a_value_found_stands_in_the_text_and_is_masked(text: str) -> None:
    for one in personal_data(text):
        assert one.value in text
        assert one.value not in one.masked
