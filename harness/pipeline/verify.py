"""`harness verify`: the chain of the registry holds, and a verdict follows from the ledger again, to the last digit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import cast

from harness.errors import HarnessError, RegistryError, problems_message
from harness.pipeline.promotion_file import current_grounds, promotion_content, promotion_path, read_promotion_files
from harness.pipeline.stored_adapter import adapter_problem
from harness.records.registry import RegistryEvent
from harness.records.verdicts import Verdict
from harness.store.chain import FIRST, broken_links, events
from harness.store.keys import key_is_private, read_key
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.payloads import verdict_payload
from harness.store.registry import find_verdict

Rederive = Callable[[Path, Verdict], Verdict]

LIMITS = (
    "This finds rows that were edited, removed or put in by hand. It proves nothing against somebody who holds the "
    "home's key, and rows cut off at the end show only where a later head was kept elsewhere: promotion.json has one."
)
SHORTEST_HEAD = 12  # digits
# Fields that may differ between two derivations of the same verdict.
_OF_THE_MOMENT = frozenset({"verdict_id", "decided_at", "versions"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainReport:
    """What became of checking the registry. `head` is the last event's hash; `problems`, `notes`: sentences."""

    events: int
    head: str
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class VerdictReport:
    """A verdict with what differs when it is derived again: nothing, where it agrees to the last digit."""

    verdict: Verdict
    differences: tuple[str, ...]
    notes: tuple[str, ...]


def verify_registry(home: Path, *, head: str | None = None, rederive: Rederive | None = None) -> ChainReport:
    """Checks every event, every signature, every `promotion.json`, and what each alias rests on now.

    Of an alias these are its verdict, derived again from the scores of today, and the files of its adapter.

    Args:
        home: Where the ledger, the key and the promotion files are.
        head: A hash that was kept elsewhere, or its beginning: the chain must have it.
        rederive: What derives a verdict again; `rederive_verdict` if not given.

    Raises:
        StoreError: There is no ledger, or the key is missing.
    """
    ledger = open_ledger(home, create=False)
    chain = events(ledger)
    if not chain:
        problems = _file_problems(home, ledger, chain) + _head_problems(chain, head)
        return ChainReport(events=0, head=FIRST, problems=tuple(problems), notes=())
    problems = broken_links(chain, read_key(home))
    notes = [] if key_is_private(home) else [f"{home / 'key'} can be read by others: `chmod 600 {home / 'key'}`."]
    if problems:
        notes.append("Promotion files, verdicts and adapters were not checked, since the chain does not hold.")
    else:
        problems += _file_problems(home, ledger, chain)
        problems += _grounds_problems(home, ledger, rederive or rederive_verdict)
    problems += _head_problems(chain, head)
    return ChainReport(events=len(chain), head=chain[-1].hash, problems=tuple(problems), notes=tuple(notes))


def require_chain(ledger: Ledger, home: Path) -> list[RegistryEvent]:
    """The chain, for whoever is about to rely on it.

    Raises:
        RegistryError: A link is broken.
        StoreError: The key is missing.
    """
    chain = events(ledger)
    problems = broken_links(chain, read_key(home)) if chain else []
    if problems:
        subject = f"{ledger.path}: the registry was changed by hand, and nothing rests on it until that is cleared up"
        raise RegistryError(problems_message(subject, problems))
    return chain


def rederive_verdict(home: Path, verdict: Verdict) -> Verdict:
    """The verdict that the ledger gives now for the same runs and policy."""
    from harness.pipeline.gate import rederive

    return rederive(home, verdict)


def verify_verdict(home: Path, prefix: str, *, rederive: Rederive = rederive_verdict) -> VerdictReport:
    """Derives a verdict again from what the ledger holds, and compares every field.

    Args:
        home: Where the ledger is.
        prefix: The verdict's id, or its beginning.
        rederive: What derives it again.

    Raises:
        StoreError: There is no such verdict.
    """
    verdict = find_verdict(open_ledger(home, create=False), prefix)
    derived = rederive(home, verdict)
    other = [
        f"{name} {verdict.versions.get(name)} then, {derived.versions.get(name)} now"
        for name in dict.fromkeys([*verdict.versions, *derived.versions])
        if verdict.versions.get(name) != derived.versions.get(name)
    ]
    return VerdictReport(
        verdict=verdict,
        differences=tuple(verdict_differences(verdict, derived)),
        notes=(f"libraries differ: {', '.join(other)}.",) if other else (),
    )


def verdict_differences(recorded: Verdict, derived: Verdict) -> list[str]:
    """What differs between two derivations of a verdict, a line each: place, what was recorded, what came out now."""
    ours, theirs = (cast("dict[str, object]", loads(verdict_payload(one))) for one in (recorded, derived))
    return [
        f"{place}: recorded {before}, now {after}"
        for place, before, after in _differences("", ours, theirs)
        if place.partition(".")[0] not in _OF_THE_MOMENT
    ]


def _grounds_problems(home: Path, ledger: Ledger, rederive: Rederive) -> list[str]:
    """What aliases rest on that is no longer as it was: verdicts that do not follow any more, adapters that changed."""
    problems: list[str] = []
    for alias, grounds in current_grounds(ledger).items():
        promotion, verdict = grounds.promotion, grounds.verdict
        try:
            found = verdict_differences(verdict, rederive(home, verdict))
        except HarnessError as problem:
            problems.append(f"{alias}: verdict {verdict.verdict_id} cannot be derived again: {problem}")
            continue
        if found:
            count = f"{len(found)} difference{'s' if len(found) != 1 else ''}"
            problems.append(
                f"{alias}: verdict {verdict.verdict_id} no longer follows from the ledger ({count}; {found[0]}). "
                f"`harness verify {verdict.verdict_id}` lists them."
            )
        if problem := adapter_problem(home, promotion.adapter_path, promotion.adapter_sha256):
            problems.append(f"{alias}: {problem}")
    return problems


def _file_problems(home: Path, ledger: Ledger, chain: Sequence[RegistryEvent]) -> list[str]:
    """Promotion files that say otherwise than the registry, or are missing."""
    problems: list[str] = []
    files, current = read_promotion_files(home), current_grounds(ledger)
    for alias, content in files.items():
        path = promotion_path(home, alias)
        if content is None:
            problems.append(f"{path}: not a JSON object. Promote again to write it anew.")
        elif cut := _cut_off(content, chain):
            problems.append(f"{path}: {cut}")
        elif alias not in current:
            problems.append(f"{path}: the registry never promoted anything to {alias}")
        elif content != promotion_content(current[alias]):
            expected = promotion_content(current[alias])
            other = [key for key in dict.fromkeys([*expected, *content]) if expected.get(key) != content.get(key)]
            problems.append(
                f"{path}: says otherwise than the registry of {', '.join(other)}. It was edited, or is of an earlier "
                "promotion. Promote again to write it anew."
            )
    problems += [
        f"{promotion_path(home, alias)}: missing, though something was promoted to {alias}. Promote again to write it."
        for alias in current
        if alias not in files
    ]
    return problems


def _cut_off(content: Mapping[str, object], chain: Sequence[RegistryEvent]) -> str | None:
    """Why the head in a promotion file is not in the chain, or None where it is."""
    match content.get("chain"):
        case {"sequence": int(sequence), "head": str(head)}:
            pass
        case _:
            return "it names no head of the chain; it was edited. Promote again to write it anew."
    if sequence > len(chain):
        return f"it knows event {sequence}, and the registry ends at event {len(chain)}: events were cut off at the end"
    if sequence < 1 or chain[sequence - 1].hash != head:
        return f"it has another hash for event {sequence} than the registry: one of the two was replaced"
    return None


def _head_problems(chain: Sequence[RegistryEvent], head: str | None) -> list[str]:
    if head is None:
        return []
    if len(head) < SHORTEST_HEAD:
        return [f'the head "{head}" that was kept is too short to tell: give {SHORTEST_HEAD} digits or more']
    if any(known.startswith(head.lower()) for known in (FIRST, *(event.hash for event in chain))):
        return []
    return [f"no event has the hash {head[:12]} that was kept: events were cut off at the end, or all was made anew"]


def _differences(place: str, before: object, after: object) -> Iterator[tuple[str, str, str]]:
    if isinstance(before, dict) and isinstance(after, dict):
        ours, theirs = cast("Mapping[str, object]", before), cast("Mapping[str, object]", after)
        for key in dict.fromkeys([*ours, *theirs]):
            inner = f"{place}.{key}" if place else key
            yield from _differences(inner, ours.get(key), theirs.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        left, right = cast("Sequence[object]", before), cast("Sequence[object]", after)
        if len(left) != len(right):
            yield place, f"{len(left)} entries", f"{len(right)} entries"
        for number, (one, other) in enumerate(zip(left, right, strict=False)):
            yield from _differences(f"{place}[{number}]", one, other)
    elif repr(before) != repr(after):  # repr: 1 and 1.0, 0.0 and -0.0 are not the same
        yield place, repr(before), repr(after)
