"""Figures in text: numbers with the unit that stands at them, as people and models write them.

1. A figure is a number with what stands at it: `EUR 3.4m`, `$1,234.5 million`, `1.2bn`, `23.4 %`, `1.5 pp`, `2.1x`,
   `54 days`, `45 cents`. A minus, or the word `minus` or `negative`, makes it negative, and so do brackets around the
   figure alone, unless another figure stands before them: then they hold a remark.
2. A comma before three digits groups thousands (`1,234`); before any other number of digits, or after a leading 0, it
   is a decimal comma (`12,4`; `0,234`). A single dot is a decimal point (`1.234` is less than two). Dots group
   thousands if there are several, or if a decimal comma follows (`1.234.567`; `1.234,5`).
3. Passed over are remarks in brackets, dates, and bare numbers that look like years (`2024`; not `2,024`).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Quantity = Literal["money", "ratio", "points", "days", "months"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A number with its unit.

    `number` is as written, with its sign. Times `factor` it is in base units: of money the currency's main unit, of a
    ratio 1 (23.4 % is 0.234), of points one percentage point, else days or months. `decimals` counts its digits after
    the decimal sign. `quantity` is None for a bare number. `currencies` are the codes that its currency may mean (`$`:
    several), empty where none is written.
    """

    written: str
    number: Decimal
    decimals: int
    factor: Decimal = Decimal(1)
    quantity: Quantity | None = None
    currencies: frozenset[str] = frozenset()

    @property
    def value(self) -> Decimal:
        """In base units."""
        return self.number * self.factor

    @property
    def step(self) -> Decimal:
        """What 1 in the last written digit is worth, in base units: 1,000 for `EUR 12 thousand`."""
        return self.factor.scaleb(-self.decimals)


_CODES = """
    AED ARS AUD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR JPY
    KES KRW MXN MYR NGN NOK NZD PHP PLN RON SAR SEK SGD THB TRY TWD USD VND ZAR
"""
CURRENCY_CODES = tuple(_CODES.split())
"""Currencies that are known, by their ISO 4217 codes."""

_DOLLARS = frozenset({"USD", "AUD", "CAD", "HKD", "NZD", "SGD", "TWD"})
_CURRENCIES: Mapping[str, frozenset[str]] = {
    **{code.lower(): frozenset({code}) for code in CURRENCY_CODES},
    **dict.fromkeys(("$", "dollar", "dollars"), _DOLLARS),
    **dict.fromkeys(("us$", "us dollar", "us dollars"), frozenset({"USD"})),
    **dict.fromkeys(("€", "euro", "euros"), frozenset({"EUR"})),
    **dict.fromkeys(("£", "pound", "pounds"), frozenset({"GBP"})),
    **dict.fromkeys(("kr", "krone", "kroner", "krona", "kronor"), frozenset({"DKK", "NOK", "SEK"})),
    **dict.fromkeys(("₹", "rs", "rupee", "rupees"), frozenset({"INR"})),
    **dict.fromkeys(("r$", "reais"), frozenset({"BRL"})),
    **dict.fromkeys(("franc", "francs"), frozenset({"CHF"})),
    "¥": frozenset({"JPY", "CNY"}),
    "yen": frozenset({"JPY"}),
    "a$": frozenset({"AUD"}),
    "c$": frozenset({"CAD"}),
    "rand": frozenset({"ZAR"}),
    "zł": frozenset({"PLN"}),
}
_SCALES: Mapping[str, Decimal] = {
    **dict.fromkeys(("thousand", "thousands", "k", "'000", "000s"), Decimal(10) ** 3),
    **dict.fromkeys(("lakh", "lakhs"), Decimal(10) ** 5),
    **dict.fromkeys(("million", "millions", "m", "mn", "mln", "mio", "mm"), Decimal(10) ** 6),
    **dict.fromkeys(("crore", "crores", "cr"), Decimal(10) ** 7),
    **dict.fromkeys(("billion", "billions", "bn", "b"), Decimal(10) ** 9),
    **dict.fromkeys(("trillion", "trillions", "tn"), Decimal(10) ** 12),
}
_NOT_A_FACTOR = r"(?! ?[0-9(])"  # `0.39 x 100` multiplies
_UNITS: tuple[tuple[str, Quantity, Decimal], ...] = (
    (r"(?:percentage|per ?cent|%)[ -]?points?\b|ppts?\b|pp\b|p\.p\.", "points", Decimal(1)),
    (r"basis points?\b|bps?\b", "points", Decimal("0.01")),
    (r"%|per ?cent\b|pct\b", "ratio", Decimal("0.01")),
    (rf"(?:x\b|×|times\b){_NOT_A_FACTOR}|(?:: ?|to )1(?![0-9]|[.,][0-9])", "ratio", Decimal(1)),
    (r"days?\b", "days", Decimal(1)),
    (r"months?\b", "months", Decimal(1)),
    (r"cents?\b|pence\b|p\b", "money", Decimal("0.01")),
)


def _any_of(words: Mapping[str, object], *, then: str = "") -> str:
    """A pattern for any of the words, longest first, that does not end inside a longer word (but before `then`)."""
    listed = sorted(words, key=len, reverse=True)
    return "|".join(re.escape(word) + (rf"(?={then}(?![a-z]))" if word[-1].isalpha() else "") for word in listed)


_COMMA_GROUPS = r"[1-9][0-9]{0,2}(?:,[0-9]{2,3}){0,6},[0-9]{3}"  # 1,234,567 and 12,34,567 (lakhs)
_NUMBER = (
    rf"(?:{_COMMA_GROUPS}(?:\.[0-9]{{1,18}})?"
    r"|[1-9][0-9]{0,2}(?:'[0-9]{3}){1,6}(?:[.,][0-9]{1,18})?"  # 1'234'567.8
    r"|[1-9][0-9]{0,2}(?: [0-9]{3}){1,6}(?![0-9])(?:[.,][0-9]{1,2})?"  # 1 234 567,8
    r"|[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,6},[0-9]{1,18}"  # 1.234.567,8
    r"|[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,6}"  # 1.234.567
    r"|[0-9]{1,18}(?:[.,][0-9]{1,18})?|\.[0-9]{1,18})(?![0-9]|[.,][0-9])"
)
_GROUPED = re.compile(_COMMA_GROUPS)
_CURRENCY, _SCALE = _any_of(_CURRENCIES, then="(?:k|mn?|bn)?"), _any_of(_SCALES)  # EURm
_UNIT = "|".join(f"(?P<unit{place}>{unit})" for place, (unit, _, _) in enumerate(_UNITS))
_FIGURE = re.compile(
    r"(?P<negated>(?:minus|negative) |(?<![\w)])-)?"
    rf"(?:(?<![a-z0-9])(?P<currency>{_CURRENCY}) ?(?:(?P<scale_before>{_SCALE}):? ?)?|(?<![\w.,]))"
    rf"(?P<minus>-)?(?P<number>{_NUMBER})"
    rf"(?: ?(?P<scale>{_SCALE}))?(?: ?(?:{_UNIT}|(?P<currency_after>{_CURRENCY})))?",
    re.IGNORECASE | re.ASCII,  # else `i` would match letters that do not lower to it
)
_BRACKETED = re.compile(r"\(([^()]*)\)")
_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_DATE = re.compile(
    rf"\b[0-9]{{1,2}} (?:{_MONTHS})\b(?: [0-9]{{4}})?|(?<![0-9.,])(?:19|20)[0-9]{{2}}[/-][0-9]{{2,4}}\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"-?(?:19|20)[0-9]{2}")


def plain(line: str) -> str:
    """One line without marks of emphasis and of LaTeX, with one kind of minus, apostrophe and space."""
    line = unicodedata.normalize("NFKC", line)
    line = re.sub(r"\*\*|__|`|\\", "", line)
    line = re.sub(r"[−–—]", "-", line).replace("’", "'")
    return " ".join(line.split())


def without_remarks(line: str) -> str:
    """A plain line in which brackets around a figure alone are a minus, and other bracketed text is left out."""

    def resolved(bracket: re.Match[str]) -> str:
        inner = bracket[1].strip()
        alone = _FIGURE.fullmatch(inner) and not _YEAR.fullmatch(inner)
        is_first = _FIGURE.search(line, 0, bracket.start()) is None
        return f"-{inner.removeprefix('-')}" if alone and is_first else " "

    return " ".join(_BRACKETED.sub(resolved, line).split())


def find_figures(lines: list[str]) -> list[Figure]:
    """The figures of plain lines, in their order."""
    read = (_DATE.sub(" ", without_remarks(line)) for line in lines)
    found = (_read(match) for line in read for match in _FIGURE.finditer(line))
    return [figure for figure in found if not _YEAR.fullmatch(figure.written)]


def _read(match: re.Match[str]) -> Figure:
    number = _to_decimal(match["number"])
    scale = match["scale"] or match["scale_before"]
    currency = match["currency"] or match["currency_after"]
    quantity: Quantity | None = "money" if scale or currency else None
    factor = _SCALES[scale.lower()] if scale else Decimal(1)
    for place, (_, measured, worth) in enumerate(_UNITS):
        if match[f"unit{place}"]:
            quantity, factor = measured, factor * worth
    return Figure(
        written=match[0].strip(),
        number=-number if match["negated"] or match["minus"] else number,
        decimals=_decimals(number),
        factor=factor,
        quantity=quantity,
        currencies=_CURRENCIES[currency.lower()] if currency else frozenset(),
    )


def _to_decimal(written: str) -> Decimal:
    """A number as written; rule 2 of the module tells which sign is the decimal one."""
    digits = written.replace("'", "").replace(" ", "")
    comma_is_last = digits.rfind(",") > digits.rfind(".")
    if comma_is_last and not _GROUPED.fullmatch(digits):
        return Decimal(digits.replace(".", "").replace(",", "."))
    if digits.count(".") > 1:
        return Decimal(digits.replace(".", ""))
    return Decimal(digits.replace(",", ""))


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
