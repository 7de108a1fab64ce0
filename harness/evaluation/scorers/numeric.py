"""Whether an answer gives the right figure: scorers for a golden set whose references are figures with a unit.

A figure is right if it is near enough to a reference and of its kind of unit:

- An amount of money may be off by half the last digit that the reference states: sums and differences are exact.
- A ratio, percentage points, days and months may be off by that, or by 0.5 % of the reference if this is more: rounding
  on the way is no error.
- Units are converted: EUR 3.4 million is EUR 3,400 thousand, 216 % is 2.16 x, 45 cents are 0.45, 120 basis points are
  1.2 pp. Percent and percentage points are different units. A currency that is written must be the reference's.
- A bare number, such as what a working comes to, is read in the reference's unit; where that is a percentage, also as
  a fraction (0.234 for 23.4 %).
"""

from collections.abc import Callable
from decimal import Decimal

from harness.evaluation.scorers.figure import Figure
from harness.evaluation.scorers.numeric_answer import INSUFFICIENT, is_format_valid, parse_answer
from harness.evaluation.scorers.working import calculate, find_working
from harness.records.items import GoldenSet, Item
from harness.records.scores import Mark, Metric, Scorer

RELATIVE_TOLERANCE = Decimal("0.005")
"""Of the reference, as a proportion; not for amounts of money."""

_UNREAD = "the answer gives no single figure and does not say that the information is insufficient"
_SLIPS = tuple(Decimal(10) ** exponent for exponent in (-9, -6, -3, -2, -1, 1, 2, 3, 6, 9))


def value_correct() -> Scorer:
    """Scorer: 1 if the answer gives the figure of any reference, else 0.

    An answer that says that the information is insufficient is right where the reference says so, and only there.
    """
    description = "Share of answers with the right figure in the right unit, or that rightly give none."
    return _scorer("value_correct", description, _mark_value)


def working_correct() -> Scorer:
    """Scorer: 1 if the answer's working, carried out without error, comes to the figure of any reference, else 0.

    It tells a wrong method from wrong arithmetic: compare it with `value_correct`. An answer that says that the
    information is insufficient has no working; it counts as there. Other answers without one are unparsed, worth 0.
    """
    description = "Share of answers whose working comes to the right figure, or that rightly give none."
    return _scorer("working_correct", description, _mark_working)


def abstention_correct() -> Scorer:
    """Scorer: 1 if the answer gives a figure where there is one, and says that there is none where not; else 0.

    Whether the figure is right does not count. An answer that does neither has not decided: it is unparsed, worth 0.
    """
    description = "Share of answers that give a figure if and only if the information suffices for one."
    return _scorer("abstention_correct", description, _mark_abstention)


def format_valid() -> Scorer:
    """Scorer: 1 if the answer is exactly in the demanded format, else 0. Never unparsed: a wrong format is a 0."""
    description = "Share of answers exactly in the demanded format."
    return _scorer("format_valid", description, lambda _, text: Mark(value=float(is_format_valid(text))))


def tolerance(due: Figure) -> Decimal:
    """How far from `due` a figure may be, both in base units, and still be right."""
    half_a_step = due.step / 2
    return half_a_step if due.quantity == "money" else max(half_a_step, abs(due.value) * RELATIVE_TOLERANCE)


def is_right(given: Figure, due: Figure) -> bool:
    """Whether `given` is within tolerance of `due`, in a unit that can be converted to that of `due`."""
    return any(abs(value - due.value) <= tolerance(due) for value in _readings(given, due))


def reference_problems(golden_set: GoldenSet) -> list[str]:
    """What keeps a reference from being scored against: it is not in the demanded format."""
    return [
        f'item "{item.item_id}": the reference {reference!r} is not in the demanded format. Write the line '
        "`Working: ...` and the line `Answer: 12.3 %` (or pp, x, days, months, `EUR 1,234 thousand`, "
        f"`{INSUFFICIENT}`)."
        for item in golden_set.items
        for reference in item.references
        if not is_format_valid(reference)
    ]


def _scorer(name: str, description: str, mark: Callable[[Item, str], Mark]) -> Scorer:
    metric = Metric(name=f"golden/{name}", kind="binary", description=description)
    return Scorer(name=name, metric=metric, unparsed_value=0.0, mark=mark)


def _readings(given: Figure, due: Figure) -> list[Decimal]:
    """What a figure may mean in base units of `due`; none if its unit or currency is another."""
    if given.quantity is None:
        fraction = [given.number] if due.quantity == "ratio" else []
        return [given.number * due.factor, *fraction]
    if given.quantity != due.quantity:
        return []
    if given.currencies and due.currencies and not given.currencies & due.currencies:
        return []
    return [given.value]


def _mark_value(item: Item, text: str) -> Mark:
    given = parse_answer(text)
    return Mark(value=None, detail=_UNREAD) if given is None else _compare(item, given)


def _mark_working(item: Item, text: str) -> Mark:
    if parse_answer(text) == INSUFFICIENT:
        return _compare(item, INSUFFICIENT)
    working = find_working(text)
    value = calculate(working) if working else None
    if value is None:
        return Mark(value=None, detail="the answer shows no working that can be calculated")
    return _compare(item, Figure(written=f"{working} = {value:.6g}", number=value, decimals=0))


def _compare(item: Item, given: Figure | str) -> Mark:
    due = _references(item)
    right = any(
        is_right(given, one) if isinstance(given, Figure) and isinstance(one, Figure) else given == one for one in due
    )
    slip = None if right else _slip(given, due[0])
    detail = f"given {_show(given)}; due {_show(due[0])}"
    return Mark(value=float(right), detail=f"{detail}; {slip}" if slip else detail)


def _mark_abstention(item: Item, text: str) -> Mark:
    given = parse_answer(text)
    if given is None:
        return Mark(value=None, detail=_UNREAD)
    due = _references(item)
    right = any((given == INSUFFICIENT) == (one == INSUFFICIENT) for one in due)
    return Mark(value=float(right), detail=f"given {_show(given)}; due {_show(due[0])}")


def _references(item: Item) -> list[Figure | str]:
    due = [parse_answer(reference) for reference in item.references]
    readable = [one for one in due if one is not None]
    if not readable:
        raise ValueError(f"item {item.item_id}: no reference gives a figure; scorers_for checks this")
    return list(readable)


def _slip(given: Figure | str, due: Figure | str) -> str | None:
    """Names a wrong answer's error where the digits are right: its unit, sign or power of ten."""
    if not isinstance(given, Figure) or not isinstance(due, Figure):
        return None
    readings = _readings(given, due)
    if not readings:
        return "another unit"
    room = tolerance(due)
    if any(abs(-value - due.value) <= room for value in readings):
        return "the sign is wrong"
    for power in _SLIPS:
        if any(abs(value - due.value * power) <= room * power for value in readings):
            return f"off by a factor of {power if power > 1 else 1 / power:,f}"
    return None


def _show(answer: Figure | str) -> str:
    return answer.written if isinstance(answer, Figure) else answer
