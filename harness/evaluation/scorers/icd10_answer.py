"""Which ICD-10-CM codes an answer gives, however it is written.

Base models do not write the format that fine-tuned ones learn. If only that format could be read, a system would win by
its layout; layout has a metric of its own (`format_valid`). So the reading is lenient where it is safe:

1. A *list line* gives its codes in any case, with or without a dot, whether they exist or not. It is: an optional
   bullet or number, an optional label ending in `code:` or `codes:`, then a code, or several with commas or `and`
   between, then the end of the line, or one of `( : -` and no number. `- j45.909 (asthma)`, `1. I10: Hypertension`,
   `ICD-10 codes: I10, E11.9`; not `- A1C 9.2%`, `- A1C: 9.2%`, `B12, folate and iron`.
2. Anywhere else a code with a dot counts in any case, if a digit stands after the dot or the code list knows it
   (`j45.909`, `F32.A`; not `B12.The`, a full stop without a space).
3. Anywhere else three characters without a dot count only in upper case, only if the code list knows them, and not
   after a hyphen (`the code is I10`; not `A1C 9.2`, `vitamin B12`, `T12 fracture`, `N95 mask`, `HLA-B27`, `D50 IV`,
   none of which is a billable code; `T4` and `500MG` do not have the shape).
4. A line that says NONE or `No codable diagnosis`, in any case, with an optional bullet, label or remark (in brackets,
   after a colon or a dash), is the empty answer, unless the answer also gives codes: then it gives those.

What can still go wrong: a code that the text rejects ("not J45.909") counts as given; so does one shaped `T37.5`, which
may be a temperature, and a line `- B12: low`; a dotless code that does not exist is seen only in list lines.

U is among the letters since U07.1 (2020); QA0 (2026) is the one category with a letter in second place.
"""

import re
import unicodedata
from collections.abc import Iterator

_CATEGORY = r"(?:[A-Z][0-9]|QA)[0-9A-Z]"
CODE = rf"{_CATEGORY}(?:\.[0-9A-Z]{{1,4}})?"
"""The shape of a code, in upper case, for use inside a pattern."""

_BULLET = r"\s*(?:(?:[-*+>•‣·–—]|\d{1,2}[.)])\s*)*"
_LABEL = r"(?:[^:\n]{0,40}\bcodes?(?:\(s\))?\s*[*_]*:\s*)?"
_QUOTE = r"[*_`\"'\[]*"
_UNQUOTE = r"[*_`\"'\]]*"
_LIST_START = re.compile(rf"{_BULLET}{_QUOTE}{_LABEL}{_QUOTE}", re.IGNORECASE)
_BETWEEN = rf"(?:\s*[,;|/]\s*(?:and\s+)?|\s+and\s+){_QUOTE}"
_NEXT = re.compile(_BETWEEN, re.IGNORECASE)
_LIST_CODE = re.compile(rf"({CODE}){_UNQUOTE}(?=\s*$|\s*[(:–—-](?!\s*\d)|{_BETWEEN}{CODE}(?![A-Z0-9]))", re.IGNORECASE)
_NONE = re.compile(
    rf"(?:none|no codable diagnosis){_UNQUOTE}\.?{_UNQUOTE}(?:\s*\(.*|\s*:.*|\s+[–—-].*)?\s*", re.IGNORECASE
)
_DOTTED = re.compile(rf"(?<![A-Za-z0-9.])({_CATEGORY}\.[0-9A-Z]{{1,4}})(?![A-Za-z0-9])", re.IGNORECASE)
_DOTLESS = re.compile(rf"(?<![A-Za-z0-9.-])({_CATEGORY})(?![A-Za-z0-9]|\.[A-Za-z0-9])")
_FORMAT = re.compile(rf"ICD-10 Codes:(?:(?:\n- {CODE} \(\S.*\))+|\n- NONE \(No codable diagnosis\))")
_CODE_ONLY = re.compile(CODE)
_CODE_OF_LINE = re.compile(rf"^- ({CODE}) ", re.MULTILINE)


def parse_codes(text: str, known_codes: frozenset[str]) -> frozenset[str] | None:
    """The distinct codes that an answer gives, in upper case.

    Args:
        text: The answer, or a reference.
        known_codes: Every code that exists, in upper case; decides on what has the shape of a code but may not be one.

    Returns:
        The codes; the empty set if the answer says that there is none; None if it says neither.
    """
    lines = unicodedata.normalize("NFKC", text).splitlines()
    codes = frozenset(code for line in lines for code in _codes_of(line, known_codes))
    if codes:
        return codes
    return frozenset[str]() if any(_says_none(line) for line in lines) else None


def is_format_valid(text: str) -> bool:
    """Whether an answer is exactly the demanded format, but for white space around it.

    That is the line `ICD-10 Codes:`, then either lines `- CODE (description)` that repeat no code, or the one line
    `- NONE (No codable diagnosis)`. The codes need not exist.
    """
    answer = "\n".join(text.strip().splitlines())
    codes: list[str] = _CODE_OF_LINE.findall(answer)
    return _FORMAT.fullmatch(answer) is not None and len(codes) == len(set(codes))


def is_code(text: str) -> bool:
    """Whether a text has the shape of one code, in upper case and with its dot."""
    return _CODE_ONLY.fullmatch(text) is not None


def _says_none(line: str) -> bool:
    start = _LIST_START.match(line)
    return start is not None and _NONE.fullmatch(line, start.end()) is not None


def _codes_of(line: str, known_codes: frozenset[str]) -> Iterator[str]:
    yield from _listed(line)
    for code in _DOTTED.findall(line):
        upper = code.upper()
        if any(character.isdigit() for character in upper.partition(".")[2]) or upper in known_codes:
            yield upper
    yield from (code for code in _DOTLESS.findall(line) if code in known_codes)


def _listed(line: str) -> Iterator[str]:
    """Codes at the start of a list line."""
    start = _LIST_START.match(line)
    while start and (found := _LIST_CODE.match(line, start.end())):
        yield found.group(1).upper()
        start = _NEXT.match(line, found.end())
