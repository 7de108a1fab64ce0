"""What a new project begins with: scorers, length of answers, labels, chosen by looking at the references."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.assets import shipped
from harness.data.manifest import load_code_list
from harness.data.training import split_validation
from harness.errors import ConfigError, DataError
from harness.evaluation.scorers.icd10_answer import is_format_valid, parse_codes
from harness.evaluation.scorers.registry import FAMILIES, scorers_for
from harness.evaluation.scorers.words import answer_words
from harness.records.items import GoldenSet, Item
from harness.records.training import TrainingRecord
from harness.stats.power import smallest_detectable_difference_binary

CODE_LIST = "codes.txt"
SHOTS = 4

_MOST_LABELS = 20
_LONGEST_LABEL = 40  # characters
_SHORT_ANSWER_WORDS = 6
_CHARACTERS_A_TOKEN = 3  # English has about 4; codes, names and other languages have fewer
_FEWEST_TOKENS, _MOST_TOKENS = 16, 1024
_ENUMERABLE_ITEMS = 1000
_DISCORDANCE = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorerChoice:
    """Names of scorers, and why these. `code_list` says whether they need the shipped list of ICD-10-CM codes."""

    names: tuple[str, ...]
    reason: str
    code_list: bool = False


def choose_scorers(items: Sequence[Item]) -> ScorerChoice:
    """Scorers that suit the references and the phrases that items demand."""
    choice = _for_references(items)
    demanding = [item for item in items if item.must_contain or item.must_not_contain]
    if demanding and len(demanding) == len(items):
        reason = (
            f"every item says what an answer must or must not contain, so must_contain comes first; {choice.reason}"
        )
        return ScorerChoice(names=("must_contain", *choice.names), reason=reason, code_list=choice.code_list)
    if demanding:
        lacking = f"must_contain is left out: {len(items) - len(demanding)} of {len(items)} items demand no phrase"
        return ScorerChoice(names=choice.names, reason=f"{choice.reason}; {lacking}", code_list=choice.code_list)
    return choice


def labels_of(items: Sequence[Item]) -> tuple[str, ...]:
    """The labels that items are sorted into, sorted; none where the references are not labels.

    They are where each item has one short reference and, on average, at least two items share one.
    """
    if any(len(item.references) > 1 or "\n" in "".join(item.references).strip() for item in items):
        return ()
    distinct = sorted({reference.strip() for item in items for reference in item.references})
    are_few = 2 <= len(distinct) <= min(_MOST_LABELS, len(items) // 2)
    return tuple(distinct) if are_few and all(len(label) <= _LONGEST_LABEL for label in distinct) else ()


def choose_max_new_tokens(items: Sequence[Item]) -> tuple[int, str]:
    """How many tokens an answer may have, and why: room for the longest reference, in steps of 8."""
    longest = max(len(reference) for item in items for reference in item.references)
    needed = -(-longest // _CHARACTERS_A_TOKEN)
    tokens = min(_MOST_TOKENS, max(_FEWEST_TOKENS, -(-needed // 8) * 8))
    reason = f"the longest reference has {longest} characters, at about {_CHARACTERS_A_TOKEN} a token"
    return tokens, f"{reason}; more than {_MOST_TOKENS} is not begun with" if needed > _MOST_TOKENS else reason


def choose_prompt(items: Sequence[Item], scorers: ScorerChoice) -> tuple[str, str]:
    """A prompted system to hold against zero-shot: its name, and a system text that asks for such answers."""
    if "icd10_codes" in scorers.names:
        return "brief", (
            'Answer with ICD-10-CM codes, under the line "ICD-10 Codes:", one "- CODE (description)" line each, or '
            '"- NONE (No codable diagnosis)".'
        )
    if scorers.code_list:
        return "brief", "Answer with the ICD-10-CM code or codes alone, one a line."
    if labels := labels_of(items):
        return "with_labels", f"Answer with exactly one of these labels, and nothing else: {', '.join(labels)}."
    longest = max(len(answer_words(reference)) for item in items for reference in item.references)
    if longest <= _SHORT_ANSWER_WORDS:
        return "brief", "Answer with the shortest phrase that answers the question. Do not explain."
    return "brief", f"Answer in at most {-(-longest // 10) * 10} words, without an introduction."


def can_validate(records: Sequence[TrainingRecord]) -> bool:
    """Whether records can be parted into training and validation, as fine-tuning needs."""
    try:
        split_validation(records, fraction=0.1, seed=17)
    except DataError:
        return False
    return True


def power_note(count: int) -> str | None:
    """What so many items cannot show, in one sentence; None where there are so many that it need not be said."""
    if count > _ENUMERABLE_ITEMS:
        return None
    smallest = smallest_detectable_difference_binary(count, _DISCORDANCE)
    if smallest is None:
        return f"{count} items are too few for a pass/fail comparison to show anything; they do for trying it out"
    return (
        f"with {count} items, a true difference under about {100 * smallest:.0f} points is likely to stay unseen "
        f"(pass/fail, systems that disagree on {_DISCORDANCE:.0%} of the items, 80 % power)"
    )


def _for_references(items: Sequence[Item]) -> ScorerChoice:
    references = [reference for item in items for reference in item.references]
    if _are_codes(references):
        family = FAMILIES["icd10_codes"]
        if all(is_format_valid(reference) for reference in references):
            reason = "the references are lists of ICD-10-CM codes in the form of the shipped example"
            return ScorerChoice(names=("icd10_codes", "exact_match"), reason=reason, code_list=True)
        names = tuple(name for name in family if name != "format_valid")
        return ScorerChoice(names=names, reason="the references give ICD-10-CM codes", code_list=True)
    words = [len(answer_words(reference)) for reference in references]
    if labels := labels_of(items):
        reason = f"the references are {len(labels)} short labels, of which an answer has to give the right one"
        return ScorerChoice(names=("label",) if _suits("label", items) else ("exact_match",), reason=reason)
    if _suits("numeric", items):
        return ScorerChoice(names=("numeric",), reason="the references are figures, each with its working")
    if min(words) == 0:
        reason = "some references have no words that could be compared one by one"
        return ScorerChoice(names=("exact_match",), reason=reason)
    if max(words) <= _SHORT_ANSWER_WORDS:
        reason = (
            f"the references are short (at most {max(words)} words): contains_reference accepts a sentence around the "
            "answer, exact_match does not, token_f1 gives part marks"
        )
        return ScorerChoice(names=("contains_reference", "exact_match", "token_f1"), reason=reason)
    reason = (
        f"the references are free text (up to {max(words)} words), which no answer repeats word for word: token_f1 "
        "counts shared words. It measures wording, not truth; let people rate a sample before you rely on it"
    )
    return ScorerChoice(names=("token_f1",), reason=reason)


def _suits(family: str, items: Sequence[Item]) -> bool:
    """Whether scorers take the references: those of labels do not where one label is written in two ways."""
    golden_set = GoldenSet(name="", version="", sha256="", licence="", items=tuple(items), scorers=(family,))
    try:
        scorers_for(golden_set)
    except ConfigError:
        return False
    return True


def _are_codes(references: Sequence[str]) -> bool:
    """Whether each reference gives billable ICD-10-CM codes, or says that there is none, as fewer than half do."""
    known_codes = load_code_list(shipped("golden_sets") / "icd10_coding" / CODE_LIST)
    given = [parse_codes(reference, known_codes) for reference in references]
    if any(codes is None or codes - known_codes for codes in given):
        return False
    return sum(1 for codes in given if codes) * 2 > len(given)
