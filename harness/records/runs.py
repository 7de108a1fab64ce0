"""Runs: one execution of one system of an experiment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RunStatus = Literal["running", "finished", "failed", "interrupted"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What is known of a run when it starts; never changed afterwards.

    `experiment_id` is the hash of the whole experiment as resolved. `inputs_hash` is that of everything the outcome of
    this one system depends on (system, base model, golden set, training set, corpus): a system's name stands for its
    latest finished run with the current inputs' hash. `system_config` and `provenance` are JSON objects.
    """

    run_id: str
    experiment: str
    experiment_id: str
    system: str
    inputs_hash: str
    golden_set: str
    golden_version: str
    golden_sha256: str
    system_config: Mapping[str, object]
    provenance: Mapping[str, object]
    started_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEvent:
    """A change of a run's status, appended to its history.

    `reason` says why a run failed or was interrupted. `facts` are what is known only at the end (wall time in seconds,
    tokens, peak memory in bytes), a JSON object.
    """

    run_id: str
    status: RunStatus
    at: datetime
    reason: str | None
    facts: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunState:
    """A run with its latest event: what `harness runs` shows."""

    run: Run
    status: RunStatus
    reason: str | None
    ended_at: datetime | None
    facts: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingMetric:
    """One point of a training curve. `epoch` is fractional; `step` counts optimizer steps from 1."""

    name: str
    value: float
    step: int
    epoch: float
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A file or folder that a run left behind.

    `path` is relative to the home and uses forward slashes. `sha256` covers weights and settings; `size_bytes` is the
    sum over its files.
    """

    kind: Literal["adapter"]
    path: str
    sha256: str
    size_bytes: int
