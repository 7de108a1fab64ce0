import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.data_augment import stopped_words
from harness.cli.main import main

Command = Callable[..., tuple[int, str, str]]

AUGMENT = ("data", "augment", "train.jsonl", "--plan", "augment.yaml", "--out", "out.jsonl")
PLAN = """\
name: more
steps:
  - name: new
    template: {prompt: 'Is {thing} warm?', completion: 'yes', variables: {thing: [bread, tea, ice]}}
  - name: unknown
    refusal: {answer: It is not said, cut: {where: last}}
"""


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs the command line in this process, in a folder with `train.jsonl` of four records and `augment.yaml`."""
    monkeypatch.chdir(tmp_path)
    records = [{"prompt": f"Cup {n} is here. It was filled at {n}.", "completion": str(n)} for n in range(3)]
    records.append({"prompt": "Is bread warm", "completion": "yes"})
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (tmp_path / "augment.yaml").write_text(PLAN)

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def test_a_table_says_what_was_made_kept_and_dropped(harness: Command, tmp_path: Path) -> None:
    code, out, err = harness(*AUGMENT, "--rejected", "no.jsonl")
    assert (code, err) == (0, "")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    assert rows == [
        ["new", "template", "3", "2", "1  the question, or the preference, is in the set already"],
        ["unknown", "refusal", "4", "3", "1  too few words are left of the input"],
        ["in all", "", "7", "5", "2"],
    ]
    assert "out.jsonl: 9 records (prompt_completion): 4 as they were, 5 new, each marked" in out
    assert "next: harness data audit out.jsonl" in out
    dropped = [json.loads(line) for line in (tmp_path / "no.jsonl").read_text().splitlines()]
    assert [(one["step"], one["reason"]) for one in dropped] == [("new", "duplicate"), ("unknown", "too_little_left")]


def test_json_is_the_only_thing_on_standard_output(harness: Command, tmp_path: Path) -> None:
    code, out, err = harness(*AUGMENT, "--seed", "4", "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert (said["new_records"], said["seed"], said["plan"]) == (5, 4, "more")
    assert said["steps"][0] == {
        "step": "new",
        "origin": "template",
        "made": 3,
        "kept": 2,
        "dropped": {"duplicate": 1},
    }
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == said["records"]


def test_audit_and_check_count_origins(harness: Command, experiment_folder: Path) -> None:
    harness(*AUGMENT)
    assert "written 4, refusal 3, template 2" in harness("data", "audit", "out.jsonl")[1]
    assert "origins" not in harness("data", "audit", "train.jsonl")[1]
    (experiment_folder / "more.jsonl").write_text(Path("out.jsonl").read_text())
    checked = ("check", str(experiment_folder), "--home", "home")
    code, out, _ = harness(*checked, "--set", "training_set=more.jsonl")
    assert code == 0
    assert "  origins      4 written, 3 refusal, 2 template\n" in out
    assert "origins" not in harness(*checked)[1]
    said = json.loads(harness(*checked, "--set", "training_set=more.jsonl", "--json")[1])
    assert said["training_set"]["origins"] == {"written": 4, "refusal": 3, "template": 2}


def test_an_error_is_one_message_without_a_traceback(harness: Command, tmp_path: Path) -> None:
    code, out, err = harness("data", "augment", "train.jsonl", "--plan", "augmnt.yaml", "--out", "out.jsonl")
    assert (code, out) == (1, "")
    assert "augmnt.yaml: no such file" in err
    assert "Traceback" not in err
    (tmp_path / "augment.yaml").write_text(PLAN.replace("refusal", "refusl"))
    code, _, err = harness(*AUGMENT)
    assert code == 1
    assert 'did you mean "refusal"?' in err
    assert not (tmp_path / "out.jsonl").exists()


def test_wrong_usage_exits_2(harness: Command) -> None:
    assert harness("data", "augment", "train.jsonl", "--out", "out.jsonl")[0] == 2
    assert harness(*AUGMENT, "--seed", "-1")[0] == 2


def test_an_interruption_says_what_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "more.jsonl"
    assert stopped_words(out) == "stopped. Nothing was answered yet: the same command goes on."
    (tmp_path / "more.jsonl.journal").write_text("{}\n")
    assert stopped_words(out) == (
        f"stopped. What was answered is kept in {tmp_path / 'more.jsonl.journal'}: the same command goes on."
    )
