"""How well an answer codes a note in ICD-10-CM: scorers for a golden set that names its list of codes."""

from collections.abc import Callable
from functools import partial

from harness.evaluation.scorers.icd10_answer import is_format_valid, parse_codes
from harness.records.items import Item
from harness.records.scores import Direction, Mark, Metric, MetricKind, Scorer

_Codes = frozenset[str]
_Measure = Callable[[_Codes, _Codes], float]


def codes_exact_match(known_codes: frozenset[str]) -> Scorer:
    """Scorer: 1 if the answer gives exactly the codes of any reference, in any order, else 0."""
    description = "Share of answers with exactly the codes of a reference, in any order."
    return _correctness("codes_exact_match", "binary", description, known_codes, lambda given, due: float(given == due))


def codes_precision(known_codes: frozenset[str]) -> Scorer:
    """Scorer: share of the given codes that the reference has, in [0, 1].

    The reference is the one with the highest F1 for the answer, as for recall. Where answer and reference both say that
    there is no code: 1; where only one of them does: 0.
    """
    description = "Share of the given codes that are right, averaged over answers."
    return _correctness("codes_precision", "graded", description, known_codes, _precision)


def codes_recall(known_codes: frozenset[str]) -> Scorer:
    """Scorer: share of the reference's codes that the answer gives, in [0, 1]; else as `codes_precision`."""
    description = "Share of the right codes that are given, averaged over answers."
    return _correctness("codes_recall", "graded", description, known_codes, _recall)


def codes_f1(known_codes: frozenset[str]) -> Scorer:
    """Scorer: harmonic mean of precision and recall of one answer, in [0, 1]; the best over the references."""
    description = "Harmonic mean of precision and recall of each answer, averaged over answers."
    return _correctness("codes_f1", "graded", description, known_codes, _f1)


def format_valid() -> Scorer:
    """Scorer: 1 if the answer is exactly in the demanded format, else 0. Never unparsed: a wrong format is a 0."""
    return _scorer(
        "format_valid",
        "binary",
        "Share of answers exactly in the demanded format.",
        mark=lambda _, text: Mark(value=float(is_format_valid(text))),
        unparsed_value=0.0,
    )


def invented_codes(known_codes: frozenset[str]) -> Scorer:
    """Scorer: share of the distinct given codes that do not exist, in [0, 1]; lower is better.

    0 for an answer that says that there is no code. An answer without readable codes is unparsed without a value: 0
    would praise it, 1 would accuse it of what it did not do.
    """
    return _scorer(
        "invented_codes",
        "graded",
        "Share of the given codes that are in no code list, averaged over answers that can be read.",
        mark=partial(_mark_invented, known_codes),
        unparsed_value=None,
        direction="lower_is_better",
    )


def _scorer(
    name: str,
    kind: MetricKind,
    description: str,
    *,
    mark: Callable[[Item, str], Mark],
    unparsed_value: float | None,
    direction: Direction = "higher_is_better",
) -> Scorer:
    metric = Metric(name=f"golden/{name}", kind=kind, direction=direction, description=description)
    return Scorer(name=name, metric=metric, unparsed_value=unparsed_value, mark=mark)


def _correctness(
    name: str, kind: MetricKind, description: str, known_codes: frozenset[str], measure: _Measure
) -> Scorer:
    mark = partial(_mark_correctness, known_codes, measure)
    return _scorer(name, kind, description, mark=mark, unparsed_value=0.0)


def _mark_correctness(known_codes: frozenset[str], measure: _Measure, item: Item, text: str) -> Mark:
    given = parse_codes(text, known_codes)
    if given is None:
        return Mark(value=None, detail="the answer gives no code and does not say NONE")
    references = [parse_codes(reference, known_codes) for reference in item.references]
    readable = [due for due in references if due is not None]
    if not readable:
        raise ValueError(f"item {item.item_id}: no reference gives codes; scorers_for checks this")
    due = max(readable, key=lambda codes: _f1(given, codes))
    return Mark(value=measure(given, due), detail=f"given {_listing(given)}; due {_listing(due)}")


def _mark_invented(known_codes: frozenset[str], _: Item, text: str) -> Mark:
    given = parse_codes(text, known_codes)
    if given is None:
        return Mark(value=None, detail="the answer gives no code and does not say NONE")
    invented = given - known_codes
    return Mark(
        value=len(invented) / len(given) if given else 0.0,
        detail=f"not in the code list: {_listing(invented)}" if invented else None,
    )


def _precision(given: _Codes, due: _Codes) -> float:
    return len(given & due) / len(given) if given else float(not due)


def _recall(given: _Codes, due: _Codes) -> float:
    return len(given & due) / len(due) if due else float(not given)


def _f1(given: _Codes, due: _Codes) -> float:
    return 2 * len(given & due) / (len(given) + len(due)) if given or due else 1.0


def _listing(codes: _Codes) -> str:
    return ", ".join(sorted(codes)) or "NONE"
