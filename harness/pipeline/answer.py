"""One system of an experiment, made ready to answer."""

from collections.abc import Callable

from harness.config.system import System
from harness.models.load import LoadedModel, load_model
from harness.pipeline.prepare import Prepared
from harness.records.generations import Passage
from harness.systems.local import LocalSystem
from harness.systems.retrieval import Bm25Index
from harness.systems.shots import draw_shots


def load_base(prepared: Prepared, system: System, say: Callable[[str], None]) -> LoadedModel:
    """Loads a system's base model, without any adapter."""
    return load_model(
        prepared.sources[system.name],
        device=system.device,
        dtype=system.dtype,
        trust_remote_code=system.trust_remote_code,
        say=say,
    )


def ready_to_answer(prepared: Prepared, system: System, loaded: LoadedModel) -> LocalSystem:
    """Joins a loaded model with the system's prompt, shots and retriever."""
    shots = ()
    if system.prompt.shots and prepared.training_set:
        shots = draw_shots(prepared.training_set.records, system.prompt.shots, seed=system.seed)
    return LocalSystem(
        loaded=loaded,
        prompt=system.prompt,
        decoding=system.decoding,
        shots=shots,
        retrieve=_retrieve(prepared, system),
    )


def _retrieve(prepared: Prepared, system: System) -> Callable[[str], tuple[Passage, ...]] | None:
    if system.retriever is None:
        return None
    index, top_k = Bm25Index(prepared.corpus), system.retriever.top_k
    return lambda text: index.search(text, top_k=top_k)
