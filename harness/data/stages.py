"""Which records each stage of a training learns from, validates on, and replays of the stages before it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from harness.config.stage import Stage
from harness.data.bundles import bundle
from harness.data.folds import deal
from harness.data.training import split_validation
from harness.errors import DataError
from harness.hashing import content_hash
from harness.records.training import TrainingRecord, TrainingSet

_Records = tuple[TrainingRecord, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class StageSet:
    """A stage with its training set as it was read."""

    stage: Stage
    training_set: TrainingSet


@dataclass(frozen=True, kw_only=True, slots=True)
class StageRecords:
    """What one stage was dealt.

    `own` are the records of its set that it learns from, `replayed` those of earlier stages' that it learns from again,
    `validation` those of its set that it validates on. `withheld` counts records of its set that were drawn and left
    out, since a later stage validates on their question or group.
    """

    own: _Records
    replayed: _Records
    validation: _Records
    withheld: int

    @property
    def learned(self) -> _Records:
        """What the stage learns from: its own records, then the replayed ones."""
        return self.own + self.replayed


def draw_stages(
    stages: Sequence[StageSet], *, validation_fraction: float, seed: int, shown: Collection[str] = ()
) -> list[StageRecords]:
    """Deals every stage its records.

    No stage learns what it or a later one validates on, nor records of the same question or group. The last stage
    validates on what it would validate on if it stood alone. What is drawn depends on content and seed only.

    Args:
        stages: In the order of training.
        validation_fraction: Part of what a stage uses that is set aside, as a proportion in (0, 1).
        seed: Another seed, other records.
        shown: Questions that the prompt shows as examples: no stage learns or validates on them.

    Raises:
        DataError: A share is too small, or leaves nothing to learn from or validate on; with the training set.
    """
    dealt: list[tuple[_Records, _Records, int]] = []
    later: _Records = ()
    for one in reversed(stages):
        try:
            own, validation, withheld = _deal_stage(one, later, validation_fraction, seed, shown)
        except DataError as problem:
            raise DataError(f"{one.training_set.path}: {problem}") from None
        later += validation
        dealt.insert(0, (own, validation, withheld))
    drawn: list[StageRecords] = []
    earlier: _Records = ()
    for number, (one, (own, validation, withheld)) in enumerate(zip(stages, dealt, strict=True)):
        replayed = _replayed(own, earlier, replay=one.stage.replay, seed=seed + number)
        drawn.append(StageRecords(own=own, replayed=replayed, validation=validation, withheld=withheld))
        earlier += own
    return drawn


def draw_share(records: Sequence[TrainingRecord], *, share: float, seed: int) -> _Records:
    """Draws a part of some records, in their order.

    Records of one group or question stay together. Where every record has a label, each label keeps its proportion, as
    long as labels stand for two records or more on average.

    Args:
        records: What to draw from.
        share: The part, as a proportion in (0, 1].
        seed: Another seed, other records.

    Raises:
        DataError: The part is less than two records, or bundles that stay whole are too large for it.
    """
    part, count = Fraction(str(share)), len(records)
    if (1 - part) * count < 1:
        return tuple(records)
    if part * count < 2:
        raise DataError(
            f"a share of {share:g} of {count} records is less than two, one to learn from and one to validate on. Ask "
            f"for {ceil(2000 / count) / 1000:g} or more."
        )
    labels = [record.label for record in records if record.label is not None]
    strata = labels if len(labels) == count and 2 * len(set(labels)) <= count else ()
    folds = deal(records, shares={"train": part, "test": 1 - part}, seed=seed, strata=strata)
    return tuple(records[index] for index in folds["train"])


def _deal_stage(
    one: StageSet, later: _Records, fraction: float, seed: int, shown: Collection[str]
) -> tuple[_Records, _Records, int]:
    """What a stage learns from, validates on, and leaves out since it belongs to what is validated on `later`."""
    records = [record for record in one.training_set.records if record.question not in shown]
    used = draw_share(records, share=one.stage.share, seed=seed)
    free = _apart_from(used, later)
    if used and not free:
        raise DataError(
            f"all {len(used)} records share a question or group with what a later stage validates on, so that none is "
            "left to learn from. Leave the stage out, or take those records out of one of the two sets."
        )
    own, validation = split_validation(free, fraction=fraction, seed=seed)
    return own, validation, len(used) - len(free)


def _apart_from(records: _Records, others: _Records) -> _Records:
    """The records that share neither question nor group with any of the others, also not through third ones."""
    if not others:
        return records
    bundles = bundle([*records, *others])
    return tuple(
        records[index]
        for index in sorted(index for indices in bundles if max(indices) < len(records) for index in indices)
    )


def _replayed(own: _Records, earlier: _Records, *, replay: float, seed: int) -> _Records:
    """Records of earlier stages in an order drawn by content and seed, as many as are asked for and there."""
    known = {record.record_hash for record in own}
    lots = {record.record_hash: record for record in earlier if record.record_hash not in known}
    wanted = round(Fraction(str(replay)) * len(own))
    order = sorted(lots, key=lambda record_hash: content_hash([seed, record_hash]))
    return tuple(lots[record_hash] for record_hash in order[:wanted])
