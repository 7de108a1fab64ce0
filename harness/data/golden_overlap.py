"""Records that stand in a golden set, or nearly: what is scored must not be learned."""

from collections.abc import Sequence

from harness.data.audit_finding import Observation, of_records, unique
from harness.data.audit_records import AuditedRecord
from harness.data.overlap import find_overlaps
from harness.records.items import Item


def find_golden_overlap(records: Sequence[AuditedRecord], items: Sequence[Item]) -> list[Observation]:
    """Records that the overlap guard would refuse, copies and near copies alike, with the items they are like."""
    overlaps = find_overlaps([record.record for record in records], items)
    if not overlaps:
        return []
    lines = unique(overlap.line for overlap in overlaps)
    return [
        Observation(
            check="golden_overlap",
            sentence=f"In the golden set, or nearly: {of_records(len(lines), len(records))}. Its scores would show "
            "memory, not skill.",
            value=len(lines) / len(records),
            lines=lines,
            examples=tuple(
                f"line {overlap.line}: item {overlap.item_id} ({overlap.kind.replace('_', ' ')})"
                for overlap in overlaps
            ),
        )
    ]
