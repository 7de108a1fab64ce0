"""Which items of two runs are compared, and what is said of those that are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.decision.sample import number_clusters
from harness.decision.values import ItemValue
from harness.errors import ComparisonError


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the two systems: its name and its value on each item."""

    name: str
    values: Mapping[str, ItemValue]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairs:
    """The items that both systems have a value on, in the order of their ids, and how many are left out."""

    candidate: tuple[ItemValue, ...]
    baseline: tuple[ItemValue, ...]
    clusters: tuple[int, ...]
    n_missing: int
    warnings: tuple[str, ...]


def pair_items(metric: str, candidate: Side, baseline: Side) -> Pairs:
    """Pairs two runs by item id and item hash.

    Different hashes are different items. Whatever is not compared is counted once in `n_missing` and said in
    `warnings`, by reason: changed between the runs, no score on one side, failed, or without a readable value.

    Raises:
        ComparisonError: No item is left to compare.
    """
    every_id = sorted(candidate.values.keys() | baseline.values.keys())
    unchanged = [item_id for item_id in every_id if not _is_changed(item_id, candidate, baseline)]
    paired = [item_id for item_id in unchanged if _has_value(item_id, candidate) and _has_value(item_id, baseline)]
    warnings = _say(
        len(every_id) - len(unchanged),
        "was changed between the runs and is not compared",
        "were changed between the runs and are not compared",
    )
    warnings += _describe_missing(unchanged, candidate) + _describe_missing(unchanged, baseline)
    if not paired:
        raise ComparisonError(
            f"{metric}: {candidate.name} and {baseline.name} have no item to compare. "
            f"{' '.join(warnings) or 'Neither has any score.'} Both must answer the same version of the golden set: "
            "find the older run with `harness runs`, then run that system again."
        )
    ours = tuple(candidate.values[item_id] for item_id in paired)
    theirs = tuple(baseline.values[item_id] for item_id in paired)
    warnings += _describe_lost_samples(ours, candidate.name) + _describe_lost_samples(theirs, baseline.name)
    warnings += _describe_regrouped(ours, theirs, candidate.name, baseline.name)
    groups = [our.group if our.group is not None else their.group for our, their in zip(ours, theirs, strict=True)]
    return Pairs(
        candidate=ours,
        baseline=theirs,
        clusters=number_clusters(groups),
        n_missing=len(every_id) - len(paired),
        warnings=tuple(warnings),
    )


def _is_changed(item_id: str, candidate: Side, baseline: Side) -> bool:
    ours, theirs = candidate.values.get(item_id), baseline.values.get(item_id)
    return ours is not None and theirs is not None and ours.item_hash != theirs.item_hash


def _has_value(item_id: str, side: Side) -> bool:
    item = side.values.get(item_id)
    return item is not None and item.value is not None


def _describe_missing(item_ids: Sequence[str], side: Side) -> list[str]:
    found = [side.values.get(item_id) for item_id in item_ids]
    absent = sum(item is None for item in found)
    failed = sum(item is not None and item.missing == "failed" for item in found)
    unreadable = sum(item is not None and item.missing == "unreadable" for item in found)
    name, one, many = side.name, "and is not compared", "and are not compared"
    return [
        *_say(absent, f"has no score in {name} {one}", f"have no score in {name} {many}"),
        *_say(failed, f"failed in {name} {one}", f"failed in {name} {many}"),
        *_say(unreadable, f"has no readable value in {name} {one}", f"have no readable value in {name} {many}"),
    ]


def _describe_lost_samples(items: Sequence[ItemValue], name: str) -> list[str]:
    short = sum(item.lost > 0 for item in items)
    return _say(
        short,
        f"lost some of its samples in {name}; the others are averaged",
        f"lost some of their samples in {name}; the others are averaged",
    )


def _describe_regrouped(
    ours: Sequence[ItemValue], theirs: Sequence[ItemValue], our_name: str, their_name: str
) -> list[str]:
    pairs = [(our.group, their.group) for our, their in zip(ours, theirs, strict=True)]
    moved = sum(our is not None and their is not None and our != their for our, their in pairs)
    where = f"in another group in {their_name} than in {our_name}; the groups of {our_name} are used"
    return _say(moved, f"stands {where}", f"stand {where}")


def _say(count: int, one: str, many: str) -> list[str]:
    """A sentence about `count` items, or nothing about none."""
    if count == 0:
        return []
    return [f"1 item {one}."] if count == 1 else [f"{count} items {many}."]
