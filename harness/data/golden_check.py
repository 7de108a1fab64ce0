"""What is wrong with the items of a golden set, and what a person should look at, line by line.

A defect is certain: the set says something that cannot be so. A hint is a heuristic's, and may be wrong.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.data.encoding_damage import damage_kinds, odd_kinds
from harness.data.fields import show_value
from harness.data.golden import GOLDEN_NAME, GoldenLines
from harness.data.jsonl import read_bytes
from harness.data.near_duplicates import NearTexts, shared_frame
from harness.data.normalise import normalise
from harness.records.items import Item

NEAR = 0.8
"""Jaccard similarity of two questions' runs of three words from which they are near duplicates."""

FEWEST_ITEMS = 30

# How it is told that a reference declines: one of these words or phrases stands in it.
_DECLINES = re.compile(
    r"\b(?:no|not|none|never|nothing|neither|cannot|can't|couldn't|unable|unknown|insufficient|lacks?|lacking|missing"
    r"|impossible|declin\w+|refus\w+|refer\w*|unanswerable|unavailable|n/a)\b|n't\b|\b(?:out of|outside|beyond)\b",
    re.IGNORECASE,
)
_SPELLING = re.compile(r"[\s_-]+")

ItemLine = tuple[int, Item]
Severity = Literal["defect", "hint"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SetFinding:
    """One thing found in a golden set: in which file of its folder, on which line (None: the file as a whole)."""

    file: str
    line: int | None
    severity: Severity
    words: str


def check_items(lines: GoldenLines) -> list[SetFinding]:
    """Everything that can be said of `golden.jsonl` without scorers: each problem of a line, then across lines."""
    asked = [(line, item) for line, item in lines.items if item.retired is None]
    return [
        *(_defect(line, problem) for line, problem in lines.problems),
        *_bytes(lines.path),
        *_repeated(asked),
        *_near(asked),
        *_damaged(lines.items),
        *_spelt_twice("group", asked, lambda item: () if item.group is None else (item.group,)),
        *_spelt_twice("tag", asked, lambda item: item.tags),
        *_not_declined(asked),
        *_balance([item for _, item in asked]),
    ]


def _defect(line: int | None, words: str) -> SetFinding:
    return SetFinding(file=GOLDEN_NAME, line=line, severity="defect", words=words)


def _hint(line: int | None, words: str) -> SetFinding:
    return SetFinding(file=GOLDEN_NAME, line=line, severity="hint", words=words)


def _bytes(path: Path) -> list[SetFinding]:
    """What other programs may change in the file without anybody seeing it, and its hash with it."""
    raw = read_bytes(path)
    found: list[SetFinding] = []
    if raw.startswith(b"\xef\xbb\xbf"):
        found.append(_hint(1, "the file begins with a byte order mark, which other readers refuse. Save without it."))
    ends = [line.endswith(b"\r") for line in raw.split(b"\n")[: raw.count(b"\n")]]
    if any(ends):
        first = ends.index(True) + 1
        mixed = "" if all(ends) else ", others with LF alone"
        words = f"lines end with CR LF here{mixed}; a checkout may turn them and change the hash. Save with LF."
        found.append(_hint(first, words))
    if not raw.endswith(b"\n"):
        found.append(_hint(raw.count(b"\n") + 1, "the last line does not end with a line feed. Add one."))
    return found


def _repeated(asked: Sequence[ItemLine]) -> list[SetFinding]:
    """The same question twice: a duplicate if the references say the same, else a contradiction."""
    found: list[SetFinding] = []
    first: dict[tuple[tuple[str, str], ...], ItemLine] = {}
    for line, item in asked:
        key = tuple((turn.role, _same(turn.content)) for turn in item.input)
        earlier_line, earlier = first.setdefault(key, (line, item))
        if earlier_line == line:
            continue
        whose = f'item "{item.item_id}" asks the same as "{earlier.item_id}" in line {earlier_line}'
        if {_same(one) for one in item.references} & {_same(one) for one in earlier.references}:
            found.append(_defect(line, f"{whose}, so that it counts twice. Keep one of them."))
        else:
            theirs, ours = show_value(earlier.references[0]), show_value(item.references[0])
            words = f"{whose} and has another reference: {ours}, there {theirs}. Settle which is right."
            found.append(_defect(line, words))
    return found


def _near(asked: Sequence[ItemLine]) -> list[SetFinding]:
    """Questions that are nearly the same, without being equal; those of one group are counted as one anyway."""
    texts = NearTexts(NEAR, frame=shared_frame([item.question for _, item in asked]))
    known: set[str] = set()
    found: list[SetFinding] = []
    for number, (line, item) in enumerate(asked):
        key = normalise(item.question)
        if not key or key in known:
            continue
        known.add(key)
        like = texts.similar_or_add(number, item.question)
        if like is None:
            continue
        earlier_line, earlier = asked[like[0]]
        if item.group is None or item.group != earlier.group:
            words = (
                f'item "{item.item_id}" asks nearly the same as "{earlier.item_id}" in line {earlier_line} (similarity '
                f"{like[1]:.2f}). Reword one, or give both the same `group`, so that they do not count as two."
            )
            found.append(_hint(line, words))
    return found


def _damaged(items: Sequence[ItemLine]) -> list[SetFinding]:
    found: list[SetFinding] = []
    for line, item in items:
        for field, text in _texts(item):
            for kind in damage_kinds(text):
                words = f'item "{item.item_id}": "{field}" was decoded wrongly ({kind}). Restore the characters.'
                found.append(_defect(line, words))
            odd = odd_kinds(text) + ([] if unicodedata.is_normalized("NFC", text) else ["letters that are not NFC"])
            for kind in odd:
                found.append(_hint(line, f'item "{item.item_id}": "{field}" holds what nobody sees ({kind}).'))
    return found


def _texts(item: Item) -> list[tuple[str, str]]:
    """Every text of an item by field; each field and text once."""
    texts = [("input", turn.content) for turn in item.input]
    for field in ("references", "must_contain", "must_not_contain", "tags"):
        texts += [(field, text) for text in getattr(item, field)]
    single = (("item_id", item.item_id), ("group", item.group), ("source", item.source), ("notes", item.notes))
    return list(dict.fromkeys([*texts, *((field, text) for field, text in single if text)]))


def _spelt_twice(what: str, asked: Sequence[ItemLine], names_of: Callable[[Item], Sequence[str]]) -> list[SetFinding]:
    """Names that differ only in case, or in what stands between words: slices and clusters fall apart by them."""
    lines: dict[str, dict[str, list[int]]] = {}
    for line, item in asked:
        for name in names_of(item):
            key = _SPELLING.sub(" ", unicodedata.normalize("NFKC", name).casefold()).strip()
            lines.setdefault(key, {}).setdefault(name, []).append(line)
    found: list[SetFinding] = []
    for spellings in lines.values():
        usual = max(spellings, key=lambda name: len(spellings[name]))
        found += [
            _defect(
                line, f'the {what} "{name}" is written "{usual}" in line {spellings[usual][0]}. Write it in one way.'
            )
            for name, places in spellings.items()
            for line in places
            if name != usual
        ]
    return found


def _not_declined(asked: Sequence[ItemLine]) -> list[SetFinding]:
    """Out-of-scope items whose reference gives an answer, by its words: no word of declining stands in it."""
    return [
        _hint(
            line,
            f'item "{item.item_id}" is out_of_scope, and no word of its reference declines (such as "not", "cannot", '
            f'"insufficient", "none"): {show_value(reference)}. Say there that it has no answer, or change `kind`.',
        )
        for line, item in asked
        if item.kind == "out_of_scope"
        for reference in item.references
        if not _DECLINES.search(reference)
    ]


def _balance(asked: Sequence[Item]) -> list[SetFinding]:
    found: list[SetFinding] = []
    if asked and all(item.sealed for item in asked):
        words = "every item is sealed, so that a run would answer nothing. Leave some items unsealed to develop on."
        found.append(_defect(None, words))
    kinds = Counter(item.kind for item in asked)
    absent = [kind for kind in ("edge", "adversarial", "out_of_scope") if not kinds[kind]]
    if asked and absent:
        words = f"no item is {' or '.join(absent)}: what systems do with such questions is not known. Add some."
        found.append(_hint(None, words))
    if 0 < len(asked) < FEWEST_ITEMS:
        are = "1 item is" if len(asked) == 1 else f"{len(asked)} items are"
        words = f"{are} asked; under {FEWEST_ITEMS} hardly any difference shows: `harness golden power`."
        found.append(_hint(None, words))
    return found + _answers(asked)


def _answers(asked: Sequence[Item]) -> list[SetFinding]:
    """References that are classes (few, each often), the largest over five times the smallest."""
    counts = Counter(normalise(item.references[0]) for item in asked)
    if not counts or len(counts) < 2 or len(counts) > 10 or min(counts.values()) < 2:
        return []
    (most, often), (least, seldom) = counts.most_common()[0], counts.most_common()[-1]
    if often <= 5 * seldom:
        return []
    words = (
        f'the answer "{most[:40]}" stands {often} times, "{least[:40]}" {seldom} times: guessing the first looks good.'
    )
    return [_hint(None, words)]


def _same(text: str) -> str:
    return normalise(text) or text.strip()


def line_of(lines: GoldenLines) -> Mapping[str, int]:
    """The line of each item that could be read, by id."""
    return {item.item_id: line for line, item in reversed(lines.items)}
