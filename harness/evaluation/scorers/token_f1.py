"""How many words an answer shares with the reference."""

from collections import Counter

from harness.evaluation.scorers.words import answer_words
from harness.records.items import Item
from harness.records.scores import Mark, Metric, Scorer


def token_f1() -> Scorer:
    """Scorer: F1 of the answer's words against a reference's, in [0, 1]; the best over the references.

    Words are counted as often as they stand there, in any order. An answer without a word is unparsed, worth 0. It
    measures wording, not truth: "not in Paris" has 0.8 against "in Paris".

    Source: the F1 of SQuAD (Rajpurkar et al. 2016); see `answer_words` for what is a word.
    """
    return Scorer(
        name="token_f1",
        metric=Metric(
            name="golden/token_f1",
            kind="graded",
            description="Words shared with the reference (F1 of precision and recall), averaged over answers.",
        ),
        unparsed_value=0.0,
        mark=_mark,
    )


def _mark(item: Item, text: str) -> Mark:
    given = answer_words(text)
    if not given:
        return Mark(value=None, detail="the answer has no words")
    return Mark(value=max(_f1(given, answer_words(reference)) for reference in item.references))


def _f1(given: tuple[str, ...], due: tuple[str, ...]) -> float:
    shared = (Counter(given) & Counter(due)).total()
    return 2 * shared / (len(given) + len(due))
