"""A fixed, seeded, stratified part of a task's items."""

import hashlib
import math
from collections.abc import Hashable, Mapping

from harness.errors import EvaluationError


def draw_subset(strata: Mapping[str, Hashable], *, items: int, seed: int) -> set[str]:
    """The ids of `items` items, each stratum with its proportional share.

    Shares are rounded by largest remainder. Within a stratum, items are taken in the order of a hash of seed and id:
    the same on every machine and Python version, and a larger subset of the same strata mostly contains a smaller one.

    Args:
        strata: The stratum of each item, by item id.

    Raises:
        EvaluationError: More items are asked for than there are.
    """
    if items > len(strata):
        raise EvaluationError(
            f"subset of {items} items: there are only {len(strata)}. Lower `items`, or drop `subset`."
        )
    members: dict[Hashable, list[str]] = {}
    for item_id, stratum in strata.items():
        members.setdefault(stratum, []).append(item_id)
    shares = {stratum: items * len(ids) / len(strata) for stratum, ids in members.items()}
    quota = {stratum: math.floor(share) for stratum, share in shares.items()}
    by_remainder = sorted(members, key=lambda stratum: (quota[stratum] - shares[stratum], _order(seed, repr(stratum))))
    for stratum in by_remainder[: items - sum(quota.values())]:
        quota[stratum] += 1
    chosen: set[str] = set()
    for stratum, ids in members.items():
        chosen.update(sorted(ids, key=lambda item_id: _order(seed, item_id))[: quota[stratum]])
    return chosen


def _order(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed}:{text}".encode()).digest()
