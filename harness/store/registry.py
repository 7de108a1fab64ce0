"""Verdicts, waivers and promotions: recorded as events of the registry's chain, and found again."""

from pathlib import Path

from harness.errors import StoreError
from harness.records.registry import Promotion, RegistryEvent, Waiver
from harness.records.verdicts import Verdict
from harness.store.chain import NewEvent, append, select_events
from harness.store.ledger import Ledger
from harness.store.payloads import (
    promotion_payload,
    read_promotion,
    read_verdict,
    read_waiver,
    verdict_payload,
    waiver_payload,
)

_CANDIDATES_SHOWN = 10


def record_verdict(ledger: Ledger, home: Path, verdict: Verdict, *, after: str | None = None) -> RegistryEvent:
    """Records a verdict. Recording it twice changes nothing.

    Args:
        ledger: Where to record it.
        home: The folder of the ledger, with its key.
        verdict: What was decided. A policy that names no alias leaves its alias None.
        after: As for `chain.append`.

    Raises:
        RegistryError: Another event has this id, the chain went on since `after`, or its last event was edited.
        ValueError: A number is NaN, or `decided_at` has no time zone.
    """
    return append(
        ledger,
        home,
        NewEvent(
            kind="verdict",
            event_id=verdict.verdict_id,
            alias=verdict.alias,
            at=verdict.decided_at,
            payload=verdict_payload(verdict),
        ),
        after=after,
    )


def record_waiver(ledger: Ledger, home: Path, waiver: Waiver, *, after: str | None = None) -> RegistryEvent:
    """Records a waiver; `after` as for `chain.append`.

    Raises:
        RegistryError: The chain went on since `after`, or its last event was edited.
    """
    new = NewEvent(
        kind="waiver", event_id=waiver.waiver_id, alias=waiver.alias, at=waiver.at, payload=waiver_payload(waiver)
    )
    return append(ledger, home, new, after=after)


def record_promotion(ledger: Ledger, home: Path, promotion: Promotion, *, after: str | None = None) -> RegistryEvent:
    """Records a promotion or rollback; `after` as for `chain.append`.

    Raises:
        RegistryError: The chain went on since `after`, or its last event was edited.
    """
    new = NewEvent(
        kind="rollback" if promotion.rollback else "promotion",
        event_id=promotion.promotion_id,
        alias=promotion.alias,
        at=promotion.at,
        payload=promotion_payload(promotion),
    )
    return append(ledger, home, new, after=after)


def verdicts(ledger: Ledger, *, alias: str | None = None, run_id: str | None = None) -> list[Verdict]:
    """Verdicts, oldest first."""
    with ledger.read() as connection:
        found = select_events(
            connection,
            "WHERE kind = 'verdict' AND coalesce(alias = $1, $1 IS NULL) "
            "AND coalesce((payload ->> 'run_id') = $2, true) ORDER BY sequence",
            alias,
            run_id,
        )
    return [read_verdict(event) for event in found]


def find_verdict(ledger: Ledger, prefix: str) -> Verdict:
    """The one verdict whose id is, or begins with, `prefix`.

    Raises:
        StoreError: No verdict or several do; the message lists candidates.
    """
    with ledger.read() as connection:
        of_kind = "WHERE kind = 'verdict' AND starts_with(event_id, ?) ORDER BY sequence DESC"
        found = select_events(connection, of_kind, prefix)
        exact = [event for event in found if event.event_id == prefix]
        if exact or len(found) == 1:
            return read_verdict((exact or found)[0])
        if found:
            problem = f'"{prefix}" begins the ids of {len(found)} verdicts; write more of it'
        else:
            problem = f'no verdict\'s id begins with "{prefix}"'
            found = select_events(connection, of_kind, "")
    candidates = [read_verdict(event) for event in found[:_CANDIDATES_SHOWN]]
    lines = [
        f"  {verdict.verdict_id}  {verdict.outcome}  run {verdict.run_id}  {verdict.alias or 'no alias'}"
        for verdict in candidates
    ]
    if len(found) > _CANDIDATES_SHOWN:
        lines.append(f'  and {len(found) - _CANDIDATES_SHOWN} more: harness sql "SELECT * FROM v_verdicts"')
    if not found:
        lines.append("  there is none yet: `harness gate EXPERIMENT --candidate SYSTEM` makes one")
    raise StoreError("\n".join([f"{problem}. Verdicts, newest first:", *lines]))


def waivers(ledger: Ledger, *, alias: str | None = None, run_id: str | None = None) -> list[Waiver]:
    """Waivers, oldest first, expired ones too."""
    with ledger.read() as connection:
        found = select_events(
            connection,
            "WHERE kind = 'waiver' AND coalesce(alias = $1, true) "
            "AND coalesce((payload ->> 'run_id') = $2, true) ORDER BY sequence",
            alias,
            run_id,
        )
    return [read_waiver(event) for event in found]


def promotions(ledger: Ledger, *, alias: str | None = None) -> list[Promotion]:
    """Promotions and rollbacks, oldest first: for each alias the last one says what it points at."""
    with ledger.read() as connection:
        found = select_events(
            connection,
            "WHERE kind IN ('promotion', 'rollback') AND coalesce(alias = $1, true) ORDER BY sequence",
            alias,
        )
    return [read_promotion(event) for event in found]
