"""Whether an answer gives the right one of a few labels, and whether it gives the label alone.

Base models wrap the label ("Label: Legal.", "This goes to the legal desk"), so the reading is lenient, and layout has a
metric of its own (`format_valid`), as for codes (`icd10_answer.py`). A label counts wherever it stands as a word of its
own, in any case, with space, hyphen or underscore between its words. An answer with no label, or with two different
ones, is unparsed: to take the first would reward a model that lists them all.

What can still go wrong: a label counts as given where the text rejects it ("not legal") or uses it as a common word ("a
medical emergency"); another form of the word ("financial" for `finance`) does not count.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import partial

from harness.records.items import GoldenSet, Item
from harness.records.scores import Mark, Metric, Scorer

_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def label_correct(labels: frozenset[str]) -> Scorer:
    """Scorer: 1 if the answer gives the label of any reference, else 0. No label, or several, is unparsed, worth 0.

    Args:
        labels: Every label of the golden set, as written; chance is one over their number.
    """
    written = {_key(label): label for label in sorted(labels)}
    return Scorer(
        name="label_correct",
        metric=Metric(
            name="golden/label_correct",
            kind="binary",
            chance=1 / len(written),
            description=f"Share of answers with the right label of {', '.join(written.values())}.",
        ),
        unparsed_value=0.0,
        mark=partial(_mark, written),
    )


def format_valid(labels: frozenset[str]) -> Scorer:
    """Scorer: 1 if the answer is a label as written and nothing else but white space around it, else 0."""
    return Scorer(
        name="format_valid",
        metric=Metric(
            name="golden/format_valid",
            kind="binary",
            description="Share of answers that are a label and nothing else.",
        ),
        unparsed_value=0.0,
        mark=lambda _, text: Mark(value=float(text.strip() in labels)),
    )


def labels_of(golden_set: GoldenSet) -> frozenset[str]:
    """The labels of a golden set: every reference of its items, as written."""
    return frozenset(reference.strip() for item in golden_set.items for reference in item.references)


def label_problems(golden_set: GoldenSet) -> list[str]:
    """What keeps the references of a golden set from being labels that can be told apart."""
    labels = sorted(labels_of(golden_set))
    spellings: dict[str, list[str]] = {}
    for label in labels:
        spellings.setdefault(_key(label), []).append(label)
    problems = [
        f"one label is written in several ways: {', '.join(map(repr, same))}. Write it in one."
        for same in spellings.values()
        if len(same) > 1
    ]
    problems += [
        f"the label {label!r} has no letter or digit, so that it cannot be told from punctuation. Use a word."
        for label in labels
        if not any(character.isalnum() for character in label)
    ]
    if len(spellings) < 2:
        problems.append(
            f"every reference is {labels[0]!r}; a label is one of at least two. Add items with another one."
        )
    return problems


def _mark(written: Mapping[str, str], item: Item, text: str) -> Mark:
    given = _read(text, written)
    if len(given) != 1:
        seen = f"several labels: {', '.join(sorted(given))}" if given else "no label"
        return Mark(value=None, detail=f"the answer gives {seen}; due {' or '.join(item.references)}")
    (label,) = given
    due = {_key(reference) for reference in item.references}
    return Mark(value=float(_key(label) in due), detail=f"given {label}; due {' or '.join(item.references)}")


def _read(text: str, written: Mapping[str, str]) -> frozenset[str]:
    longest_first = sorted(written, key=len, reverse=True)
    either = "|".join(r"[\s_-]+".join(re.escape(word) for word in key.split()) for key in longest_first)
    # Letters or digits beside it, or joined to it by a hyphen, make another word: "non-medical" is not "medical".
    pattern = rf"(?<![^\W_])(?<![^\W_]-)(?:{either})(?!-?[^\W_])"
    return frozenset(written[_key(found)] for found in re.findall(pattern, _plain(text)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _key(label: str) -> str:
    """A label in the form in which two spellings of it are equal."""
    return _BETWEEN_WORDS.sub(" ", _plain(label)).strip()
