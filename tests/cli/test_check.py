import json
import sys
from pathlib import Path

import pytest

from harness.cli.main import main

STAGES = "training_set=[{path: general.jsonl, share: 0.5, epochs: 1, learning_rate: 5e-3}, {path: train.jsonl}]"


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], experiment_folder: Path, tmp_path: Path):
    """Runs `harness check` on the tiny experiment; gives what it printed, on one line."""
    pairs = [{"prompt": f"Say the hue of thing {number}.", "completion": "green"} for number in range(20)]
    (experiment_folder / "general.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))

    def run(*arguments: str) -> str:
        command = ["harness", "check", str(experiment_folder), "--home", str(tmp_path / "home"), *arguments]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
        return " ".join(capsys.readouterr().out.split())

    return run


def test_each_stage_of_each_training_has_a_line(check) -> None:
    said = check("--set", STAGES)
    assert "training set 20 records of general.jsonl (prompt_completion)" in said
    assert (
        "lora, stage 1: general.jsonl, 10 of 20 records (1 to validate on), 1 epoch at learning rate 0.005, 2 steps, ~"
        in said
    )
    assert "lora, stage 2: train.jsonl, 24 of 24 records (2 to validate on), 2 epochs at learning rate 0.01" in said
    assert said.count("at this machine's speed") == 2


def test_one_path_is_told_without_stages(check) -> None:
    said = check()
    assert "training set 24 records (prompt_completion)" in said
    assert ", stage 1" not in said


def test_the_stages_are_in_the_json(check) -> None:
    told = json.loads(check("--json", "--set", STAGES))
    assert [(one["path"].rpartition("/")[2], one["share"]) for one in told["stages"]] == [
        ("general.jsonl", 0.5),
        ("train.jsonl", 1.0),
    ]
    (lora,) = [one for one in told["systems"] if one["name"] == "lora"]
    assert [stage["steps"] for stage in lora["stages"]] == [2, 6]
