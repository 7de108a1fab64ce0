"""Likely personal data in a text: patterns, with checksums where the format has one.

Names and addresses are not found. What is reserved for examples (`example.com`, 555-01xx) is left out.
"""

import re
from collections.abc import Iterable

from harness.data.sensitive import Sensitive

_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@((?:[\w-]{1,63}\.){1,5}[A-Za-z]{2,24})(?![\w-])")
_EXAMPLE_DOMAIN = re.compile(r"(?:^|\.)(?:example\.(?:com|net|org)|[a-z-]+\.(?:example|invalid|test)|localhost)$")
_PHONE = re.compile(
    r"(?<![\w.,/+-])(?:(?:\+|00)[1-9]\d{0,2}[ .\-/]?(?:\(0?\d{1,4}\)[ .\-/]?)?\d{1,4}(?:[ .\-/]?\d{2,4}){1,4}"
    r"|(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4})(?![\w-])(?![.,]\d)"
)
_FICTION = re.compile(r"555\D?01\d\d$")
_SSN = re.compile(r"(?<![\w.-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])(?!\.\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\w.,-])[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![\w-])(?![.,]\d)")
_RECORD_NUMBER = re.compile(
    r"\b(?:MRN|medical record|patient|hospital|chart|case|NHS|insurance)"
    r"(?:[ -](?:number|no\.?|nr\.?|id))?\s{0,2}[:#]?\s{0,2}([A-Z]{0,3}-?\d{6,12})\b",
    re.IGNORECASE,
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IP = re.compile(
    rf"(?<![\w.])(?!0\.|127\.){_OCTET}(?:\.{_OCTET}){{3}}(?![\w-])(?!\.\d)|(?<![\w:])(?:[0-9a-fA-F]{{1,4}}:){{7}}[0-9a-fA-F]{{1,4}}(?![\w:])"
)
# Lengths by country, from the IBAN registry: what follows an IBAN must not be taken for a part of it.
_IBAN_LENGTHS = {
    "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
    "SA": 24, "SE": 24, "SI": 19, "SK": 24, "TR": 26, "UA": 29,
}  # fmt: skip


def personal_data(text: str) -> list[Sensitive]:
    """Email addresses, phone numbers, US social security numbers, IBANs, card and record numbers, IP addresses."""
    found: list[Sensitive] = []
    if "@" in text:
        emails = (match for match in _EMAIL.finditer(text) if not _EXAMPLE_DOMAIN.search(match[1].lower()))
        found += _all("email address", (match[0] for match in emails))
    if not any(map(str.isdigit, text)):
        return found
    ibans = [iban for match in _IBAN.finditer(text) if (iban := _iban(match[0]))]
    found += _all("IBAN", ibans)
    for iban in ibans:
        text = text.replace(iban, " ")
    found += _all("card number", (match[0] for match in _CARD.finditer(text) if is_card_number(match[0])))
    found += _all("social security number", _SSN.findall(text))
    found += _all("record number", _RECORD_NUMBER.findall(text))
    found += _all("phone number", (match[0] for match in _PHONE.finditer(text) if _is_phone(match[0])))
    return found + _all("IP address", _IP.findall(text))


def is_iban(value: str) -> bool:
    """Whether the check digits hold: modulo 97 is 1 (ISO 13616)."""
    compact = value.replace(" ", "")
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]+", compact) or len(compact) != _IBAN_LENGTHS.get(compact[:2]):
        return False
    return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1


def is_card_number(value: str) -> bool:
    """Whether 13 to 19 digits pass Luhn's check (ISO/IEC 7812) and are not one digit repeated."""
    digits = [int(sign) for sign in value if sign.isdecimal()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _iban(candidate: str) -> str | None:
    """The IBAN that a candidate begins with, as it stands in the text."""
    left = _IBAN_LENGTHS.get(candidate[:2], 0)
    for end, sign in enumerate(candidate, start=1):
        left -= sign != " "
        if left == 0:
            return candidate[:end] if is_iban(candidate[:end]) else None
    return None


def _is_phone(candidate: str) -> bool:
    digits = sum(sign.isdigit() for sign in candidate)
    return 8 <= digits <= 15 and _FICTION.search(candidate) is None


def _all(kind: str, values: Iterable[str]) -> list[Sensitive]:
    return [Sensitive(kind=kind, value=value) for value in values]
