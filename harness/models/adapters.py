"""Adapters: attached anew for training, or read from a folder; the only user of PEFT."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import peft
from safetensors import SafetensorError

from harness.errors import ConfigError, ModelError, nearest
from harness.models.adapter_folder import check_adapter_base, check_adapter_folder, write_origin
from harness.models.load import LoadedModel


def attach_new_adapter(loaded: LoadedModel, settings: dict[str, object]) -> None:
    """Wraps the model with a fresh LoRA adapter that is ready to train.

    Its starting weights come from torch's global generator: seed it first.

    Args:
        settings: Passed to `peft.LoraConfig` as they are.

    Raises:
        ConfigError: A setting PEFT does not know or accept.
    """
    known = set(peft.LoraConfig.__dataclass_fields__)
    for name in settings:
        if name not in known:
            raise ConfigError(f'finetune.adapter: "{name}" is not a setting of peft.LoraConfig; {nearest(name, known)}')
    try:
        config = peft.LoraConfig(**{"task_type": "CAUSAL_LM", **cast("dict[str, Any]", settings)})
        loaded.model = peft.get_peft_model(loaded.model, config)
    except (ValueError, TypeError) as refusal:
        raise ConfigError(f"finetune.adapter: PEFT refuses these settings: {refusal}") from refusal


def save_adapter(loaded: LoadedModel, folder: Path) -> None:
    """Saves the attached adapter as a PEFT folder, with the identity of the base it belongs to."""
    for config in loaded.model.peft_config.values():
        # PEFT keeps these names as sets, and would write them in another order in every process.
        for name, value in list(vars(config).items()):
            if isinstance(value, set):
                setattr(config, name, sorted(value))
    loaded.model.save_pretrained(str(folder))
    write_origin(folder, base_name=loaded.source.name, base_identity=loaded.source.identity)


def attach_saved_adapter(loaded: LoadedModel, folder: Path) -> None:
    """Wraps the model with the adapter in `folder`, not trainable.

    Raises:
        ModelError: The folder is not an adapter, or the adapter was made for another base.
    """
    check_adapter_folder(folder)
    check_adapter_base(folder, base_name=loaded.source.name, base_identity=loaded.source.identity)
    other_base = (
        f"adapter {folder}: it does not fit base model {loaded.source.name}: {{}} "
        "It was made for another base; set the system's base_model to that one."
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*missing adapter keys.*")
        try:
            loaded.model = peft.PeftModel.from_pretrained(loaded.model, str(folder)).eval()
            weights = peft.load_peft_weights(str(folder), device=str(loaded.device))
            unused = peft.set_peft_model_state_dict(loaded.model, weights).unexpected_keys
        except (SafetensorError, OSError) as damage:
            raise ModelError(f"adapter {folder}: it cannot be read: {damage}. Was it copied whole?") from damage
        except (RuntimeError, ValueError, KeyError, TypeError, UserWarning) as misfit:
            raise ModelError(other_base.format(str(misfit).strip().splitlines()[0][:200])) from misfit
    if unused:  # PEFT leaves them out and says nothing
        raise ModelError(other_base.format(f"there is no place for {unused[0]} ({len(unused)} weights in all)."))


def detach_adapter(loaded: LoadedModel) -> None:
    """Gives the base model back, as it was before an adapter was attached; does nothing where there is none."""
    if isinstance(loaded.model, peft.PeftModel):
        loaded.model = loaded.model.unload()


@contextmanager
def adapter_disabled(loaded: LoadedModel) -> Iterator[None]:
    """The base model for a while, with the adapter still attached."""
    with loaded.model.disable_adapter():
        yield
