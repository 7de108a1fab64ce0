import sys
from pathlib import Path

import pytest

from harness.cli.main import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["harness", "run", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_beginning_anew_and_going_on_are_not_asked_for_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], experiment_folder: Path, tmp_path: Path
) -> None:
    assert run(monkeypatch, experiment_folder, "--again", "--resume", "--home", tmp_path / "home") == 2
    assert "give one of them" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "home").exists()


def test_after_a_failure_the_command_that_goes_on_is_said_as_it_was_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], experiment_folder: Path, tmp_path: Path
) -> None:
    home = tmp_path / "a home"
    too_long = "systems.lora.finetune.max_length_tokens=8"
    assert run(monkeypatch, experiment_folder, "--only", "lora", "--set", too_long, "--home", home) == 1
    expected = f"harness run {experiment_folder} --only lora --set {too_long} --home '{home}' --resume"
    assert f"go on with: {expected}\n" in capsys.readouterr().err


def test_options_that_cannot_go_with_sealed_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], experiment_folder: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    for other in (["--again"], ["--resume"], ["--allow-overlap", "why"]):
        assert run(monkeypatch, experiment_folder, "--sealed", *other, "--home", home) == 2
        assert "--sealed goes on with runs as they are" in " ".join(capsys.readouterr().err.split())
    assert not home.exists()


def test_an_allowed_overlap_is_typed_again_in_the_command_that_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], experiment_folder: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    too_long = "systems.lora.finetune.max_length_tokens=8"
    allow = ("--allow-overlap", "kept on purpose")
    assert run(monkeypatch, experiment_folder, "--only", "lora", "--set", too_long, *allow, "--home", home) == 1
    said = capsys.readouterr().err
    assert f"--home {home} --allow-overlap 'kept on purpose' --resume\n" in said
