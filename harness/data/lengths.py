"""How long records are, and which would be cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Literal

from harness.data.audit_finding import Bar, Bars, Observation, of_records

Unit = Literal["tokens", "words"]
_BINS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Length:
    """A record's length: what stands before the answer, and the answer."""

    prompt: int
    answer: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.prompt + self.answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Lengths:
    """Lengths by line. `limit` is what fits, None where that is not known; `measured_by` says whose tokens they are."""

    unit: Unit
    of: Mapping[int, Length]
    limit: int | None
    measured_by: str


def find_cut(lengths: Lengths) -> list[Observation]:
    """Records that do not fit, and how many of them would keep nothing of their answer."""
    limit = lengths.limit
    if limit is None:
        return []
    cut = {line: length for line, length in lengths.of.items() if length.total > limit}
    if not cut:
        return []
    lost = sum(length.prompt >= limit for length in cut.values())
    return [
        Observation(
            check="lengths",
            sentence=f"Longer than the {limit:,} {lengths.unit} that fit: {of_records(len(cut), len(lengths.of))}; "
            f"cut there, {lost:,} would keep nothing of the answer.",
            value=len(cut) / len(lengths.of),
            lines=tuple(cut),
            examples=tuple(
                f"line {line}: {length.total:,} {lengths.unit}, the answer begins at {length.prompt + 1:,}"
                for line, length in sorted(cut.items(), key=lambda one: -one[1].total)
            ),
        )
    ]


def length_facts(lengths: Lengths) -> list[tuple[str, str]]:
    """Median, 95th percentile and longest, of prompts and of answers."""
    if not lengths.of:
        return []
    fits = f"; {lengths.limit:,} fit" if lengths.limit is not None else ""
    whole, answers = ([each.total for each in lengths.of.values()], [each.answer for each in lengths.of.values()])
    return [
        (f"lengths in {lengths.unit}", f"{_spread(whole)} ({lengths.measured_by}{fits})"),
        (f"answers in {lengths.unit}", _spread(answers)),
    ]


def length_picture(lengths: Lengths) -> Bars | None:
    """How many records have which length; None where there are none."""
    totals = [length.total for length in lengths.of.values()]
    if not totals:
        return None
    width = max(1, -(-(max(totals) + 1) // _BINS))
    counts = [0] * (max(totals) // width + 1)
    for total in totals:
        counts[total // width] += 1
    bars = tuple(
        Bar(
            label=f"{place * width:,} to {(place + 1) * width - 1:,}",
            count=count,
            stands_out=lengths.limit is not None and place * width > lengths.limit,
        )
        for place, count in enumerate(counts)
    )
    return Bars(title=f"Records by length in {lengths.unit}", bars=bars)


def _spread(values: Sequence[int]) -> str:
    cuts = quantiles(values, n=20, method="inclusive") if len(values) > 1 else [float(values[0])] * 19
    return f"median {cuts[9]:,.0f}, 95 % up to {cuts[18]:,.0f}, longest {max(values):,}"
