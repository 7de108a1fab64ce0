"""What stands behind a difference of a pass/fail metric: answers lost and won, and whether their form or their content.

An answer that has no readable form is wrong, but a model that lost the format may still have the knowledge. So lost
answers are told apart: those the candidate gives in no readable form, and those it gives readably and wrong.
"""

from collections.abc import Sequence

from harness.records.scores import Score


def flip_words(candidate: str, ours: Sequence[Score], baseline: str, theirs: Sequence[Score]) -> str:
    """How many answers flipped, and how many of them by their form alone; empty where none did.

    Args:
        candidate: Its name.
        ours: Its scores on a pass/fail metric.
        baseline: Its name.
        theirs: Its scores; items pair by id, hash and sample.
    """
    before = {(score.item_id, score.item_hash, score.sample_index): score for score in theirs}
    lost: list[Score] = []
    won: list[Score] = []  # the baseline's answers in place of which the candidate's are right
    for score in ours:
        other = before.get((score.item_id, score.item_hash, score.sample_index))
        if other is None or score.value is None or other.value is None or score.value == other.value:
            continue
        if score.value < other.value:
            lost.append(score)
        else:
            won.append(other)
    if not lost and not won:
        return ""
    said = f"{len(won)} wrong to right{_unreadable(won, baseline)}"
    return f"{said}, {len(lost)} right to wrong{_unreadable(lost, candidate)}."


def _unreadable(scores: Sequence[Score], name: str) -> str:
    """`(12 of them in no readable form from rag)`; empty where every answer could be read."""
    count = sum(score.status == "unparsed" for score in scores)
    return f" ({count} of them in no readable form from {name})" if count else ""
