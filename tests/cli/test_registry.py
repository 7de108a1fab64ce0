"""The registry from the command line, on a real run of the tiny model and verdicts of the real gate."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.hashing import content_hash
from harness.models.adapter_folder import adapter_hash
from harness.store.migrate import open_ledger

ALIAS = "colours@production"
LENIENT = f"alias: {ALIAS}\ngates:\n  - {{name: adapter is active, metric: probe/adapter_active, require: true}}\n"
STRICT = LENIENT + "  - {name: mostly right, metric: golden/exact_match, at_least: 0.99}\n"
NEXT_YEAR = f"{datetime.now(UTC) + timedelta(days=300):%Y-%m-%d}"


class Silent:
    """Progress that nobody sees."""

    def say(self, text: str) -> None:
        pass

    @contextmanager
    def phase(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda units: None


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory, experiment_writer: Callable[[Path], Path]) -> Path:
    """A folder with an `experiment` and a `home` in which its fine-tuned system has run."""
    from harness.pipeline.prepare import prepare
    from harness.pipeline.run import run_experiment

    folder = tmp_path_factory.mktemp("ran")
    experiment = experiment_writer(folder / "experiment")
    (experiment / "lenient.yaml").write_text(LENIENT)
    (experiment / "strict.yaml").write_text(STRICT)
    with (experiment / "experiment.yaml").open("a") as stream:
        stream.write("policy: lenient\n")
    run_experiment(prepare(experiment), folder / "home", Silent(), only=["lora"])
    return folder


@dataclass
class Terminal:
    """Runs the command line in this process on a home of its own, and on the experiment in it."""

    folder: Path
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def experiment(self) -> Path:
        return self.folder / "experiment"

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self.patch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = self.capture.readouterr()
        return code, captured.out, captured.err

    def gate(self, *arguments: object) -> dict[str, str]:
        _, out, err = self("gate", self.experiment, "--candidate", "lora", "--json", *arguments)
        assert out, err
        return json.loads(out)

    def promote(self, verdict: dict[str, str], *arguments: object) -> tuple[int, str, str]:
        return self("promote", ALIAS, verdict["run_id"], "--verdict", verdict["verdict_id"], *arguments)

    def tamper(self, statement: str) -> None:
        with open_ledger(self.home, create=False).write() as connection:
            connection.execute(statement)


@pytest.fixture
def harness(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    folder = shutil.copytree(ran, tmp_path / "copy")
    monkeypatch.setenv("HARNESS_HOME", str(folder / "home"))
    return Terminal(folder, monkeypatch, capsys)


def test_a_pass_is_promoted_listed_resolved_and_verified(harness: Terminal) -> None:
    verdict = harness.gate()
    assert verdict["outcome"] == "pass"
    code, out, err = harness.promote(verdict, "--experiment", harness.experiment, "--by", "J. Doe", "--json")
    assert (code, err) == (0, "")
    promoted = json.loads(out)
    assert json.loads(Path(promoted["file"]).read_text()) == {
        key: value for key, value in promoted.items() if key not in ("file", "notes")
    }
    assert (promoted["alias"], promoted["run_id"], promoted["by"]) == (ALIAS, verdict["run_id"], "J. Doe")

    adapter = harness.home / "runs" / verdict["run_id"] / "adapter"
    code, out, err = harness("models", "resolve", ALIAS)
    assert (code, out, err) == (0, f"{adapter.resolve()}\n", "")
    resolved = json.loads(harness("models", "resolve", ALIAS, "--json")[1])
    assert resolved["adapter"]["sha256"] == adapter_hash(adapter)
    assert resolved["base_model"]["name"]
    assert resolved["verdict"]["verdict_id"] == verdict["verdict_id"]

    (listed,) = json.loads(harness("aliases", "--json")[1])
    assert (listed["alias"], listed["notes"]) == (ALIAS, [])
    events = json.loads(harness("aliases", ALIAS, "--history", "--json")[1])
    assert [event["kind"] for event in events] == ["verdict", "promotion"]

    code, out, _ = harness("verify", verdict["verdict_id"], "--json")
    proof = json.loads(out)
    assert (code, proof["registry"]["problems"], proof["verdict"]["differences"]) == (0, [], [])
    assert proof["registry"]["head"] == promoted["chain"]["head"] == events[-1]["hash"]
    assert harness("verify", "--head", promoted["chain"]["head"])[0] == 0
    code, out, _ = harness("verify", "--head", content_hash("another"))
    assert (code, "that was kept" in out) == (1, True)


def test_what_people_read_says_the_same(harness: Terminal) -> None:
    verdict = harness.gate()
    code, out, err = harness.promote(verdict)
    assert code == 0
    assert f"{ALIAS} points at run {verdict['run_id']} (lora)" in out
    assert "head of the chain" in out
    for arguments in (["aliases"], ["aliases", "--history"], ["aliases", ALIAS]):
        code, out, err = harness(*arguments)
        assert (code, err) == (0, "")
        assert verdict["run_id"] in out
    code, out, _ = harness("verify", verdict["verdict_id"][:6])
    assert code == 0
    assert "registry: 2 events, every hash, link, signature and promotion.json holds" in out
    assert f"verdict {verdict['verdict_id']}: pass; derived again, equal to the last digit" in out
    assert "It proves nothing against somebody who holds the home's key" in out


def test_what_did_not_pass_is_refused_until_it_is_waived_and_the_waiver_is_shown(harness: Terminal) -> None:
    verdict = harness.gate("--set", "policy=strict")
    assert verdict["outcome"] != "pass"
    with_policy = ("--experiment", harness.experiment, "--set", "policy=strict")
    code, out, err = harness.promote(verdict, *with_policy)
    assert (code, out) == (1, "")
    assert err.startswith(f"error: {ALIAS} is not pointed at run {verdict['run_id']}: 1 problem\n  gate mostly right ")
    assert f"`harness waive 'mostly right' --verdict {verdict['verdict_id']} --reason WHY" in err

    said = ("--reason", "[only] a test", "--by", "R. Roe", "--until", NEXT_YEAR)
    code, out, _ = harness("waive", "mostly right", "--verdict", verdict["verdict_id"], *said)
    assert code == 0
    assert f"next: harness promote {ALIAS} {verdict['run_id']} --verdict {verdict['verdict_id']}" in out
    code, out, err = harness.promote(verdict, *with_policy)
    assert code == 0
    assert f"rests on a waiver (gate mostly right, waived by R. Roe until {NEXT_YEAR} 23:59 UTC: [only] a test" in err
    for arguments in (["aliases"], ["aliases", "--history"], ["models", "resolve", ALIAS]):
        code, out, err = harness(*arguments)
        assert code == 0
        assert "mostly right" in out + err
        assert "[only]" in out + err
    assert json.loads(harness("sql", "SELECT gates_waived FROM v_verdicts", "--json")[1]) == [
        {"gates_waived": ["mostly right"]}
    ]


def test_an_alias_goes_back_to_the_run_before(harness: Terminal) -> None:
    first = harness.gate()
    assert harness.promote(first)[0] == 0
    code, _, err = harness("rollback", ALIAS, "--reason", "bad")
    assert code == 1
    assert "nothing was promoted to it before" in err
    assert harness("run", harness.experiment, "--only", "lora", "--again")[0] == 0
    second = harness.gate()
    assert second["run_id"] != first["run_id"]
    assert harness.promote(second)[0] == 0
    code, out, _ = harness("rollback", ALIAS, "--reason", "names grey blue", "--by", "R. Roe")
    assert code == 0
    assert f"{ALIAS} points again at run {first['run_id']} (lora)" in out
    assert harness("models", "resolve", ALIAS)[1].count(first["run_id"]) == 1
    assert "names grey blue" in harness("aliases", "--history")[1]
    assert harness("verify")[0] == 0


def test_a_registry_that_was_edited_by_hand_is_found_and_not_relied_on(harness: Terminal) -> None:
    verdict = harness.gate()
    harness.promote(verdict)
    harness.tamper(
        "UPDATE registry_events SET payload = replace(payload, '\"pass\"', '\"fail\"') WHERE kind = 'verdict'"
    )
    code, out, _ = harness("verify")
    assert code == 1
    assert "registry: 1 problem in 2 events" in out
    assert f"event 1 (verdict {verdict['verdict_id']}) was edited after it was recorded" in out
    for arguments in (["models", "resolve", ALIAS], ["rollback", ALIAS, "--reason", "bad"]):
        code, out, err = harness(*arguments)
        assert (code, out) == (1, "")
        assert "was changed by hand" in err


def test_scores_that_were_changed_show_when_the_verdict_is_derived_again(harness: Terminal) -> None:
    verdict = harness.gate("--policy", harness.experiment / "strict.yaml")
    harness.tamper("UPDATE scores SET value = 1 - value WHERE scorer = 'exact_match' AND item_id = 'item-1'")
    code, out, _ = harness("verify", verdict["verdict_id"])
    assert code == 1
    assert "differences when derived again" in out
    assert "evidence[" in out
    code, _, err = harness.promote(verdict)
    assert code == 1
    assert "no longer follows from the ledger" in err


def test_an_adapter_that_was_changed_is_not_served(harness: Terminal) -> None:
    verdict = harness.gate()
    harness.promote(verdict)
    weights = harness.home / "runs" / verdict["run_id"] / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    code, out, err = harness("models", "resolve", ALIAS)
    assert (code, out) == (1, "")
    assert "cannot be served" in err
    assert "was changed: its hash is" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["promote", ALIAS, "x"], 2, "--verdict"),
        (["promote", ALIAS, "x", "--verdict", "y"], 1, "no run id begins"),
        (["waive", "g", "--verdict", "y", "--reason", "r", "--by", "b", "--until", "soon"], 2, "%Y-%m-%d"),
        (["waive", "g", "--verdict", "y", "--reason", "r", "--by", "b", "--until", NEXT_YEAR], 1, "harness gate"),
        (["rollback", ALIAS], 2, "--reason"),
        (["rollback", ALIAS, "--reason", "bad"], 1, "nothing was promoted yet"),
        (["models", "resolve", ALIAS], 1, "nothing was promoted yet"),
        (["aliases", ALIAS], 1, "nothing was promoted yet"),
        (["verify", "x"], 1, "no verdict's id begins"),
    ],
)
def test_what_cannot_be_done_says_the_next_step(harness: Terminal, arguments: list[str], code: int, said: str) -> None:
    seen, _, err = harness(*arguments)
    assert seen == code
    assert said in err


def test_a_registry_without_events_is_no_error(harness: Terminal) -> None:
    assert harness("aliases")[:2] == (0, "nothing was promoted yet: `harness promote ALIAS RUN --verdict ID`\n")
    assert harness("verify")[0] == 0


@pytest.mark.parametrize("command", ["promote", "rollback", "waive", "aliases", "verify", "models resolve"])
def test_every_command_has_an_example_in_its_help(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = Terminal(tmp_path, monkeypatch, capsys)(*command.split(), "--help")
    assert code == 0
    assert f"harness {command}" in out
    assert "Example" in out


def test_promoting_and_verifying_load_no_library_for_models(harness: Terminal) -> None:
    verdict = harness.gate()
    script = f"""
import sys
from harness.cli.main import main
for arguments in (
    ["promote", {ALIAS!r}, {verdict["run_id"]!r}, "--verdict", {verdict["verdict_id"]!r}],
    ["verify", {verdict["verdict_id"]!r}], ["aliases"], ["models", "resolve", {ALIAS!r}],
):
    sys.argv = ["harness", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, arguments
print(*sorted(set(sys.modules) & {{"torch", "transformers", "peft", "trl", "datasets", "bitsandbytes"}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""
