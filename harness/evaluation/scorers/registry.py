"""The scorers that a manifest may name, and those that a golden set is scored with."""

from collections.abc import Callable, Mapping, Sequence

from harness.errors import ConfigError, nearest, problems_message
from harness.evaluation.scorers import contains_reference, exact_match, icd10, label, must_contain, numeric, token_f1
from harness.evaluation.scorers.icd10_answer import is_code, parse_codes
from harness.evaluation.scorers.words import answer_words
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
    "label": ("label_correct", "format_valid"),
    "numeric": ("value_correct", "working_correct", "abstention_correct", "format_valid"),
}
"""Names that stand for several scorers. `icd10_codes` needs a `code_list` in the manifest."""

_PLAIN: Mapping[str, Callable[[], Scorer]] = {
    "abstention_correct": numeric.abstention_correct,
    "contains_reference": contains_reference.contains_reference,
    "exact_match": exact_match.exact_match,
    "must_contain": must_contain.must_contain,
    "format_valid": icd10.format_valid,
    "token_f1": token_f1.token_f1,
    "value_correct": numeric.value_correct,
    "working_correct": numeric.working_correct,
}
_OF_WORDS = {"contains_reference", "token_f1"}
_OF_FIGURES = {"abstention_correct", "value_correct", "working_correct"}
_WITH_CODES: Mapping[str, Callable[[frozenset[str]], Scorer]] = {
    "codes_exact_match": icd10.codes_exact_match,
    "codes_precision": icd10.codes_precision,
    "codes_recall": icd10.codes_recall,
    "codes_f1": icd10.codes_f1,
    "invented_codes": icd10.invented_codes,
}
_WITH_LABELS: Mapping[str, Callable[[frozenset[str]], Scorer]] = {"label_correct": label.label_correct}


def scorer_names() -> tuple[str, ...]:
    """Every name that a manifest may use."""
    return tuple(sorted({*FAMILIES, *_PLAIN, *_WITH_CODES, *_WITH_LABELS}))


def scorers_for(golden_set: GoldenSet) -> tuple[Scorer, ...]:
    """The scorers of a golden set, each once, in the order of its manifest.

    Raises:
        ConfigError: A name is unknown, a scorer of codes has no code list, or a reference or item is such that a scorer
            could not be fair to it: all at once.
    """
    names = _expanded(golden_set)
    if problems := scorer_problems(golden_set):
        raise ConfigError(problems_message(_subject(golden_set), problems))
    return tuple(_scorer(name, names, golden_set) for name in names)


def scorer_problems(golden_set: GoldenSet) -> list[str]:
    """What keeps a set's scorers from being fair to its items: a sentence each, `item "ID"` first where it is of one.

    Raises:
        ConfigError: A scorer's name is unknown.
    """
    names = _expanded(golden_set)
    problems: list[str] = []
    if any(name in _WITH_CODES for name in names):
        problems += _code_problems(golden_set)
    if "must_contain" in names:
        problems += _undemanding_items(golden_set)
    if _OF_WORDS & set(names):
        problems += _wordless_references(golden_set)
    if any(name in _WITH_LABELS for name in names):
        problems += label.label_problems(golden_set)
    if _OF_FIGURES & set(names):
        problems += numeric.reference_problems(golden_set)
    return problems


def _scorer(name: str, names: Sequence[str], golden_set: GoldenSet) -> Scorer:
    """One scorer. `format_valid` is about the form of answer that the set's other scorers read."""
    if name in _WITH_CODES:
        return _WITH_CODES[name](golden_set.known_codes or frozenset[str]())
    if name in _WITH_LABELS:
        return _WITH_LABELS[name](label.labels_of(golden_set))
    if name == "format_valid" and "label_correct" in names:
        return label.format_valid(label.labels_of(golden_set))
    if name == "format_valid" and _OF_FIGURES & set(names):
        return numeric.format_valid()
    return _PLAIN[name]()


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


def _wordless_references(golden_set: GoldenSet) -> list[str]:
    return [
        f'item "{item.item_id}": the reference {reference!r} has no word that an answer could share. '
        "Write it in words, or score with `exact_match`."
        for item in golden_set.items
        for reference in item.references
        if not answer_words(reference)
    ]
