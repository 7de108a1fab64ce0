"""The shipped experiment's own files and the real model, cut to what a test can wait for; `make demo` runs it whole."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.assets import shipped
from harness.cli.main import main

GOLDEN_ITEMS = 12
TRAINING_RECORDS = 64


@pytest.fixture
def small_experiment(tmp_path: Path) -> Path:
    """The shipped experiment on 12 golden items, and 64 training records that cover their codes."""
    source, golden_source = shipped("suites") / "experiments" / "icd10_coding", shipped("golden_sets") / "icd10_coding"
    folder, golden = tmp_path / "icd10", tmp_path / "icd10" / "golden_sets" / "icd10_coding"
    golden.mkdir(parents=True)
    for name in ("experiment.yaml", "corpus.jsonl"):
        (folder / name).write_bytes((source / name).read_bytes())
    items = [json.loads(line) for line in (golden_source / "golden.jsonl").read_text().splitlines()]
    chosen = [item for item in items if "training_terms" in item["tags"] and item["kind"] == "typical"][:GOLDEN_ITEMS]
    (golden / "golden.jsonl").write_text("".join(json.dumps(item) + "\n" for item in chosen))
    digest = hashlib.sha256((golden / "golden.jsonl").read_bytes()).hexdigest()
    manifest = (golden_source / "manifest.yaml").read_text().splitlines()
    (golden / "manifest.yaml").write_text(
        "\n".join(f"sha256: {digest}" if line.startswith("sha256:") else line for line in manifest)
    )
    (golden / "codes.txt").write_bytes((golden_source / "codes.txt").read_bytes())
    answers = {item["reference"] for item in chosen}
    records = [json.loads(line) for line in (source / "train.jsonl").read_text().splitlines()]
    useful = [record for record in records if record["completion"] in answers][:TRAINING_RECORDS]
    (folder / "train.jsonl").write_text("".join(json.dumps(record) + "\n" for record in useful))
    return folder


def test_the_real_model_learns_to_code_and_the_comparison_shows_it(
    small_experiment: Path, smollm2: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HARNESS_HOME", str(small_experiment.parent / "home"))

    def harness(*arguments: str) -> list[dict[str, Any]]:
        monkeypatch.setattr(sys, "argv", ["harness", *arguments, "--json"])
        main_exit = 0
        try:
            main()
        except SystemExit as end:
            main_exit = int(end.code or 0)
        captured = capsys.readouterr()
        assert main_exit == 0, captured.err
        return json.loads(captured.out)

    harness("run", str(small_experiment), "--only", "zero_shot", "--only", "lora")
    rows = harness("compare", str(small_experiment), "--candidate", "lora", "--against", "zero_shot")
    by_metric = {row["metric"]: row for row in rows}
    assert by_metric["golden/format_valid"]["ci_low"] > 0
    assert by_metric["golden/codes_exact_match"]["difference"] > 0
    (counted,) = harness("sql", "SELECT count(DISTINCT item_id) AS n FROM v_generations WHERE system = 'lora'")
    assert counted["n"] == GOLDEN_ITEMS
