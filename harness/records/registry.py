"""The registry: who or what an alias points at, why, and by whose hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RegistryEventKind = Literal["verdict", "waiver", "promotion", "rollback"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistryEvent:
    """One link of the registry's chain; never changed, never deleted.

    `sequence` counts from 1. `payload` is a JSON object: a verdict, a waiver, a promotion or a rollback. `hash` is
    SHA-256 over everything else but the signature, `previous_hash` included (64 zeros for the first); `signature` is
    the local key's HMAC of `hash`.
    """

    sequence: int
    kind: RegistryEventKind
    event_id: str
    alias: str | None
    at: datetime
    payload: Mapping[str, object]
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Promotion:
    """The recorded act that points an alias at a run.

    `verdict_id` is the evidence, `waiver_ids` the exceptions it rests on; `rollback` says that it took back an earlier
    promotion. `adapter_sha256` and `adapter_path` (relative to the home) are None for a run without an adapter.
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
