"""Whether a rewritten input may become a record: what a model wrote is not taken on trust."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.config.augment_steps import Checks
from harness.data.answer_patterns import dominant_pattern
from harness.data.audit_records import AuditedRecord
from harness.data.augment_facts import content_words, lost_and_added, lost_terms, stands_in
from harness.data.augment_made import Reason
from harness.data.augment_source import Original
from harness.data.languages import UNKNOWN, language_of, languages_of, main_language
from harness.data.normalise import normalise, normalised_words

ECHO_WORDS = 5  # of a request, in a row, are no chance
_QUOTES = {'"': '"', "“": "”", "«": "»", "'": "'"}
_ABOUT_THE_TASK = re.compile(
    r"\s*(?:sure\b|certainly\b|of course\b|absolutely\b|here(?:'s| is| are)\b.{0,60}:|i(?:'m| am) (?:sorry|unable)\b|"
    r"i (?:cannot|can't|can not)\b|as an ai\b|(?:the )?(?:paraphrased?|rewritten|rephrased|translated)\b.{0,40}:|"
    r"(?:paraphrase|translation|rewrite|new text|output|answer)\s*:)",
    re.IGNORECASE,
)
_TASK_WORDS = "rewrite rewritten rewording reworded paraphrase paraphrased rephrase rephrased translate translated"
_OF_THE_TASK = frozenset(_TASK_WORDS.split())
_QUESTION_MARKS = re.compile(r"[?？؟]")


@dataclass(frozen=True, kw_only=True, slots=True)
class SetFacts:
    """What is known of a whole training set: its language, and the pattern of its answers where it has one."""

    language: str
    answer_pattern: tuple[str, Callable[[str], str]] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewritten:
    """A text that a model made of a parent's input, by a request; `request` is what was asked besides the input."""

    text: str
    parent: Original
    request: str


Failing = tuple[Reason, str]
"""Why a text is dropped, and what exactly is wrong."""


def facts_of_set(originals: Sequence[Original]) -> SetFacts:
    """Looks the set over once, for the checks of each text."""
    records = [AuditedRecord(record=one.record, label=None, tags=(), others=()) for one in originals]
    return SetFacts(language=main_language(languages_of(records)), answer_pattern=dominant_pattern(records))


def bare(text: str) -> str:
    """A text without white space around it and without quotation marks around all of it."""
    text = text.strip()
    if len(text) > 2 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
        return text[1:-1].strip()
    return text


def check_rewritten(made: Rewritten, checks: Checks, known: SetFacts) -> Failing | None:
    """The first check that a text fails, from the plainest to the finest; None where it passes all."""
    return next(filter(None, (check(made, checks, known) for check in _CHECKS)), None)


def check_between(text: str, parent: Original, known: SetFacts) -> Failing | None:
    """Whether the text between two translations is one: there, and not in the parent's language still."""
    if not normalised_words(text):
        return "empty", ""
    if normalise(text) == normalise(parent.input):
        return "not_translated", "it is the parent's text"
    language = language_of(text)
    if language != UNKNOWN and language == _language(parent.input, known):
        return "not_translated", f"it is {language}, it seems"
    return None


def _is_text(made: Rewritten, checks: Checks, known: SetFacts) -> Failing | None:
    if not normalised_words(made.text):
        return "empty", ""
    if normalise(made.text) == normalise(made.parent.input):
        return "same_as_parent", ""
    before, after = ({*normalised_words(text)} for text in (made.parent.input, made.text))
    changed = len(before ^ after) / len(before | after)
    if changed < checks.least_changed:
        return (
            "hardly_changed",
            f"{100 * changed:.0f} % of the words are others, at least {100 * checks.least_changed:g} %",
        )
    return None


def _does_the_task(made: Rewritten, checks: Checks, known: SetFacts) -> Failing | None:
    if found := _ABOUT_THE_TASK.match(made.text):
        return "talks_about_task", f'it begins "{found[0].strip()}"'
    said = _OF_THE_TASK & {*normalised_words(made.text)} - {*normalised_words(made.parent.input)}
    words, asked = normalised_words(made.request), f" {' '.join(normalised_words(made.text))} "
    own = f" {' '.join(normalised_words(made.parent.input))} "
    for start in range(len(words) - ECHO_WORDS + 1):
        run = " ".join(words[start : start + ECHO_WORDS])
        if f" {run} " in asked and f" {run} " not in own:
            return "echoes_request", f'"{run}"'
    return ("talks_about_task", f"{', '.join(sorted(said))} stands in it") if said else None


def _does_not_answer(made: Rewritten, checks: Checks, known: SetFacts) -> Failing | None:
    answer, parent = made.parent.record.completion, made.parent.input
    lines = [answer, *(line for line in answer.splitlines() if len(normalised_words(line)) > 1)]
    for line in lines:
        if stands_in(line, made.text) and not stands_in(line, parent):
            return "answers", f'"{" ".join(line.split())[:60]}" stands in it'
    if known.answer_pattern is not None:
        shown, reduce = known.answer_pattern
        if any(not sign.isalpha() for sign in shown.rstrip(".")) and reduce(made.text) == shown != reduce(parent):
            return "answers", "it has the form of the set's answers"
    asked, asks = (bool(_QUESTION_MARKS.search(text)) for text in (parent, made.text))
    if asked != asks:
        return "asks_differently", "a question mark is lost" if asked else "a question mark is added"
    return None


def _has_its_length(made: Rewritten, checks: Checks, known: SetFacts) -> Failing | None:
    ratio = len(normalised_words(made.text)) / max(1, len(normalised_words(made.parent.input)))
    fewest, most = checks.length_ratio
    if fewest <= ratio <= most:
        return None
    return "length", f"{ratio:.2f} times the parent's words, allowed {fewest:g} to {most:g}"


def _keeps_facts(made: Rewritten, checks: Checks, known: SetFacts) -> Failing | None:
    wrong: list[str] = []
    for kind in checks.keep:
        lost, added = lost_and_added(kind, made.parent.input, made.text, answer=made.parent.record.completion)
        said = kind.replace("_", " ")
        wrong += [f"{said} lost: {', '.join(lost)}"] if lost else []
        wrong += [f"{said} added: {', '.join(added)}"] if added else []
    if lost := lost_terms(checks.keep_terms, made.parent.input, made.text):
        wrong.append(f"terms lost: {', '.join(lost)}")
    return ("facts", "; ".join(wrong)) if wrong else None


def _keeps_its_topic(made: Rewritten, checks: Checks, known: SetFacts) -> Failing | None:
    words = content_words(made.parent.input)
    share = len(words & content_words(made.text)) / len(words) if words else 1.0
    if share >= checks.least_shared:
        return None
    return "off_topic", f"{100 * share:.0f} % of them, at least {100 * checks.least_shared:g} %"


def _keeps_language(made: Rewritten, checks: Checks, known: SetFacts) -> Failing | None:
    before, after = _language(made.parent.input, known), language_of(made.text)
    if UNKNOWN in (before, after) or before == after:
        return None
    return "language", f"{after}, it seems, and the parent {before}"


def _language(text: str, known: SetFacts) -> str:
    found = language_of(text)
    return known.language if found == UNKNOWN else found


_CHECKS = (_is_text, _does_the_task, _does_not_answer, _keeps_language, _has_its_length, _keeps_facts, _keeps_its_topic)
