"""Whether two runs were scored alike: in the same number format, by the same engine."""

from harness.records.evidence import Evidence


def conditions_sentence(metric: str, ours: Evidence, theirs: Evidence) -> str | None:
    """What is said where a regression metric of two runs was not scored in the same way; None where it was."""
    our, their = ours.conditions.get(metric), theirs.conditions.get(metric)
    if our is None or their is None or our == their:
        return None
    return (
        f"{metric}: {ours.name} was scored in {our}, {theirs.name} in {their}, so a difference may come from that. "
        "Evaluate both on one machine with one version."
    )
