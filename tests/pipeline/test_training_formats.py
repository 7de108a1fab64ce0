import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.pipeline.prepare import prepare
from harness.pipeline.run import run_experiment
from harness.pipeline.show import run_details


class _Silence:
    def say(self, text: str) -> None:
        pass

    @contextmanager
    def phase(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda units: None


def _adapter_hash(folder: Path, home: Path, training_set: str) -> str:
    prepared = prepare(folder, (f"training_set={training_set}",))
    outcome = run_experiment(prepared, home, _Silence(), only=["lora"])["lora"]
    assert not outcome.reused
    (artifact,) = run_details(home, outcome.state.run.run_id).artifacts
    return artifact.sha256


def test_the_same_content_gives_the_same_adapter_in_every_format_and_kind_of_file(
    experiment_folder: Path, tmp_path: Path
) -> None:
    pairs = [json.loads(line) for line in (experiment_folder / "train.jsonl").read_text().splitlines()]
    chats = [
        {
            "messages": [
                {"role": "user", "content": pair["prompt"]},
                {"role": "assistant", "content": pair["completion"]},
            ]
        }
        for pair in pairs
    ]
    instructions = [{"instruction": pair["prompt"], "input": "", "output": pair["completion"]} for pair in pairs]
    (experiment_folder / "chats.jsonl").write_text("".join(json.dumps(line) + "\n" for line in chats))
    (experiment_folder / "instructions.json").write_text(json.dumps(instructions))
    (experiment_folder / "parts").mkdir()
    pq.write_table(pa.Table.from_pylist(chats), experiment_folder / "parts" / "train.parquet")
    places = ("train.jsonl", "chats.jsonl", "instructions.json", "parts")
    hashes = {place: _adapter_hash(experiment_folder, tmp_path / "home", place) for place in places}
    assert len(set(hashes.values())) == 1, hashes
    changed = [{**instructions[0], "output": "Colour: violet"}, *instructions[1:]]
    (experiment_folder / "changed.json").write_text(json.dumps(changed))
    assert _adapter_hash(experiment_folder, tmp_path / "home", "changed.json") not in hashes.values()
