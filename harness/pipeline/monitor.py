"""`harness run --monitor`: does what was promoted still answer as it did when it was promoted?"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.config.policy import Policy
from harness.config.system import System
from harness.errors import ConfigError, RegistryError, StoreError
from harness.models.source import find_model
from harness.pipeline.aliases import Pointed, resolve
from harness.pipeline.decide import compare_evidence
from harness.pipeline.evidence import read_evidence, suite_of
from harness.pipeline.prepare import Prepared
from harness.pipeline.promotion_file import current_grounds
from harness.pipeline.run import run_anew
from harness.records.estimates import Comparison
from harness.records.protocols import Progress
from harness.records.runs import Run, RunState
from harness.store.generations import generations
from harness.store.migrate import open_ledger

NOW, AT_PROMOTION = "now", "at promotion"


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """What a promoted run answers now against what it answered then, paired on unchanged items; positive is better.

    `state` is the new run; `set_apart` says what could not be compared. `unanswered` are items that were answered then
    and are not now.
    """

    pointed: Pointed
    state: RunState
    comparisons: tuple[Comparison, ...]
    set_apart: tuple[str, ...]
    unanswered: tuple[str, ...]

    @property
    def has_drifted(self) -> bool:
        """Whether anything is clearly worse, unanswered or not comparable: nothing that is unknown counts as well."""
        return bool(self.worse or self.unanswered or self.set_apart)

    @property
    def worse(self) -> tuple[Comparison, ...]:
        """Metrics whose whole interval lies below zero."""
        return tuple(one for one in self.comparisons if one.ci_high is not None and one.ci_high < 0)


def monitor(prepared: Prepared, home: Path, progress: Progress) -> Drift:
    """Asks the promoted run's system the experiment's golden set as it is now, and compares with the promotion.

    Prompt and decoding are those of the promoted run, and the adapter is the promoted one. The new run is recorded
    under the alias, so that no system's name stands for it.

    Raises:
        ConfigError: The policy names no alias, or the few-shot examples of the promoted run are no longer there.
        RegistryError: Nothing was promoted to the alias, or what was promoted is not what is there.
        HarnessError: The system cannot answer.
    """
    alias = _alias(prepared)
    pointed = resolve(home, alias)
    promoted = pointed.grounds.state
    system = _as_promoted(prepared, promoted.run, pointed, home)
    known = replace(prepared, sources={**prepared.sources, system.name: find_model(system.base_model)})
    outcome = run_anew(known, system, home, progress, name=alias)
    if outcome.problem:
        raise outcome.problem
    ledger, chosen = open_ledger(home, create=False), suite_of(prepared)
    compared = compare_evidence(
        read_evidence(ledger, outcome.state, name=NOW, chosen=chosen),
        [read_evidence(ledger, promoted, name=AT_PROMOTION, chosen=chosen)],
    )
    then = {one.item_id for one in generations(ledger, promoted.run.run_id) if one.error is None}
    failed = [one.item_id for one in generations(ledger, outcome.state.run.run_id) if one.error is not None]
    return Drift(
        pointed=pointed,
        state=outcome.state,
        comparisons=compared.comparisons,
        set_apart=compared.set_apart,
        unanswered=tuple(item_id for item_id in failed if item_id in then),
    )


def stale_evidence(policy: Policy | None, home: Path, *, now: datetime | None = None) -> str | None:
    """A sentence where what the policy's alias points at rests on a verdict older than the policy allows."""
    if policy is None or policy.alias is None or policy.valid_for_days is None:
        return None
    try:
        grounds = current_grounds(open_ledger(home, create=False)).get(policy.alias)
    except StoreError:
        return None  # no ledger yet, so nothing was promoted
    if grounds is None:
        return None
    age_days = ((now or datetime.now(UTC)) - grounds.verdict.decided_at).total_seconds() / 86400
    if age_days <= policy.valid_for_days:
        return None
    return (
        f"{policy.alias} rests on verdict {grounds.verdict.verdict_id}, {age_days:.0f} days old; policy {policy.name} "
        f"lets a verdict stand for {policy.valid_for_days}. `harness run EXPERIMENT --monitor` asks the promoted run "
        "again; then gate and promote anew."
    )


def _alias(prepared: Prepared) -> str:
    policy = prepared.experiment.policy
    if policy is None or policy.alias is None:
        said = f"policy {policy.name} names no alias" if policy else "no policy"
        raise ConfigError(
            f"experiment {prepared.experiment.name}: {said}, so nothing says what was promoted. Add `alias: "
            "NAME@STAGE` to the policy."
        )
    return policy.alias


def _as_promoted(prepared: Prepared, run: Run, pointed: Pointed, home: Path) -> System:
    """The promoted run's system with its adapter as it was saved, in place of a training."""
    promotion = pointed.grounds.promotion
    if run.experiment != prepared.experiment.name:
        raise RegistryError(
            f"{promotion.alias} points at run {run.run_id} of experiment {run.experiment}, not of "
            f"{prepared.experiment.name}. Monitor that experiment."
        )
    adapter = str((home / promotion.adapter_path).resolve()) if promotion.adapter_path else None
    system = System.model_validate({**run.system_config, "finetune": None, "seeds": (), "adapter": adapter})
    learned_from = run.provenance.get("training_sha256")
    if system.prompt.shots and (prepared.training_set is None or prepared.training_set.sha256 != learned_from):
        raise ConfigError(
            f"run {run.run_id} shows {system.prompt.shots} examples of a training set that has changed since, so its "
            "prompts cannot be made again. Put the training set back, or promote a run on the new one."
        )
    return system
