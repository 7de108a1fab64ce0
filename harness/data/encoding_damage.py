"""Characters that are not what was meant: damage by a wrong decoding, control and invisible characters."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from harness.data.audit_finding import Check, Observation, kinds_found, of_records, unique
from harness.data.audit_records import AuditedRecord

_REPLACEMENT = "\ufffd"


def _as_windows_text(first: int, last: int) -> str:
    """The characters that the bytes `first` to `last` are in Windows-1252 (in Latin-1 where it has none), escaped."""
    texts = (bytes([byte]).decode("cp1252", errors="ignore") or chr(byte) for byte in range(first, last + 1))
    return "".join(re.escape(text) for text in texts)


# UTF-8 read as Windows-1252: a lead byte's character, then continuation bytes' characters. Of leads that also stand
# before a closing quote in real text, two characters in a row are asked for.
_NEXT = f"[{_as_windows_text(0x80, 0xBF)}]"
_MOJIBAKE = re.compile(
    f"[ÂÃÄÅ]{_NEXT}|(?:[ÎÏÐÑ]{_NEXT}){{2,}}|[âï]{_NEXT}{{2}}|(?:[ã-é]{_NEXT}{{2}}){{2,}}|ð{_NEXT}{{3}}"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Joiners are right within emoji and in scripts that join; beside a Latin letter or digit they are not.
_INVISIBLE = re.compile(r"[\u00ad\u180e\u200b\u2060\ufeff]|(?<=[!-~])[\u200c\u200d]|[\u200c\u200d](?=[!-~])")
_DIRECTION = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def damage_kinds(text: str) -> list[str]:
    """Signs of a wrong decoding in a text."""
    kinds = ["replacement character (U+FFFD)"] if _REPLACEMENT in text else []
    return [*kinds, "UTF-8 read as Windows-1252"] if not text.isascii() and _MOJIBAKE.search(text) else kinds


def odd_kinds(text: str) -> list[str]:
    """Characters in a text that nobody sees and nobody typed on purpose."""
    kinds = ["control character"] if _CONTROL.search(text) else []
    if not text.isascii():
        kinds += ["invisible character"] if _INVISIBLE.search(text) else []
        kinds += ["direction mark"] if _DIRECTION.search(text) else []
    return kinds


def find_damage(records: Sequence[AuditedRecord]) -> list[Observation]:
    """Damaged, odd and differently composed characters, and line ends of two kinds."""
    return [
        *_find(records, "encoding_damage", damage_kinds, "Text that was decoded wrongly"),
        *_find(records, "odd_characters", odd_kinds, "Characters that are not seen"),
        *_find(records, "normal_form", _uncomposed, "Letters that are not composed (Unicode NFC)"),
        *_mixed_line_ends(records),
    ]


def _find(
    records: Sequence[AuditedRecord], check: Check, kinds_of: Callable[[str], list[str]], said: str
) -> list[Observation]:
    found = [(record.line, kind) for record in records for text in record.texts for kind in kinds_of(text)]
    if not found:
        return []
    lines = unique(line for line, _ in found)
    kinds = Counter(kind for _, kind in set(found))
    return [
        Observation(
            check=check,
            sentence=f"{said}: {of_records(len(lines), len(records))}, {kinds_found(kinds)}.",
            value=len(lines) / len(records),
            lines=lines,
            examples=tuple(f"line {line}: {kind}" for line, kind in dict.fromkeys(found)),
        )
    ]


def _uncomposed(text: str) -> list[str]:
    return [] if unicodedata.is_normalized("NFC", text) else ["not NFC"]


def _mixed_line_ends(records: Sequence[AuditedRecord]) -> list[Observation]:
    """Records with the rarer of two kinds of line ends."""
    with_return = {record.line for record in records if any("\r" in text for text in record.texts)}
    bare = re.compile(r"(?<!\r)\n")
    without = {record.line for record in records if any(bare.search(text) for text in record.texts)}
    rarer = min((with_return, without), key=len)
    if not rarer:
        return []
    name = "a carriage return" if rarer is with_return else "a line feed alone"
    return [
        Observation(
            check="line_ends",
            sentence=f"Lines that end with {name}, where others do not: {of_records(len(rarer), len(records))}.",
            value=len(rarer) / len(records),
            lines=unique(rarer),
        )
    ]
