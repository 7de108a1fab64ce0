"""The overlap guard: nothing that is learned may stand in what is scored.

Two texts overlap if they are equal, equal after normalising (case, width, punctuation, white space), if one stands in
the other, if half of an item's runs of 13 words stand in a record, or if the two are nearly the same. Runs of words
that many items or many records share, or that stand in the prompt's templates, do not count. Paraphrases are not found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.data.fields import show_value
from harness.data.normalise import normalised_words
from harness.data.overlap_index import WHOLE_WORDS, LearnedText, OverlapIndex, OverlapKind, ScoredItem
from harness.errors import OverlapError, problems_message
from harness.records.items import GoldenSet, Item
from harness.records.training import TrainingRecord, TrainingSet

_SAID: Mapping[OverlapKind, str] = {
    "exact": "the same text",
    "normalised": "the same text but for case, punctuation or white space",
    "item_in_record": "the item stands inside the record",
    "record_in_item": "the record stands inside the item",
    "mostly_in_record": "{percent:.0f} % of the item stands inside the record",
    "similar": "nearly the same text ({percent:.0f} % of all runs of 3 words are shared)",
}
_STRONGEST: tuple[OverlapKind, ...] = tuple(_SAID)


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlap:
    """A training record and an item that share a text. `line` is that of the record, `text` the shared one.

    `share` is in (0, 1]: of the item's own runs of 13 words where only part of it stands in the record, the Jaccard
    index of runs of 3 words where the texts are nearly the same, else 1.
    """

    line: int
    item_id: str
    kind: OverlapKind
    text: str
    share: float = 1.0

    @property
    def sentence(self) -> str:
        """How they overlap, and the text of the record."""
        return f"{_SAID[self.kind].format(percent=100 * self.share)} ({show_value(self.text)})"


def find_overlaps(
    records: Iterable[TrainingRecord], items: Sequence[Item], *, templates: Sequence[str] = ()
) -> list[Overlap]:
    """Every pair of a record and a golden item that overlap, once, by line and then item.

    Compared are each turn of a record with the last user turn of an item (for an item of several turns: with all its
    user turns together, and with the last one if it has at least eight words). System turns and answers of a record are
    looked for neither inside items nor as near copies: a standing instruction is not a leak.

    Args:
        records: What is learned.
        items: What is scored.
        templates: Texts that the experiment puts around every item.
    """
    scored = [ScoredItem(item_id=item.item_id, texts=tuple(_item_texts(item))) for item in items]
    return _strongest(records, scored, OverlapIndex(scored, templates=templates))


def find_suite_overlaps(
    records: Iterable[TrainingRecord], items: Sequence[ScoredItem], *, templates: Sequence[str] = ()
) -> list[Overlap]:
    """Every pair of a record and a regression item that overlap, once, by line and then item.

    As `find_overlaps`, but records are not looked for inside items: among thousands of items that would find stock
    phrases.
    """
    return _strongest(records, items, OverlapIndex(items, templates=templates, fragments=False))


def guard(training_set: TrainingSet, golden_set: GoldenSet, *, templates: Sequence[str] = ()) -> None:
    """Refuses a training set that overlaps a golden set.

    Args:
        training_set: What is learned.
        golden_set: What is scored.
        templates: Texts that the experiment puts around every item.

    Raises:
        OverlapError: With each pair of line and item.
    """
    refuse(
        find_overlaps(training_set.records, golden_set.items, templates=templates),
        path=training_set.path,
        scored=f"golden set {golden_set.name} {golden_set.version}",
        instead="(or replace the items and raise the version of the golden set)",
    )


def refuse(overlaps: Sequence[Overlap], *, path: str, scored: str, instead: str, otherwise: str = "") -> None:
    """Raises where there is any overlap.

    Args:
        overlaps: What was found.
        path: The training set's file.
        scored: What was overlapped, by its name.
        instead: What else can be done than remove records, in brackets.
        otherwise: A sentence on what can be done without removing anything, with a leading space.

    Raises:
        OverlapError: With each pair of line and item.
    """
    if not overlaps:
        return
    listed = [f'{path}:{one.line}: item "{one.item_id}": {one.sentence}' for one in overlaps]
    raise OverlapError(
        f"{problems_message(f'{path} overlaps {scored}', listed)}\n"
        "No training record may share its text with an item: the score would show memory, not skill. Remove these "
        f"records from the training set {instead}.{otherwise}"
    )


def _strongest(records: Iterable[TrainingRecord], items: Sequence[ScoredItem], index: OverlapIndex) -> list[Overlap]:
    """Of each pair the strongest overlap. A text that several records share is looked for once."""
    lines: dict[LearnedText, list[int]] = {}
    for record in records:
        for learned in dict.fromkeys(_record_texts(record)):
            lines.setdefault(learned, []).append(record.line)
    texts = list(lines)
    found: dict[tuple[int, int], Overlap] = {}
    for match in index.matches(texts):
        for line in lines[texts[match.learned]]:
            known = found.get((line, match.item))
            if known is None or _STRONGEST.index(match.kind) < _STRONGEST.index(known.kind):
                found[line, match.item] = Overlap(
                    line=line,
                    item_id=items[match.item].item_id,
                    kind=match.kind,
                    text=texts[match.learned].text,
                    share=match.share,
                )
    return [found[pair] for pair in sorted(found)]


def _record_texts(record: TrainingRecord) -> Iterable[LearnedText]:
    for message in record.prompt:
        yield LearnedText(text=message.content, is_asked=message.role == "user")
    yield LearnedText(text=record.completion, is_asked=False)
    asked = [message.content for message in record.prompt if message.role == "user"]
    if len(asked) > 1:
        yield LearnedText(text="\n".join(asked), is_asked=True)


def _item_texts(item: Item) -> list[str]:
    asked = [message.content for message in item.input if message.role == "user"]
    if len(asked) == 1:
        return asked
    long_enough = len(normalised_words(item.question)) >= WHOLE_WORDS
    return ["\n".join(asked), item.question] if long_enough else ["\n".join(asked)]
