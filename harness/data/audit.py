"""The audit of a training file: every check, judged by thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.config.audit import Thresholds
from harness.data.answer_patterns import find_off_pattern, format_facts
from harness.data.audit_finding import AuditReport, Observation, counted, judged
from harness.data.audit_records import AuditedRecord, AuditedSet
from harness.data.balance import balance_picture, classes_of, find_imbalance
from harness.data.encoding_damage import find_damage
from harness.data.golden_overlap import find_golden_overlap
from harness.data.languages import find_language_mix, language_picture, languages_of, main_language
from harness.data.lengths import Lengths, find_cut, length_facts, length_picture
from harness.data.near_duplicates import find_near_duplicates
from harness.data.personal_data import personal_data
from harness.data.repeats import find_contradictions, find_repeats
from harness.data.secret_values import secret_values
from harness.data.sensitive import find_sensitive
from harness.records.items import GoldenSet
from harness.records.training import count_origins

_ORDER = ("problem", "warning", "hint")


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditInput:
    """What is audited: a file, how long its records are, and the golden set to hold it against, if any."""

    audited: AuditedSet
    lengths: Lengths
    golden: GoldenSet | None


def audit(given: AuditInput, thresholds: Thresholds) -> AuditReport:
    """Looks at every record with every check. Time grows linearly with the text."""
    records = given.audited.records
    what, classes = classes_of(records)
    languages = languages_of(records)
    observations = [
        *given.audited.observations,
        *find_repeats(records),
        *find_near_duplicates(records, similarity=thresholds.near_duplicate_similarity),
        *find_contradictions(records),
        *_golden(given),
        *find_imbalance(what, classes),
        *find_cut(given.lengths),
        *find_damage(records),
        *find_language_mix(languages),
        *find_sensitive(records, "personal_data", personal_data, "Likely personal data"),
        *find_sensitive(records, "secrets", secret_values, "Likely secrets"),
        *find_off_pattern(records),
        *_size(len(records), thresholds.advised_records),
    ]
    findings = [judged(one, getattr(thresholds.limits, one.check).level(one.value)) for one in observations]
    pictures = (length_picture(given.lengths), balance_picture(what, classes), language_picture(languages))
    return AuditReport(
        path=given.audited.path,
        sha256=given.audited.sha256,
        records=len(records),
        facts=(
            ("format", given.audited.format),
            ("groups", str(len({one.record.group for one in records if one.record.group is not None}) or "none")),
            *_origins(records),
            *length_facts(given.lengths),
            ("classes", f"{len(set(classes.values())):,}, by {what}" if classes else "none that can be told"),
            *format_facts(records),
            ("language", f"{main_language(languages)} (a heuristic)"),
        ),
        findings=tuple(sorted(findings, key=lambda one: _ORDER.index(one.severity))),
        pictures=tuple(picture for picture in pictures if picture is not None),
        notes=tuple(_notes(given)),
        thresholds=thresholds.name,
        fails=any(thresholds.is_broken_by(finding.severity) for finding in findings),
    )


def _golden(given: AuditInput) -> list[Observation]:
    if given.golden is None:
        return []
    return find_golden_overlap(given.audited.records, given.golden.items)


def _origins(records: Sequence[AuditedRecord]) -> list[tuple[str, str]]:
    """Records of each origin, where some were made of others."""
    origins = count_origins(record.record for record in records)
    return [("origins", ", ".join(f"{name} {count:,}" for name, count in origins.items()))] if origins else []


def _size(records: int, advised: tuple[int, int]) -> list[Observation]:
    fewest, most = advised
    if records >= fewest:
        return []
    return [
        Observation(
            check="size",
            sentence=f"{counted(records, 'record')}; the usual advice for LoRA is {fewest:,} to {most:,} good ones. "
            "Narrow tasks do with fewer; the golden set tells.",
            value=1 - records / fewest,
        )
    ]


def _notes(given: AuditInput) -> list[str]:
    notes: list[str] = []
    if given.lengths.limit is None:
        notes.append(
            "Lengths are counted in words and held against no context: name an --experiment or a --base-model."
        )
    if given.golden is None:
        notes.append("No golden set was looked at: name one with --golden.")
    if unmeasured := _unmeasured(given.audited.records, given.lengths):
        notes.append(f"{counted(unmeasured, 'record')} could not be rendered by the chat template and have no length.")
    return notes


def _unmeasured(records: Sequence[AuditedRecord], lengths: Lengths) -> int:
    return sum(record.line not in lengths.of for record in records)
