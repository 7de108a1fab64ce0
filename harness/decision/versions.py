"""Runs that answered different versions of a golden set: what is the same in both is compared, and the rest is said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.records.evidence import Evidence, SeenItems
from harness.records.runs import Run
from harness.records.scores import Score

OF_ITEMS = ("golden/", "rating/")
"""Metrics whose items are those of a golden set."""

_SHOWN = 5


def shared_items(metric: str, ours: Evidence, theirs: Evidence) -> frozenset[str] | None:
    """The items that both versions ask in the same words and score against the same references.

    Returns:
        Their ids; None where both runs answered the same version, where it is not known what they answered, where the
        metric is not about golden items, or where the versions share none.
    """
    if not metric.startswith(OF_ITEMS) or ours.state.run.golden_sha256 == theirs.state.run.golden_sha256:
        return None
    if ours.seen is None or theirs.seen is None:
        return None
    return frozenset(_same(ours.seen, theirs.seen)) or None


def version_sentence(ours: Evidence, theirs: Evidence) -> str:
    """Which versions two runs answered, how many items are compared, and which are left out and why."""
    our, their = ours.state.run, theirs.state.run
    lead = f"{theirs.name} answered {_version(their)} and {ours.name} {_version(our, beside=their)}"
    if ours.seen is None or theirs.seen is None:
        return f"{lead}: only items that are the same in both are compared."
    count = len(_same(ours.seen, theirs.seen))
    said = [f"{len(why)} {what} ({_listed(why)})" for what, why in _left_out(our, ours.seen, their, theirs.seen) if why]
    rest = f" Left out: {', '.join(said)}." if said else ""
    are = "item that is" if count == 1 else "items that are"
    return f"{lead}: the {count} {are} the same in both {'is' if count == 1 else 'are'} compared.{rest}"


def without_items(evidence: Evidence, retired: Mapping[str, str], *, where: str) -> Evidence:
    """The same evidence without the scores of retired items, which is noted of each metric that had any.

    Args:
        evidence: Of one run; its other seeds follow.
        retired: Ids of items, and why they were retired.
        where: The version that retired them.
    """
    kept: dict[str, Sequence[Score]] = {}
    notes, asked = dict(evidence.notes), dict(evidence.asked)
    for metric, scores in evidence.scores.items():
        gone = {one.item_id for one in scores if one.item_id in retired} if metric.startswith(OF_ITEMS) else set[str]()
        kept[metric] = [one for one in scores if one.item_id not in gone] if gone else scores
        if gone:
            why = {item_id: retired[item_id] for item_id in sorted(gone)}
            are = "item is" if len(gone) == 1 else "items are"
            said = f"{len(gone)} {are} retired in {where} and left out of {evidence.name} ({_listed(why)})."
            notes[metric] = (*notes.get(metric, ()), said)
            if metric in asked:
                asked[metric] -= len(gone)
    left = {metric: scores for metric, scores in kept.items() if scores}
    return replace(
        evidence,
        metrics={metric: one for metric, one in evidence.metrics.items() if metric in left},
        scores=left,
        notes=notes,
        asked=asked,
        replicates=tuple(without_items(one, retired, where=where) for one in evidence.replicates),
    )


def without_retired(found: Sequence[Evidence]) -> list[Evidence]:
    """Several runs' evidence without the scores of items that the version of any of them has retired."""
    left = list(found)
    for one in found:
        if one.seen is not None and one.seen.retired:
            left = [without_items(each, one.seen.retired, where=_version(one.state.run)) for each in left]
    return left


def _same(ours: SeenItems, theirs: SeenItems) -> set[str]:
    return {item_id for item_id, item_hash in ours.hashes.items() if theirs.hashes.get(item_id) == item_hash}


def _left_out(our: Run, ours: SeenItems, their: Run, theirs: SeenItems) -> list[tuple[str, Mapping[str, str]]]:
    """Every item that is not compared, once, by the first reason that applies."""
    apart = {*ours.hashes, *theirs.hashes} - _same(ours, theirs)
    retired = {item_id: why for item_id, why in {**theirs.retired, **ours.retired}.items() if item_id in apart}
    changed = dict.fromkeys(sorted((apart & ours.hashes.keys() & theirs.hashes.keys()) - retired.keys()), "")
    sealed = dict.fromkeys(sorted((apart & (ours.sealed | theirs.sealed)) - retired.keys()), "")
    alone = sorted(apart - {*retired, *changed, *sealed})
    return [
        ("changed", changed),
        ("retired", retired),
        ("sealed in one of them", sealed),
        (f"only in {_version(our, beside=their)}", dict.fromkeys((one for one in alone if one in ours.hashes), "")),
        (f"only in {_version(their, beside=our)}", dict.fromkeys((one for one in alone if one in theirs.hashes), "")),
    ]


def _version(run: Run, *, beside: Run | None = None) -> str:
    """`icd10_coding 1.0.0`; beside a run of the same set the version alone, with the hash where that is the same."""
    if beside is None or run.golden_set != beside.golden_set:
        return f"{run.golden_set} {run.golden_version}"
    if run.golden_version != beside.golden_version:
        return run.golden_version
    return f"{run.golden_version} with other items ({run.golden_sha256[:12]})"


def _listed(why: Mapping[str, str]) -> str:
    some = [f"{item_id}: {reason}" if reason else item_id for item_id, reason in list(why.items())[:_SHOWN]]
    more = f" and {len(why) - _SHOWN} more" if len(why) > _SHOWN else ""
    return f"{', '.join(some)}{more}"
