"""Values that should not be in training data, shown without being shown."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.data.audit_finding import Check, Observation, kinds_found, of_records, unique
from harness.data.audit_records import AuditedRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensitive:
    """A value found in a text: what kind it is, and the value itself, which no message may repeat."""

    kind: str
    value: str

    @property
    def masked(self) -> str:
        """The first two characters and the length: enough to find it in its line."""
        return f"{self.value[:2]}... ({len(self.value)} characters)"


def find_sensitive(
    records: Sequence[AuditedRecord], check: Check, look: Callable[[str], list[Sensitive]], said: str
) -> list[Observation]:
    """What `look` finds in any text of a record, by line, with every value masked."""
    found = [(record.line, one) for record in records for text in record.texts for one in look(text)]
    if not found:
        return []
    lines = unique(line for line, _ in found)
    kinds = Counter(one.kind for _, one in found)
    return [
        Observation(
            check=check,
            sentence=f"{said}: {of_records(len(lines), len(records))}, {kinds_found(kinds)}.",
            value=len(lines) / len(records),
            lines=lines,
            examples=tuple(dict.fromkeys(f"line {line}: {one.kind} {one.masked}" for line, one in found)),
        )
    ]
