"""An expert's answers to the sealed items, recorded as the sealed stage of the run that has the others."""

import os
from pathlib import Path

from harness.config.experiment import HUMAN
from harness.data.expert_answers import read_expert_answers
from harness.errors import ConfigError, EvaluationError
from harness.evaluation.scorers.score import score_generation
from harness.hashing import content_hash
from harness.pipeline.full_disk import full_disk_explained
from harness.pipeline.human import references_of
from harness.pipeline.prepare import Prepared
from harness.pipeline.recording import SealedLog, ended
from harness.pipeline.sealed import SealedOutcome
from harness.records.generations import Generation
from harness.records.protocols import Progress
from harness.records.runs import RunState
from harness.store.answers import record_answers
from harness.store.claims import claimed
from harness.store.golden import record_golden_set
from harness.store.migrate import open_ledger
from harness.store.runs import latest_finished
from harness.store.sealed import sealed_stage

_DIGEST = "answers_sha256"


def record_human_sealed(
    prepared: Prepared, home: Path, progress: Progress, *, by: str, answers: Path | None = None
) -> SealedOutcome:
    """Records an expert's answers to the sealed items, for `harness gate` alone. What was recorded once stays.

    Args:
        prepared: The experiment.
        home: Where the ledger is.
        progress: Who is told. Answers and scores are not.
        by: Who asks for it.
        answers: A file with an answer for each sealed item; None for the golden references. It is of the same kind as
            what the run answered the other items with.

    Raises:
        ConfigError: The golden set has no sealed items, or the run has other answers than these.
        DataError: The file cannot be used, or an item has no reference.
        DiskFullError: Nothing more can be written.
        EvaluationError: The expert has no run on the current golden set.
        StoreError: There is no ledger, or it cannot be written.
    """
    golden_set, home = prepared.golden_set, home.resolve()
    items = golden_set.part("sealed")
    if not items:
        raise ConfigError(
            f"golden set {golden_set.name} {golden_set.version} has no sealed items, so there is nothing to answer. "
            "Leave out --sealed."
        )
    with full_disk_explained(home):
        ledger = open_ledger(home, create=False)
        state = latest_finished(ledger, prepared.experiment.name, HUMAN, prepared.human_hash())
        if state is None:
            raise EvaluationError(
                f"no expert has answered {golden_set.name} {golden_set.version} yet. Run `harness run "
                f"{prepared.experiment.folder} --only {HUMAN}` first, then again with --sealed."
            )
        _require_same_kind(state, answers)
        found = references_of(items) if answers is None else read_expert_answers(answers, items)
        digest, stage = content_hash(found), sealed_stage(ledger, state.run.run_id)
        is_done = stage is not None and stage.status == "finished"
        if is_done and stage is not None and stage.facts.get(_DIGEST) != digest:
            raise ConfigError(
                f"run {state.run.run_id} has other answers to its sealed items, which stay. Record a new run with "
                f"`harness run {prepared.experiment.folder} --only {HUMAN} --again` and the answers to the other items "
                "first."
            )
        if is_done:
            progress.say(f"answered already by run {state.run.run_id}")
        else:
            record_golden_set(ledger, golden_set)
            written = [
                Generation(item_id=item.item_id, item_hash=item.item_hash, text=found[item.item_id]) for item in items
            ]
            scores = [
                score
                for item, generation in zip(items, written, strict=True)
                for score in score_generation(prepared.scorers, item, generation)
            ]
            with claimed(home, state.run.run_id) as claim:
                log = SealedLog(
                    ledger=ledger, run_id=state.run.run_id, home=home, progress=progress, claim=claim, by=by
                )
                log.note({"pid": os.getpid()})
                with ended(log):
                    record_answers(ledger, state.run.run_id, written, scores, part="sealed")
                    log.facts |= {"answers": len(written), _DIGEST: digest}
    return SealedOutcome(
        run_id=state.run.run_id, status="finished", answered=len(items), items=len(items), reused=is_done
    )


def _require_same_kind(state: RunState, answers: Path | None) -> None:
    """One run does not mix what an expert wrote with the golden references."""
    before = state.run.system_config.get("answers")
    if (before is None) == (answers is None):
        return
    was, step = (
        ("the golden references", "Leave out --answers, or record a new run from a file first")
        if before is None
        else (f"from {before}", "Give --answers FILE with the expert's answers to the sealed items")
    )
    raise ConfigError(f"run {state.run.run_id} of {HUMAN} has answers {was}, and one run has one kind. {step}.")
