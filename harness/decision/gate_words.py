"""What a gate says to people: the numbers, the reason for its outcome, and what would change it."""

from harness.decision.gate_limit import Limit, items_needed
from harness.decision.gate_reading import Reading, Sides
from harness.records.scores import Metric
from harness.records.verdicts import Outcome
from harness.stats.sample_size import noninferiority_items_binary

MOST_ITEMS = 100_000
POWER = 0.8  # as is usual in planning
_BYTES_IN_A_GB = 1e9


def value_words(metric: Metric, value: float) -> str:
    """`18.1 %` for a pass/fail metric, `4.31 GB` or `0.319 s` for a cost; the metric's own unit otherwise."""
    if metric.kind == "binary":
        return f"{100 * value:.1f} %"
    if not metric.name.startswith("cost/"):
        return f"{value:,.3f}"
    match metric.name.rpartition("_")[2]:
        case "bytes":
            return f"{value / _BYTES_IN_A_GB:,.2f} GB"
        case "s" | "tokens" as unit:
            return f"{value:,.3f} s" if unit == "s" else f"{value:,.0f} tokens"
        case _:
            return f"{value:,.4g}"


def difference_words(metric: Metric, value: float) -> str:
    """`2.0 points` for a pass/fail metric; the metric's own unit otherwise. The sign is kept where it is minus."""
    return f"{100 * value:.1f} points" if metric.kind == "binary" else f"{value:.3f}"


def sentence(limit: Limit, reading: Reading, outcome: Outcome, sides: Sides, *, where: str = "") -> str:
    """The number with its interval and n, and why it passes, fails or decides nothing.

    Args:
        limit: What the number is held against.
        reading: The number.
        outcome: What the interval says of the limit.
        sides: Whose number it is.
        where: The slice, such as `on tag edge`; empty for all items.
    """
    place = f"{where}, " if where else ""
    return f"{place}{number_words(reading, sides)}: {_reason(limit, reading, outcome, sides.metric)}"


def number_words(reading: Reading, sides: Sides) -> str:
    """The number with its interval and n, such as `lora is at 18.1 % (7.5 to 29.4, n 60)`."""
    return _value_lead(reading, sides) if sides.baseline is None else _difference_lead(reading, sides)


def remedy(limit: Limit, reading: Reading, outcome: Outcome, sides: Sides, *, confidence: float) -> str | None:
    """What would change an outcome that is not a pass."""
    match outcome:
        case "pass":
            return None
        case "inconclusive":
            return _more_items(limit, reading, sides.metric, confidence)
        case "fail" if limit.kind == "noninferiority":
            return (
                "More items will not turn this around. Train more gently (fewer epochs, a lower learning rate, some "
                "general examples among the records), then run and gate again."
            )
        case "fail" if sides.metric.name.startswith("cost/"):
            return "It takes a candidate that costs less."
        case "fail":
            return "More items will not turn this around: it takes another candidate."


def needed_words(total: int, n: int) -> str:
    """`about 310 more`: how many items beyond the n there are."""
    return f"more than {MOST_ITEMS:,} more" if total - n > MOST_ITEMS else f"about {total - n:,} more"


def absent_words(metric: str, name: str) -> tuple[str, str]:
    """That nothing is stored of a metric, and the next step."""
    family, _, rest = metric.partition("/")
    match family:
        case "rating":
            step = "Have experts rate the answers, or take this gate out of the policy until they can."
            return f"no ratings of {name} are there.", step
        case "regression":
            task = rest.partition("/")[0]
            return (
                f"{name} was not evaluated on {task}.",
                f"Name a suite with {task} in the experiment (`regression:`); `harness run EXPERIMENT` evaluates it.",
            )
        case "probe":
            return f"{name} was not probed for {rest}.", "Only a system with an adapter of its own is probed."
        case "cost":
            return f"{metric} of {name} was not recorded.", "`harness run EXPERIMENT --again` measures it anew."
        case _:
            return (
                f"{name} has no scores on {metric}.",
                f"Name a baseline that answers golden items, or add the scorer of {rest} to the golden set's manifest.",
            )


def _value_lead(reading: Reading, sides: Sides) -> str:
    value = f"{sides.candidate} is at {value_words(sides.metric, reading.value)}"
    if reading.low is None or reading.high is None:
        return f"{value} (no interval, n {reading.n})"
    low, high = (value_words(sides.metric, bound) for bound in (reading.low, reading.high))
    return f"{value} ({low.partition(' ')[0]} to {high}, n {reading.n})"


def _difference_lead(reading: Reading, sides: Sides) -> str:
    size = difference_words(sides.metric, abs(reading.value))
    if reading.value == 0:
        lead = f"{sides.candidate} and {sides.baseline} come out the same"
    else:
        lead = f"{sides.candidate} is {size} {'better' if reading.value > 0 else 'worse'} than {sides.baseline}"
    if reading.low is None or reading.high is None:
        return f"{lead} (no interval, n {reading.n})"
    scale, digits = (100, 1) if sides.metric.kind == "binary" else (1, 3)
    return f"{lead} ({scale * reading.low:+.{digits}f} to {scale * reading.high:+.{digits}f}, n {reading.n})"


def _reason(limit: Limit, reading: Reading, outcome: Outcome, metric: Metric) -> str:
    if reading.low is None or reading.high is None:
        return _single_reason(limit, outcome, metric)
    match limit.kind:
        case "superiority":
            return _superiority_reason(limit, reading.high, outcome, metric)
        case "noninferiority":
            return _noninferiority_reason(limit, reading.low, outcome, metric)
        case "at_least" | "at_most":
            return _threshold_reason(limit, outcome, metric)


def _superiority_reason(limit: Limit, high: float, outcome: Outcome, metric: Metric) -> str:
    by = "0" if limit.value == 0 else difference_words(metric, limit.value)
    worthwhile = None if limit.worthwhile is None else difference_words(metric, limit.worthwhile)
    small = limit.worthwhile is not None and high < limit.worthwhile
    match outcome:
        case "pass":
            end = f", though surely by less than the {worthwhile} that would be worthwhile" if small else ""
            return f"superior, the whole interval lies above {by}{end}."
        case "fail" if high <= limit.value:
            return f"no gain, no part of the interval lies above {by}."
        case "fail":
            return f"no worthwhile gain, even the upper end is under {worthwhile}."
        case "inconclusive":
            return f"open, the interval lies on both sides of {by}."


def _noninferiority_reason(limit: Limit, low: float, outcome: Outcome, metric: Metric) -> str:
    margin = difference_words(metric, -limit.value)
    match outcome:
        case "pass":
            if low >= 0:
                return "no loss is possible."
            return f"at most {difference_words(metric, -low)} are lost, less than the margin of {margin}."
        case "fail":
            return f"a loss, the whole interval lies beyond the margin of {margin}."
        case "inconclusive":
            return f"open, a loss of up to {difference_words(metric, -low)} is possible, and the margin is {margin}."


def _threshold_reason(limit: Limit, outcome: Outcome, metric: Metric) -> str:
    value = value_words(metric, limit.value)
    at_least = limit.kind == "at_least"
    match outcome:
        case "pass":
            return f"even the {'lower' if at_least else 'upper'} end keeps to {_asked(limit, value)}."
        case "fail":
            return f"even the {'upper' if at_least else 'lower'} end is {'under' if at_least else 'above'} {value}."
        case "inconclusive":
            return f"open, {value} lies inside the interval, and {_asked(limit, value)} is asked for."


def _single_reason(limit: Limit, outcome: Outcome, metric: Metric) -> str:
    if not metric.name.startswith("cost/"):
        return "open, no interval is defined, and gates read the interval."
    asked = _asked(limit, value_words(metric, limit.value))
    return f"{asked} is asked for, and it is {'kept' if outcome == 'pass' else 'not kept'} by one measurement."


def _asked(limit: Limit, value: str) -> str:
    return f"{'at least' if limit.kind == 'at_least' else 'at most'} {value}"


def _more_items(limit: Limit, reading: Reading, metric: Metric, confidence: float) -> str:
    if reading.low is None or reading.high is None:
        return "More items, or a metric with bounds, would give it an interval."
    total = items_needed(limit, reading, confidence=confidence)
    if total is None:
        return "The value stands on the limit itself: more items may not decide it."
    family, _, rest = metric.name.partition("/")
    kind = rest.partition("/")[0] if family == "regression" else family
    what = "margin" if limit.kind == "noninferiority" else "question"
    words = f"{needed_words(total, reading.n)} {kind} items would resolve this {what}, {_which_way(limit, reading)}."
    return f"{words[0].upper()}{words[1:]}{_planned(limit, reading, confidence)}"


def _which_way(limit: Limit, reading: Reading) -> str:
    against = reading.value > limit.value if limit.kind == "at_most" else reading.value < limit.value
    return f"{'as a fail, ' if against else ''}if the value stays as it is"


def _planned(limit: Limit, reading: Reading, confidence: float) -> str:
    """How many items a candidate that truly loses nothing needs to pass; empty where that cannot be told."""
    found = reading.comparison
    if limit.kind != "noninferiority" or found is None or found.kind != "binary" or found.better + found.worse == 0:
        return ""
    discordance = (found.better + found.worse) / found.n
    total = noninferiority_items_binary(-limit.value, discordance, POWER, confidence=confidence)
    if total is None or total <= found.n:
        return ""
    return f" If nothing is truly lost, {total:,} items would pass {10 * POWER:.0f} times in 10."
