"""The registry: who or what an alias points at, why, and by whose hand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RegistryEventKind = Literal["verdict", "waiver", "promotion", "rollback"]

ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}@[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
ALIAS_FORM = "NAME@STAGE, such as icd10-coding@production: letters, digits, _ . - on both sides, at most 100 each"


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistryEvent:
    """One link of the registry's chain; never changed, never deleted.

    `sequence` counts from 1. `payload` is a JSON object as text: a verdict, a waiver, a promotion or a rollback. `hash`
    is SHA-256 over everything else but the signature, `previous_hash` included (64 zeros for the first); `signature` is
    the local key's HMAC of `hash`.
    """

    sequence: int
    kind: RegistryEventKind
    event_id: str
    alias: str | None
    at: datetime
    payload: str
    previous_hash: str
    hash: str
    signature: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """A recorded, expiring, signed exception for one gate of one verdict. `until` is the last moment it holds."""

    waiver_id: str
    verdict_id: str
    gate: str
    alias: str
    run_id: str
    reason: str
    by: str
    at: datetime
    until: datetime

    def is_active(self, now: datetime) -> bool:
        """Whether it still holds."""
        return now <= self.until


@dataclass(frozen=True, kw_only=True, slots=True)
class Promotion:
    """The recorded act that points an alias at a run.

    `verdict_id` is the evidence, `waiver_ids` the exceptions it rests on; `rollback` says that it took back an earlier
    promotion, and `reason` why. `adapter_sha256` and `adapter_path` (relative to the home) are None for a run without
    an adapter.
    """

    promotion_id: str
    alias: str
    run_id: str
    verdict_id: str
    waiver_ids: tuple[str, ...]
    rollback: bool
    base_model: Mapping[str, object]
    adapter_sha256: str | None
    adapter_path: str | None
    by: str
    at: datetime
    reason: str | None = None
