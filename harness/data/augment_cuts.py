"""Inputs without their deciding part, which are to be refused instead of answered."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import assert_never

from harness.config.augment_steps import Cut, RefusalStep
from harness.data.augment_facts import content_words, numbers, stands_in
from harness.data.augment_made import Made, Maker, Reason
from harness.data.augment_source import Original, draw
from harness.data.normalise import normalise, normalised_words

# A full stop inside a number, or after a single capital, ends nothing.
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])(?<!\b[A-Z]\.)(?:\s+|(?<=[。！？]))|(?<=\n)")
_LINE_END = re.compile(r"(?<=\n)")


def refusals(step: RefusalStep, cut: Cut, maker: Maker, originals: Sequence[Original]) -> list[Made]:
    """The drawn records with the deciding part of their input cut out and the refusal for an answer.

    They may be like their own parent, and like records of its group: that only the deciding part differs is meant.
    """
    of_group: dict[str, list[int]] = {}
    for one in originals:
        if one.record.group is not None:
            of_group.setdefault(one.record.group, []).append(one.number)
    made: list[Made] = []
    for parent in draw(originals, step.sample, step.tags, lot=maker.lot):
        if normalise(parent.record.completion) == normalise(step.answer):
            made.append(maker.drop("already_refused", parent.input, (parent,)))
            continue
        left = cut_input(cut, parent)
        if failing := _failing(cut, parent, left):
            made.append(maker.drop(failing, left, (parent,)))
            continue
        value = parent.with_answer(parent.with_input(left), step.answer)
        besides = {parent.number, *of_group.get(parent.record.group or "", ())}
        made.append(maker.keep(value, (parent,), said={"cut": cut.model_dump(exclude_defaults=True)}, besides=besides))
    return made


def cut_input(cut: Cut, parent: Original) -> str:
    """The parent's input without the parts that the rule chooses."""
    parts = _parts(cut, parent.input)
    gone = _chosen(cut, parts, parent.record.completion)
    return "".join(part for number, part in enumerate(parts) if number not in gone).strip()


def _parts(cut: Cut, text: str) -> list[str]:
    """Sentences or lines, each with the white space after it."""
    ends = [end.end() for end in (_SENTENCE_END if cut.unit == "sentence" else _LINE_END).finditer(text)]
    parts = (text[start:end] for start, end in pairwise([0, *ends, len(text)]))
    return [part for part in parts if part]


def _failing(cut: Cut, parent: Original, left: str) -> Reason | None:
    if left == parent.input.strip():
        return "nothing_to_cut"
    return "too_little_left" if len(normalised_words(left)) < cut.fewest_words_left else None


def _chosen(cut: Cut, parts: Sequence[str], answer: str) -> set[int]:
    written = [number for number, part in enumerate(parts) if part.strip()]
    match cut.where:
        case "first":
            return {*written[:1]}
        case "last":
            return {*written[-1:]}
        case "terms":
            return {n for n, part in enumerate(parts) if any(stands_in(term, part) for term in cut.terms)}
        case "pattern":
            return {n for n, part in enumerate(parts) if re.search(cut.pattern or "", part)}
        case "answer":
            words, figures = content_words(answer), numbers(answer)
            return {n for n, part in enumerate(parts) if content_words(part) & words or numbers(part) & figures}
        case _:
            assert_never(cut.where)
