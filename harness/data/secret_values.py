"""Likely secrets in a text: keys and tokens by their known shapes, and long strings that look random."""

import math
import re
from collections import Counter
from collections.abc import Mapping

from harness.data.sensitive import Sensitive

_SHAPES: Mapping[str, re.Pattern[str]] = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    "AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    "GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "Slack token": re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    "Google API key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}"),
    "Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "Stripe key": re.compile(r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    "API key (sk-)": re.compile(r"\bsk-(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}"),
    "JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
}
_ASSIGNED = re.compile(
    r"\b(?:password|passwd|pwd|api[ _-]?key|secret[ _-]?key|access[ _-]?token)\b\s{0,3}(?:[:=]|is)\s{0,3}[\"']?"
    r"(?=\S{0,60}\d)(?=\S{0,60}[A-Za-z])(\S{8,200})",
    re.IGNORECASE,
)
_LONG = re.compile(r"(?<![\w+/=.-])[A-Za-z0-9+/_-]{32,}={0,2}(?![\w+/=])")
_RANDOM_BITS = 4.2  # a character: random base64 of 32 characters has about 4.5, words joined together under 4


def secret_values(text: str) -> list[Sensitive]:
    """Secrets that a text seems to hold, each once. Hexadecimal digests are not taken for secrets."""
    found: dict[str, str] = {}
    for kind, shape in _SHAPES.items():
        for match in shape.finditer(text):
            found.setdefault(match[0], kind)
    for match in _ASSIGNED.finditer(text):
        found.setdefault(match[1], "password or key with its name")
    for match in _LONG.finditer(text):
        if _looks_random(match[0]) and not any(match[0] in known or known in match[0] for known in found):
            found[match[0]] = "long string that looks random"
    return [Sensitive(kind=kind, value=value) for value, kind in found.items()]


def entropy_bits(text: str) -> float:
    """Shannon entropy of a text's characters, in bits a character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _looks_random(text: str) -> bool:
    mixed = any(map(str.isupper, text)) and any(map(str.islower, text)) and any(map(str.isdigit, text))
    return mixed and entropy_bits(text) > _RANDOM_BITS
