"""How evenly records are spread over classes."""

from collections import Counter
from collections.abc import Mapping, Sequence

from harness.data.audit_finding import Bar, Bars, Observation
from harness.data.audit_records import AuditedRecord

MOST_CLASSES = 20
MOST_SHARE = 0.1  # distinct answers among all: at most that many are classes
SHOWN_BARS = 25


def classes_of(records: Sequence[AuditedRecord]) -> tuple[str, dict[int, str]]:
    """What the classes are, and the class of each line; nothing where records have no classes.

    Labels where there are any; else answers where few differ (at most `MOST_CLASSES`, or `MOST_SHARE` of the records,
    and each twice on average); else the first tag, where it differs.
    """
    if labels := {record.line: record.label for record in records if record.label is not None}:
        return "label", labels
    answers = {record.line: record.answer.strip() for record in records if record.answer.strip()}
    distinct = len(set(answers.values()))
    if distinct and 2 * distinct <= len(answers) and distinct <= max(MOST_CLASSES, MOST_SHARE * len(answers)):
        return "answer", answers
    tagged = {record.line: record.tags[0] for record in records if record.tags}
    return ("first tag", tagged) if len(set(tagged.values())) > 1 else ("", {})


def find_imbalance(what: str, classes: Mapping[int, str]) -> list[Observation]:
    """The ratio of the largest class to the smallest; lines are those of classes that are rarer than one in five.

    A single class is a finding too: nothing can be told apart with it.
    """
    counts = Counter(classes.values())
    if not counts:
        return []
    (largest, most), (smallest, fewest) = counts.most_common()[0], counts.most_common()[-1]
    if len(counts) == 1:
        sentence = f'Every record has the same {what}, "{_short(largest)}": there is nothing to tell apart.'
        return [Observation(check="balance", sentence=sentence, value=float(most))]
    if most == fewest:
        return []
    return [
        Observation(
            check="balance",
            sentence=f"By {what}, the largest of {len(counts):,} classes "
            f'("{_short(largest)}", {most:,}) has {most / fewest:.1f} records for one of the smallest '
            f'("{_short(smallest)}", {fewest:,}).',
            value=most / fewest,
            lines=tuple(line for line, name in classes.items() if 5 * counts[name] < most),
            examples=tuple(f'"{_short(name)}" {count:,}' for name, count in counts.most_common()[:-6:-1]),
        )
    ]


def balance_picture(what: str, classes: Mapping[int, str]) -> Bars | None:
    """Records of each class, the largest first; None where there are no classes."""
    counts = Counter(classes.values()).most_common()
    if not counts:
        return None
    bars = tuple(
        Bar(label=_short(name), count=count, stands_out=5 * count < counts[0][1]) for name, count in counts[:SHOWN_BARS]
    )
    return Bars(title=f"Records by {what}", bars=bars, left_out=len(counts) - len(bars))


def _short(name: str) -> str:
    flat = " ".join(name.split())
    return flat if len(flat) <= 60 else f"{flat[:57]}..."
