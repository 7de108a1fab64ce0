"""A policy applied to stored evidence: the verdict, with all that is needed to derive it again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.config.policy import Policy, policy_hash
from harness.decision.gate import Case, judge_gate
from harness.decision.gate_limit import combine
from harness.decision.preference import PREFERENCE, facing_metric
from harness.decision.versions import version_sentence, without_retired
from harness.hashing import content_hash
from harness.records.evidence import Evidence
from harness.records.verdicts import EvidenceRead, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Derivation:
    """What a verdict takes from the moment it is made in: its id and time, and the versions of what computed it."""

    verdict_id: str
    decided_at: datetime
    versions: Mapping[str, str]


def derive_verdict(
    policy: Policy,
    candidate: Evidence,
    baselines: Mapping[str, Evidence],
    made: Derivation,
    *,
    policy_text: str | None = None,
) -> Verdict:
    """Applies every gate. Equal policy and evidence give an equal verdict, but for what `made` says.

    Items that the version of any of these runs has retired are judged in none.

    Args:
        policy: The rules.
        candidate: What is stored of the run to judge.
        baselines: What is stored of each baseline, by the name that the policy uses; one that has no finished run is
            left out, and the gates that name it are inconclusive.
        made: The moment.
        policy_text: As an earlier verdict stored it; None for the policy's own.
    """
    candidate, *others = without_retired([candidate, *baselines.values()])
    baselines = dict(zip(baselines, others, strict=True))
    case = Case(
        candidate=candidate,
        baselines=baselines,
        confidence=policy.confidence,
        on_missing=policy.on_missing,
        seed=policy.seed,
    )
    text = policy.text if policy_text is None else policy_text
    gates = tuple(judge_gate(gate, name, case) for name, gate in zip(policy.gate_names, policy.gates, strict=True))
    run = candidate.state.run
    return Verdict(
        verdict_id=made.verdict_id,
        experiment=run.experiment,
        alias=policy.alias,
        candidate=candidate.name,
        run_id=run.run_id,
        outcome=combine([gate.outcome for gate in gates]),
        gates=gates,
        notes=tuple(_notes(policy, candidate, baselines)),
        policy_name=policy.name,
        policy_text=text,
        policy_sha256=policy_hash(text),
        runs={one.name: one.state.run.run_id for one in (candidate, *baselines.values())},
        evidence=tuple(_read(policy, candidate, baselines)),
        golden_version=run.golden_version,
        golden_sha256=run.golden_sha256,
        adapter_sha256=candidate.adapter_sha256,
        versions=made.versions,
        seed=policy.seed,
        confidence=policy.confidence,
        decided_at=made.decided_at,
    )


def _read(policy: Policy, candidate: Evidence, baselines: Mapping[str, Evidence]) -> Iterator[EvidenceRead]:
    """Every metric of every run that a gate reads, once, in the policy's order."""
    pairs: dict[tuple[str, str], Evidence] = {}
    for gate in policy.gates:
        held_against = [baselines[name] for name in gate.against if name in baselines]
        for one, metric in _sources(gate.metric, candidate, held_against):
            if one.scores.get(metric):
                pairs[one.state.run.run_id, metric] = one
    for (run_id, metric), one in pairs.items():
        rows = [
            [score.item_id, score.item_hash, score.sample_index, score.value, score.status, score.group, score.stratum]
            for score in sorted(one.scores[metric], key=lambda score: (score.item_id, score.sample_index))
        ]
        yield EvidenceRead(
            run_id=run_id,
            metric=metric,
            rows=len(rows),
            sha256=content_hash(rows),
            evaluation=one.evaluations.get(metric),
        )


def _sources(metric: str, candidate: Evidence, held_against: Sequence[Evidence]) -> list[tuple[Evidence, str]]:
    """Under which names the runs have what a gate reads: choices between two runs stand under the other's id."""
    if metric != PREFERENCE:
        return [(one, metric) for one in (candidate, *held_against)]
    ours = [(candidate, facing_metric(one.state.run.run_id)) for one in held_against]
    return ours + [(one, facing_metric(candidate.state.run.run_id)) for one in held_against]


def _notes(policy: Policy, candidate: Evidence, baselines: Mapping[str, Evidence]) -> list[str]:
    """What must be said with the verdict, a sentence each."""
    config = candidate.state.run.system_config
    notes: list[str] = []
    if config.get("finetune"):
        seed = config.get("seed")
        notes.append(f"{candidate.name} is judged by one training run (seed {seed}): differences include seed noise.")
    metrics = dict.fromkeys(gate.metric for gate in policy.gates)
    read = [baselines[name] for name in policy.baselines if name in baselines]
    notes += [note for metric in metrics for one in (candidate, *read) for note in one.notes.get(metric, ())]
    for one in read:
        notes += [
            f"{one.name} answered with {fact} {theirs}, {candidate.name} with {ours}."
            for fact in ("device", "dtype")
            if (ours := candidate.state.facts.get(fact)) and (theirs := one.state.facts.get(fact)) and ours != theirs
        ]
        if one.state.run.golden_sha256 != candidate.state.run.golden_sha256:
            notes.append(version_sentence(candidate, one))
    return list(dict.fromkeys(notes))
