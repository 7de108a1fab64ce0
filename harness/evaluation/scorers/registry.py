"""The scorers that a manifest may name, and those that a golden set is scored with."""

from collections.abc import Callable, Mapping

from harness.errors import ConfigError, nearest, problems_message
from harness.evaluation.scorers import exact_match, icd10, must_contain
from harness.evaluation.scorers.icd10_answer import is_code, parse_codes
from harness.records.items import GoldenSet
from harness.records.scores import Scorer

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "icd10_codes": (
        "codes_exact_match",
        "codes_precision",
        "codes_recall",
        "codes_f1",
        "format_valid",
        "invented_codes",
    ),
}
"""Names that stand for several scorers. `icd10_codes` needs a `code_list` in the manifest."""

_PLAIN: Mapping[str, Callable[[], Scorer]] = {
    "exact_match": exact_match.exact_match,
    "must_contain": must_contain.must_contain,
    "format_valid": icd10.format_valid,
}
_WITH_CODES: Mapping[str, Callable[[frozenset[str]], Scorer]] = {
    "codes_exact_match": icd10.codes_exact_match,
    "codes_precision": icd10.codes_precision,
    "codes_recall": icd10.codes_recall,
    "codes_f1": icd10.codes_f1,
    "invented_codes": icd10.invented_codes,
}


def scorer_names() -> tuple[str, ...]:
    """Every name that a manifest may use."""
    return tuple(sorted({*FAMILIES, *_PLAIN, *_WITH_CODES}))


def scorers_for(golden_set: GoldenSet) -> tuple[Scorer, ...]:
    """The scorers of a golden set, each once, in the order of its manifest.

    Raises:
        ConfigError: A name is unknown, a scorer of codes has no code list, or a reference or item is such that a scorer
            could not be fair to it: all at once.
    """
    names = _expanded(golden_set)
    problems: list[str] = []
    if any(name in _WITH_CODES for name in names):
        problems += _code_problems(golden_set)
    if "must_contain" in names:
        problems += _undemanding_items(golden_set)
    if problems:
        raise ConfigError(problems_message(_subject(golden_set), problems))
    known_codes = golden_set.known_codes or frozenset[str]()
    return tuple(_WITH_CODES[name](known_codes) if name in _WITH_CODES else _PLAIN[name]() for name in names)


def _subject(golden_set: GoldenSet) -> str:
    return f"golden set {golden_set.name} {golden_set.version}"


def _expanded(golden_set: GoldenSet) -> list[str]:
    unknown = [name for name in golden_set.scorers if name not in scorer_names()]
    if unknown:
        listed = [f'"{name}" is not a scorer; {nearest(name, scorer_names())} Correct `scorers`.' for name in unknown]
        raise ConfigError(problems_message(f"{_subject(golden_set)}, manifest.yaml", listed))
    return list(dict.fromkeys(name for given in golden_set.scorers for name in FAMILIES.get(given, (given,))))


def _code_problems(golden_set: GoldenSet) -> list[str]:
    """What keeps references from scoring 1 against themselves, or makes real codes look invented."""
    known_codes = golden_set.known_codes
    if known_codes is None:
        return [
            "scorers of codes need the list of codes that exist, and manifest.yaml names none. Put a file with one "
            "code a line beside it and add `code_list: codes.txt`."
        ]
    malformed = sorted(code for code in known_codes if not is_code(code))
    if malformed:
        some = ", ".join(malformed[:5])
        return [
            f"{len(malformed)} of {len(known_codes)} entries of the code list do not look like A00.1, such as {some}. "
            "Write codes in upper case and with their dot."
        ]
    problems: list[str] = []
    for item in golden_set.items:
        for reference in item.references:
            codes = parse_codes(reference, known_codes)
            if codes is None:
                problems.append(
                    f'item "{item.item_id}": the reference {reference!r} gives no code. Write lines such as '
                    "`- J45.909 (Unspecified asthma, uncomplicated)` or `- NONE (No codable diagnosis)`."
                )
            elif codes - known_codes:
                missing = ", ".join(sorted(codes - known_codes))
                problems.append(
                    f'item "{item.item_id}": the code list does not have {missing} of the reference. '
                    "Correct the reference, or complete the list."
                )
    return problems


def _undemanding_items(golden_set: GoldenSet) -> list[str]:
    return [
        f'item "{item.item_id}" has neither `must_contain` nor `must_not_contain`, so that any answer would pass. Add '
        "one, or take `must_contain` out of `scorers`."
        for item in golden_set.items
        if not item.must_contain and not item.must_not_contain
    ]
