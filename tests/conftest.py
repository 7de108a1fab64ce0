"""Fixtures for every test.

`tiny_model_folder`: a two-layer Llama with random weights and a ChatML template, as a Hugging Face folder (session).
`tiny_model_folder_without_template`: the same weights, with a tokenizer that has no chat template (session).
`experiment_folder`: a complete experiment on the tiny model, of a test's own; its `experiment.yaml` has the systems
`zero_shot`, `few_shot`, `rag` and `lora`, and takes a few seconds to run.
`tiny`: the tiny model in memory, in float32 on the CPU, shared by all tests (session): do not change it.
`load_tiny`: loads it anew, for a test that changes it.
`said`: something to `say` to that remembers what was said.
`quiet`: progress that shows nothing (session).
`experiment_writer`: writes the same experiment into a folder of your choice (session).
`offline` (always on): no hub, no `$HARNESS_HOME`.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.models.load import LoadedModel

# Before anything imports huggingface_hub or transformers, which read these once.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
os.environ.update(OFFLINE)

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

COLOURS = {
    "grass": "green", "sky": "blue", "snow": "white", "coal": "black", "blood": "red", "lemon": "yellow",
    "carrot": "orange", "plum": "purple", "cocoa": "brown", "ash": "grey", "salmon": "pink", "sand": "beige",
}  # fmt: skip
GOLDEN = {
    "item-1": ("Name the hue of a ripe tomato.", "Colour: red"),
    "item-2": ("Which hue has fresh milk?", "Colour: white"),
    "item-3": ("Name the hue of a raven's feathers.", "Colour: black"),
    "item-4": ("Which hue has a ripe banana?", "Colour: yellow"),
    "item-5": ("Name the hue of spinach leaves.", "Colour: green"),
    "item-6": ("Which hue has an elephant's skin?", "Colour: grey"),
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks a hub, and none writes to the home of whoever runs it."""
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HARNESS_HOME", raising=False)


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of 2 layers, hidden size 32, 512 positions, about 400 tokens; it ends an answer with `<|im_end|>`."""
    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    make_tiny_model(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model_folder_without_template(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny Llama as a base model comes: without a chat template."""
    folder = tmp_path_factory.mktemp("models") / "tiny-llama-without-template"
    shutil.copytree(tiny_model_folder, folder)
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture
def experiment_folder(tmp_path: Path, tiny_model_folder: Path) -> Path:
    """A folder with `experiment.yaml`, `train.jsonl`, `corpus.jsonl` and `golden_sets/colours`."""
    return write_experiment(tmp_path / "experiment", tiny_model_folder)


@pytest.fixture(scope="session")
def experiment_writer(tiny_model_folder: Path) -> Callable[[Path], Path]:
    """Writes the experiment of `experiment_folder` into a folder, for fixtures that outlive a test."""
    return lambda folder: write_experiment(folder, tiny_model_folder)


def write_experiment(folder: Path, tiny_model_folder: Path) -> Path:
    """Writes the experiment of `experiment_folder` into `folder`, which it returns."""
    golden_set = folder / "golden_sets" / "colours"
    golden_set.mkdir(parents=True)
    items = ({"item_id": name, "input": asked, "reference": answer} for name, (asked, answer) in GOLDEN.items())
    write_jsonl(golden_set / "golden.jsonl", items)
    sha256 = hashlib.sha256((golden_set / "golden.jsonl").read_bytes()).hexdigest()
    (golden_set / "manifest.yaml").write_text(
        f'name: colours\nversion: "1.0.0"\nsha256: {sha256}\nlicence: Apache-2.0\nauthors: [the tests]\n'
        "scorers: [exact_match]\n"
    )
    asked = ("What colour is {}?", "Tell me the colour of {}, please.")
    write_jsonl(
        folder / "train.jsonl",
        (
            {"prompt": question.format(thing), "completion": f"Colour: {colour}"}
            for thing, colour in COLOURS.items()
            for question in asked
        ),
    )
    write_jsonl(
        folder / "corpus.jsonl",
        (
            {"passage_id": f"about-{thing}", "text": f"Of {thing} it is known that it looks {colour}."}
            for thing, colour in [*COLOURS.items(), ("tomato", "red"), ("milk", "white"), ("banana", "yellow")]
        ),
    )
    (folder / "experiment.yaml").write_text(
        f"""\
name: colours
question: Does a tiny adapter name colours better than prompting or retrieval?
base_model: {tiny_model_folder}
golden_set: colours
training_set: train.jsonl
corpus: corpus.jsonl
prompt: {{system: Answer with a colour.}}
decoding: {{max_new_tokens: 8}}
seed: 17
device: cpu
dtype: float32
systems:
  zero_shot: {{}}
  few_shot: {{prompt: {{shots: 2}}}}
  rag: {{retriever: {{kind: bm25, top_k: 2}}}}
  lora:
    finetune:
      method: lora
      epochs: 2
      learning_rate: 1.0e-2
      batch_size: 8
      adapter: {{r: 4, lora_alpha: 8, target_modules: all-linear}}
"""
    )
    return folder


def make_tiny_model(folder: Path, *, hidden_size: int = 32, layers: int = 2, seed: int = 17) -> None:
    """Writes a Llama with random weights and its tokenizer; the same files for the same seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tiny_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=2 * hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.2,  # large enough that the next token depends on the prompt
        bos_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))


def make_tiny_tokenizer():
    """A byte-level BPE tokenizer of about 400 tokens that can write any text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [text for pair in GOLDEN.values() for text in pair]
    texts += [f"What colour is {thing}? Colour: {colour} system user assistant" for thing, colour in COLOURS.items()]
    core.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<|endoftext|>", eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = CHATML
    return tokenizer


def write_jsonl(path: Path, records: Iterable[object]) -> None:
    """A record a line."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture(scope="session")
def load_tiny(tiny_model_folder: Path) -> Callable[[], "LoadedModel"]:
    """Loads a model folder (the tiny model's, if none is named) in float32 on the CPU, as the pipeline loads it."""
    from harness.models.load import load_model
    from harness.models.source import ModelSource

    def load(folder: Path = tiny_model_folder) -> "LoadedModel":
        source = ModelSource(
            name=folder.name, kind="folder", location=str(folder), identity=folder.name, licence=None, note=None
        )
        return load_model(source, device="cpu", dtype="float32", trust_remote_code=False, say=lambda text: None)

    return load


@pytest.fixture(scope="session")
def tiny(load_tiny: Callable[[], "LoadedModel"]) -> "LoadedModel":
    """The tiny model in memory, for tests that only look at it."""
    return load_tiny()


@pytest.fixture
def said() -> Callable[[str], None]:
    """Something to `say` to: a list that is called. What was said is in it."""

    class Said(list[str]):
        def __call__(self, text: str) -> None:
            self.append(text)

    return Said()


class Quiet:
    """Progress that shows nothing."""

    def say(self, text: str) -> None:
        pass

    def phase(self, label: str, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
        return nullcontext(lambda units: None)


@pytest.fixture(scope="session")
def quiet() -> Quiet:
    """Progress that shows nothing."""
    return Quiet()
