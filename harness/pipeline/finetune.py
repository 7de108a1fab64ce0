"""Fine-tunes a system, saves its adapter, and reads it back the way anybody else would."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from transformers import set_seed

from harness.config.system import Finetune, System
from harness.data.training import split_validation
from harness.errors import ConfigError
from harness.models.adapter_folder import adapter_hash
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
from harness.store.artifacts import record_artifact
from harness.store.training_metrics import record_training_metrics
from harness.training.examples import Example, encode_examples, loss_share
from harness.training.sft import SftRun, total_steps, train_sft


def finetune(prepared: Prepared, system: System, settings: Finetune, log: RunLog) -> LoadedModel:
    """Trains, saves, probes.

    Returns:
        A freshly loaded base with the saved adapter attached: what is evaluated is what was saved.

    Raises:
        TrainingError: Records that do not fit, or a loss that is no longer a number.
        ProbeError: The adapter does nothing, or was not saved as trained, or learned from other prompts.
    """
    if prepared.training_set is None:
        raise ConfigError(f"systems.{system.name}: finetune needs a training_set. Add `training_set: FILE`.")
    set_seed(system.seed)
    loaded = load_base(prepared, system, log.progress.say)
    answering = ready_to_answer(prepared, system, loaded)
    shown = {question.content for question, _ in answering.shots}
    records = [record for record in prepared.training_set.records if record.question not in shown]
    train, validation = split_validation(records, fraction=settings.validation_fraction, seed=system.seed)
    examples, held_out = (
        encode_examples(loaded, part, answering.messages, max_length_tokens=settings.max_length_tokens)
        for part in (train, validation)
    )
    log.facts |= {
        "train_records": len(train),
        "validation_records": len(validation),
        "train_tokens": settings.epochs * sum(len(example.input_ids) for example in examples),
        "loss_token_share": loss_share(examples),
        "training_format": prepared.training_set.format,
    }
    prompts = [example.prompt_ids for example in examples[:PROMPTS]]
    base_logits = next_token_logits(loaded, prompts)
    attach_new_adapter(loaded, settings.adapter)
    _train(loaded, settings, examples, held_out, system.seed, log)
    trained_logits = next_token_logits(loaded, prompts)
    adapter = log.folder / "adapter"
    save_adapter(loaded, adapter)
    record_artifact(log.ledger, log.run_id, _artifact(adapter, log.home))

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
    """Loads the base with an adapter trained elsewhere.

    Raises:
        ModelError: The adapter is not one, or belongs to another base.
        ProbeError: The adapter does nothing.
    """
    loaded = load_base(prepared, system, log.progress.say)
    answering = ready_to_answer(prepared, system, loaded)
    prompts = [answering.prompt_ids(item.input) for item in prepared.golden_set.items[:PROMPTS]]
    base_logits = next_token_logits(loaded, prompts)
    attach_saved_adapter(loaded, folder)
    log.record_probes([probe_adapter_active(loaded, base_logits, prompts)])
    return loaded


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

    checkpoints = log.folder / "checkpoints"
    started = datetime.now(UTC)
    with log.progress.phase("fine-tuning", total_steps(settings, len(examples))) as advance:
        run = SftRun(
            settings=settings,
            train=examples,
            validation=held_out,
            folder=checkpoints,
            seed=seed,
            recorder=record,
            advance=advance,
        )
        outcome = train_sft(loaded, run)
    log.facts |= {**asdict(outcome), "train_s": (datetime.now(UTC) - started).total_seconds()}
    newest = max(checkpoints.glob("checkpoint-*/trainer_state.json"), key=lambda file: file.stat().st_mtime)
    shutil.copy(newest, log.folder / "trainer_state.json")
    shutil.rmtree(checkpoints)  # the adapter is the best epoch's; the rest has served its purpose
    log.progress.say(
        f"best epoch {outcome.best_epoch:g} of {settings.epochs}: validation loss {outcome.best_validation_loss:.3f} "
        f"nats an answer token ({log.facts['loss_token_share']:.0%} of tokens carry loss)"
    )


def _artifact(adapter: Path, home: Path) -> Artifact:
    size = sum(file.stat().st_size for file in adapter.iterdir())
    return Artifact(
        kind="adapter", path=adapter.relative_to(home).as_posix(), sha256=adapter_hash(adapter), size_bytes=size
    )
