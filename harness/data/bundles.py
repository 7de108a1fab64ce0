"""Training records that may not be parted: of one group, with the same question, or one made from the other."""

from collections.abc import Hashable, Sequence

from harness.data.normalise import normalise
from harness.hashing import content_hash
from harness.records.training import TrainingRecord


def bundle(records: Sequence[TrainingRecord], *, together: Sequence[Hashable | None] = ()) -> list[list[int]]:
    """Indices of records that belong together, by group, question (normalised) or origin, also through third ones.

    A record made from others, such as a paraphrase, belongs to them: it would otherwise be validated on what it was
    made from.

    Args:
        records: The records.
        together: A further mark for each record, in the same order: those of one mark belong together. None for none.
    """
    parent = list(range(len(records)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[str, Hashable], int] = {}
    for index, record in enumerate(records):
        marks: list[tuple[str, Hashable]] = [("question", normalise(record.question) or record.question)]
        marks += [("group", record.group)] if record.group is not None else []
        marks += [("record", one) for one in (record.record_hash, *record.parents)]
        if together and (mark := together[index]) is not None:
            marks.append(("together", mark))
        for mark in marks:
            parent[root(index)] = root(first.setdefault(mark, index))
    bundles: dict[int, list[int]] = {}
    for index in range(len(records)):
        bundles.setdefault(root(index), []).append(index)
    return list(bundles.values())


def draw_lot(records: Sequence[TrainingRecord], indices: Sequence[int], seed: int) -> str:
    """A lot for a bundle: the hash of the seed and its contents, so that neither platform nor order matter."""
    return content_hash([seed, min(records[index].record_hash for index in indices)])
