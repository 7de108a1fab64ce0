"""How a system answers, in words, read from what its run recorded; no model, no torch."""

from collections.abc import Mapping

import pydantic

from harness.config.experiment import BASE
from harness.config.system import System
from harness.records.runs import Run


def describe_system(run: Run) -> tuple[str, ...]:
    """How the system of a run answers, a clause each; empty where another version of harness recorded it otherwise."""
    if run.system == BASE:
        return ("the base model itself", "answers no golden item: it holds the regression scores")
    system = _system(run)
    if system is None:
        return ()
    said = [f"{system.prompt.shots} examples in the prompt" if system.prompt.shots else "no examples in the prompt"]
    if system.retriever:
        said.append(f"{system.retriever.top_k} retrieved passages ({system.retriever.kind})")
    if tuned := system.finetune:
        rank = f" (r {tuned.adapter['r']})" if "r" in tuned.adapter else ""
        said.append(f"{tuned.method} adapter{rank}, {tuned.epochs} epochs, learning rate {tuned.learning_rate:g}")
    elif system.adapter:
        said.append(f"adapter {system.adapter.name}, trained elsewhere")
    return tuple(said)


def has_own_weights(run: Run) -> bool:
    """Whether the run's system answers with other weights than its base model's."""
    return bool(run.system_config.get("finetune") or run.system_config.get("adapter"))


def model_identity(run: Run) -> str | None:
    """Content identity of the base model of a run; None where none was recorded."""
    base = run.provenance.get("base_model")
    identity = base.get("identity") if isinstance(base, Mapping) else None
    return None if identity is None else str(identity)


def model_name(run: Run) -> str:
    """Name of the base model of a run, as its experiment calls it; empty where none was recorded."""
    base = run.provenance.get("base_model")
    return str(base.get("name", "")) if isinstance(base, Mapping) else ""


def _system(run: Run) -> System | None:
    try:
        return System.model_validate(dict(run.system_config))
    except pydantic.ValidationError:
        return None
