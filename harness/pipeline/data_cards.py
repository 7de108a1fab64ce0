"""What an evidence report says of the data behind it: the golden set and each training set."""

from pathlib import Path
from typing import cast

from harness.pipeline.prepare import Prepared
from harness.records.items import GoldenSet
from harness.records.runs import Run
from harness.records.training import TrainingSet
from harness.report.content import DataCard


def data_cards(prepared: Prepared, run: Run) -> list[DataCard]:
    """A card for the golden set, with what its authors say of it, and one for each training set.

    Args:
        prepared: The experiment, whose data are described as they are now.
        run: The candidate's. What it answered or learned in another version is said.
    """
    golden_set = prepared.golden_set
    card = prepared.experiment.golden_set / "card.md"
    cards = [
        DataCard(
            kind="golden set",
            name=golden_set.name,
            facts=(
                ("version", golden_set.version),
                ("items", item_count(golden_set)),
                ("sha256", golden_set.sha256),
                ("licence", golden_set.licence),
                *_answered(golden_set, run),
            ),
            text=card.read_text(encoding="utf-8") if card.is_file() else None,
        )
    ]
    for training_set in prepared.training_sets:
        facts = (
            ("records", str(len(training_set.records))),
            ("format", training_set.format),
            ("sha256", training_set.sha256),
            ("overlap with the golden set", _overlap_fact(len(prepared.overlaps.get(training_set.path, ())))),
            *_learned(training_set, run),
        )
        cards.append(DataCard(kind="training set", name=Path(training_set.path).name, facts=facts, text=None))
    return cards


def item_count(golden_set: GoldenSet) -> str:
    """`50`, or `30 (and 20 sealed, which only a gate reads)`."""
    asked, sealed = (len(golden_set.part(part)) for part in ("development", "sealed"))
    return f"{asked} (and {sealed} sealed, which only a gate reads)" if sealed else str(asked)


def _answered(golden_set: GoldenSet, run: Run) -> list[tuple[str, str]]:
    if run.golden_sha256 == golden_set.sha256:
        return []
    return [("the candidate answered", f"another version: {run.golden_version} (sha256 {run.golden_sha256})")]


def _learned(training_set: TrainingSet, run: Run) -> list[tuple[str, str]]:
    """That the candidate learned other records than this training set has now, and so perhaps golden ones."""
    read = run.provenance.get("training_sets")
    hashes = [one.get("sha256") for one in cast("list[dict[str, object]]", read)] if isinstance(read, list) else []
    if not hashes or training_set.sha256 in hashes:
        return []
    return [("the candidate learned", f"other records (sha256 {', '.join(map(str, hashes))})")]


def _overlap_fact(pairs: int) -> str:
    if pairs == 0:
        return "none: refused before training"
    shared = f"{pairs} pairs of a record and an item" if pairs != 1 else "1 pair of a record and an item"
    return f"{shared}, as allowed: figures are given with and without these items"
