"""What one run does: the system is fine-tuned if it must be, answers every item, and each answer is scored."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.config.system import System
from harness.errors import EvaluationError
from harness.evaluation.generate import generate_answers
from harness.evaluation.scorers.score import score_generation
from harness.models.adapters import attach_saved_adapter
from harness.models.chat import template_hash
from harness.models.device import dtype_name
from harness.models.load import LoadedModel
from harness.pipeline.answer import load_base, ready_to_answer
from harness.pipeline.finetune import attach_given_adapter, finetune
from harness.pipeline.prepare import Prepared
from harness.pipeline.recording import RunLog
from harness.records.generations import Generation
from harness.records.items import Part
from harness.store.answers import record_answers
from harness.store.generations import generations
from harness.store.scores import record_scores


def execute(prepared: Prepared, system: System, log: RunLog) -> None:
    """Does what is left of a run: all of it, or what an earlier process did not come to.

    Raises:
        HarnessError: The system cannot be trained, probed or asked.
    """
    items = {item.item_id: item for item in prepared.golden_set.part("development")}
    stored = generations(log.ledger, log.run_id)
    # Generations used to be stored apart from their scores, so that a process may have died between the two.
    late = [score for g in stored for score in score_generation(prepared.scorers, items[g.item_id], g)]
    record_scores(log.ledger, log.run_id, late)
    if len(stored) < len(items):
        loaded = _load_system(prepared, system, log)
        described = _describe_model(loaded)
        _require_same(len(stored), log.run_id, log.facts, described)
        log.note(described)
        _answer_and_score(prepared, system, loaded, log, stored)
    _sum_up(log, generations(log.ledger, log.run_id))


def execute_sealed(
    prepared: Prepared, system: System, log: RunLog, *, adapter: Path | None, answered_with: Mapping[str, object]
) -> None:
    """Has a finished run answer the sealed items that it has not answered yet.

    Args:
        prepared: The experiment.
        system: The run's system.
        log: The run's sealed stage.
        adapter: The run's own, as it was saved.
        answered_with: The run's facts: it answers on the same device in the same number format as before.

    Raises:
        HarnessError: The system cannot be asked.
    """
    stored = generations(log.ledger, log.run_id, part="sealed")
    if len(stored) < len(prepared.golden_set.part("sealed")):
        loaded = load_base(prepared, system, log.progress.say)
        if adapter:
            attach_saved_adapter(loaded, adapter)
        described = _describe_model(loaded)
        _require_same(len(generations(log.ledger, log.run_id)), log.run_id, answered_with, described)
        log.note(described)
        _answer_and_score(prepared, system, loaded, log, stored, part="sealed")
    _sum_up(log, generations(log.ledger, log.run_id, part="sealed"))


def _require_same(answers: int, run_id: str, before: Mapping[str, object], described: Mapping[str, object]) -> None:
    """Answers of one run come from one device in one number format.

    Raises:
        EvaluationError: This process has another one than those that answered before it.
    """
    for fact in ("device", "dtype"):
        was, now = before.get(fact), described[fact]
        if answers and was not in (None, now):
            raise EvaluationError(
                f"run {run_id} has {answers} answers with {fact} {was}, and here it is {now}. Go on with it where it "
                f"began, set `{fact}: {was}` in the experiment, or begin anew with --again."
            )


def _load_system(prepared: Prepared, system: System, log: RunLog) -> LoadedModel:
    if system.finetune:
        return finetune(prepared, system, system.finetune, log)
    if system.adapter:
        return attach_given_adapter(prepared, system, system.adapter, log)
    return load_base(prepared, system, log.progress.say)


def _answer_and_score(
    prepared: Prepared,
    system: System,
    loaded: LoadedModel,
    log: RunLog,
    stored: Sequence[Generation],
    *,
    part: Part = "development",
) -> None:
    items = {item.item_id: item for item in prepared.golden_set.part(part)}
    started = datetime.now(UTC)
    with log.progress.phase("answering", len(items)) as advance:
        if stored:
            advance(len(stored))

        def keep(batch: Sequence[Generation]) -> None:
            scores = [score for g in batch for score in score_generation(prepared.scorers, items[g.item_id], g)]
            record_answers(log.ledger, log.run_id, batch, scores, part=part)
            log.claim.sign_of_life()
            advance(len(batch))

        answered = {generation.item_id for generation in stored}
        generate_answers(ready_to_answer(prepared, system, loaded), list(items.values()), keep, answered=answered)
    # Of processes before this one, the time of the batches that they stored.
    earlier_s = sum(generation.latency_s or 0.0 for generation in stored)
    log.facts |= {"generate_s": earlier_s + (datetime.now(UTC) - started).total_seconds()}


def _sum_up(log: RunLog, stored: Sequence[Generation]) -> None:
    failed = sum(generation.error is not None for generation in stored)
    log.facts |= {
        "prompt_tokens": sum(generation.prompt_tokens or 0 for generation in stored),
        "completion_tokens": sum(generation.completion_tokens or 0 for generation in stored),
        "failed_items": failed,
    }
    if failed:
        log.progress.say(f"{failed} of {len(stored)} items could not be answered: see `harness show {log.run_id}`")


def _describe_model(loaded: LoadedModel) -> dict[str, object]:
    return {
        "device": str(loaded.device),
        "dtype": dtype_name(loaded.dtype),
        "chat_template": loaded.template_name,
        "chat_template_sha256": template_hash(loaded.tokenizer),
    }
