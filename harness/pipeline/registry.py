"""`harness promote`, `rollback`, `waive`: acts of the registry, each checked, then recorded, then written to a file."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from harness.decision.promotion import PromotionCase, promotion_before, refusals, waiver_refusals, waivers_of
from harness.errors import HarnessError, RegistryError, problems_message
from harness.pipeline.aliases import Pointed, pointed, unknown_alias
from harness.pipeline.promotion_file import read_grounds, write_promotion_file
from harness.pipeline.standing import IN_LEDGER, standing_now
from harness.pipeline.stored_adapter import adapter_problem, stored_adapter, unrecorded_adapter
from harness.pipeline.verify import Rederive, rederive_verdict, require_chain, verdict_differences
from harness.records.registry import Promotion, RegistryEvent, Waiver
from harness.records.runs import Run
from harness.records.verdicts import Verdict
from harness.store.chain import FIRST
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.registry import find_verdict, promotions, record_promotion, record_waiver, verdicts, waivers
from harness.store.runs import find_run

_ASKED_THE_LEDGER = (
    "The policy and the golden set were held against what the ledger saw last, since the experiment's folder is not "
    "known here; --experiment holds them against its files."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PromotionRequest:
    """What a person asks for. `run` and `verdict` are ids or their beginnings; `experiment` is where its files are."""

    alias: str
    run: str
    verdict: str
    by: str
    experiment: Path | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class WaiverRequest:
    """What a person asks for.

    `verdict` is an id or its beginning, `until` the last moment that the waiver holds. `alias` of None is the policy's.
    """

    gate: str
    verdict: str
    reason: str
    by: str
    until: datetime
    alias: str | None = None


def waive(home: Path, asked: WaiverRequest, *, now: datetime | None = None) -> Waiver:
    """Records a signed exception for one gate of one verdict.

    Raises:
        RegistryError: The gate is none of the verdict's or passed, the alias is missing or wrong, a text is empty, or
            `until` is not within a year; all at once.
        StoreError: There is no such verdict.
    """
    ledger = open_ledger(home, create=False)
    chain = require_chain(ledger, home)
    verdict = find_verdict(ledger, asked.verdict)
    now = now or datetime.now(UTC)
    waiver = Waiver(
        waiver_id=_new_id("w", now),
        verdict_id=verdict.verdict_id,
        gate=asked.gate,
        alias=asked.alias or verdict.alias or "",
        run_id=verdict.run_id,
        reason=asked.reason.strip(),
        by=asked.by.strip(),
        at=now,
        until=asked.until,
    )
    if problems := waiver_refusals(verdict, waiver):
        raise RegistryError(
            problems_message(f"gate {asked.gate} of verdict {verdict.verdict_id} is not waived", problems)
        )
    record_waiver(ledger, home, waiver, after=_head(chain))
    return waiver


def open_gates(home: Path, verdict_id: str, alias: str, *, now: datetime | None = None) -> list[str]:
    """Gates of a verdict that neither passed nor are waived for an alias at the moment.

    Raises:
        StoreError: There is no such verdict.
    """
    ledger, moment = open_ledger(home, create=False), now or datetime.now(UTC)
    verdict = find_verdict(ledger, verdict_id)
    waived = waivers_of(verdict, alias, waivers(ledger, run_id=verdict.run_id))
    covered = {gate for gate, waiver in waived.items() if waiver.is_active(moment)}
    return [gate.name for gate in verdict.gates if gate.outcome != "pass" and gate.name not in covered]


def promote(
    home: Path, asked: PromotionRequest, *, now: datetime | None = None, rederive: Rederive = rederive_verdict
) -> Pointed:
    """Points an alias at a run, if a verdict (or waivers) let it through.

    Args:
        home: Where the ledger is.
        asked: What a person asks for.
        now: The moment to record, and to hold waivers against.
        rederive: What derives a verdict again; the promotion is refused unless it gives the same one.

    Raises:
        RegistryError: With every reason against it.
        StoreError: There is no such run or verdict.
    """
    ledger = open_ledger(home, create=False)
    chain = require_chain(ledger, home)
    now = now or datetime.now(UTC)
    state, verdict = find_run(ledger, asked.run), find_verdict(ledger, asked.verdict)
    run = state.run
    standing = standing_now(ledger, verdict, run, asked.experiment, asked.overrides)
    case = PromotionCase(
        alias=asked.alias,
        run=state,
        verdict=verdict,
        waivers=waivers(ledger, run_id=run.run_id),
        verdicts=verdicts(ledger, run_id=run.run_id),
        standing=standing,
        now=now,
    )
    adapter = stored_adapter(ledger, run)
    path, sha256 = (adapter.path, adapter.sha256) if adapter else (None, None)
    of_adapter = (unrecorded_adapter(run, adapter), adapter_problem(home, path, sha256))
    problems = [*refusals(case), *filter(None, of_adapter), *_evidence_problems(home, verdict, rederive)]
    if problems:
        raise RegistryError(problems_message(f"{asked.alias} is not pointed at run {run.run_id}", problems))
    waived = waivers_of(verdict, case.alias, case.waivers)
    promotion = Promotion(
        promotion_id=_new_id("p", now),
        alias=asked.alias,
        run_id=run.run_id,
        verdict_id=verdict.verdict_id,
        waiver_ids=tuple(waived[gate.name].waiver_id for gate in verdict.gates if gate.outcome != "pass"),
        rollback=False,
        base_model=_base_model(run),
        adapter_sha256=sha256,
        adapter_path=path,
        by=asked.by,
        at=now,
    )
    done = _point(home, ledger, promotion, chain)
    return replace(done, notes=(*done.notes, _ASKED_THE_LEDGER)) if standing.where == IN_LEDGER else done


def rollback(home: Path, alias: str, *, reason: str, by: str, now: datetime | None = None) -> Pointed:
    """Points an alias back at the run of the promotion before, skipping what was rolled back already.

    Args:
        home: Where the ledger is.
        alias: What to roll back.
        reason: Why, in words.
        by: Who says so.
        now: The moment to record.

    Raises:
        RegistryError: The alias is unknown, nothing stands before its last promotion, the reason is empty, or the
            files of the earlier adapter were changed.
    """
    ledger = open_ledger(home, create=False)
    chain = require_chain(ledger, home)
    if not reason.strip():
        raise RegistryError("--reason is empty; say in words why the promotion is taken back.")
    history = promotions(ledger, alias=alias)
    if not history:
        raise unknown_alias(ledger, alias)
    before = promotion_before(history)
    if before is None:
        raise RegistryError(
            f"{alias} cannot be rolled back: nothing was promoted to it before run {history[-1].run_id}. Promote "
            f"another run: `harness promote {alias} RUN --verdict ID`."
        )
    if problem := adapter_problem(home, before.adapter_path, before.adapter_sha256):
        raise RegistryError(f"{alias} cannot be rolled back to run {before.run_id}: {problem}")
    now = now or datetime.now(UTC)
    back = replace(before, promotion_id=_new_id("r", now), rollback=True, reason=reason.strip(), by=by, at=now)
    return _point(home, ledger, back, chain)


def _point(home: Path, ledger: Ledger, promotion: Promotion, chain: Sequence[RegistryEvent]) -> Pointed:
    event = record_promotion(ledger, home, promotion, after=_head(chain))
    grounds = read_grounds(ledger, event)
    write_promotion_file(home, grounds)
    return pointed(home, ledger, grounds, promotion.at)


def _evidence_problems(home: Path, verdict: Verdict, rederive: Rederive) -> list[str]:
    """Whether the ledger still gives the verdict: scores, ratings or code may have come since."""
    again = f"Gate again: `harness gate EXPERIMENT --candidate {verdict.candidate}`."
    try:
        found = verdict_differences(verdict, rederive(home, verdict))
    except HarnessError as problem:
        return [f"verdict {verdict.verdict_id} cannot be derived again: {problem} {again}"]
    if not found:
        return []
    return [
        f"verdict {verdict.verdict_id} no longer follows from the ledger ({len(found)} differences; {found[0]}). "
        f"{again} `harness verify {verdict.verdict_id}` lists them."
    ]


def _base_model(run: Run) -> Mapping[str, object]:
    """Name, kind and identity of the base, and the reference that the experiment gives for it."""
    base = run.provenance.get("base_model")
    described = cast("Mapping[str, object]", base) if isinstance(base, dict) else {}
    return {**described, "reference": run.system_config.get("base_model")}


def _head(chain: Sequence[RegistryEvent]) -> str:
    return chain[-1].hash if chain else FIRST


def _new_id(letter: str, now: datetime) -> str:
    return f"{letter}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
