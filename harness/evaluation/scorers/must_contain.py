"""Whether an answer says what it must and nothing that it must not."""

import unicodedata
from collections.abc import Iterable

from harness.records.items import Item
from harness.records.scores import Mark, Metric, Scorer


def must_contain() -> Scorer:
    """Scorer: 1 if every `must_contain` and no `must_not_contain` of the item stands in the answer, else 0.

    Compared after NFKC and casefold, with white space collapsed; inside words too ("asthma" stands in "asthmatic").
    An empty answer is unparsed, worth 0.
    """
    return Scorer(
        name="must_contain",
        metric=Metric(
            name="golden/must_contain",
            kind="binary",
            description="Share of answers with every phrase that the item demands and none that it forbids.",
        ),
        unparsed_value=0.0,
        mark=_mark,
    )


def _mark(item: Item, text: str) -> Mark:
    answer = _plain(text)
    if not answer:
        return Mark(value=None, detail="the answer is empty")
    absent = [phrase for phrase in item.must_contain if _plain(phrase) not in answer]
    present = [phrase for phrase in item.must_not_contain if _plain(phrase) in answer]
    detail = "; ".join([*_said("absent", absent), *_said("forbidden", present)])
    return Mark(value=float(not absent and not present), detail=detail or None)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _said(what: str, phrases: Iterable[str]) -> list[str]:
    return [f'{what}: "{phrase}"' for phrase in phrases]
