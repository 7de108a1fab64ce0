"""Facts of a text that a rewriting must keep: numbers, codes, names, words of the answer, and whether it denies.

Heuristics of spelling, without a model: they cannot see that "43" became "forty-three" (which is dropped), nor that a
fact without a number, code or name was changed (which is not).
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from harness.config.augment_steps import Kept
from harness.data.normalise import normalised_words

_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*")
_GROUPING = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_CODE = re.compile(r"\b[^\W\d_]\w*\d\w*(?:[.-]\w*\d\w*)*")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"(?:^|[.!?:;\n])[\s\"'“”‘’(\[*-]*$")
_FEWEST_LETTERS = 4
_DENYING = "no not never none nobody nothing without denies denied deny cannot neither nor negative absent unable"
_NEGATIONS = frozenset(_DENYING.split())
_OF_ONE = frozenset({"i", "ok"})


def lost_and_added(kind: Kept, parent: str, text: str, *, answer: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Facts of the parent that a text lacks, and facts of the text that the parent lacks, each in order of spelling.

    Of names and words of the answer, those that stand anywhere in the other text are there, whatever their case.

    Args:
        kind: Which facts.
        parent: The text that was rewritten.
        text: What it was rewritten as.
        answer: What the parent is answered with.
    """
    match kind:
        case "answer_words":
            here, there = _words(parent), _words(text)
            return tuple(sorted((content_words(answer) & here) - there)), ()
        case "names":
            lost = _names(parent) - _words(text)
            return tuple(sorted(lost)), tuple(sorted(_names(text) - _words(parent)))
        case _:
            find = _FINDERS[kind]
            before, after = find(parent), find(text)
            return tuple(sorted(before - after)), tuple(sorted(after - before))


def lost_terms(terms: Sequence[str], parent: str, text: str) -> tuple[str, ...]:
    """Words and phrases that stand in the parent and not in the text, case and punctuation aside."""
    return tuple(term for term in terms if stands_in(term, parent) and not stands_in(term, text))


def stands_in(inner: str, outer: str) -> bool:
    """Whether the words of `inner`, of which there is one at least, are a run of the words of `outer`."""
    words = normalised_words(inner)
    return bool(words) and f" {' '.join(words)} " in f" {' '.join(normalised_words(outer))} "


def content_words(text: str) -> frozenset[str]:
    """Words of four letters or more, in lower case."""
    return frozenset(word for word in _words(text) if len(word) >= _FEWEST_LETTERS)


def numbers(text: str) -> frozenset[str]:
    """Numbers outside of words and codes, without separators of thousands: `1,234.5` is `1234.5`."""
    return frozenset(_GROUPING.sub("", found) for found in _NUMBER.findall(unicodedata.normalize("NFKC", text)))


def _codes(text: str) -> frozenset[str]:
    """Words of letters and digits that begin with a letter: `B02.9`, `A1c`."""
    return frozenset(code.upper() for code in _CODE.findall(text))


def _names(text: str) -> frozenset[str]:
    """Words with a capital within a sentence, and words in capitals, in lower case."""
    found: set[str] = set()
    for match in _WORD.finditer(text):
        word = match[0]
        in_capitals = len(word) > 1 and word.isupper()
        within = word[0].isupper() and _SENTENCE_END.search(text, 0, match.start()) is None
        if in_capitals or within:
            found.update(part for part in _parts(word) if part not in _OF_ONE)
    return frozenset(found)


def _negations(text: str) -> frozenset[str]:
    """`{"negation"}` where an English word of denial stands in the text."""
    words = (word.casefold().replace("’", "'") for word in _WORD.findall(text))
    return frozenset({"negation"}) if any(word in _NEGATIONS or word.endswith("n't") for word in words) else frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(part for word in _WORD.findall(text) for part in _parts(word))


def _parts(word: str) -> list[str]:
    """The parts of a word with a hyphen or an apostrophe, in lower case, without a possessive `s`."""
    first, *others = re.split(r"['’-]", word.casefold())
    return [first, *(part for part in others if len(part) > 1)]


_FINDERS: Mapping[Kept, Callable[[str], frozenset[str]]] = {
    "numbers": numbers,
    "codes": _codes,
    "negations": _negations,
}
