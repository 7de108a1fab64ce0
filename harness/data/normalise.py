"""Text brought to the form in which two copies of it are equal."""

import re
import unicodedata

# A word is a run of letters and digits; each ideograph or kana is a word of its own, and so is a sign that carries
# meaning in numbers ("BP > 140" is not "BP < 140"). All else (punctuation, white space, marks) separates.
_WORD = re.compile(r"[^\W_\u3040-\u30ff\u3400-\u9fff]+|[\u3040-\u30ff\u3400-\u9fff]|[<>=+%°$€£±×÷≤≥]")


def normalised_words(text: str) -> list[str]:
    """Words of a text after NFKC and casefold, without punctuation and white space."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def normalise(text: str) -> str:
    """`normalised_words` run together: equal for texts that differ in case, width, punctuation and white space only."""
    return "".join(normalised_words(text))
