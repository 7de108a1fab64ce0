"""Names of models inside an answer, which would tell a rater whose it is, are masked."""

import re
import unicodedata
from collections.abc import Collection, Iterable

MASK = "[model]"

# What a model calls itself or its maker, and what is hardly ever meant otherwise.
KNOWN_NAMES = (
    *("OpenAI", "ChatGPT", "Anthropic", "DeepMind", "Hugging Face", "HuggingFaceTB", "Mistral AI", "DeepSeek", "Qwen"),
    *("SmolLM", "TinyLlama", "Mixtral", "Meta AI", "Meta-Llama", "Alibaba Cloud", "Tongyi Qianwen", "xAI", "Cohere"),
    *("EleutherAI", "Stability AI", "Moonshot AI", "Zhipu AI", "ChatGLM", "CodeLlama", "Copilot", "Vicuna"),
)
# Words of their own too (an animal, a first name): names only with a version, or where a model speaks of itself.
AMBIGUOUS_NAMES = (
    *("GPT", "Claude", "Gemini", "Gemma", "Llama", "Mistral", "Phi-", "Grok", "Bard", "Granite", "OLMo", "Nemotron"),
    *("Kimi", "Command R"),
)
# Much is said of them beside models: masked only where a model says who made it.
MAKERS = ("Google", "Meta", "Microsoft", "Alibaba", "Nvidia", "IBM", "Amazon", "Apple")
# Systems are often called so, and so are many things that an answer may be about.
ORDINARY_WORDS = frozenset({"base", "human", "rag", "expert", "reference", "prompt", "prompted", "model", "tuned"})

# Every repetition has an end, so that no answer can make the search slow.
_VERSION = (
    r"[\s_-]{0,3}v?\d{1,4}(?:\.\d{1,3}){0,3}"
    r"(?:[\s_-]?(?:\d{1,4}(?:\.\d)?[bm]|instruct|chat|turbo|mini|pro|flash|it|o)){0,5}"
)
_SELF = r"\b(?:I\s{1,3}am|I['\u2019]m|my\s{1,3}name\s{1,3}is)\s{1,3}(?:called\s|an?\s|the\s)?"
_MADE = r"\b(?:trained|made|developed|created|built|fine-?tuned)\s{1,3}(?:by|from|on)\s{1,3}"


def mask(text: str, names: Collection[str]) -> tuple[str, bool]:
    """Replaces names of models and their makers with `[model]`, whole words only, in any case and spelling.

    Args:
        text: An answer.
        names: Those to look for besides the known ones, as `names_to_mask` gives them. Blanks, hyphens and underscores
            in them stand for one another, or for nothing. Invisible characters and wide letters hide none.

    Returns:
        The text, and whether anything in it was masked.
    """
    patterns = (*_patterns(names), *_KNOWN)
    # A name with invisible characters in it, or in wide letters, reads the same. Where there is such a name the whole
    # text is shown in plain form; else it stays as it was written, since some scripts need these characters.
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    masked, counts = _masked(text, patterns)
    if plain != text and (hidden := _masked(plain, patterns))[1] > counts:
        masked, counts = hidden
    return masked, counts > 0


def names_to_mask(systems: Iterable[str], models: Iterable[str]) -> tuple[str, ...]:
    """What to look for in the answers of an experiment: longest first, so that no part of a name stays.

    Args:
        systems: Names of systems; ordinary words among them (`human`, `rag`) are left out, as answers may need them.
        models: Names, ids or folders of base models and adapters; their maker (before a slash) and family (`SmolLM2` of
            `SmolLM2-135M`) count too.
    """
    names = {name for name in systems if name.lower() not in ORDINARY_WORDS}
    for model in models:
        parts = [part for part in re.split(r"[/\\]", model) if part and not part.startswith(".")]
        if not parts:
            continue
        names.add(parts[-1])
        if len(parts) == 2:
            names.add(parts[0])
        family = re.split(r"[\s_:-]", parts[-1])[0]
        if len(family) >= 4 and re.search(r"[a-z]", family, re.IGNORECASE) and re.search(r"\d", family):
            names.add(family)
    return tuple(sorted((name for name in names if len(name) > 1), key=lambda name: (-len(name), name)))


def _masked(text: str, patterns: Iterable[re.Pattern[str]]) -> tuple[str, int]:
    counts = 0
    for pattern in patterns:
        text, found = pattern.subn(_put_mask, text)
        counts += found
    return text, counts


def _patterns(names: Iterable[str]) -> list[re.Pattern[str]]:
    longest_first = sorted(set(names), key=lambda name: (-len(name), name))
    return [re.compile(_whole(_spelled(name)), re.IGNORECASE) for name in longest_first if name.strip()]


def _spelled(name: str) -> str:
    return r"[\s_-]{0,3}".join(re.escape(part) for part in re.split(r"[\s_-]+", name.strip()) if part)


def _whole(pattern: str) -> str:
    return rf"(?<!\w){pattern}(?!\w)"


def _put_mask(found: re.Match[str]) -> str:
    return f"{found.groupdict().get('lead') or ''}{MASK}"


_KNOWN = (
    *(re.compile(_whole(rf"{_spelled(name)}(?:{_VERSION})?"), re.IGNORECASE) for name in KNOWN_NAMES),
    *(re.compile(_whole(rf"{re.escape(name)}{_VERSION}"), re.IGNORECASE) for name in AMBIGUOUS_NAMES),
    *(
        re.compile(rf"(?P<lead>{lead}){re.escape(name.rstrip('-'))}(?!\w)", re.IGNORECASE)
        for name in (*AMBIGUOUS_NAMES, *MAKERS)
        for lead in (_SELF, _MADE)
    ),
)
