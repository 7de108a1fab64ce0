"""The words that answers are compared by where their wording may differ from the reference's."""

import re
import unicodedata

# A number keeps its sign, point and groups; an ideograph or kana is a word of its own; a sign that carries meaning too.
_WORD = re.compile(
    r"(?<![^\W_])[-−+]?\d+(?:[.,]\d+)*|[^\W\d_\u3040-\u30ff\u3400-\u9fff]+|\d+|[\u3040-\u30ff\u3400-\u9fff]|[%°$€£]"
)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_ARTICLES = frozenset({"a", "an", "the"})


def answer_words(text: str) -> tuple[str, ...]:
    """Words of a text after NFKC and casefold, without punctuation and English articles.

    Numbers stay whole: `3.5` is one word, and `1,000` is `1000`. A text of articles alone keeps them.

    Source: the normalising of SQuAD's evaluation script (Rajpurkar et al. 2016), which also breaks numbers up and does
    not part words of Chinese and Japanese.
    """
    found: list[str] = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    words = [word.replace(",", "") if _GROUPED.fullmatch(word.lstrip("-−+")) else word for word in found]
    words = [word.replace("−", "-").removeprefix("+") for word in words]
    return tuple(word for word in words if word not in _ARTICLES) or tuple(words)
