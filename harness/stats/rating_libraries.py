"""Typed doors to krippendorff, statsmodels and choix, for ratings and preferences.

Each function imports what it calls, so that importing `harness.stats` stays cheap. What is assumed and raised stands
with the callers.
"""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false

from typing import Any, cast

from harness.stats.libraries import Table, Values


def alpha_of_counts(counts: Table, levels: Values, level: str) -> float:
    """Krippendorff's alpha of how often each unit (row) got each level (column)."""
    import krippendorff

    return float(cast("Any", krippendorff.alpha)(value_counts=counts, value_domain=levels, level_of_measurement=level))


def cohen_of_table(table: Table, weights: str | None) -> float:
    """Cohen's kappa of how often the first rater gave the row's level and the second the column's."""
    from statsmodels.stats.inter_rater import cohens_kappa

    return float(cast("Any", cohens_kappa)(table, wt=weights, return_results=False))


def fleiss_of_counts(counts: Table) -> float:
    """Fleiss' kappa of how often each unit (row) got each category (column)."""
    from statsmodels.stats.inter_rater import fleiss_kappa

    return float(cast("Any", fleiss_kappa)(counts))


def bradley_terry_strengths(wins: Table) -> Values:
    """Maximum likelihood strengths (log-odds, mean 0) of how often the row won against the column."""
    from choix import ilsr_pairwise_dense

    return cast("Values", cast("Any", ilsr_pairwise_dense)(wins, max_iter=10_000))
