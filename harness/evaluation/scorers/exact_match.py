"""Whether an answer is the reference, word for word."""

import unicodedata

from harness.records.items import Item
from harness.records.scores import Mark, Metric, Scorer

_TRAILING_PUNCTUATION = ".,;:!?。、"


def exact_match() -> Scorer:
    """Scorer: 1 if the answer equals any reference after normalising, else 0. An empty answer is unparsed, worth 0."""
    return Scorer(
        name="exact_match",
        metric=Metric(
            name="golden/exact_match",
            kind="binary",
            description="Share of answers equal to a reference but for case, white space and final punctuation.",
        ),
        unparsed_value=0.0,
        mark=_mark,
    )


def normalised_answer(text: str) -> str:
    """NFKC, casefold, punctuation at the end of lines dropped, white space (line breaks too) collapsed to one space."""
    lines = unicodedata.normalize("NFKC", text).casefold().splitlines()
    kept = (line.rstrip().rstrip(_TRAILING_PUNCTUATION) or line for line in lines)
    return " ".join(" ".join(kept).split())


def _mark(item: Item, text: str) -> Mark:
    answer = normalised_answer(text)
    if not answer:
        return Mark(value=None, detail="the answer is empty")
    return Mark(value=float(any(answer == normalised_answer(reference) for reference in item.references)))
