"""Verdicts: a written policy applied to stored evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One number held against one limit: a gate has one for each baseline and slice.

    `subject` says whose number it is (`lora`, `lora - zero_shot`, `lora - base on tag edge`). `value`, `low` and `high`
    are in the metric's unit, differences signed so that positive is better for the candidate; None where there is no
    number or no interval. `limit` is what the interval is held against, in the same unit and sign. `n` counts items
    (pairs, for a difference). `test` names the method. `words` is the reason in one sentence; `remedy` what would
    change an outcome that is not a pass.
    """

    subject: str
    outcome: Outcome
    value: float | None
    low: float | None
    high: float | None
    limit: float | None
    n: int
    n_missing: int
    test: str
    words: str
    remedy: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GateResult:
    """One gate of a policy, applied. `name` is unique in the policy; `gate` is the gate as resolved, a JSON object."""

    name: str
    gate: Mapping[str, object]
    outcome: Outcome
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceRead:
    """Scores that a verdict read: `sha256` covers every row of this metric of this run, in a fixed order.

    `evaluation` is the key of the evaluation that a regression metric was read from; None for other metrics.
    """

    run_id: str
    metric: str
    rows: int
    sha256: str
    evaluation: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """That a verdict read scores of sealed items, and how worn these are by then.

    `number` counts the looks at these items, from 1; `candidates` the different candidates among them. `by` asked for
    it; `items` were read. `risk` is the most that the chance of a pass by any candidate without a gain can be after so
    many looks, in [0, 1]. `repeats` is the verdict whose look this one is again (same run, policy and sealed scores),
    None for a new look.
    """

    number: int
    candidates: int
    by: str
    items: int
    risk: float
    repeats: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """A policy's outcome for one run, with all that is needed to derive it again.

    `runs` maps each name that was used (the candidate's, each baseline's) to a run id. `policy_text` is the policy as
    resolved, canonical JSON; `policy_sha256` its hash. `adapter_sha256` is that of the candidate's adapter, None for a
    run without one. `versions` are those of the libraries that computed. `seed` is that of every resampling.
    `confidence` is that of the two-sided intervals. `look` is there where sealed scores were read.
    """

    verdict_id: str
    experiment: str
    alias: str | None
    candidate: str
    run_id: str
    outcome: Outcome
    gates: tuple[GateResult, ...]
    notes: tuple[str, ...]
    policy_name: str
    policy_text: str
    policy_sha256: str
    runs: Mapping[str, str]
    evidence: tuple[EvidenceRead, ...]
    golden_version: str
    golden_sha256: str
    adapter_sha256: str | None = None
    versions: Mapping[str, str]
    seed: int
    confidence: float
    decided_at: datetime
    look: Look | None = None
