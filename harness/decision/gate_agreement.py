"""Whether ratings can carry a verdict at all: enough raters, who agree enough.

Raters who disagree say nothing about the candidate, so that too little agreement is inconclusive, never a fail.
"""

from harness.config.policy import Gate
from harness.records.evidence import Agreement, Evidence
from harness.records.verdicts import Finding, Outcome
from harness.stats.claims import threshold


def judge_agreement(gate: Gate, candidate: Evidence) -> list[Finding]:
    """A finding on the number of raters and one on their agreement, as far as the gate asks for them."""
    agreement = candidate.agreement.get(gate.metric)
    findings: list[Finding] = []
    if gate.min_raters is not None:
        findings.append(_judge_raters(gate.metric, gate.min_raters, agreement))
    if gate.min_agreement is not None:
        findings.append(_judge_alpha(gate.metric, gate.min_agreement, agreement))
    return findings


def _judge_raters(metric: str, wanted: int, agreement: Agreement | None) -> Finding:
    raters = agreement.raters if agreement else 0
    outcome: Outcome = "pass" if raters >= wanted else "inconclusive"
    return Finding(
        subject=f"raters of {metric}",
        outcome=outcome,
        value=float(raters),
        low=None,
        high=None,
        limit=float(wanted),
        n=agreement.items if agreement else 0,
        n_missing=0,
        test="count",
        words=f"{raters} {'raters have' if raters != 1 else 'rater has'} rated, and {wanted} are asked for.",
        remedy=None if outcome == "pass" else "Invite more with `harness rate invite`.",
    )


def _judge_alpha(metric: str, wanted: float, agreement: Agreement | None) -> Finding:
    alpha = agreement.alpha if agreement else None
    low, high = (agreement.low, agreement.high) if agreement else (None, None)
    state: Outcome = "inconclusive"
    if alpha is None or low is None or high is None:
        words = f"agreement of the raters is not known, and at least {wanted:g} is asked for."
    else:
        found = threshold(low, high, at_least=wanted)
        state = "pass" if found == "pass" else "inconclusive"
        lead = f"raters agree at alpha {alpha:.2f} ({low:.2f} to {high:.2f})"
        reason = {
            "pass": f"even the lower end is at least {wanted:g}.",
            "inconclusive": f"open, at least {wanted:g} is asked for.",
            "fail": f"under {wanted:g}, so these ratings cannot carry a verdict.",
        }
        words = f"{lead}: {reason[found]}"
    return Finding(
        subject=f"agreement on {metric}",
        outcome=state,
        value=alpha,
        low=low,
        high=high,
        limit=wanted,
        n=agreement.items if agreement else 0,
        n_missing=0,
        test="Krippendorff's alpha",
        words=words,
        remedy=None if state == "pass" else "Have more items rated twice; clear up the rubric where raters differ.",
    )
