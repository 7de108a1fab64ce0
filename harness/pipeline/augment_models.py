"""The models that an augmentation asks: systems of an experiment, loaded when the first question is there."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.config.augment_steps import Asked, NegativeStep
from harness.config.system import Decoding, Prompt, System
from harness.data.augment_journal import AskedModel
from harness.errors import ConfigError, ModelError, as_sentence, nearest
from harness.hashing import content_hash, file_hash
from harness.models.adapter_folder import adapter_hash
from harness.pipeline.prepare import Prepared
from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.messages import Message
from harness.store.migrate import open_ledger
from harness.store.runs import latest_finished

if TYPE_CHECKING:
    from harness.models.load import LoadedModel

_Framing = Literal["bare", "own"]


@dataclass(kw_only=True)
class Models:
    """Finds the model that a step asks, and loads each system once, when it is first asked.

    Args:
        prepared: The experiment; None where none is named, so that no step can ask.
        system: The system of steps that name none; None where the experiment has one only, or the steps say.
        home: Where the adapters of finished runs are.
        say: Told what takes long.
    """

    prepared: Prepared | None
    system: str | None
    home: Path
    say: Callable[[str], None]
    _loaded: "dict[str, LoadedModel]" = field(default_factory=dict)

    def __call__(self, step: Asked | NegativeStep) -> AskedModel:
        """The model of a step: a rewriting is asked without the system's own prompt, a wrong answer with it.

        Raises:
            ConfigError: No experiment or no system is named, or it is none of the experiment's.
            ModelError: It has no adapter yet.
        """
        if self.prepared is None:
            raise ConfigError(
                "the plan has steps that ask a model, and a model is a system of an experiment. Name one with "
                "--experiment, and the system with --system."
            )
        system = self._system(self.prepared, step.system or self.system)
        framing: _Framing = "own" if isinstance(step, NegativeStep) else "bare"
        most = step.max_new_tokens or system.decoding.max_new_tokens
        adapter = self._adapter(self.prepared, system)
        decoding = system.decoding.model_copy(update={"max_new_tokens": most})
        source = self.prepared.sources[system.name]
        described: dict[str, object] = {
            "system": system.name,
            "model": source.name,
            "model_identity": source.identity,
            "decoding": f"greedy, up to {most} tokens",
        }
        adapter_sha256 = adapter_hash(adapter) if adapter else None
        if adapter_sha256:
            described["adapter"] = adapter_sha256
        depends_on = {
            "base": source.identity,
            "adapter": adapter_sha256,
            "dtype": system.dtype,
            "max_new_tokens": most,
            "frame": _frame(self.prepared, system) if framing == "own" else None,
        }
        return AskedModel(
            system=system.name,
            identity=content_hash(depends_on),
            described=described,
            ask=_Local(models=self, system=system, framing=framing, decoding=decoding, adapter=adapter),
        )

    def load(self, system: System, adapter: Path | None) -> "LoadedModel":
        """The system's model with its adapter, in memory from the first call on."""
        assert self.prepared is not None  # or no model was given out
        if system.name not in self._loaded:
            self.say("loading libraries and model")
            from harness.models.adapters import attach_saved_adapter
            from harness.pipeline.answer import load_base

            loaded = load_base(self.prepared, system, self.say)
            if adapter:
                attach_saved_adapter(loaded, adapter)
            self._loaded[system.name] = loaded
        return self._loaded[system.name]

    def _system(self, prepared: Prepared, name: str | None) -> System:
        systems = prepared.experiment.systems
        if name is None and len(systems) == 1:
            return next(iter(systems.values()))
        if name is None:
            raise ConfigError(
                f"the plan has steps that ask a model, and experiment {prepared.experiment.name} has several systems: "
                f"{', '.join(systems)}. Name one with --system, or in the step (`system: NAME`)."
            )
        if name not in systems:
            hint = as_sentence(nearest(name, systems))
            raise ConfigError(f'"{name}" is not a system of experiment {prepared.experiment.name}; {hint}')
        return systems[name]

    def _adapter(self, prepared: Prepared, system: System) -> Path | None:
        """The folder of the system's adapter: the one that it names, or that of its latest finished run."""
        if system.finetune is None:
            return system.adapter
        from harness.pipeline.stored_adapter import adapter_problem, stored_adapter

        home = self.home.resolve()
        hint = f"Run it first: harness run {prepared.experiment.folder} --only {system.name}"
        if not (home / "harness.duckdb").is_file():
            raise ModelError(f"system {system.name} learns an adapter, and there is no ledger in {home}. {hint}")
        ledger = open_ledger(home, create=False)
        inputs_hash = prepared.inputs_hash(system.replicates()[0])
        done = latest_finished(ledger, prepared.experiment.name, system.name, inputs_hash)
        artifact = stored_adapter(ledger, done.run) if done else None
        if artifact is None:
            raise ModelError(f"system {system.name} learns an adapter, and no run of it has finished. {hint}")
        if problem := adapter_problem(home, artifact.path, artifact.sha256):
            raise ModelError(problem)
        return home / artifact.path


@dataclass(frozen=True, kw_only=True)
class _Local:
    """Asks a system that runs in this process."""

    models: Models
    system: System
    framing: _Framing
    decoding: Decoding
    adapter: Path | None

    def __call__(
        self, questions: Mapping[str, Sequence[Message]], answered: Collection[str] = ()
    ) -> Iterator[Sequence[Generation]]:
        assert self.models.prepared is not None
        loaded = self.models.load(self.system, self.adapter)
        from harness.pipeline.answer import ready_to_answer
        from harness.systems.local import LocalSystem

        if self.framing == "own":
            answering = replace(ready_to_answer(self.models.prepared, self.system, loaded), decoding=self.decoding)
        else:
            answering = LocalSystem(loaded=loaded, prompt=Prompt(), decoding=self.decoding)
        items = [Item(item_id=name, input=tuple(turns), references=()) for name, turns in questions.items()]
        yield from answering(items, answered)


def _frame(prepared: Prepared, system: System) -> object:
    """What a system puts around a question, as far as answers depend on it."""
    corpus = prepared.experiment.corpus
    training_set = prepared.training_set if system.prompt.shots else None
    return {
        "prompt": system.prompt.model_dump(mode="json"),
        "shots_from": training_set.sha256 if training_set else None,
        "seed": system.seed if system.prompt.shots else None,
        "retriever": system.retriever.model_dump(mode="json") if system.retriever else None,
        "corpus": file_hash(corpus) if corpus and system.retriever else None,
    }
