"""Which language a text is in: a heuristic of scripts and frequent words, without a model.

It tells apart languages with their own script, and eleven in Latin letters by words that are frequent in each. Short
texts, lists of terms and mixed texts are `unknown`; so are other languages in Latin letters, or they are taken for one
of the eleven.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from harness.data.audit_finding import Bar, Bars, Observation, of_records
from harness.data.audit_records import AuditedRecord

UNKNOWN = "unknown"
_FEWEST_HITS = 3
_CLEARLY = 1.5  # times the hits of the next language
_LOOKED_AT = 2000  # characters; more do not change the answer

_SCRIPTS: Mapping[str, re.Pattern[str]] = {
    "Japanese": re.compile(r"[\u3040-\u30ff]"),
    "Korean": re.compile(r"[\u1100-\u11ff\uac00-\ud7af]"),
    "Chinese": re.compile(r"[\u3400-\u9fff]"),
    "Cyrillic script": re.compile(r"[\u0400-\u052f]"),
    "Greek": re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]"),
    "Arabic script": re.compile(r"[\u0600-\u06ff\u0750-\u077f]"),
    "Hebrew": re.compile(r"[\u0590-\u05ff]"),
    "Devanagari script": re.compile(r"[\u0900-\u097f]"),
    "Thai": re.compile(r"[\u0e00-\u0e7f]"),
}
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_WORD = re.compile(r"[^\W\d_]+")
_FREQUENT: Mapping[str, str] = {
    "English": "the a of and to in is was for with that it on as are this by from at an be has had not which his her "
    "she he what how my do does can you your after no or if were we should would when who",
    "German": "der die das und ist nicht mit ein eine einen einem den dem des auf für von zu im sich auch wird bei "
    "nach seit war hat sind oder wie wir ich sie er es keine kein über wurde aus",
    "French": "le la les des et est une un dans pour que qui avec sur pas du au aux il elle depuis par ce cette sont "
    "ne nous vous je mais ou été sans chez très de",
    "Spanish": "el la los las de del y es una un en por para con que se no su al como más pero desde sin fue está son "
    "lo le este esta muy hay",
    "Italian": "il lo la gli le di del della dei e è un una in per con che non si da dal sono anche come più ma nel "
    "alla al questo questa ha sono senza",
    "Portuguese": "o os a as de do da dos das e é um uma em no na para com que não se por mais como mas ao foi são sem "
    "há muito desde pelo pela",
    "Dutch": "de het een en van is niet met voor op dat die in te zijn aan er ook als naar bij sinds heeft geen door "
    "wordt maar uit ik wij over was",
    "Swedish": "och att det en ett som är på av för med till den inte har från om vid sedan utan eller men var kan ska "
    "efter hos jag vi",
    "Danish or Norwegian": "og at det en et som er på af av for med til den ikke har fra om ved siden uten uden eller "
    "men var kan skal etter efter hos jeg vi",
    "Polish": "i w na z się nie do jest to że od po za przez oraz ale jak dla ma bez przy tego lub są był była pacjent",
    "Turkish": "ve bir bu için ile da de olan olarak gibi çok daha ne var yok mi mı sonra hasta değil ama kadar",
}
_LANGUAGES_OF: dict[str, list[str]] = {}
for _language, _words in _FREQUENT.items():
    for _word in set(_words.split()):
        _LANGUAGES_OF.setdefault(_word, []).append(_language)


def language_of(text: str) -> str:
    """The language or script that a text is most likely in, or `unknown`."""
    text = text[:_LOOKED_AT]
    if not text.isascii() and (script := _own_script(text)):
        return script
    hits: Counter[str] = Counter()
    for word in set(_WORD.findall(text.casefold())):
        hits.update(_LANGUAGES_OF.get(word, ()))
    ranked = [*hits.most_common(2), (UNKNOWN, 0), (UNKNOWN, 0)]
    (best, most), (_, second) = ranked[:2]
    return best if most >= _FEWEST_HITS and most >= _CLEARLY * second else UNKNOWN


def find_language_mix(languages: Mapping[int, str]) -> list[Observation]:
    """Records in another language than most. What is unknown is not counted as another."""
    main = main_language(languages)
    others = {line: language for line, language in languages.items() if language not in (main, UNKNOWN)}
    if not others:
        return []
    named = ", ".join(f"{language} {count:,}" for language, count in Counter(others.values()).most_common())
    return [
        Observation(
            check="languages",
            sentence=f"In another language than most ({main}), it seems: {of_records(len(others), len(languages))}, "
            f"{named}. A heuristic of scripts and frequent words.",
            value=len(others) / len(languages),
            lines=tuple(others),
            examples=tuple(f"line {line}: {language}" for line, language in others.items()),
        )
    ]


def languages_of(records: Sequence[AuditedRecord]) -> dict[int, str]:
    """The language of each line's question, with the answer where the question is too short to tell."""
    languages: dict[int, str] = {}
    for record in records:
        found = language_of(record.record.question)
        languages[record.line] = language_of(f"{record.record.question} {record.answer}") if found == UNKNOWN else found
    return languages


def main_language(languages: Mapping[int, str]) -> str:
    """The most frequent known language, `unknown` where none is."""
    known = Counter(language for language in languages.values() if language != UNKNOWN)
    return known.most_common(1)[0][0] if known else UNKNOWN


def language_picture(languages: Mapping[int, str]) -> Bars | None:
    """Records of each language; None where fewer than two are there."""
    counts = Counter(languages.values()).most_common()
    if len(counts) < 2:
        return None
    main = main_language(languages)
    bars = tuple(Bar(label=name, count=count, stands_out=name not in (main, UNKNOWN)) for name, count in counts)
    return Bars(title="Records by language (a heuristic)", bars=bars)


def _own_script(text: str) -> str | None:
    """The script of most letters, where that is not Latin; a text with kana is Japanese whatever else stands in it."""
    counts = {name: len(pattern.findall(text)) for name, pattern in _SCRIPTS.items()}
    if counts["Japanese"]:
        counts["Japanese"] += counts.pop("Chinese")
    name = max(counts, key=lambda one: counts[one])
    return name if counts[name] > len(_LATIN.findall(text)) else None
