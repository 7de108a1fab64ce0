"""What a golden set says about itself: its manifest and its card."""

import re
from pathlib import Path

from harness.config.yaml_file import YamlFile, read_yaml
from harness.data.golden_check import SetFinding, Severity
from harness.data.manifest import MANIFEST_NAME, Manifest, load_manifest
from harness.errors import HarnessError

CARD_NAME = "card.md"

_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){1,2}(?:[-+][0-9A-Za-z.-]+)?")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_UNSAID = re.compile(r"\b(?:not stated|todo|tbd|unknown|fill in|filled in)\b|\?\?", re.IGNORECASE)
_AT_LINE = re.compile(r"line (\d+): (.*)", re.DOTALL)
_AT_PATH = re.compile(r"[^\n]*?/(?P<file>[^/\n:]+):(?:(?P<line>\d+):)? (?P<words>.*)", re.DOTALL)
# A heading of the card is about a subject if one of these words stands in it.
_SUBJECTS = {
    "how it was made": re.compile(r"\b(?:written|made|built|collected|checked|sources?|origin|how)\b", re.IGNORECASE),
    "what it is for": re.compile(r"\b(?:for|uses?|used|purpose|intended)\b", re.IGNORECASE),
    "its limits": re.compile(r"\b(?:limits?|limitations?|caveats?|not for)\b", re.IGNORECASE),
}


def check_manifest(folder: Path) -> tuple[Manifest | None, list[SetFinding]]:
    """The manifest, None where it is not valid, and what is to be said of it.

    Raises:
        DataError: The folder has none.
    """
    try:
        manifest = load_manifest(folder)
    except HarnessError as problem:
        if not (folder / MANIFEST_NAME).is_file():
            raise
        return None, findings_of(MANIFEST_NAME, problem)
    source = read_yaml(folder / MANIFEST_NAME)
    found = [*_version(manifest, source), *_terms(manifest, source)]
    if not _SHA256.fullmatch(manifest.sha256):
        found.append(_of_manifest(source, "sha256", "defect", "sha256 is not 64 hexadecimal digits. Write the hash."))
    if manifest.name != folder.resolve().name:
        words = f'the set is called "{manifest.name}" and its folder "{folder.resolve().name}". Call both the same.'
        found.append(_of_manifest(source, "name", "hint", words))
    return manifest, found


def check_card(folder: Path, manifest: Manifest | None) -> list[SetFinding]:
    """Whether `card.md` is there, names version and licence, and has headings on how, what for and limits."""
    path = folder / CARD_NAME
    if not path.is_file():
        return [_of_card("defect", "there is none. Say in it how the set was made, what it is for, and its limits.")]
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        return [_of_card("defect", f"cannot be read ({problem}). Save it as UTF-8 text.")]
    found: list[SetFinding] = []
    for what, value in (("version", manifest.version), ("licence", manifest.licence)) if manifest else ():
        if value not in text:
            found.append(_of_card("defect", f'does not name the {what}, "{value}". Bring it up to date.'))
    headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    absent = [subject for subject, words in _SUBJECTS.items() if not any(map(words.search, headings))]
    if absent:
        found.append(_of_card("hint", f"no heading is about {', '.join(absent)}. Say it under one of its own."))
    unsaid = next((n for n, line in enumerate(text.splitlines(), start=1) if _UNSAID.search(line)), None)
    if unsaid is not None:
        found.append(_of_card("hint", "something is still to be filled in here.", line=unsaid))
    return found


def findings_of(file: str, problem: HarnessError) -> list[SetFinding]:
    """The problems of a message as findings, each with its line where it names one."""
    head, *listed = str(problem).split("\n  ")
    found: list[SetFinding] = []
    for text in listed or [head]:
        path = _AT_PATH.fullmatch(text)
        if path and path["file"] == file:
            line, words = int(path["line"]) if path["line"] else None, path["words"]
        else:
            at = _AT_LINE.fullmatch(text)
            line, words = (int(at[1]), at[2]) if at else (None, text)
        found.append(SetFinding(file=file, line=line, severity="defect", words=words))
    return found


def _version(manifest: Manifest, source: YamlFile) -> list[SetFinding]:
    found: list[SetFinding] = []
    if not _VERSION.fullmatch(manifest.version):
        words = f'"{manifest.version}" is not a version such as 1.0.0. Number versions, so that later ones are told.'
        found.append(_of_manifest(source, "version", "defect", words))
    noted = [change.version for change in manifest.changes]
    if manifest.version not in noted:
        seen = ", ".join(noted) or "none"
        words = f"no change is noted for version {manifest.version} (noted: {seen}). Say in `changes` what it changed."
        found.append(_of_manifest(source, "changes", "defect", words))
    for version in sorted({one for one in noted if noted.count(one) > 1}):
        words = f"version {version} stands twice in `changes`. A version is made once; give the later one its own."
        found.append(_of_manifest(source, "changes", "defect", words))
    return found


def _terms(manifest: Manifest, source: YamlFile) -> list[SetFinding]:
    said = [("licence", manifest.licence), *(("authors", author) for author in manifest.authors)]
    return [
        _of_manifest(source, key, "hint", f'{key}: "{value}" says nothing yet. Say it before you share this set.')
        for key, value in said
        if _UNSAID.search(value)
    ]


def _of_manifest(source: YamlFile, key: str, severity: Severity, words: str) -> SetFinding:
    return SetFinding(file=MANIFEST_NAME, line=source.line_of((key,)), severity=severity, words=words)


def _of_card(severity: Severity, words: str, *, line: int | None = None) -> SetFinding:
    return SetFinding(file=CARD_NAME, line=line, severity=severity, words=words)
