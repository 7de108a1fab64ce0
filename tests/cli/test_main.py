import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import typer.main

from harness.cli.main import app, main
from harness.config.experiment import load_experiment
from harness.store.migrate import LEDGER_NAME

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs the command line in this process; gives its exit code, standard output and standard error."""
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def test_an_experiment_goes_through_check_run_compare_show_and_sql(
    harness: Command, experiment_folder: Path, tmp_path: Path
) -> None:
    code, out, _ = harness("check", experiment_folder, "--json")
    assert code == 0
    assert json.loads(out)["golden_set"]["items"] == 6

    code, out, _ = harness("run", experiment_folder, "--json")
    assert code == 0
    ran = json.loads(out)  # nothing but JSON on standard output
    assert ran["experiment_id"] == load_experiment(experiment_folder).experiment_id
    assert {name: entry["status"] for name, entry in ran["runs"].items()} == dict.fromkeys(
        ["zero_shot", "few_shot", "rag", "lora"], "finished"
    )

    code, out, _ = harness(
        "compare", experiment_folder, "--candidate", "lora", "--against", "zero_shot", "few_shot", "rag", "--json"
    )
    assert code == 0
    comparisons = json.loads(out)
    assert [row["baseline"] for row in comparisons] == ["zero_shot", "few_shot", "rag"]
    expected = "metric candidate baseline n candidate_value baseline_value difference ci_low ci_high p_value test"
    assert all(set(expected.split()) <= set(row) for row in comparisons)

    code, out, _ = harness("sql", "SELECT count(*) AS n FROM v_scores WHERE task = 'golden'", "--json")
    assert (code, json.loads(out)) == (0, [{"n": 24}])

    run_id = ran["runs"]["lora"]["run_id"]
    code, out, _ = harness("show", run_id, "--json")
    assert code == 0
    assert json.loads(out)["estimates"]["golden/exact_match"]["n"] == 6
    code, out, _ = harness("runs", "--json")
    assert [state["system"] for state in json.loads(out)] == ["lora", "rag", "few_shot", "zero_shot"]

    for arguments in (
        ["check", experiment_folder],
        ["runs"],
        ["show", run_id],
        ["compare", experiment_folder, "--candidate", "lora", "--against", "rag"],
        ["sql", "SELECT * FROM v_runs"],
        ["run", experiment_folder],
        ["models", "list"],
    ):
        code, out, _ = harness(*arguments)
        assert code == 0
        assert out.strip()
    assert f"next: harness compare {experiment_folder}" in harness("run", experiment_folder)[1]


def test_a_failed_system_exits_with_1_and_the_json_says_why(harness: Command, experiment_folder: Path) -> None:
    code, out, err = harness(
        "run", experiment_folder, "--only", "lora", "--set", "systems.lora.finetune.max_length_tokens=8", "--json"
    )
    assert code == 1
    assert json.loads(out)["runs"]["lora"]["status"] == "failed"
    assert "records that would be cut" in err


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def _replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def _edit_golden(folder: Path, edit: Callable[[str], str]) -> None:
    golden = folder / "golden_sets" / "colours" / "golden.jsonl"
    golden.write_text(edit(golden.read_text()))
    manifest = golden.with_name("manifest.yaml")
    lines = manifest.read_text().splitlines()
    digest = hashlib.sha256(golden.read_bytes()).hexdigest()
    manifest.write_text("\n".join(f"sha256: {digest}" if line.startswith("sha256") else line for line in lines))


DEFECTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing training set": (lambda f: (f / "train.jsonl").unlink(), "training_set: no such file"),
    "malformed YAML": (lambda f: _append(f / "experiment.yaml", "\nx: [1"), "not valid YAML"),
    "unknown key": (lambda f: _append(f / "experiment.yaml", "\nbase_modle: x\n"), 'did you mean "base_model"?'),
    "malformed golden item": (
        lambda f: _edit_golden(f, lambda text: text.replace('"reference"', '"answer"', 1)),
        'golden.jsonl:1: "answer" is not a field',
    ),
    "duplicate golden item": (lambda f: _edit_golden(f, lambda text: text + text.splitlines()[1] + "\n"), "item-2"),
    "edited golden set": (
        lambda f: _append(f / "golden_sets" / "colours" / "golden.jsonl", "\n"),
        "sha256",
    ),
    "empty training set": (lambda f: _write(f / "train.jsonl", ""), "train.jsonl"),
    "half a record": (lambda f: _append(f / "train.jsonl", '{"prompt": "Why?"}\n'), "train.jsonl:25"),
    "a model folder that is not one": (
        lambda f: _replace(f / "experiment.yaml", "base_model: ", "base_model: /nowhere"),
        "no such folder",
    ),
    "no golden set": (
        lambda f: _replace(f / "experiment.yaml", "golden_set: colours", "golden_set: hues"),
        "golden_set: no such folder",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_bad_input_is_one_short_message_and_leaves_nothing_behind(
    defect: str, harness: Command, experiment_folder: Path, tmp_path: Path
) -> None:
    spoil, said = DEFECTS[defect]
    spoil(experiment_folder)
    for command in ("check", "run"):
        code, out, err = harness(command, experiment_folder)
        assert code == 1
        assert out == ""
        assert said in err
        assert "Traceback" not in err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "nowhere.yaml"], 1, "no such file"),
        (["runs"], 1, "harness run"),
        (["show", "x"], 1, "harness run"),
        (["sql", "SELECT 1"], 1, "harness run"),
        (["models", "pull", "smollm2-135m"], 1, "did you mean"),
        (["run"], 2, "EXPERIMENT"),
        (["frobnicate"], 2, "No such command"),
        (["run", "x", "--frobnicate"], 2, "No such option"),
    ],
)
def test_what_cannot_be_done_says_the_next_step(arguments: list[str], code: int, said: str, harness: Command) -> None:
    seen, out, err = harness(*arguments)
    assert seen == code
    assert out == ""
    assert said in err


def test_a_misspelt_experiment_names_the_nearest_shipped_one(harness: Command) -> None:
    code, _, err = harness("check", "icd10_codin")
    assert code == 1
    assert 'did you mean "icd10_coding"?' in err


def test_the_next_step_repeats_what_was_set(harness: Command, experiment_folder: Path) -> None:
    _, out, _ = harness("check", experiment_folder, "--set", "question=Why so?")
    assert f"next: harness run {experiment_folder} --set 'question=Why so?'" in out


def test_an_unknown_system_names_the_nearest(harness: Command, experiment_folder: Path) -> None:
    code, _, err = harness("run", experiment_folder, "--only", "zeroshot")
    assert code == 1
    assert 'did you mean "zero_shot"?' in err


def test_a_ledger_of_a_newer_version_is_left_alone(harness: Command, experiment_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with duckdb.connect(str(tmp_path / "home" / LEDGER_NAME)) as connection:
        connection.execute(
            "CREATE TABLE schema_migrations (version INTEGER, name VARCHAR, sha256 VARCHAR, applied_at TIMESTAMPTZ)"
        )
        connection.execute("INSERT INTO schema_migrations VALUES (999, 'future', 'x', now())")
    code, _, err = harness("run", experiment_folder, "--only", "zero_shot")
    assert code == 1
    assert "999" in err


def test_debug_shows_the_traceback(harness: Command) -> None:
    from harness.errors import ConfigError

    with pytest.raises(ConfigError):
        harness("run", "nowhere.yaml", "--debug")


def test_help_loads_no_heavy_library() -> None:
    listing = "import sys; from harness.cli.main import app; print({name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout
    for library in ("torch", "transformers", "peft", "duckdb", "scipy", "numpy", "pydantic"):
        assert f"'{library}'" not in loaded


def _commands() -> list[str]:
    """Every command of the application, with its group's name in front."""
    root = typer.main.get_command(app)
    found: list[str] = []
    for name, command in root.commands.items():
        found += [f"{name} {inner}" for inner in command.commands] if hasattr(command, "commands") else [name]
    return found


@pytest.mark.parametrize("command", _commands())
def test_every_command_has_an_example_in_its_help(command: str, harness: Command) -> None:
    code, out, _ = harness(*command.split(), "--help")
    assert code == 0
    assert f"harness {command}" in out
    assert "Example" in out


def test_deciding_and_reading_never_load_torch(experiment_folder: Path, tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
import harness.pipeline.decide, harness.pipeline.show, harness.store.user_sql
from harness.pipeline.check import estimate_systems
from harness.pipeline.prepare import prepare

prepared = prepare(Path({str(experiment_folder)!r}))
estimate_systems(prepared, list(prepared.experiment.systems.values()), Path({str(tmp_path)!r}))
assert not {{"torch", "transformers", "peft"}} & set(sys.modules), "a model library was loaded"
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
