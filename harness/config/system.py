"""What answers an item, as written in an experiment and as resolved for one run."""

from pathlib import Path
from typing import Annotated, Literal

import pydantic

from harness.config.validate import Strict

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]


def _differ(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("a seed stands there twice, which would only repeat the same run; give each its own")
    return seeds


Seeds = Annotated[tuple[int, ...], pydantic.Field(min_length=2), pydantic.AfterValidator(_differ)]
"""Seeds of repeated runs, at least two."""


class Prompt(Strict):
    """How an item becomes messages.

    `template` frames the item's last turn. `shots` are drawn from the training set, of several stages from the last.
    """

    system: str | None = None
    template: str = "{input}"
    passages_template: str = "Reference passages:\n{passages}\n\n{input}"
    shots: int = pydantic.Field(default=0, ge=0)

    @pydantic.model_validator(mode="after")
    def _fields_are_named(self) -> "Prompt":
        if "{input}" not in self.template:
            raise ValueError("template needs {input} where the item's text goes")
        if "{input}" not in self.passages_template or "{passages}" not in self.passages_template:
            raise ValueError("passages_template needs {passages} and {input}")
        return self


class Retriever(Strict):
    """Which passages of the experiment's corpus stand in the prompt."""

    kind: Literal["bm25"] = "bm25"
    top_k: int = pydantic.Field(default=5, ge=1)


class Decoding(Strict):
    """How text is produced: greedily, up to `max_new_tokens`, in batches of at most `batch_tokens` tokens."""

    max_new_tokens: int = pydantic.Field(default=256, ge=1)
    batch_tokens: int = pydantic.Field(default=4096, ge=1)


class Finetune(Strict):
    """How an adapter is learned. `adapter` is passed to PEFT's `LoraConfig` as it is.

    A stage of the training set may have `epochs` and a `learning_rate` of its own.
    """

    method: Literal["lora"] = "lora"
    epochs: int = pydantic.Field(default=3, ge=1)
    learning_rate: float = pydantic.Field(default=2e-4, gt=0)
    batch_size: int = pydantic.Field(default=8, ge=1)
    gradient_accumulation_steps: int = pydantic.Field(default=1, ge=1)
    warmup_steps: int = pydantic.Field(default=0, ge=0)
    lr_scheduler: Literal["linear", "cosine", "constant"] = "linear"
    weight_decay: float = pydantic.Field(default=0.0, ge=0)
    max_length_tokens: int | None = pydantic.Field(default=None, ge=8)
    validation_fraction: float = pydantic.Field(default=0.1, gt=0, lt=0.5)
    early_stopping_patience: int | None = pydantic.Field(default=None, ge=1)
    gradient_checkpointing: bool = False
    adapter: dict[str, object] = pydantic.Field(default_factory=lambda: {"target_modules": "all-linear"})


class SystemEntry(Strict):
    """One entry under `systems:`. What is not said is inherited from the experiment."""

    base_model: str | None = None
    prompt: Prompt | None = None
    retriever: Retriever | None = None
    decoding: Decoding | None = None
    finetune: Finetune | None = None
    adapter: str | None = None
    seed: int | None = None
    seeds: Seeds | None = None
    device: Device | None = None
    dtype: Dtype | None = None

    @pydantic.model_validator(mode="after")
    def _one_adapter(self) -> "SystemEntry":
        if self.finetune and self.adapter:
            raise ValueError("finetune learns an adapter and adapter brings one: keep one of them")
        if self.seed is not None and self.seeds is not None:
            raise ValueError("seed is for one run and seeds for several: keep one of them")
        return self


class System(Strict):
    """One system, fully resolved: nothing is inherited any more. `seeds` is empty where it is run once, with `seed`."""

    name: str
    base_model: str
    prompt: Prompt
    retriever: Retriever | None
    decoding: Decoding
    finetune: Finetune | None
    adapter: Path | None
    seed: int
    seeds: tuple[int, ...] = ()
    device: Device
    dtype: Dtype
    trust_remote_code: bool

    @property
    def reads_training_set(self) -> bool:
        """Whether the training set decides what this system answers."""
        return self.finetune is not None or self.prompt.shots > 0

    def replicates(self) -> tuple["System", ...]:
        """This system once for each of its seeds; as it is where no seed concerns it."""
        if not self.seeds or not self.reads_training_set:
            return (self.model_copy(update={"seeds": ()}),)
        return tuple(self.model_copy(update={"seed": seed, "seeds": ()}) for seed in self.seeds)
