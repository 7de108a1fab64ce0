import json
import sys
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.pipeline.evidence import Chosen
from harness.pipeline.gate_evidence import read_gate_evidence
from harness.store.generations import generations
from harness.store.migrate import open_ledger
from harness.store.runs import find_run
from tests.pipeline.rated_project import SEALED, run_project, write_project


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_project(tmp_path / "colours")


def test_an_expert_answers_from_a_file_and_the_same_answers_are_not_recorded_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    home, file = tmp_path / "home", tmp_path / "expert.csv"
    run_project(folder, home)
    file.write_text("item_id,answer\n" + "".join(f"item-{number:02d},Colour: {number}\n" for number in range(8)))
    command = ("run", folder, "--only", "human", "--answers", file, "--home", home, "--json")
    assert run(monkeypatch, *command) == 0
    first = json.loads(capsys.readouterr().out)["runs"]["human"]
    assert (first["status"], first["reused"]) == ("finished", False)
    assert run(monkeypatch, *command) == 0
    assert json.loads(capsys.readouterr().out)["runs"]["human"] == {**first, "reused": True}
    file.write_text(file.read_text().replace("Colour: 3", "Colour: 33"))
    assert run(monkeypatch, *command) == 0
    assert json.loads(capsys.readouterr().out)["runs"]["human"]["run_id"] != first["run_id"]
    query = "SELECT text FROM v_generations WHERE system = 'human' AND item_id = 'item-03' ORDER BY run_id"
    assert run(monkeypatch, "sql", query, "--home", home) == 0
    assert "Colour: 33" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--answers", "expert.csv"], "give them with --only human"),
        (["--only", "human", "--only", "sentinel_plain"], "give it alone"),
        (["--only", "human", "--resume"], "give it alone"),
    ],
)
def test_an_expert_is_asked_for_alone(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    tmp_path: Path,
    options: list[str],
    said: str,
) -> None:
    assert run(monkeypatch, "run", folder, *options, "--home", tmp_path / "home") == 2
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert not (tmp_path / "home").exists()


def test_problems_of_the_file_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "expert.csv"
    file.write_text("item_id,answer\nitem-00,x\n")
    assert run(monkeypatch, "run", folder, "--only", "human", "--answers", file, "--home", tmp_path / "home") == 1
    assert "item item-07 has no answer" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_an_expert_answers_sealed_items_too_which_only_a_gate_reads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    run_project(folder, home)
    command = ("run", folder, "--only", "human", "--home", home)
    assert run(monkeypatch, *command, "--sealed") == 1
    assert "no expert has answered colours 1.0.0 yet" in capsys.readouterr().err
    assert run(monkeypatch, *command) == 0
    for reused in (False, True):
        capsys.readouterr()
        assert run(monkeypatch, *command, "--sealed", "--json") == 0
        said = json.loads(capsys.readouterr().out)["sealed"]["human"]
        assert (said["status"], said["answered"], said["items"], said["reused"]) == ("finished", 1, 1, reused)
    ledger = open_ledger(home, create=False)
    assert [one.item_id for one in generations(ledger, said["run_id"], part="sealed")] == [SEALED]
    assert SEALED not in {one.item_id for one in generations(ledger, said["run_id"])}
    state = find_run(ledger, said["run_id"])
    read = read_gate_evidence(ledger, state, name="human", chosen=Chosen())
    assert {one.item_id: one.value for one in read.scores["golden/exact_match"]} == {SEALED: 1.0}
    assert any("by construction" in note for note in read.notes["golden/exact_match"])


def test_a_run_of_an_expert_does_not_mix_references_with_what_she_wrote(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    home, file, sealed = tmp_path / "home", tmp_path / "expert.csv", tmp_path / "sealed.csv"
    run_project(folder, home)
    file.write_text("item_id,answer\n" + "".join(f"item-{number:02d},Colour: {number}\n" for number in range(8)))
    sealed.write_text(f"item_id,answer\n{SEALED},Colour: 8\n")
    command = ("run", folder, "--only", "human", "--home", home)
    assert run(monkeypatch, *command, "--answers", file) == 0
    assert run(monkeypatch, *command, "--sealed") == 1
    assert "Give --answers FILE with the expert's answers to the sealed items" in capsys.readouterr().err
    assert run(monkeypatch, *command, "--sealed", "--answers", file) == 1
    assert f"item {SEALED} has no answer" in capsys.readouterr().err
    assert run(monkeypatch, *command, "--sealed", "--answers", sealed) == 0
    sealed.write_text(sealed.read_text().replace("Colour: 8", "Colour: 88"))
    assert run(monkeypatch, *command, "--sealed", "--answers", sealed) == 1
    assert "has other answers to its sealed items, which stay" in capsys.readouterr().err


def test_a_gate_against_an_expert_says_how_she_answers_sealed_items(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    home, policy = tmp_path / "home", tmp_path / "policy.yaml"
    run_project(folder, home)
    rule = "metric: golden/exact_match, test: noninferiority, margin: 0.1, against: [human]"
    policy.write_text(f"gates:\n  - {{{rule}}}\n")
    human = ("run", folder, "--only", "human", "--home", home)
    gate = ("gate", folder, "--candidate", "sentinel_plain", "--policy", policy, "--home", home, "--json")
    assert run(monkeypatch, *human) == 0
    said = "`harness run EXPERIMENT --only human --sealed` records the expert's answers"
    for is_said in (True, False):
        capsys.readouterr()
        assert run(monkeypatch, *gate) == 4
        assert (said in capsys.readouterr().out) == is_said
        assert run(monkeypatch, *human, "--sealed") == 0
