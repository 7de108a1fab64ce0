"""Records dealt into folds: by seed, in bundles that stay whole, with each stratum in proportion."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Literal

from harness.data.bundles import bundle, draw_lot
from harness.data.controlled_rounding import round_table
from harness.errors import DataError
from harness.records.training import TrainingRecord

Fold = Literal["train", "validation", "test"]
Targets = dict[tuple[Fold, str], int]

FOLDS: tuple[Fold, ...] = ("train", "validation", "test")


def deal(
    records: Sequence[TrainingRecord],
    *,
    shares: Mapping[Fold, Fraction],
    seed: int,
    strata: Sequence[str] = (),
    together: Sequence[str | None] = (),
) -> dict[Fold, list[int]]:
    """Deals records into folds.

    Records of one group, of one question (normalised) and of one mark of `together` land in one fold. Where each
    record stands alone, every fold holds of each stratum its share of that stratum, rounded up or down; where some
    belong together, as near to that as whole bundles allow. Which go where depends on content and seed only, not on the
    order.

    Args:
        records: What to deal.
        shares: The share of each fold, each > 0, together 1.
        seed: Another seed, other folds.
        strata: The stratum of each record, in the same order; none for one stratum.
        together: A mark for each record, or None.

    Returns:
        For each fold of `shares` the indices of its records, ascending.

    Raises:
        DataError: Shares, strata or bundles are such that no folds of about these sizes can be made.
    """
    of = strata or [""] * len(records)
    _check(records, shares, of)
    bundles = bundle(records, together=together)
    targets = _targets(Counter(of), shares)
    left = dict(targets)
    folds: dict[Fold, list[int]] = {fold: [] for fold in shares}
    lots = {min(indices): draw_lot(records, indices, seed) for indices in bundles}
    for indices in sorted(bundles, key=lambda indices: (-len(indices), lots[min(indices)])):
        wanted = Counter(of[index] for index in indices)
        fold = min(shares, key=lambda fold: _misfit(fold, wanted, left, targets))
        folds[fold] += indices
        for stratum, count in wanted.items():
            left[fold, stratum] -= count
    _refuse_far_off(folds, targets, bundles)
    return {fold: sorted(indices) for fold, indices in folds.items()}


def _check(records: Sequence[TrainingRecord], shares: Mapping[Fold, Fraction], of: Sequence[str]) -> None:
    for fold, share in shares.items():
        if share * len(records) < 1:
            raise DataError(
                f"{fold}: a share of {float(share):g} of {len(records)} records is less than one record. Ask for "
                f"{ceil(1000 / max(1, len(records))) / 1000:g} or more, or leave {fold} out with 0."
            )
    if (several := len(set(of))) > 1 and several * 2 > len(records):
        raise DataError(
            f"{several} values in {len(records)} records: too many to stratify by, as most stand in one record only. "
            "Name a field with few values, or leave --stratify out."
        )


def _targets(sizes: Counter[str], shares: Mapping[Fold, Fraction]) -> Targets:
    """How many records of each stratum each fold should hold: whole numbers next to the exact shares."""
    names = sorted(sizes)
    rounded = round_table([[share * sizes[name] for share in shares.values()] for name in names])
    return {
        (fold, name): count
        for name, row in zip(names, rounded, strict=True)
        for fold, count in zip(shares, row, strict=True)
    }


def _misfit(fold: Fold, wanted: Counter[str], left: Targets, targets: Targets) -> tuple[int, float]:
    """How ill a bundle fits a fold: records too many, then how full the fold is of what the bundle brings."""
    excess = sum(max(0, count - max(0, left[fold, stratum])) for stratum, count in wanted.items())
    full = sum(count * (1 - left[fold, name] / max(1, targets[fold, name])) for name, count in wanted.items())
    return excess, full


def _refuse_far_off(folds: Mapping[Fold, list[int]], targets: Targets, bundles: list[list[int]]) -> None:
    """Refuses folds that are more than half of their asked size away from it, or empty."""
    for fold, indices in folds.items():
        asked = sum(count for (of, _), count in targets.items() if of == fold)
        if not indices or 2 * abs(len(indices) - asked) > max(asked, 2):
            raise DataError(
                f"{fold}: {asked} records are asked for, and the nearest that can be made is {len(indices)}: "
                f"the records make {len(bundles)} bundle(s) that stay whole (of one group or question), the largest of "
                f"{max(map(len, bundles))}. Ask for other shares, or give groups to fewer records."
            )
