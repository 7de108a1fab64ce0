"""Whether the reference stands in the answer."""

from harness.evaluation.scorers.words import answer_words
from harness.records.items import Item
from harness.records.scores import Mark, Metric, Scorer


def contains_reference() -> Scorer:
    """Scorer: 1 if the words of any reference stand in the answer as they follow each other, else 0.

    Whole words only: "4" stands neither in "42" nor in "4.5". An answer without a word is unparsed, worth 0. It is
    for short answers, and lenient: a sentence that denies the reference passes, and so does a list of guesses.
    """
    return Scorer(
        name="contains_reference",
        metric=Metric(
            name="golden/contains_reference",
            kind="binary",
            description="Share of answers in which a reference stands, word for word.",
        ),
        unparsed_value=0.0,
        mark=_mark,
    )


def _mark(item: Item, text: str) -> Mark:
    given = answer_words(text)
    if not given:
        return Mark(value=None, detail="the answer has no words")
    return Mark(value=float(any(_stands_in(answer_words(reference), given) for reference in item.references)))


def _stands_in(due: tuple[str, ...], given: tuple[str, ...]) -> bool:
    """Whether `due`, which is not empty, is a run of `given`."""
    starts = range(len(given) - len(due) + 1)
    return bool(due) and any(given[start : start + len(due)] == due for start in starts)
