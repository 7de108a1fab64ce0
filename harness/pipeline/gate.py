"""`harness gate`: a policy applied to what the ledger holds of a candidate; no model, no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from harness.config.experiment import BASE, HUMAN
from harness.config.policy import Policy, read_policy_text
from harness.decision.policy_fit import policy_problems
from harness.decision.verdict import Derivation, derive_verdict
from harness.errors import ComparisonError, ConfigError, StoreError, nearest, problems_message
from harness.hashing import new_run_id
from harness.pipeline.evidence import Chosen, find_system, suite_of
from harness.pipeline.gate_evidence import lacking_sealed, read_gate_evidence
from harness.pipeline.prepare import Prepared
from harness.pipeline.wear import with_look
from harness.records.runs import RunState
from harness.records.verdicts import Verdict
from harness.store.chain import FIRST, events
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.registry import record_verdict
from harness.store.runs import find_run

PACKAGES = ("harness", "numpy", "scipy", "statsmodels")  # what the numbers of a verdict depend on


@dataclass(frozen=True, kw_only=True, slots=True)
class GateRequest:
    """What is to be judged.

    `candidate` is a system (its latest finished run on the current inputs) or a run id. `policy` stands in place of the
    experiment's. `pinned` names the run that a baseline of the policy stands for, by the name the policy uses. `by` is
    who asks, for the record of a look at sealed items.
    """

    candidate: str
    policy: Policy | None = None
    pinned: Mapping[str, str] = field(default_factory=dict[str, str])
    by: str = "unknown"


def gate(prepared: Prepared, home: Path, request: GateRequest) -> Verdict:
    """Applies a policy to a candidate, and records the verdict in the registry.

    A baseline without a finished run makes the gates that name it inconclusive, and so does a run that has not answered
    the golden set's sealed items, where there are any.

    Raises:
        ConfigError: There is no policy, it names a baseline that does not exist, or its limits do not fit its metrics.
        ComparisonError: The candidate has no finished run on the current inputs.
        StoreError: There is no ledger.
        RegistryError: The registry was changed by hand, or went on while sealed scores were read.
    """
    policy = request.policy or prepared.experiment.policy
    if policy is None:
        raise ConfigError(
            f"experiment {prepared.experiment.name} names no policy. Add `policy: demo` to its experiment.yaml, or "
            "give --policy."
        )
    ledger = open_ledger(home, create=False)
    _check_names(prepared, ledger, policy, request)
    state = find_system(prepared, ledger, request.candidate, candidate=request.candidate)
    states = {request.candidate: state, **_baselines(prepared, ledger, policy, request, judged=state)}
    # What is counted below must be all there is when the verdict is recorded.
    chain = events(ledger)
    made = Derivation(verdict_id=f"v-{new_run_id()}", decided_at=datetime.now(UTC), versions=_versions())
    lacking = lacking_sealed(ledger, policy, states, request.candidate, until=made.decided_at)
    candidate, *baselines = (
        read_gate_evidence(ledger, one, name=name, chosen=suite_of(prepared), lacking=lacking)
        for name, one in states.items()
    )
    if problems := policy_problems(policy, candidate.metrics):
        raise ConfigError(problems_message(f"policy {policy.name}", problems))
    derived = derive_verdict(policy, candidate, {one.name: one for one in baselines}, made)
    verdict = with_look(ledger, derived, policy, [candidate, *baselines], by=request.by)
    head = chain[-1].hash if chain else FIRST
    record_verdict(ledger, home, verdict, after=head if verdict.look else None)
    return verdict


def rederive(home: Path, verdict: Verdict) -> Verdict:
    """Derives a verdict again from its own policy text and run ids and what the ledger holds of those runs now.

    Returns:
        A verdict with the same id and time, and the versions of now. It equals `verdict` in all else, to the last
        digit, unless what it was made from or what computes it has changed.

    Raises:
        ConfigError: The stored policy cannot be read by this version.
        StoreError: There is no ledger, or a run is gone.
    """
    ledger = open_ledger(home, create=False)
    policy = read_policy_text(verdict.policy_text, name=verdict.policy_name)
    chosen = Chosen(keys={read.evaluation for read in verdict.evidence if read.evaluation})
    states = {name: find_run(ledger, run_id) for name, run_id in verdict.runs.items()}
    lacking = lacking_sealed(ledger, policy, states, verdict.candidate, until=verdict.decided_at)
    read = {
        name: read_gate_evidence(ledger, state, name=name, chosen=chosen, lacking=lacking)
        for name, state in states.items()
    }
    candidate = read.pop(verdict.candidate)
    made = Derivation(verdict_id=verdict.verdict_id, decided_at=verdict.decided_at, versions=_versions())
    derived = derive_verdict(policy, candidate, read, made, policy_text=verdict.policy_text)
    by = verdict.look.by if verdict.look else "unknown"
    return with_look(ledger, derived, policy, [candidate, *read.values()], by=by)


def _check_names(prepared: Prepared, ledger: Ledger, policy: Policy, request: GateRequest) -> None:
    known = [*prepared.experiment.systems, BASE, HUMAN]
    problems: list[str] = []
    for name in policy.baselines:
        if name == request.candidate:
            problems.append(
                f'"{name}" is the candidate and a baseline too. Name another system, or a run id, in `against`'
            )
        elif name not in known and name not in request.pinned and not _is_run(ledger, name):
            problems.append(
                f'against: "{name}" is no system of {prepared.experiment.name} and no run; {nearest(name, known)}'
            )
    for name, run_id in request.pinned.items():
        if name not in policy.baselines:
            problems.append(f'--run {name}=...: the policy has no baseline "{name}"; {nearest(name, policy.baselines)}')
            continue
        run = find_run(ledger, run_id).run if _is_run(ledger, run_id) else None
        if run and (run.experiment, run.system) != (prepared.experiment.name, name):
            problems.append(
                f"--run {name}={run_id}: that is a run of {run.system} of {run.experiment}, and {name} would be judged "
                f"by it. Pin a run of {name}, or name the run's id in `against`"
            )
    if problems:
        raise ConfigError(problems_message(f"policy {policy.name}", problems))


def _is_run(ledger: Ledger, name: str) -> bool:
    try:
        find_run(ledger, name)
    except StoreError:
        return False
    return True


def _baselines(
    prepared: Prepared, ledger: Ledger, policy: Policy, request: GateRequest, *, judged: RunState
) -> dict[str, RunState]:
    found: dict[str, RunState] = {}
    for name in policy.baselines:
        pinned = request.pinned.get(name)
        try:
            state = find_system(prepared, ledger, pinned or name, candidate=request.candidate)
        except ComparisonError:
            if pinned or name not in (*prepared.experiment.systems, BASE, HUMAN):
                raise
            continue  # said by each gate that names it
        if state.run.run_id == judged.run.run_id:
            raise ConfigError(
                f"policy {policy.name}: baseline {name} stands for run {state.run.run_id}, the candidate itself. "
                f"Pin an earlier run with --run {name}=RUN, or leave it out of `against`."
            )
        found[name] = state
    return found


def _versions() -> dict[str, str]:
    return {package: metadata.version(package) for package in PACKAGES}
