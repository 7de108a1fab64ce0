"""Runs to choose from: how they are called in a list, and which are shown where the URL names none."""

from collections.abc import Sequence

from harness.config.experiment import BASE
from harness.pipeline.describe import has_own_weights
from harness.records.runs import RunState
from reports import wording


def label(state: RunState) -> str:
    """`lora · 2026-11-21 12:10 UTC · finished · icd10-coding · 20261121-121058-b2134c`."""
    run = state.run
    return " · ".join([run.system, wording.moment(run.started_at), state.status, run.experiment, run.run_id])


def default_candidate(finished: Sequence[RunState]) -> RunState:
    """The newest run with weights of its own, else the newest that answers items, else the newest (at least one)."""
    own = [state for state in finished if has_own_weights(state.run)]
    answering = [state for state in finished if state.run.system != BASE]
    return [*own, *answering, *finished][0]


def default_baseline(finished: Sequence[RunState], candidate: RunState) -> RunState | None:
    """What a candidate is held against: the first prompted system on the same golden set, else any other run."""
    others = [state for state in reversed(finished) if state.run.run_id != candidate.run.run_id]
    alike = [
        state
        for state in others
        if state.run.experiment == candidate.run.experiment
        and state.run.golden_sha256 == candidate.run.golden_sha256
        and state.run.system not in (BASE, candidate.run.system)
    ]
    prompted = [state for state in alike if not has_own_weights(state.run)]
    return next(iter([*prompted, *alike, *others]), None)


def base_of(finished: Sequence[RunState], candidate: RunState) -> RunState | None:
    """The newest finished run of `base` in the candidate's experiment."""
    return next(
        (
            state
            for state in finished
            if state.run.system == BASE and state.run.experiment == candidate.run.experiment and state is not candidate
        ),
        None,
    )
