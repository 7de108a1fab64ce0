"""Questions that are nearly the same: MinHash finds candidates, their exact Jaccard similarity decides."""

import zlib
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass

from harness.data.audit_finding import Observation, counted, of_records, unique
from harness.data.audit_records import AuditedRecord
from harness.data.min_hash import AlikeSets, Sketch
from harness.data.normalise import normalise, normalised_words

SHINGLE_WORDS = 3
FRAME_SHARE = 0.3  # of the records: a run of words that so many share is their frame, such as an instruction
_FEWEST_FOR_FRAME = 50  # records; among fewer, what many share may be the copies that are looked for
_SAMPLED = 2000  # records that the frame is told from
_MOST_CANDIDATES = 50  # looked at for one question, so that time stays linear in what is nearly all alike

_Shingles = frozenset[bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Alike:
    """A record like an earlier one, and the Jaccard similarity of their questions in (0, 1]."""

    record: AuditedRecord
    earlier: AuditedRecord
    similarity: float


class NearTexts:
    """Texts that can be asked for one that is at least as similar as `threshold`.

    Recall is that of MinHash: a text close above the threshold may be missed, one below it is never returned.
    """

    def __init__(self, threshold: float, *, frame: _Shingles = frozenset()) -> None:
        self._threshold = threshold
        self._frame = frame
        self._sets = AlikeSets(threshold)
        self._shingles: dict[int, _Shingles] = {}

    def add(self, number: int, text: str) -> None:
        """Adds a text as `number`, whatever it is like; one without words is left out."""
        if shingles := self._own(text):
            self._add(number, shingles, self._sketch(shingles))

    def most_similar(self, text: str, *, besides: Container[int] = ()) -> tuple[int, float] | None:
        """The most similar text there is, with its similarity, if there is one; `besides` are not looked at."""
        shingles = self._own(text)
        return self._best(shingles, self._sketch(shingles), besides) if shingles else None

    def similar_or_add(self, number: int, text: str, *, besides: Container[int] = ()) -> tuple[int, float] | None:
        """The most similar text there is, with its similarity; where there is none, the text is added as `number`."""
        if not (shingles := self._own(text)):
            return None
        sketch = self._sketch(shingles)
        found = self._best(shingles, sketch, besides)
        if found is None:
            self._add(number, shingles, sketch)
        return found

    def _own(self, text: str) -> _Shingles:
        return word_shingles(text) - self._frame

    def _sketch(self, shingles: _Shingles) -> Sketch:
        return self._sets.sketch(zlib.crc32(shingle) for shingle in shingles)

    def _add(self, number: int, shingles: _Shingles, sketch: Sketch) -> None:
        self._shingles[number] = shingles
        self._sets.add(number, sketch)

    def _best(self, shingles: _Shingles, sketch: Sketch, besides: Container[int]) -> tuple[int, float] | None:
        candidates = [one for one in self._sets.proposed(sketch) if one not in besides][:_MOST_CANDIDATES]
        scored = [(jaccard(shingles, self._shingles[one]), -one) for one in candidates]
        similarity, negative = max(scored, default=(0.0, 0))
        return (-negative, similarity) if similarity >= self._threshold else None


def word_shingles(text: str) -> _Shingles:
    """Runs of `SHINGLE_WORDS` normalised words; a shorter text is one run."""
    words = normalised_words(text)
    if not words:
        return frozenset()
    last = max(1, len(words) - SHINGLE_WORDS + 1)
    return frozenset(" ".join(words[start : start + SHINGLE_WORDS]).encode() for start in range(last))


def shared_frame(texts: Sequence[str]) -> _Shingles:
    """Runs of words that more than `FRAME_SHARE` of the texts have; none where the texts are few."""
    if len(texts) < _FEWEST_FOR_FRAME:
        return frozenset()
    sampled = texts[:: -(-len(texts) // _SAMPLED)]
    counts = Counter(shingle for text in sampled for shingle in word_shingles(text))
    return frozenset(shingle for shingle, count in counts.items() if count > FRAME_SHARE * len(sampled))


def jaccard(one: _Shingles, other: _Shingles) -> float:
    """Shared runs over all runs, in [0, 1]."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def find_near_duplicates(records: Sequence[AuditedRecord], *, similarity: float) -> list[Observation]:
    """Records whose question is nearly that of an earlier record, without being the same after normalising.

    Runs of words that many questions share are left out. Each question is held against the first of its kind, so a
    group is what lies within `similarity` of its first record. Records of one declared `group` may be alike: they are
    split together.
    """
    texts = NearTexts(similarity, frame=shared_frame([record.record.question for record in records]))
    known: set[str] = set()
    pairs: list[Alike] = []
    for number, record in enumerate(records):
        key = normalise(record.record.question)
        if not key or key in known:
            continue
        known.add(key)
        found = texts.similar_or_add(number, record.record.question)
        if found is not None and not _share_group(record, records[found[0]]):
            pairs.append(Alike(record=record, earlier=records[found[0]], similarity=found[1]))
    if not pairs:
        return []
    groups = len({pair.earlier.line for pair in pairs})
    same = sum(normalise(pair.record.answer) == normalise(pair.earlier.answer) for pair in pairs)
    return [
        Observation(
            check="near_duplicates",
            sentence=f"Nearly the same question as an earlier record: {of_records(len(pairs), len(records))}, in "
            f"{counted(groups, 'group')}; answered the same: {same:,}, differently: {len(pairs) - same:,}.",
            value=len(pairs) / len(records),
            lines=unique(pair.record.line for pair in pairs),
            examples=tuple(
                f"line {pair.record.line} is like line {pair.earlier.line} (similarity {pair.similarity:.2f})"
                for pair in sorted(pairs, key=lambda pair: -pair.similarity)
            ),
        )
    ]


def _share_group(one: AuditedRecord, other: AuditedRecord) -> bool:
    return one.record.group is not None and one.record.group == other.record.group
