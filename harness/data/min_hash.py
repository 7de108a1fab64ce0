"""Sets that may be alike, found by MinHash: what is proposed here has still to be compared.

Source: Broder (1997) for MinHash; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3, for bands;
datasketch for both.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from collections.abc import Iterable
from typing import Any, NewType

PERMUTATIONS = 128
RECALL = 0.999  # of a pair at the threshold; a pair above it is proposed more often

Sketch = NewType("Sketch", object)
"""The MinHash signature of a set."""


class AlikeSets:
    """Sets under their numbers, which propose those that may have a Jaccard index of `threshold` with another one.

    Recall over precision: of sets below the threshold many are proposed.
    """

    def __init__(self, threshold: float) -> None:
        from datasketch import MinHash, MinHashLSH

        rows = most_rows(threshold)
        self._index: Any = MinHashLSH(num_perm=PERMUTATIONS, params=(PERMUTATIONS // rows, rows))
        self._blank: Any = MinHash(num_perm=PERMUTATIONS, scheme="affine64", hashfunc=int)

    def sketch(self, members: Iterable[int]) -> Sketch:
        """The signature of a set, whose members are given as hashes: whole numbers in [0, 2^64)."""
        signature = self._blank.copy()
        signature.update_batch(members)
        return Sketch(signature)

    def add(self, number: int, sketch: Sketch) -> None:
        """Keeps a set under a number that no other one has."""
        self._index.insert(str(number), sketch, check_duplication=False)

    def proposed(self, sketch: Sketch) -> list[int]:
        """The numbers of the sets that may be alike, in ascending order."""
        return sorted(int(key) for key in self._index.query(sketch))


def most_rows(threshold: float) -> int:
    """Rows of a band: as many as leave a pair at the threshold a chance of `RECALL` to be proposed, at least one.

    Args:
        threshold: Jaccard index in (0, 1].
    """
    kept = (
        rows for rows in range(PERMUTATIONS, 1, -1) if 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= RECALL
    )
    return next(kept, 1)
