"""New records held against the set, one another and golden sets: what is there already is dropped."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.data.augment_made import Candidate, Dropped, Reason
from harness.data.augment_source import Source
from harness.data.near_duplicates import NearTexts, shared_frame
from harness.data.normalise import normalise
from harness.data.overlap import find_overlaps
from harness.data.raw_records import RawRecord
from harness.data.training import read_training_set
from harness.records.items import GoldenSet
from harness.records.training import TrainingRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Against:
    """What new records are held against.

    `similarity` is the Jaccard index of two questions' runs of three words, in (0, 1], from which they are nearly the
    same. `templates` are the texts that the experiment puts around every item. `makes_negatives`: the new records are
    preferences that share their question with the record that they are made of.
    """

    source: Source
    golden_sets: Sequence[GoldenSet]
    similarity: float
    templates: Sequence[str] = ()
    makes_negatives: bool = False

    @property
    def keeps_source(self) -> bool:
        """Whether source and new records have one format, and so go into one file."""
        return not self.makes_negatives or self.source.format == "preference"


@dataclass(frozen=True, kw_only=True, slots=True)
class _New:
    candidate: Candidate
    record: TrainingRecord


_Kept = tuple[list[_New], list[Dropped]]


def keep_new(candidates: Sequence[Candidate], against: Against) -> tuple[list[Candidate], list[Dropped]]:
    """The candidates that are kept, in their order, and those that are dropped.

    Of two new records that are alike the first is kept. What is kept passes the overlap guard together with the source,
    as a run holds them against the golden set.

    Raises:
        DataError: Training would refuse a candidate: all of them at once, by step.
    """
    new = _read(candidates, against)
    kept, dropped = (_new_preferences if against.makes_negatives else _new_questions)(new, against)
    while overlaps := _overlaps(kept, against):  # fewer texts make other frames: until none is left
        dropped += [
            _drop(one, "golden_overlap", overlaps[one.record.line]) for one in kept if one.record.line in overlaps
        ]
        kept = [one for one in kept if one.record.line not in overlaps]
    return [one.candidate for one in kept], dropped


def _read(candidates: Sequence[Candidate], against: Against) -> list[_New]:
    """The candidates as training reads them, with lines that follow those of the source."""
    if not candidates:
        return []
    raw = against.source.raw
    before = raw.records if against.keeps_source else ()
    counts: Counter[str] = Counter()
    added: list[RawRecord] = []
    for number, one in enumerate(candidates, start=_first_line(against)):
        counts[one.step] += 1
        where = f"step {one.step}, new record {counts[one.step]}"
        added.append(RawRecord(number=number, place=where, where=where, value=one.value))
    read = read_training_set(replace(raw, records=(*before, *added))).records[len(before) :]
    return [_New(candidate=one, record=record) for one, record in zip(candidates, read, strict=True)]


def _first_line(against: Against) -> int:
    return 1 + max(record.line for record in against.source.training_set.records)


def _new_questions(new: Sequence[_New], against: Against) -> _Kept:
    """Those whose question neither the set, nor a golden set, nor an earlier one holds, or nearly."""
    originals = against.source.training_set.records
    near = NearTexts(against.similarity, frame=shared_frame([record.question for record in originals]))
    names: list[str] = []
    asked: dict[str, str] = {}
    for number, record in enumerate(originals):
        names.append(f"line {record.line}")
        asked.setdefault(_asked(record), names[number])
        near.add(number, record.question)
    golden = _GoldenQuestions(against)
    made_beside: dict[int, set[int]] = {}
    kept: list[_New] = []
    dropped: list[Dropped] = []
    for one in new:
        question, number, may_be_like = one.record.question, len(names), one.candidate.besides
        besides = may_be_like.union(*(made_beside.get(original, ()) for original in may_be_like))
        names.append(f"a record of step {one.candidate.step}")
        if (same := asked.get(_asked(one.record))) is not None:
            dropped.append(_drop(one, "duplicate", same))
        elif (item := golden.like(question)) is not None:
            dropped.append(_drop(one, "golden_overlap", item))
        elif found := near.similar_or_add(number, question, besides=besides):
            dropped.append(_drop(one, "near_duplicate", f"{names[found[0]]}, similarity {found[1]:.2f}"))
        else:
            asked[_asked(one.record)] = names[number]
            kept.append(one)
            for original in may_be_like:
                made_beside.setdefault(original, set()).add(number)
    return kept, dropped


def _new_preferences(new: Sequence[_New], against: Against) -> _Kept:
    """Those that are not there as a whole: question, chosen and rejected answer."""
    originals = against.source.training_set.records
    seen = {_preference(record) for record in originals if record.rejected is not None}
    kept: list[_New] = []
    dropped: list[Dropped] = []
    for one in new:
        if _preference(one.record) in seen:
            dropped.append(_drop(one, "duplicate", "the same preference"))
        else:
            seen.add(_preference(one.record))
            kept.append(one)
    return kept, dropped


class _GoldenQuestions:
    """The questions of golden items, to be asked for one that is nearly the same; frames are of these alone.

    The overlap guard takes runs of words that many records share for a frame, as those of one template are.
    """

    def __init__(self, against: Against) -> None:
        items = [(golden.name, item) for golden in against.golden_sets for item in golden.items]
        self._names = [f"item {item.item_id} of {name}" for name, item in items]
        self._near = NearTexts(against.similarity, frame=shared_frame([item.question for _, item in items]))
        for number, (_, item) in enumerate(items):
            self._near.add(number, item.question)

    def like(self, question: str) -> str | None:
        """The nearest item, in words, if there is one."""
        found = self._near.most_similar(question)
        return None if found is None else f"{self._names[found[0]]}, similarity {found[1]:.2f}"


def _overlaps(kept: Sequence[_New], against: Against) -> Mapping[int, str]:
    """Which of the kept overlap an item, by line, with the item in words."""
    records = [*against.source.training_set.records, *(one.record for one in kept)]
    lines = {one.record.line for one in kept}
    found: dict[int, str] = {}
    for golden in against.golden_sets if kept else ():
        for overlap in find_overlaps(records, golden.items, templates=against.templates):
            if overlap.line in lines:
                found.setdefault(overlap.line, f"item {overlap.item_id} of {golden.name}: {overlap.sentence}")
    return found


def _asked(record: TrainingRecord) -> str:
    return "\n".join(f"{turn.role} {normalise(turn.content) or turn.content}" for turn in record.prompt)


def _preference(record: TrainingRecord) -> tuple[str, str, str]:
    return _asked(record), record.completion, record.rejected or ""


def _drop(one: _New, reason: Reason, detail: str) -> Dropped:
    parents, step = one.record.parents, one.candidate.step
    return Dropped(step=step, reason=reason, text=one.record.question, detail=detail, parents=parents)
