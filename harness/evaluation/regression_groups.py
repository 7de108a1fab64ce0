"""Which MMLU items stand together: they share a passage, or are the same item twice."""

from collections.abc import Sequence

SHARED_PASSAGE_CHARS = 280


def passage_groups(questions: Sequence[str], choices: Sequence[Sequence[str]]) -> list[str | None]:
    """A label for each item of one subject that shares a passage with another item of it, or repeats it; else None.

    Items share a passage when their questions begin with the same 280 or more characters. 280 is what the data asks
    for: the longest instruction that unrelated items share has 271 ("... determine whether the argument is valid ...",
    formal logic), and all but a handful of the passages of the three history subjects are longer. Duplicates (same
    question, same choices) stand together however short they are.

    Returns:
        The index of the group's first item, as text, in item order.
    """
    order = sorted(range(len(questions)), key=lambda index: (questions[index], tuple(choices[index]), index))
    together: list[list[int]] = []
    for index in order:
        before = together[-1][-1] if together else None
        if before is not None and _belong(before, index, questions, choices):
            together[-1].append(index)
        else:
            together.append([index])
    groups: list[str | None] = [None] * len(questions)
    for members in together:
        if len(members) > 1:
            for index in members:
                groups[index] = str(min(members))
    return groups


def _belong(one: int, other: int, questions: Sequence[str], choices: Sequence[Sequence[str]]) -> bool:
    if questions[one] == questions[other] and list(choices[one]) == list(choices[other]):
        return True
    opening = questions[one][:SHARED_PASSAGE_CHARS]
    return len(opening) == SHARED_PASSAGE_CHARS and questions[other].startswith(opening)
