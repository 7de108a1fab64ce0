"""`harness check`: everything that can be known before a model is loaded, an estimate of time included."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.config.system import System
from harness.errors import StoreError
from harness.models.catalog import CATALOG
from harness.models.chat import build_messages
from harness.models.source import ModelSource
from harness.pipeline.prepare import Prepared
from harness.pipeline.stages import PlannedStage, plan_stages
from harness.records.messages import Message
from harness.store.golden import version_problem
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import latest_finished, runs
from harness.systems.retrieval import Bm25Index
from harness.systems.shots import draw_shots
from harness.training.steps import total_steps

CHARACTERS_PER_TOKEN = 4.0  # English text under a byte-pair vocabulary, roughly
TURN_TOKENS = 6  # a chat template's marks around each turn, roughly
OPERATIONS_PER_TOKEN = 2  # multiply and add, for each parameter, forward
TRAINING_FACTOR = 3  # forward and backward, against forward alone
DECODING_FACTOR = 3  # an answer token against a prompt token, in batches
LOADING_S = 8.0  # libraries and model


@dataclass(frozen=True, kw_only=True, slots=True)
class StageEstimate:
    """What one stage of a system's training will cost.

    `records` of the set's `set_records` are drawn, of which `validation_records` are set aside; `replayed_records` come
    from earlier stages. `tokens` is the sum over all epochs, guessed from characters; `steps` counts optimizer steps,
    without early stopping. `seconds` comes from this machine's speed; None for a model of unknown size.
    """

    path: str
    set_records: int
    records: int
    validation_records: int
    replayed_records: int
    withheld_records: int
    epochs: int
    learning_rate: float
    tokens: int
    steps: int
    seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemEstimate:
    """What a system will cost. `seconds` comes from its last run where there is one, else from this machine's speed.

    `prompt_tokens` is the mean of a prompt and `train_tokens` the sum over all epochs, both guessed from characters.
    `basis` says which. `seconds` is None for a model whose size is not known before it is there. `stages` are those of
    its training, none where it learns nothing.
    """

    name: str
    base_model: str
    is_here: bool
    prompt_tokens: int
    train_tokens: int
    seconds: float | None
    basis: str
    stages: tuple[StageEstimate, ...] = ()


def estimate_systems(prepared: Prepared, systems: Sequence[System], home: Path) -> list[SystemEstimate]:
    """Estimates each system's size and time; loads no model.

    A figure from the machine's speed (a matrix product timed here and now) is good to a factor of about three.

    Raises:
        DataError: A stage of a training has nothing to learn from or to validate on.
        StoreError: The ledger holds other items under the golden set's version, so that no run could be recorded.
    """
    ledger = _existing_ledger(home)
    if ledger and (problem := version_problem(ledger, prepared.golden_set)):
        raise StoreError(problem)
    flops = matrix_flops()
    return [_estimate(prepared, system, ledger, flops) for system in systems]


def matrix_flops(*, size: int = 768, seconds: float = 0.3) -> float:
    """Floating-point operations a second of this machine's processor, from repeated fp32 matrix products."""
    import numpy as np

    matrix = np.ones((size, size), dtype=np.float32)
    np.matmul(matrix, matrix)  # the first call starts the threads
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        np.matmul(matrix, matrix)
        count += 1
    return count * 2 * size**3 / elapsed


def _estimate(prepared: Prepared, system: System, ledger: Ledger | None, flops: float) -> SystemEstimate:
    source = prepared.sources[system.name]
    frame_tokens = _frame_tokens(prepared, system)
    items = prepared.golden_set.part("development")
    questions = [sum(len(message.content) for message in item.input) for item in items]
    prompt_tokens = int(frame_tokens + sum(questions) / len(questions) / CHARACTERS_PER_TOKEN)
    parameters = _parameters(source)
    stages = _estimate_stages(prepared, system, frame_tokens, None if parameters is None else flops / parameters)
    train_tokens = sum(stage.tokens for stage in stages)
    seconds, basis = _measured_before(prepared, system, ledger)
    if seconds is None:
        if parameters is None:
            basis = "no estimate: the model's size is not known before its first run"
        else:
            answer_tokens = min(system.decoding.max_new_tokens, 64)
            work = len(items) * (prompt_tokens + DECODING_FACTOR * answer_tokens) + TRAINING_FACTOR * train_tokens
            seconds = LOADING_S + work * OPERATIONS_PER_TOKEN * parameters / flops
            basis = "from this processor's speed; within a factor of three or so"
    return SystemEstimate(
        name=system.name,
        base_model=source.name,
        is_here=source.kind != "catalog" or CATALOG[source.name].is_pulled,
        prompt_tokens=prompt_tokens,
        train_tokens=train_tokens,
        seconds=seconds,
        basis=basis,
        stages=stages,
    )


def _measured_before(prepared: Prepared, system: System, ledger: Ledger | None) -> tuple[float | None, str]:
    if ledger is None:
        return None, ""
    name = prepared.experiment.name
    if done := latest_finished(ledger, name, system.name, prepared.inputs_hash(system)):
        return 0.0, f"finished already as run {done.run.run_id}"
    finished = [state for state in runs(ledger, experiment=name, system=system.name) if state.status == "finished"]
    if finished and isinstance(wall_s := finished[0].facts.get("wall_s"), float):
        return wall_s, f"what run {finished[0].run.run_id} took, on other inputs"
    return None, ""


def _frame_tokens(prepared: Prepared, system: System) -> float:
    """Tokens of a prompt besides the item: system text, shots, passages, marks."""
    shots: Sequence[tuple[Message, Message]] = ()
    if system.prompt.shots and prepared.training_set:
        shots = draw_shots(prepared.training_set.records, system.prompt.shots, seed=system.seed)
    passages = ()
    if system.retriever:
        passages = Bm25Index(prepared.corpus).search(
            prepared.golden_set.items[0].question, top_k=system.retriever.top_k
        )
    messages = build_messages(system.prompt, [Message(role="user", content="")], shots=shots, passages=passages)
    characters = sum(len(message.content) for message in messages)
    return characters / CHARACTERS_PER_TOKEN + TURN_TOKENS * (len(messages) + 1)


def _estimate_stages(
    prepared: Prepared, system: System, frame_tokens: float, speed: float | None
) -> tuple[StageEstimate, ...]:
    """`speed` is the operations a second for each parameter of the model."""
    if system.finetune is None or not prepared.stages:
        return ()
    return tuple(_estimate_stage(one, frame_tokens, speed) for one in plan_stages(prepared, system, system.finetune))


def _estimate_stage(stage: PlannedStage, frame_tokens: float, speed: float | None) -> StageEstimate:
    learned, settings = stage.records.learned, stage.settings
    characters = sum(len(r.completion) + sum(len(turn.content) for turn in r.prompt) for r in learned)
    tokens = int(settings.epochs * (characters / CHARACTERS_PER_TOKEN + frame_tokens * len(learned)))
    return StageEstimate(
        path=stage.name,
        set_records=len(stage.training_set.records),
        records=len(stage.records.own) + len(stage.records.validation),
        validation_records=len(stage.records.validation),
        replayed_records=len(stage.records.replayed),
        withheld_records=stage.records.withheld,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        tokens=tokens,
        steps=total_steps(settings, len(learned)),
        seconds=None if speed is None else TRAINING_FACTOR * tokens * OPERATIONS_PER_TOKEN / speed,
    )


def _parameters(source: ModelSource) -> int | None:
    """Parameters of a model: from the catalog, or from the sizes of a folder's weights; None for a hub id."""
    if source.kind == "catalog":
        return CATALOG[source.name].parameters
    folder = Path(source.location)
    sizes = [file.stat().st_size for file in folder.glob("*.safetensors")] if folder.is_dir() else []
    return sum(sizes) // 2 if sizes else None  # two bytes a parameter: bf16 or fp16


def _existing_ledger(home: Path) -> Ledger | None:
    try:
        return open_ledger(home, create=False)
    except StoreError:
        return None
