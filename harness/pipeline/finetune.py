"""Fine-tunes a system, saves its adapter, and reads it back the way anybody else would."""

import shutil
from pathlib import Path

from transformers import set_seed

from harness.config.system import Finetune, System
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
from harness.pipeline.stages import plan_stages
from harness.pipeline.train_stages import CHECKPOINTS, describe_stages, encode_stages, train_stages
from harness.records.runs import Artifact
from harness.store.artifacts import artifacts, record_artifact
from harness.store.generations import generations

ADAPTER = "adapter"


def finetune(prepared: Prepared, system: System, settings: Finetune, log: RunLog) -> LoadedModel:
    """Trains, saves, probes. What an earlier process of this run came to is not done again.

    Returns:
        A freshly loaded base with the saved adapter attached: what is evaluated is what was saved.

    Raises:
        DataError: A stage has nothing to learn from or to validate on.
        TrainingError: Records that do not fit, or a loss that is no longer a number.
        ProbeError: The adapter does nothing, or was not saved as trained, or learned from other prompts.
    """
    if not prepared.stages:
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
    planned = plan_stages(prepared, system, settings)
    set_seed(system.seed)
    loaded = load_base(prepared, system, log.progress.say)
    stages = encode_stages(loaded, planned, ready_to_answer(prepared, system, loaded).messages)
    log.facts |= describe_stages(stages)
    prompts = [example.prompt_ids for example in stages[-1].train[:PROMPTS]]
    base_logits = next_token_logits(loaded, prompts)
    attach_new_adapter(loaded, settings.adapter)
    train_stages(loaded, stages, system.seed, log)
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
                [example.prompt_ids for stage in stages for example in stage.train],
                [evaluated.prompt_ids(record.prompt) for stage in planned for record in stage.records.learned],
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
    prompts = [answering.prompt_ids(item.input) for item in prepared.golden_set.part("development")[:PROMPTS]]
    base_logits = next_token_logits(loaded, prompts)
    kept = log.folder / ADAPTER
    copy_adapter(folder, kept)
    attach_saved_adapter(loaded, kept)
    log.record_probes([probe_adapter_active(loaded, base_logits, prompts)])
    _record_adapter(kept, log)
    return loaded


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
