"""Rules of the registry: what may be promoted, what may be waived, and where a rollback goes. Pure."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from harness.errors import nearest
from harness.records.registry import ALIAS, ALIAS_FORM, Promotion, Waiver
from harness.records.runs import RunState
from harness.records.verdicts import GateResult, Verdict

LONGEST_WAIVER_DAYS = 365


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Policy and golden set as they stand now; None where nothing is known. `where` says who was asked."""

    policy_name: str | None
    policy_sha256: str | None
    golden_sha256: str | None
    where: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PromotionCase:
    """All that decides whether an alias may be pointed at a run.

    `waivers` and `verdicts` are those of the ledger for this run, in the order they were recorded.
    """

    alias: str
    run: RunState
    verdict: Verdict
    waivers: Sequence[Waiver]
    verdicts: Sequence[Verdict]
    standing: Standing
    now: datetime


def refusals(case: PromotionCase) -> list[str]:
    """Every reason not to promote, each with its next step; empty where nothing speaks against it."""
    return [
        *_alias_refusals(case.alias, case.verdict),
        *_run_refusals(case.run, case.verdict),
        *_gate_refusals(case),
        *_change_refusals(case.standing, case.verdict),
        *_age_refusals(case),
    ]


def waivers_of(verdict: Verdict, alias: str, waivers: Iterable[Waiver]) -> dict[str, Waiver]:
    """For each gate of a verdict that was waived for an alias, the waiver that holds longest, expired or not."""
    longest: dict[str, Waiver] = {}
    for waiver in waivers:
        of_verdict = (waiver.verdict_id, waiver.run_id, waiver.alias)
        if of_verdict != (verdict.verdict_id, verdict.run_id, alias):
            continue
        known = longest.get(waiver.gate)
        if known is None or known.until < waiver.until:
            longest[waiver.gate] = waiver
    return longest


def waiver_refusals(verdict: Verdict, waiver: Waiver) -> list[str]:
    """Every reason not to record a waiver, each with its next step."""
    problems: list[str] = []
    gates = {gate.name: gate for gate in verdict.gates}
    open_gates = [gate.name for gate in verdict.gates if gate.outcome != "pass"]
    if waiver.gate not in gates:
        hint = nearest(waiver.gate, open_gates or gates)
        problems.append(f'"{waiver.gate}" is not a gate of verdict {verdict.verdict_id}; {hint}')
    elif gates[waiver.gate].outcome == "pass":
        rest = f"not passed: {', '.join(open_gates)}" if open_gates else "every gate passed: promote without a waiver"
        problems.append(f"gate {waiver.gate} passed, so there is nothing to waive; {rest}.")
    if not waiver.alias:
        problems.append(
            f"policy {verdict.policy_name} names no alias, and a waiver holds for one only: say which with --alias."
        )
    else:
        problems += _alias_refusals(waiver.alias, verdict)
    problems += [
        f"--{name} is empty; say it in words." for name in ("reason", "by") if not getattr(waiver, name).strip()
    ]
    if waiver.until <= waiver.at:
        problems.append(
            f"--until {waiver.until:%Y-%m-%d} has passed; name a day from today to {LONGEST_WAIVER_DAYS} days on."
        )
    elif waiver.until > waiver.at + timedelta(days=LONGEST_WAIVER_DAYS + 1):
        problems.append(
            f"--until {waiver.until:%Y-%m-%d} is more than {LONGEST_WAIVER_DAYS} days away; an exception has an end "
            f"that somebody remembers: {waiver.at + timedelta(days=LONGEST_WAIVER_DAYS):%Y-%m-%d} at the latest."
        )
    return problems


def promotion_before(history: Sequence[Promotion]) -> Promotion | None:
    """Where a rollback of an alias goes: the last promotion of another run that was not itself rolled back.

    Args:
        history: Promotions and rollbacks of one alias, oldest first.
    """
    standing: list[Promotion] = []
    for one in history:
        if one.rollback:
            _take_back(standing)
        else:
            standing.append(one)
    _take_back(standing)
    return standing[-1] if standing else None


def _take_back(standing: list[Promotion]) -> None:
    """Removes the last promotion, and those just before it of the same run: going back to that run changes nothing."""
    run_id = standing[-1].run_id if standing else None
    while standing and standing[-1].run_id == run_id:
        standing.pop()


def _alias_refusals(alias: str, verdict: Verdict) -> list[str]:
    if not ALIAS.fullmatch(alias):
        return [f'"{alias}" is not an alias; write {ALIAS_FORM}.']
    if verdict.alias in (None, alias):
        return []
    return [
        f"verdict {verdict.verdict_id} is for {verdict.alias}, as policy {verdict.policy_name} says, not for "
        f"{alias}. Promote to {verdict.alias}, or gate by a policy with `alias: {alias}`."
    ]


def _run_refusals(state: RunState, verdict: Verdict) -> list[str]:
    run = state.run
    problems: list[str] = []
    if verdict.run_id != run.run_id:
        problems.append(
            f"verdict {verdict.verdict_id} is of run {verdict.run_id} ({verdict.candidate}), not of {run.run_id}. "
            f"Promote that run, or gate this one: `harness gate EXPERIMENT --candidate {run.run_id}`."
        )
    if state.status != "finished":
        problems.append(
            f"run {run.run_id} is {state.status}; only a finished run can be promoted. `harness run` runs "
            f"{run.system} again."
        )
    elif state.ended_at is not None and verdict.decided_at < state.ended_at:
        problems.append(
            f"run {run.run_id} ended at {_moment(state.ended_at)}, after verdict {verdict.verdict_id} was made "
            f"({_moment(verdict.decided_at)}). Gate it again."
        )
    if verdict.run_id == run.run_id and verdict.golden_sha256 != run.golden_sha256:
        problems.append(
            f"run {run.run_id} answered golden set {run.golden_version} ({run.golden_sha256[:12]}), and verdict "
            f"{verdict.verdict_id} is about {verdict.golden_version} ({verdict.golden_sha256[:12]}). Gate it again."
        )
    return problems


def _gate_refusals(case: PromotionCase) -> list[str]:
    verdict = case.verdict
    waived = waivers_of(verdict, case.alias, case.waivers)
    stopped = [gate for gate in verdict.gates if gate.outcome != "pass"]
    problems = [
        _gate_sentence(verdict, gate, waived.get(gate.name))
        for gate in stopped
        if gate.name not in waived or not waived[gate.name].is_active(case.now)
    ]
    if verdict.outcome != "pass" and not stopped:
        problems.append(f"verdict {verdict.verdict_id} is {verdict.outcome}, not pass. Gate the run again.")
    return problems


def _gate_sentence(verdict: Verdict, gate: GateResult, expired: Waiver | None) -> str:
    finding = next((finding for finding in gate.findings if finding.outcome != "pass"), None)
    why = f": {finding.words.rstrip('.')}." if finding else "."
    remedy = f" {finding.remedy}" if finding and finding.remedy else ""
    was = "failed" if gate.outcome == "fail" else "is inconclusive"
    gone = f" Its waiver by {expired.by} expired at {_moment(expired.until)}." if expired else ""
    command = f"harness waive {shlex.quote(gate.name)} --verdict {verdict.verdict_id}"
    return (
        f"gate {gate.name} {was}{why}{remedy}{gone} An exception on your word: "
        f"`{command} --reason WHY --by NAME --until DATE`."
    )


def _change_refusals(standing: Standing, verdict: Verdict) -> list[str]:
    again = f"Gate again: `harness gate EXPERIMENT --candidate {verdict.candidate}`."
    problems: list[str] = []
    if standing.policy_name not in (None, verdict.policy_name):
        problems.append(
            f"the policy is {standing.policy_name} in {standing.where}, and verdict {verdict.verdict_id} is by "
            f"{verdict.policy_name}. {again} If {verdict.policy_name} is meant, say so with `--experiment EXPERIMENT "
            f"--set policy={verdict.policy_name}`."
        )
    elif standing.policy_sha256 is not None and standing.policy_sha256 != verdict.policy_sha256:
        problems.append(
            f"policy {verdict.policy_name} has changed: {standing.policy_sha256[:12]} in {standing.where}, "
            f"{verdict.policy_sha256[:12]} in verdict {verdict.verdict_id}. {again}"
        )
    if standing.golden_sha256 is not None and standing.golden_sha256 != verdict.golden_sha256:
        problems.append(
            f"the golden set has changed: {standing.golden_sha256[:12]} in {standing.where}, "
            f"{verdict.golden_sha256[:12]} (version {verdict.golden_version}) in verdict {verdict.verdict_id}. "
            f"`harness run` answers the new one; then gate again."
        )
    return problems


def _age_refusals(case: PromotionCase) -> list[str]:
    verdict, problems = case.verdict, list[str]()
    later = [one for one in case.verdicts if _supersedes(one, verdict)]
    if later:
        problems.append(
            f"verdict {verdict.verdict_id} is not the last word on run {verdict.run_id}: {later[-1].verdict_id}, made "
            f"{_moment(later[-1].decided_at)}, is {later[-1].outcome}. Promote by that one, or gate again."
        )
    days = _valid_for_days(verdict)
    if days is not None and case.now - verdict.decided_at > timedelta(days=days):
        problems.append(
            f"verdict {verdict.verdict_id} was made {_moment(verdict.decided_at)}, and policy {verdict.policy_name} "
            f"lets it stand for {days:g} days. Gate again: `harness gate EXPERIMENT --candidate {verdict.candidate}`."
        )
    return problems


def _supersedes(later: Verdict, verdict: Verdict) -> bool:
    """Whether a verdict of the same run by the same policy was made afterwards and came out otherwise."""
    return (
        later.decided_at > verdict.decided_at
        and (later.run_id, later.alias, later.policy_name) == (verdict.run_id, verdict.alias, verdict.policy_name)
        and _open_gates(later) != _open_gates(verdict)
    )


def _open_gates(verdict: Verdict) -> set[tuple[str, str]]:
    return {(gate.name, gate.outcome) for gate in verdict.gates if gate.outcome != "pass"}


def _valid_for_days(verdict: Verdict) -> float | None:
    policy = cast("dict[str, object]", json.loads(verdict.policy_text))
    days = policy.get("valid_for_days")
    return float(days) if isinstance(days, int | float) else None


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
