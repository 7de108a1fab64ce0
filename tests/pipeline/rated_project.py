"""An experiment with a rubric and finished runs, without any model: its base model is a folder that nothing loads."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.pipeline.prepare import prepare
from harness.records.generations import Generation
from harness.records.runs import Run, RunEvent
from harness.store.generations import record_generations
from harness.store.golden import record_golden_set
from harness.store.migrate import open_ledger
from harness.store.runs import append_event, start_run

STARTED = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SYSTEMS = ("sentinel_plain", "sentinel_shots", "sentinel_tuned")
N_ITEMS = 10
SEALED, RETIRED, FAILED = "item-08", "item-09", "item-03"
GUILTY = "I am sentinel-plain, built on tiny-model-7b."

RUBRIC = """\
name: colours
version: 1
criteria:
  - id: accuracy
    question: Is the colour right?
    weight: 2
    levels: {1: wrong, 2: far off, 3: near, 4: almost, 5: right}
  - id: form
    question: Is it one word?
    kind: pass_fail
    required: false
    levels: {fail: it is not, pass: it is}
critical_error: {question: "Would this answer harm somebody?"}
pairwise: {question: "Which colour is nearer?"}
instructions: Colours as people see them by day.
"""


def write_project(folder: Path, *, rubric: str | None = RUBRIC) -> Path:
    """Writes `experiment.yaml`, a golden set with ten items (one sealed, one retired), a rubric and a training set."""
    golden = folder / "golden_sets" / "colours"
    golden.mkdir(parents=True)
    items = [
        {"item_id": f"item-{number:02d}", "input": f"Name colour {number}.", "reference": f"Colour: {number}"}
        for number in range(N_ITEMS)
    ]
    marks = {SEALED: {"sealed": True}, RETIRED: {"retired": "nobody knows it"}}
    lines = "".join(json.dumps({**item, **marks.get(str(item["item_id"]), {})}) + "\n" for item in items)
    (golden / "golden.jsonl").write_text(lines)
    sha256 = hashlib.sha256(lines.encode()).hexdigest()
    (golden / "manifest.yaml").write_text(
        f'name: colours\nversion: "1.0.0"\nsha256: {sha256}\nlicence: Apache-2.0\nauthors: [the tests]\n'
        "scorers: [exact_match]\n"
    )
    if rubric is not None:
        (golden / "rubric.yaml").write_text(rubric)
    model = folder / "models" / "tiny-model-7b"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"no weights")
    records = [{"prompt": f"What is shade {number}?", "completion": f"Shade: {number}"} for number in range(6)]
    (folder / "train.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    systems = "".join(f"  {system}: {{seed: {place}}}\n" for place, system in enumerate(SYSTEMS))
    (folder / "experiment.yaml").write_text(
        "name: colours\nquestion: Which one names colours best?\nbase_model: ./models/tiny-model-7b\n"
        f"golden_set: colours\nseed: 17\nsystems:\n{systems}"
    )
    return folder


def run_project(folder: Path, home: Path) -> dict[str, str]:
    """Stores a finished run of each system, and gives their ids. The first names itself once, and failed once."""
    prepared, ledger = prepare(folder), open_ledger(home, create=True)
    golden = prepared.golden_set
    record_golden_set(ledger, golden)
    run_ids: dict[str, str] = {}
    for place, (name, system) in enumerate(prepared.experiment.systems.items()):
        run = Run(
            run_id=f"20261121-09000{place}-aaaaaa",
            experiment=prepared.experiment.name,
            experiment_id="e" * 16,
            system=name,
            inputs_hash=prepared.inputs_hash(system),
            golden_set=golden.name,
            golden_version=golden.version,
            golden_sha256=golden.sha256,
            system_config={"name": name, "base_model": system.base_model},
            provenance={"base_model": {"name": "tiny-model-7b"}},
            started_at=STARTED + timedelta(minutes=place),
        )
        start_run(ledger, run)
        answers = [
            Generation(item_id=item.item_id, item_hash=item.item_hash, error="out of memory")
            if item.item_id == FAILED and place == 0
            else Generation(
                item_id=item.item_id,
                item_hash=item.item_hash,
                text=GUILTY if item.item_id == "item-01" and place == 0 else f"{item.item_id} answered {place}",
                finish_reason="stop",
            )
            for item in golden.items
            if not item.sealed
        ]
        record_generations(ledger, run.run_id, answers)
        at = run.started_at + timedelta(seconds=30)
        append_event(ledger, RunEvent(run_id=run.run_id, status="finished", at=at, reason=None, facts={}))
        run_ids[name] = run.run_id
    return run_ids
