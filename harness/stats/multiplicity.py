"""Many questions at once."""

from collections.abc import Sequence

import numpy as np

from harness.stats.libraries import adjusted_p_values


def benjamini_hochberg(p_values: Sequence[float], *, rate: float = 0.05) -> list[float]:
    """Adjusted p-values: call those at most `rate`, and of the calls at most a share of `rate` is expected to be false.

    For looking through many slices. Not for gates that must all pass: there each gate is its own test, and requiring
    all of them only makes a false pass rarer. Assumes p-values that are independent or positively dependent.

    Args:
        p_values: Each in [0, 1]; may be none.
        rate: The false discovery rate aimed at, in (0, 1).

    Returns:
        In the order given, each in [0, 1] and never under its own p-value.

    Raises:
        ValueError: A p-value outside [0, 1], or a rate outside (0, 1).

    Source: Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57:289; computed by statsmodels.
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate is {rate}; allowed: a proportion inside (0, 1), such as 0.05")
    for p_value in p_values:
        if not 0 <= p_value <= 1:
            raise ValueError(f"a p-value is {p_value}; allowed: 0 to 1")
    if not p_values:
        return []
    return [float(adjusted) for adjusted in adjusted_p_values(np.array(p_values, dtype=np.float64), rate)]
