"""Whether two runs were scored alike: in the same number format, by the same engine; or by the same raters."""

from harness.decision.raters import RATING
from harness.records.evidence import Evidence


def conditions_sentence(metric: str, ours: Evidence, theirs: Evidence) -> str | None:
    """What is said where a metric of two runs was not scored in the same way; None where it was."""
    if metric.startswith(RATING):
        return _campaign_sentence(metric, ours, theirs)
    our, their = ours.conditions.get(metric), theirs.conditions.get(metric)
    if our is None or their is None or our == their:
        return None
    return (
        f"{metric}: {ours.name} was scored in {our}, {theirs.name} in {their}, so a difference may come from that. "
        "Evaluate both on one machine with one version."
    )


def _campaign_sentence(metric: str, ours: Evidence, theirs: Evidence) -> str | None:
    our, their = ours.evaluations.get(metric), theirs.evaluations.get(metric)
    if our is None or their is None or our == their:
        return None
    return (
        f"{metric}: {ours.name} was rated in campaign {our}, {theirs.name} in {their}, so a difference may come from "
        "raters or rubric. Have both rated in one campaign."
    )
