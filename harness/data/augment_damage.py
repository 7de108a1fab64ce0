"""Right answers made wrong, by rules that a plan names."""

import random
from collections.abc import Callable, Mapping

from harness.config.augment_steps import Damage


def damaged(rule: Damage, answer: str, *, wrap: str | None, lot: str) -> str:
    """An answer after one rule; equal to it where the rule finds nothing to do.

    Args:
        rule: What is done.
        answer: The right answer.
        wrap: The text around the answer, with `{answer}` where it goes, for the rule `wrap`.
        lot: What decides the draws of `change_digit`: the same answer and lot give the same text.
    """
    if rule == "wrap":
        return (wrap or "{answer}").replace("{answer}", answer)
    return _change_digit(answer, lot) if rule == "change_digit" else _RULES[rule](answer)


def _drop_first_line(answer: str) -> str:
    """Without the first line, such as a heading; an answer of one line has none to drop."""
    first, line_break, others = answer.partition("\n")
    return others if line_break and others.strip() else first


def _join_lines(answer: str) -> str:
    """On one line."""
    return " ".join(line.strip() for line in answer.splitlines() if line.strip()) if "\n" in answer else answer


def _cut_off(answer: str) -> str:
    """The first two thirds of its characters, as of an answer that met the limit of tokens."""
    kept = answer[: 2 * len(answer) // 3].rstrip()
    return kept if kept.strip() else answer


def _repeat(answer: str) -> str:
    """Twice."""
    return f"{answer}\n{answer}"


def _change_digit(answer: str, lot: str) -> str:
    """One digit is another one: a wrong figure, or a code that means something else or nothing."""
    places = [place for place, sign in enumerate(answer) if sign in "0123456789"]
    if not places:
        return answer
    drawn = random.Random(f"{lot} {answer}")
    place = drawn.choice(places)
    digit = drawn.choice([digit for digit in "0123456789" if digit != answer[place]])
    return f"{answer[:place]}{digit}{answer[place + 1 :]}"


_RULES: Mapping[Damage, Callable[[str], str]] = {
    "drop_first_line": _drop_first_line,
    "join_lines": _join_lines,
    "cut_off": _cut_off,
    "repeat": _repeat,
}
