"""Fine-tunes a system, saves its adapter, and reads it back the way anybody else would."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from transformers import set_seed

from harness.config.system import Finetune, System
from harness.data.training import split_validation
from harness.errors import ConfigError, ModelError, TrainingError
from harness.models.adapter_folder import adapter_hash, copy_adapter
from harness.models.adapters import attach_new_adapter, attach_saved_adapter, save_adapter
from harness.models.load import LoadedModel
from harness.models.probes import (
    PROMPTS,
    next_token_logits,
    probe_adapter_active,
    probe_same_rendering,
    probe_saved_equals_trained,
)
from harness.pipeline.answer import load_base, ready_to_answer
from harness.pipeline.prepare import Prepared
from harness.pipeline.recording import RunLog
from harness.records.runs import Artifact, TrainingMetric
from harness.records.training import TrainingRecord
from harness.store.artifacts import artifacts, record_artifact
from harness.store.generations import generations
from harness.store.training_metrics import record_training_metrics
from harness.systems.local import LocalSystem
from harness.training.checkpoints import newest_checkpoint
from harness.training.examples import Example, encode_examples, loss_share
from harness.training.sft import SftRun, total_steps, train_sft

ADAPTER = "adapter"
CHECKPOINTS = "checkpoints"


def finetune(prepared: Prepared, system: System, settings: Finetune, log: RunLog) -> LoadedModel:
    """Trains, saves, probes. What an earlier process of this run came to is not done again.

    Returns:
        A freshly loaded base with the saved adapter attached: what is evaluated is what was saved.

    Raises:
        TrainingError: Records that do not fit, or a loss that is no longer a number.
        ProbeError: The adapter does nothing, or was not saved as trained, or learned from other prompts.
    """
    if prepared.training_set is None:
        raise ConfigError(f"systems.{system.name}: finetune needs a training_set. Add `training_set: FILE`.")
    adapter = log.folder / ADAPTER
    if log.are_probes_recorded() and _is_intact(adapter, log):
        reloaded = load_base(prepared, system, log.progress.say)
        attach_saved_adapter(reloaded, adapter)
    else:
        reloaded = _train_and_probe(prepared, system, settings, log)
    # Not needed any more, now that the adapter is saved and probed.
    shutil.rmtree(log.folder / CHECKPOINTS, ignore_errors=True)
    return reloaded


def _train_and_probe(prepared: Prepared, system: System, settings: Finetune, log: RunLog) -> LoadedModel:
    set_seed(system.seed)
    loaded = load_base(prepared, system, log.progress.say)
    answering = ready_to_answer(prepared, system, loaded)
    train, validation = _split(prepared, system, settings, answering)
    examples, held_out = (
        encode_examples(loaded, part, answering.messages, max_length_tokens=settings.max_length_tokens)
        for part in (train, validation)
    )
    log.facts |= {
        "train_records": len(train),
        "validation_records": len(validation),
        "train_tokens": settings.epochs * sum(len(example.input_ids) for example in examples),
        "loss_token_share": loss_share(examples),
        "training_format": prepared.training_set.format if prepared.training_set else None,
    }
    prompts = [example.prompt_ids for example in examples[:PROMPTS]]
    base_logits = next_token_logits(loaded, prompts)
    attach_new_adapter(loaded, settings.adapter)
    _train(loaded, settings, examples, held_out, system.seed, log)
    trained_logits = next_token_logits(loaded, prompts)
    adapter = log.folder / ADAPTER
    save_adapter(loaded, adapter)
    _record_adapter(adapter, log)

    reloaded = load_base(prepared, system, log.progress.say)
    attach_saved_adapter(reloaded, adapter)
    evaluated = ready_to_answer(prepared, system, reloaded)
    log.record_probes(
        [
            probe_saved_equals_trained(reloaded, trained_logits, prompts),
            probe_adapter_active(reloaded, base_logits, prompts),
            probe_same_rendering(
                [example.prompt_ids for example in examples], [evaluated.prompt_ids(record.prompt) for record in train]
            ),
        ]
    )
    return reloaded


def attach_given_adapter(prepared: Prepared, system: System, folder: Path, log: RunLog) -> LoadedModel:
    """Loads the base with an adapter trained elsewhere; the run keeps a copy, and it is the copy that answers.

    Raises:
        ModelError: The adapter is not one, or belongs to another base.
        ProbeError: The adapter does nothing.
    """
    loaded = load_base(prepared, system, log.progress.say)
    answering = ready_to_answer(prepared, system, loaded)
    prompts = [answering.prompt_ids(item.input) for item in prepared.golden_set.items[:PROMPTS]]
    base_logits = next_token_logits(loaded, prompts)
    kept = log.folder / ADAPTER
    copy_adapter(folder, kept)
    attach_saved_adapter(loaded, kept)
    log.record_probes([probe_adapter_active(loaded, base_logits, prompts)])
    _record_adapter(kept, log)
    return loaded


def _split(
    prepared: Prepared, system: System, settings: Finetune, answering: LocalSystem
) -> tuple[tuple[TrainingRecord, ...], tuple[TrainingRecord, ...]]:
    """Records to learn from and to validate on; those that the system shows as shots are in neither."""
    training_set = prepared.training_set
    shown = {question.content for question, _ in answering.shots}
    records = [record for record in training_set.records if record.question not in shown] if training_set else []
    return split_validation(records, fraction=settings.validation_fraction, seed=system.seed)


def _train(
    loaded: LoadedModel,
    settings: Finetune,
    examples: list[Example],
    held_out: list[Example],
    seed: int,
    log: RunLog,
) -> None:
    def record(metrics: Sequence[TrainingMetric]) -> None:
        record_training_metrics(log.ledger, log.run_id, metrics)
        log.claim.sign_of_life()

    checkpoints = log.folder / CHECKPOINTS
    begun = newest_checkpoint(checkpoints, log.progress.say)
    steps = total_steps(settings, len(examples))
    if begun:
        log.progress.say(f"going on from {begun.folder.name}: {begun.step} of {steps} steps are done")
    started = datetime.now(UTC)
    with log.progress.phase("fine-tuning", steps) as advance:
        run = SftRun(
            settings=settings,
            train=examples,
            validation=held_out,
            folder=checkpoints,
            seed=seed,
            recorder=record,
            advance=advance,
            resume=begun,
        )
        outcome = train_sft(loaded, run)
    train_s = (datetime.now(UTC) - started).total_seconds() + (begun.train_s if begun else 0.0)
    log.note({**asdict(outcome), "train_s": train_s})
    newest = checkpoints / f"checkpoint-{outcome.steps}" / "trainer_state.json"
    shutil.copy(newest, log.folder / "trainer_state.json")
    log.progress.say(
        f"best epoch {outcome.best_epoch:g} of {settings.epochs}: validation loss {outcome.best_validation_loss:.3f} "
        f"nats an answer token ({log.facts['loss_token_share']:.0%} of tokens carry loss)"
    )


def _is_intact(adapter: Path, log: RunLog) -> bool:
    """Whether the adapter that an earlier process recorded is there as it was; says so if it is not."""
    for artifact in artifacts(log.ledger, log.run_id):
        if (log.home / artifact.path) == adapter:
            try:
                if adapter_hash(adapter) == artifact.sha256:
                    return True
            except (ModelError, OSError):
                pass
            log.progress.say(f"{adapter} is not as it was recorded: it is trained again")
    return False


def _record_adapter(adapter: Path, log: RunLog) -> None:
    """Records the adapter.

    Raises:
        TrainingError: The run has answers of another adapter, which was lost, and training did not give it again.
    """
    recorded = artifacts(log.ledger, log.run_id)
    size = sum(file.stat().st_size for file in adapter.iterdir())
    artifact = Artifact(
        kind="adapter", path=adapter.relative_to(log.home).as_posix(), sha256=adapter_hash(adapter), size_bytes=size
    )
    if any(one.sha256 != artifact.sha256 for one in recorded) and generations(log.ledger, log.run_id):
        raise TrainingError(
            f"the adapter of run {log.run_id} was lost, and training again gave another one "
            f"({artifact.sha256[:12]} instead of {recorded[0].sha256[:12]}). The run has answers of the first, so it "
            "cannot go on: start a new run."
        )
    record_artifact(log.ledger, log.run_id, artifact)
