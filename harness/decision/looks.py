"""Looks at sealed items: what each one costs, and when items have been looked at too often.

A verdict at confidence 1 - 2a lets a candidate without any gain pass with a chance of at most a, by the risky side of
the interval. After k looks the chance that any of k such candidates passed is at most k a (Bonferroni). This holds also
when each candidate is chosen after the verdicts before it, as long as of these only "it did not pass" was used: then
there is one path of k candidates that could be met, and the bound is over that path (answers that can be described in
few ways, as in Dwork et al. 2015, "Generalization in adaptive data analysis and holdout reuse", and in Blum and Hardt
2015, "The Ladder"). Whoever tunes by the numbers of a verdict, rather than by its outcome, wears sealed items out
faster than the bound says.
"""

from collections.abc import Sequence

from harness.records.verdicts import EvidenceRead, Look, Verdict

GOLDEN = "golden/"
MOST_RISK = 0.1  # four looks at 95 %; twice the 5 % at which a single two-sided question is asked
_DIGITS = 12  # four looks at 95 % are 0.1, and not a hair more


def read_golden(verdict: Verdict) -> list[EvidenceRead]:
    """The golden scores that a verdict read."""
    return [read for read in verdict.evidence if read.metric.startswith(GOLDEN)]


def number_look(verdict: Verdict, earlier: Sequence[Verdict], *, by: str, items: int) -> Look:
    """The look that a verdict is.

    The same run judged again by the same policy on the same sealed scores shows nothing new: it is the same look.

    Args:
        verdict: What was just derived, from sealed scores.
        earlier: Verdicts before it that read scores of any of these sealed items, oldest first.
        by: Who asked for it.
        items: Sealed items that it read.
    """
    new = [one for one in earlier if one.look is not None and one.look.repeats is None]
    for number, one in enumerate(new, start=1):
        if _is_same(one, verdict):
            counted, repeats = new[:number], one.verdict_id
            break
    else:
        counted, repeats = [*new, verdict], None
    return Look(
        number=len(counted),
        candidates=len({_candidate(one) for one in counted}),
        by=by,
        items=items,
        risk=false_pass_risk([one.confidence for one in counted]),
        repeats=repeats,
    )


def false_pass_risk(confidences: Sequence[float]) -> float:
    """The most that the chance can be that any of several candidates without a gain passed, in [0, 1].

    Args:
        confidences: Of the two-sided intervals of each look, in (0, 1).
    """
    return min(1.0, round(sum((1 - confidence) / 2 for confidence in confidences), _DIGITS))


def risk_words(looks: int, risk: float) -> str:
    """`3 looks: the chance that ... is up to 7.5 %`."""
    return (
        f"{looks} look{'s' if looks != 1 else ''}: the chance that a candidate without any gain would have passed at "
        f"least once is up to {100 * risk:.3g} %"
    )


def look_notes(look: Look, *, most_risk: float) -> list[str]:
    """What must be said with a verdict that is a look, a sentence each."""
    again = f", the same as in verdict {look.repeats}" if look.repeats else ""
    notes = [
        f"Look {look.number} at these {look.items} sealed items{again}; asked for by {look.by}. "
        f"{risk_words(look.number, look.risk)}, if no more than outcomes was used to choose candidates."
    ]
    if look.risk > most_risk:
        notes.append(worn_warning(look.number, look.risk, most_risk))
    return notes


def worn_warning(looks: int, risk: float, most_risk: float) -> str:
    """That sealed items have been looked at too often to be trusted, and the next step."""
    return (
        f"The sealed items are worn: {looks} looks, and a chance of up to {100 * risk:.3g} % is above the "
        f"{100 * most_risk:.3g} % that is allowed. Seal other items in a new version of the golden set before the next "
        "candidate is judged."
    )


def _is_same(one: Verdict, other: Verdict) -> bool:
    return (one.run_id, one.golden_sha256, one.policy_sha256, read_golden(one)) == (
        other.run_id,
        other.golden_sha256,
        other.policy_sha256,
        read_golden(other),
    )


def _candidate(verdict: Verdict) -> str:
    return verdict.adapter_sha256 or verdict.run_id
