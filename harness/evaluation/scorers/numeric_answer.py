"""Which figure an answer gives, or that it says that the information is insufficient, however it is written.

Base models do not write the format that fine-tuned ones learn, so the reading is lenient where that is safe; layout has
a metric of its own (`format_valid`). How a figure itself may be written is told in `figure.py`.

1. The answer is what stands after the last `Answer:` (or `answer is`, `boxed{`) up to the end of that line, or on the
   next line. There it is the figure after the last `=`. Figures that differ are no answer.
2. A text without such a mark answers with its last figure.
3. Words such as `insufficient information`, `cannot be determined` or `not given` say that the information is
   insufficient, unless a figure is claimed all the same: a claimed figure outranks them. After the mark any figure is
   claimed; in running text one that follows such words and then a word such as `but`, `about`, `assuming` or `=`.

What can still go wrong: `a loss of EUR 5m` is read as positive; in running text a figure that is only compared with
("up from 28 %") is taken for the answer if it comes last.
"""

import re
from typing import Final, Literal

from harness.evaluation.scorers.figure import CURRENCY_CODES, Figure, find_figures, plain, without_remarks

INSUFFICIENT: Final = "insufficient information"
"""What an answer says when the question cannot be answered from what is given."""

_NUMBER = r"-?[0-9]{1,3}(?:,[0-9]{3})*(?:\.[0-9]+)?"
_MONEY = rf"(?:{'|'.join(CURRENCY_CODES)}) {_NUMBER}(?: (?:thousand|million|billion))?"
_FORMAT = re.compile(rf"Working: \S.*\nAnswer: (?:{_NUMBER} (?:%|pp|x|days|months)|{_MONEY}|{INSUFFICIENT})")
_MARK = re.compile(r"\banswer\b ?(?::|=|is\b):? ?|boxed\{", re.IGNORECASE)
_GIVE = "give|disclose|provide|state|report|show|include|contain|specify"
_GIVEN = "given|disclosed|provided|stated|reported|shown|included|specified|available|known"
_WORK_OUT = "determine|calculate|compute|derive|answer|establish|say|tell|know"
_WORKED_OUT = "determined|calculated|computed|derived|answered|established|known|worked out"
_INSUFFICIENT = re.compile(
    r"\binsufficient\b|\bnot (?:enough|sufficient)\b|\bno (?:information|data)\b|\bn/a\b|\bundeterminable\b"
    rf"|\b(?:can ?not|can't|could not|couldn't) be (?:\w+ )?(?:{_WORKED_OUT})\b"
    rf"|\b(?:can ?not|can't|(?:impossible|not possible|unable|not able) to) (?:{_WORK_OUT})\b"
    rf"|\b(?:not|never|isn't|aren't|wasn't) (?:{_GIVEN})\b"
    rf"|\b(?:does not|do not|doesn't|don't) (?:{_GIVE})\b",
    re.IGNORECASE,
)
_CLAIM = re.compile(r"\b(?:but|however|assum\w*|approximately|about|roughly|around|estimat\w*)\b|[=≈~]", re.IGNORECASE)


def parse_answer(text: str) -> Figure | Literal["insufficient information"] | None:
    """What an answer gives.

    Args:
        text: The answer, or a reference.

    Returns:
        The figure; `INSUFFICIENT` if the answer says that the information is; None if it says neither, or several
        figures after its mark.
    """
    lines = [plain(line) for line in text.splitlines()]
    marked = _after_mark(lines)
    if marked is not None:
        return _of_marked(marked)
    running = "\n".join(without_remarks(line) for line in lines)
    said = _INSUFFICIENT.search(running)
    claim = _CLAIM.search(running, said.end()) if said else None
    if said and not (claim and find_figures([running[claim.end() :]])):
        return INSUFFICIENT
    figures = find_figures(lines)
    return figures[-1] if figures else None


def is_format_valid(text: str) -> bool:
    """Whether an answer is exactly in the demanded format, but for white space around it.

    That is a line `Working: ...`, then a line `Answer: ...` with a number and `%`, `pp`, `x`, `days` or `months`, or
    with a currency's code, a number and perhaps `thousand`, `million` or `billion`, or with `insufficient information`.
    Numbers are written as in `-1,234.5`. Whether working, value and unit are right is not asked.
    """
    return _FORMAT.fullmatch("\n".join(text.strip().splitlines())) is not None


def _after_mark(lines: list[str]) -> str | None:
    """What the last mark with something after it announces, on its line or on the next; None without such a mark."""
    following = ""
    for line in reversed(lines):
        before = line
        for mark in reversed(list(_MARK.finditer(line))):
            announced = before[mark.end() :]
            if announced.strip(" .") or following:
                return announced if announced.strip(" .") else following
            before = line[: mark.start()]
        following = before or following
    return None


def _of_marked(announced: str) -> Figure | Literal["insufficient information"] | None:
    *_, after_equals = re.split(r"[=≈]", announced)
    figures = find_figures([after_equals]) or find_figures([announced])
    if not figures:
        return INSUFFICIENT if _INSUFFICIENT.search(announced) else None
    said = {(figure.value, figure.quantity) for figure in figures}  # EUR 3.4m, that is EUR 3,400 thousand
    return figures[-1] if len(said) == 1 else None
