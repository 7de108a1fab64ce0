"""`harness aliases` and `harness models resolve`: what an alias points at now, and what that rests on."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.decision.promotion import waivers_of
from harness.errors import RegistryError, StoreError, nearest
from harness.pipeline.promotion_file import Grounds, current_grounds, promotion_path
from harness.pipeline.stored_adapter import adapter_problem
from harness.pipeline.verify import require_chain
from harness.records.registry import RegistryEvent
from harness.store.chain import events
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.registry import promotions, verdicts, waivers


@dataclass(frozen=True, kw_only=True, slots=True)
class Pointed:
    """An alias with what it points at. `file` is its `promotion.json`; `notes` are sentences to show with it."""

    grounds: Grounds
    file: Path
    notes: tuple[str, ...]


def list_aliases(home: Path, alias: str | None = None, *, now: datetime | None = None) -> list[Pointed]:
    """Every alias, or one, in the order of the alphabet; a registry that does not hold is listed too, and said.

    Raises:
        RegistryError: Nothing was promoted to `alias`.
        StoreError: There is no ledger.
    """
    ledger = open_ledger(home, create=False)
    current = current_grounds(ledger)
    if alias is not None and alias not in current:
        raise unknown_alias(ledger, alias)
    wanted = sorted(current) if alias is None else [alias]
    doubts = _doubts(home, ledger)
    listed = [pointed(home, ledger, current[name], now or datetime.now(UTC)) for name in wanted]
    return [replace(one, notes=(*one.notes, *doubts)) for one in listed]


def history(home: Path, alias: str | None = None) -> list[RegistryEvent]:
    """Events of the registry, oldest first: of one alias, or all.

    Raises:
        RegistryError: Nothing was ever recorded for the alias.
        StoreError: There is no ledger.
    """
    ledger = open_ledger(home, create=False)
    found = [event for event in events(ledger) if alias is None or event.alias == alias]
    if alias is not None and not found:
        raise unknown_alias(ledger, alias)
    return found


def resolve(home: Path, alias: str, *, now: datetime | None = None) -> Pointed:
    """What a server is to load for an alias, after the registry and the adapter's files were checked.

    Raises:
        RegistryError: Nothing was promoted to the alias, the registry was edited, or the adapter's files are not those
            that were promoted.
        StoreError: There is no ledger, or the key is missing.
    """
    ledger = open_ledger(home, create=False)
    require_chain(ledger, home)
    current = current_grounds(ledger)
    if alias not in current:
        raise unknown_alias(ledger, alias)
    promotion = current[alias].promotion
    if problem := adapter_problem(home, promotion.adapter_path, promotion.adapter_sha256):
        raise RegistryError(
            f"{alias} cannot be served: {problem} `harness rollback {alias}` goes back to the run before."
        )
    return pointed(home, ledger, current[alias], now or datetime.now(UTC))


def registry_notes(ledger: Ledger, run_id: str, now: datetime) -> list[str]:
    """What the registry says of a run, a sentence each: its verdicts, waivers (expired too) and aliases."""
    notes = [
        f"verdict {verdict.verdict_id} of {_moment(verdict.decided_at)}: {verdict.outcome} by {verdict.policy_name}."
        for verdict in verdicts(ledger, run_id=run_id)
    ]
    for waiver in waivers(ledger, run_id=run_id):
        holds = "is waived" if waiver.is_active(now) else "was waived"
        notes.append(
            f"gate {waiver.gate} of verdict {waiver.verdict_id} {holds} for {waiver.alias} by {waiver.by} until "
            f"{_moment(waiver.until)}: {waiver.reason}"
        )
    latest = {promotion.alias: promotion for promotion in promotions(ledger)}
    notes += [f"{alias} points at this run." for alias, one in sorted(latest.items()) if one.run_id == run_id]
    return notes


def pointed(home: Path, ledger: Ledger, grounds: Grounds, now: datetime) -> Pointed:
    """What an alias points at, with what must be said of its waivers at a moment."""
    holding = waivers_of(grounds.verdict, grounds.promotion.alias, waivers(ledger, run_id=grounds.promotion.run_id))
    notes: list[str] = []
    for waiver in grounds.waivers:
        longest = holding.get(waiver.gate, waiver)
        words = f"gate {waiver.gate}, waived by {longest.by} until {_moment(longest.until)}: {longest.reason}"
        if longest.is_active(now):
            notes.append(f"{waiver.alias} rests on a waiver ({words}).")
        else:
            notes.append(
                f"{waiver.alias} is resting on an expired waiver ({words}). Gate the run again, waive again, or "
                f"`harness rollback {waiver.alias}`."
            )
    return Pointed(grounds=grounds, file=promotion_path(home, grounds.promotion.alias), notes=tuple(notes))


def _doubts(home: Path, ledger: Ledger) -> list[str]:
    """Why a listing of the registry may not be what was recorded; empty where it is."""
    try:
        require_chain(ledger, home)
    except (RegistryError, StoreError) as doubt:
        return [str(doubt)]
    return []


def unknown_alias(ledger: Ledger, alias: str) -> RegistryError:
    """Nothing was promoted to an alias."""
    known = {promotion.alias for promotion in promotions(ledger)}
    hint = nearest(alias, known) if known else "nothing was promoted yet: `harness promote ALIAS RUN --verdict ID`"
    return RegistryError(f'nothing was promoted to "{alias}"; {hint}')


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
