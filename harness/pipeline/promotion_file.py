"""`promotion.json`: what an alias points at and why, in a file to keep outside the ledger."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from harness.errors import StoreError
from harness.records.registry import Promotion, RegistryEvent, Waiver
from harness.records.runs import RunState
from harness.records.verdicts import Verdict
from harness.store.chain import events
from harness.store.ledger import Ledger
from harness.store.payloads import read_promotion
from harness.store.registry import find_verdict, waivers
from harness.store.runs import find_run

FOLDER = "promotions"
FORMAT = 1  # raised when other things stand in the file: files of earlier versions are then told apart, not blamed


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounds:
    """A promotion with all it rests on. `event` is its place in the registry's chain."""

    promotion: Promotion
    event: RegistryEvent
    state: RunState
    verdict: Verdict
    waivers: Sequence[Waiver]


def read_grounds(ledger: Ledger, event: RegistryEvent) -> Grounds:
    """A promotion or rollback with all it rests on.

    Raises:
        StoreError: Something that it refers to is not in the ledger.
    """
    promotion = read_promotion(event)
    by_id = {waiver.waiver_id: waiver for waiver in waivers(ledger, run_id=promotion.run_id)}
    return Grounds(
        promotion=promotion,
        event=event,
        state=find_run(ledger, promotion.run_id),
        verdict=find_verdict(ledger, promotion.verdict_id),
        waivers=[by_id[waiver_id] for waiver_id in promotion.waiver_ids if waiver_id in by_id],
    )


def current_grounds(ledger: Ledger) -> dict[str, Grounds]:
    """What each alias points at now, with all it rests on."""
    latest = {event.alias: event for event in events(ledger) if event.kind in ("promotion", "rollback")}
    return {alias: read_grounds(ledger, event) for alias, event in latest.items() if alias is not None}


def promotion_path(home: Path, alias: str) -> Path:
    """`<home>/promotions/<alias>/promotion.json`. A valid alias is a valid folder name."""
    return home / FOLDER / alias / "promotion.json"


def promotion_content(grounds: Grounds) -> dict[str, object]:
    """What stands in the file, a JSON object; the same for the same promotion whenever it is made."""
    promotion, verdict, run = grounds.promotion, grounds.verdict, grounds.state.run
    adapter = {"path": promotion.adapter_path, "sha256": promotion.adapter_sha256}
    return {
        "format": FORMAT,
        "alias": promotion.alias,
        "promotion_id": promotion.promotion_id,
        "run_id": promotion.run_id,
        "experiment": run.experiment,
        "system": run.system,
        "base_model": dict(promotion.base_model),
        "adapter": adapter if promotion.adapter_path else None,
        "verdict": {
            "verdict_id": verdict.verdict_id,
            "outcome": verdict.outcome,
            "policy_name": verdict.policy_name,
            "policy_sha256": verdict.policy_sha256,
            "golden_version": verdict.golden_version,
            "golden_sha256": verdict.golden_sha256,
            "decided_at": verdict.decided_at.isoformat(),
        },
        "waivers": [
            {
                "waiver_id": waiver.waiver_id,
                "gate": waiver.gate,
                "reason": waiver.reason,
                "by": waiver.by,
                "until": waiver.until.isoformat(),
            }
            for waiver in grounds.waivers
        ],
        "evidence": [
            {
                "run_id": read.run_id,
                "metric": read.metric,
                "rows": read.rows,
                "sha256": read.sha256,
                "evaluation": read.evaluation,
            }
            for read in verdict.evidence
        ],
        "rollback": promotion.rollback,
        "reason": promotion.reason,
        "by": promotion.by,
        "at": promotion.at.isoformat(),
        "chain": {"sequence": grounds.event.sequence, "head": grounds.event.hash},
    }


def write_promotion_file(home: Path, grounds: Grounds) -> Path:
    """Writes the file whole or not at all, in the place of an earlier one.

    Raises:
        StoreError: The file cannot be written; the promotion stands all the same.
    """
    path = promotion_path(home, grounds.promotion.alias)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps(promotion_content(grounds), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    except OSError as problem:
        raise StoreError(
            f"{path}: cannot be written: {problem}. The promotion itself is recorded (event {grounds.event.sequence}): "
            "make room or give yourself leave to write there, then promote again."
        ) from problem
    return path


def read_promotion_files(home: Path) -> dict[str, dict[str, object] | None]:
    """By alias, what stands in its file; None for one that is not a JSON object."""
    found: dict[str, dict[str, object] | None] = {}
    for path in sorted((home / FOLDER).glob("*/promotion.json")):
        try:
            content: object = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            content = None
        found[path.parent.name] = cast("dict[str, object]", content) if isinstance(content, dict) else None
    return found
