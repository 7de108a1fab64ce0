"""The registry on a ledger with runs in it; no model, and a verdict that is derived again by a fake."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.config.experiment import load_experiment
from harness.data.golden import load_golden_set
from harness.errors import ComparisonError, RegistryError, StoreError
from harness.models.adapter_folder import adapter_hash
from harness.pipeline.aliases import history, list_aliases, registry_notes, resolve
from harness.pipeline.promotion_file import promotion_path
from harness.pipeline.registry import PromotionRequest, WaiverRequest, promote, rollback, waive
from harness.pipeline.verify import verdict_differences, verify_registry, verify_verdict
from harness.records.runs import Artifact, Run, RunEvent
from harness.records.verdicts import EvidenceRead, Finding, GateResult, Outcome, Verdict
from harness.store.artifacts import record_artifact
from harness.store.ledger import Ledger
from harness.store.migrate import LEDGER_NAME, open_ledger
from harness.store.registry import record_verdict
from harness.store.runs import append_event, start_run

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ALIAS = "icd10-coding@production"
RUNS = ("r1", "r2", "r3")


def unchanged(home: Path, verdict: Verdict) -> Verdict:
    """A ledger that still gives the same verdict."""
    return verdict


@dataclass
class World:
    """A home with finished runs r1, r2, r3 (each with an adapter) and `prompted` (without)."""

    home: Path

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.home / LEDGER_NAME)

    def run(self, run_id: str, *, adapter: bool = True, status: str = "finished", **changes: object) -> None:
        fields: dict[str, object] = {
            "run_id": run_id,
            "experiment": "icd10-coding",
            "experiment_id": "e" * 16,
            "system": "lora",
            "inputs_hash": "i" * 64,
            "golden_set": "icd10_coding",
            "golden_version": "1.0",
            "golden_sha256": "g" * 64,
            "system_config": {"base_model": "smollm2", "finetune": {"epochs": 1} if adapter else None},
            "provenance": {"base_model": {"name": "smollm2", "kind": "catalog", "identity": "b" * 64}},
            "started_at": NOW - 5 * DAY,
        }
        start_run(self.ledger, Run(**{**fields, **changes}))
        if adapter:
            folder = self.home / "runs" / run_id / "adapter"
            folder.mkdir(parents=True)
            (folder / "adapter_config.json").write_text('{"r": 4}')
            (folder / "adapter_model.safetensors").write_bytes(run_id.encode())
            path = folder.relative_to(self.home).as_posix()
            artifact = Artifact(kind="adapter", path=path, sha256=adapter_hash(folder), size_bytes=8)
            record_artifact(self.ledger, run_id, artifact)
        if status != "running":
            append_event(self.ledger, RunEvent(run_id=run_id, status=status, at=NOW - 4 * DAY, reason=None, facts={}))

    def verdict(self, run_id: str, outcome: Outcome = "pass", verdict_id: str = "", **changes: object) -> Verdict:
        finding = Finding(
            subject=f"{run_id} - base",
            outcome=outcome,
            value=-0.01,
            low=-0.1 - 0.2,
            high=0.1,
            limit=-0.02,
            n=48,
            n_missing=0,
            test="Tango",
            words="The interval reaches below -0.02",
        )
        gates = (
            GateResult(name="adapter", gate={"require": True}, outcome="pass", findings=()),
            GateResult(name="MMLU is kept", gate={"margin": 0.02}, outcome=outcome, findings=(finding,)),
        )
        made = Verdict(
            verdict_id=verdict_id or f"verdict-{run_id}",
            experiment="icd10-coding",
            alias=ALIAS,
            candidate="lora",
            run_id=run_id,
            outcome=outcome,
            gates=gates,
            notes=(),
            policy_name="promote",
            policy_text="{}",
            policy_sha256="p" * 64,
            runs={"lora": run_id},
            evidence=(EvidenceRead(run_id=run_id, metric="regression/mmlu/acc", rows=48, sha256="e" * 64),),
            golden_version="1.0",
            golden_sha256="g" * 64,
            versions={"scipy": "1.17.0"},
            seed=17,
            confidence=0.95,
            decided_at=NOW - DAY,
        )
        made = replace(made, **changes)
        record_verdict(self.ledger, self.home, made)
        return made

    def ask(self, run_id: str, **changes: object) -> PromotionRequest:
        asked = PromotionRequest(alias=ALIAS, run=run_id, verdict=f"verdict-{run_id}", by="J. Doe")
        return replace(asked, **changes)

    def promote(self, run_id: str, *, now: datetime = NOW, **changes: object):
        return promote(self.home, self.ask(run_id, **changes), now=now, rederive=unchanged)

    def tamper(self, statement: str) -> None:
        with self.ledger.write() as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Homes to copy, since filling one takes longer than most tests: `runs`, and `passed` with a pass for each."""
    folder = tmp_path_factory.mktemp("registry")
    open_ledger(folder / "runs", create=True)
    for run_id in RUNS:
        World(folder / "runs").run(run_id)
    shutil.copytree(folder / "runs", folder / "passed")
    for run_id in RUNS:
        World(folder / "passed").verdict(run_id)
    return folder


@pytest.fixture
def world(tmp_path: Path, homes: Path) -> World:
    return World(shutil.copytree(homes / "runs", tmp_path / "home"))


@pytest.fixture
def passed(tmp_path: Path, homes: Path) -> World:
    return World(shutil.copytree(homes / "passed", tmp_path / "home"))


def waiver(**changes: object) -> WaiverRequest:
    asked = WaiverRequest(
        gate="MMLU is kept", verdict="verdict-r1", reason="It only codes.", by="R. Roe", until=NOW + 30 * DAY
    )
    return replace(asked, **changes)


def test_a_pass_points_the_alias_at_the_run_and_leaves_a_file(passed: World) -> None:
    pointed = passed.promote("r1")
    assert pointed.file == passed.home / "promotions" / ALIAS / "promotion.json"
    said = json.loads(pointed.file.read_text())
    adapter = passed.home / "runs" / "r1" / "adapter"
    assert said["adapter"] == {"path": "runs/r1/adapter", "sha256": adapter_hash(adapter)}
    assert said["base_model"] == {"name": "smollm2", "kind": "catalog", "identity": "b" * 64, "reference": "smollm2"}
    assert (said["alias"], said["run_id"], said["by"], said["at"]) == (ALIAS, "r1", "J. Doe", NOW.isoformat())
    assert (said["verdict"]["verdict_id"], said["verdict"]["outcome"]) == ("verdict-r1", "pass")
    read = {"run_id": "r1", "metric": "regression/mmlu/acc", "rows": 48, "sha256": "e" * 64, "evaluation": None}
    assert said["evidence"] == [read]
    last = history(passed.home)[-1]
    assert said["chain"] == {"sequence": 4, "head": last.hash}
    assert (last.kind, last.alias) == ("promotion", ALIAS)
    assert verify_registry(passed.home, rederive=unchanged).problems == ()


def test_an_alias_moves_on_and_its_file_with_it(passed: World) -> None:
    passed.promote("r1")
    passed.promote("r2", now=NOW + DAY)
    (only,) = list_aliases(passed.home)
    assert only.grounds.promotion.run_id == "r2"
    assert json.loads(only.file.read_text())["run_id"] == "r2"
    assert [file.name for file in only.file.parent.iterdir()] == ["promotion.json"]


def test_two_aliases_are_kept_apart(passed: World) -> None:
    passed.verdict("r1", verdict_id="any", alias=None)
    passed.promote("r1", alias="icd10-coding@canary", verdict="any")
    passed.promote("r2")
    assert {one.grounds.promotion.alias: one.grounds.promotion.run_id for one in list_aliases(passed.home)} == {
        "icd10-coding@canary": "r1",
        ALIAS: "r2",
    }
    assert [one.grounds.promotion.run_id for one in list_aliases(passed.home, ALIAS)] == ["r2"]
    assert verify_registry(passed.home, rederive=unchanged).problems == ()


def test_what_is_refused_changes_nothing_and_says_every_reason(world: World) -> None:
    world.verdict("r1", "inconclusive")
    (world.home / "runs" / "r2" / "adapter" / "adapter_model.safetensors").write_bytes(b"other")
    before = history(world.home)
    with pytest.raises(RegistryError) as refused:
        world.promote("r2", verdict="verdict-r1", alias="icd10@test")
    said = str(refused.value).splitlines()
    assert said[0] == "icd10@test is not pointed at run r2: 4 problems"
    for words, line in zip(
        ["not for icd10@test", "is of run r1", "MMLU is kept is inconclusive", "was changed: its hash"],
        said[1:],
        strict=True,
    ):
        assert words in line
    assert history(world.home) == before
    assert not promotion_path(world.home, ALIAS).exists()


def refused(world: World, run_id: str = "r1", **changes: object) -> str:
    with pytest.raises(RegistryError) as problem:
        world.promote(run_id, **changes)
    head, *lines = str(problem.value).splitlines()
    assert head == f"{ALIAS} is not pointed at run {run_id}: 1 problem"
    (line,) = lines
    return line.strip()


def test_an_adapter_that_was_changed_is_refused(passed: World) -> None:
    (passed.home / "runs" / "r1" / "adapter" / "adapter_config.json").write_text('{"r": 8}')
    said = refused(passed)
    assert "runs/r1/adapter was changed: its hash is" in said
    assert said.endswith("Put its files back from a copy, or run the system again and gate the new run.")


def test_an_adapter_that_is_gone_is_refused(passed: World) -> None:
    shutil.rmtree(passed.home / "runs" / "r1")
    assert refused(passed).startswith("the adapter cannot be read:")


def test_an_adapter_that_the_ledger_never_hashed_is_refused(world: World) -> None:
    world.run("given", adapter=False, system_config={"adapter": "elsewhere/adapter", "base_model": "smollm2"})
    world.verdict("given")
    assert refused(world, "given").startswith(
        "the ledger has no hash of the adapter that run given answered with (elsewhere/adapter)"
    )


def test_a_run_without_an_adapter_can_be_promoted(world: World) -> None:
    world.run("prompted", adapter=False)
    world.verdict("prompted")
    pointed = world.promote("prompted")
    assert json.loads(pointed.file.read_text())["adapter"] is None
    assert resolve(world.home, ALIAS, now=NOW).grounds.promotion.adapter_path is None


def test_a_run_that_did_not_finish_is_refused(world: World) -> None:
    world.run("stopped", status="interrupted")
    world.verdict("stopped")
    assert refused(world, "stopped").startswith("run stopped is interrupted; only a finished run")


def test_a_ledger_that_gives_another_verdict_now_is_refused(passed: World) -> None:
    def lost(home: Path, verdict: Verdict) -> Verdict:
        return replace(verdict, outcome="fail", confidence=0.9)

    with pytest.raises(RegistryError, match=r"no longer follows from the ledger \(2 differences; confidence: recorded"):
        promote(passed.home, passed.ask("r1"), now=NOW, rederive=lost)

    def gone(home: Path, verdict: Verdict) -> Verdict:
        raise ComparisonError("run r0 is not in the ledger.")

    with pytest.raises(RegistryError, match=r"cannot be derived again: run r0 is not in the ledger\. Gate again"):
        promote(passed.home, passed.ask("r1"), now=NOW, rederive=gone)


def test_a_golden_set_that_newer_runs_answer_in_another_version_is_refused(passed: World) -> None:
    passed.run("newer", golden_sha256="h" * 64, golden_version="2.0", started_at=NOW - DAY)
    said = refused(passed)
    assert said.startswith("the golden set has changed: hhhhhhhhhhhh in the ledger, gggggggggggg (version 1.0)")


def test_a_policy_that_newer_verdicts_for_the_alias_used_otherwise_is_refused(passed: World) -> None:
    passed.verdict("r2", verdict_id="newer", policy_sha256="q" * 64)
    assert refused(passed).startswith("policy promote has changed: qqqqqqqqqqqq in the ledger, pppppppppppp")


def test_where_the_experiments_files_are_not_at_hand_that_is_said(passed: World) -> None:
    pointed = passed.promote("r1")
    assert [note for note in pointed.notes if "--experiment" in note] == list(pointed.notes)
    assert len(pointed.notes) == 1


def _of_files(
    world: World, folder: Path, run_id: str, *, run: dict[str, object] | None = None, **changes: object
) -> None:
    """A run, and a pass for what the experiment's files say now."""
    experiment = load_experiment(folder)
    assert experiment.policy is not None
    golden_sha256 = load_golden_set(experiment.golden_set).sha256
    world.run(run_id, experiment=experiment.name, golden_sha256=golden_sha256, **(run or {}))
    of_files = {"policy_name": experiment.policy.name, "policy_sha256": experiment.policy.sha256}
    world.verdict(run_id, experiment=experiment.name, golden_sha256=golden_sha256, **{**of_files, **changes})


@pytest.fixture
def experiment(experiment_folder: Path) -> Path:
    (experiment_folder / "strict.yaml").write_text("gates: [{metric: golden/exact_match, at_least: 0.9}]\n")
    with (experiment_folder / "experiment.yaml").open("a") as stream:
        stream.write("policy: strict\n")
    return experiment_folder


def test_the_experiments_files_are_held_against_the_verdict(world: World, experiment: Path) -> None:
    _of_files(world, experiment, "filed")
    assert world.promote("filed", experiment=experiment).notes == ()
    (experiment / "strict.yaml").write_text("gates: [{metric: golden/exact_match, at_least: 0.8}]\n")
    assert refused(world, "filed", experiment=experiment).startswith("policy strict has changed")
    _edit_golden(experiment)
    with pytest.raises(RegistryError, match="golden set has changed"):
        world.promote("filed", experiment=experiment)


def _edit_golden(folder: Path) -> None:
    import hashlib

    golden = folder / "golden_sets" / "colours" / "golden.jsonl"
    golden.write_text(golden.read_text().replace("ripe tomato", "tomato"))
    manifest = golden.with_name("manifest.yaml")
    digest = hashlib.sha256(golden.read_bytes()).hexdigest()
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(f"sha256: {digest}" if line.startswith("sha256") else line for line in lines))


def test_a_policy_in_the_place_of_the_experiments_is_named_with_set(world: World, experiment: Path) -> None:
    (experiment / "lax.yaml").write_text("gates: [{metric: golden/exact_match, at_least: 0.1}]\n")
    policy = load_experiment(experiment, ("policy=lax",)).policy
    assert policy is not None
    _of_files(world, experiment, "filed", policy_name="lax", policy_sha256=policy.sha256)
    said = refused(world, "filed", experiment=experiment)
    assert said.startswith(f"the policy is strict in {experiment}, and verdict verdict-filed is by lax.")
    assert "--set policy=lax" in said
    assert world.promote("filed", experiment=experiment, overrides=("policy=lax",)).notes == ()


def test_the_folder_that_the_run_recorded_is_read_unasked(world: World, experiment: Path) -> None:
    _of_files(world, experiment, "filed", run={"provenance": {"experiment_folder": str(experiment)}})
    assert world.promote("filed").notes == ()
    _edit_golden(experiment)
    assert f"in {experiment}" in refused(world, "filed")


def test_a_recorded_folder_that_is_gone_leaves_the_ledger_to_ask(world: World, experiment: Path) -> None:
    recorded = {"experiment_folder": str(experiment)}
    _of_files(world, experiment, "filed", run={"provenance": recorded, "started_at": NOW - 4.5 * DAY})
    shutil.rmtree(experiment)
    assert "--experiment" in world.promote("filed").notes[0]


def test_another_experiments_files_are_refused(passed: World, experiment: Path) -> None:
    with pytest.raises(RegistryError, match="is experiment colours, and verdict verdict-r1 is of icd10-coding"):
        passed.promote("r1", experiment=experiment)


def test_a_waiver_lets_an_inconclusive_gate_through_and_is_shown(world: World) -> None:
    world.verdict("r1", "inconclusive")
    recorded = waive(world.home, waiver(), now=NOW)
    pointed = world.promote("r1")
    said = "gate MMLU is kept, waived by R. Roe until 2026-12-21 12:00 UTC: It only codes."
    assert pointed.notes[0] == f"{ALIAS} rests on a waiver ({said[:-1]}.)."
    assert pointed.grounds.promotion.waiver_ids == (recorded.waiver_id,)
    (file_waiver,) = json.loads(pointed.file.read_text())["waivers"]
    assert (file_waiver["gate"], file_waiver["by"], file_waiver["reason"]) == (
        "MMLU is kept",
        "R. Roe",
        "It only codes.",
    )
    assert verify_registry(world.home, rederive=unchanged).problems == ()


def test_an_expired_waiver_lets_nothing_through(world: World) -> None:
    world.verdict("r1", "inconclusive")
    waive(world.home, waiver(until=NOW + DAY), now=NOW)
    with pytest.raises(RegistryError, match=r"Its waiver by R\. Roe expired at 2026-11-22 12:00 UTC"):
        world.promote("r1", now=NOW + DAY + timedelta(seconds=1))
    world.promote("r1", now=NOW + DAY)


def test_an_alias_that_rests_on_an_expired_waiver_says_so_until_it_is_renewed(world: World) -> None:
    world.verdict("r1", "inconclusive")
    waive(world.home, waiver(until=NOW + DAY), now=NOW)
    world.promote("r1")
    later = NOW + 2 * DAY
    for pointed in (*list_aliases(world.home, now=later), resolve(world.home, ALIAS, now=later)):
        (note,) = pointed.notes
        assert note.startswith(f"{ALIAS} is resting on an expired waiver (gate MMLU is kept, waived by R. Roe")
        assert note.endswith(f"or `harness rollback {ALIAS}`.")
    waive(world.home, waiver(until=NOW + 9 * DAY), now=later)
    (note,) = resolve(world.home, ALIAS, now=later).notes
    assert "rests on a waiver" in note


def test_a_waiver_that_is_refused_is_not_recorded(world: World) -> None:
    world.verdict("r1", "fail")
    with pytest.raises(RegistryError) as refusal:
        waive(world.home, waiver(gate="MMLU is keep", reason=" ", until=NOW - DAY), now=NOW)
    said = str(refusal.value)
    assert "3 problems" in said
    assert 'did you mean "MMLU is kept"?' in said
    assert len(history(world.home)) == 1


def test_a_verdict_whose_policy_names_no_alias_is_waived_for_the_alias_that_is_said(world: World) -> None:
    world.verdict("r1", "inconclusive", alias=None)
    with pytest.raises(RegistryError, match="say which with --alias"):
        waive(world.home, waiver(), now=NOW)
    waive(world.home, waiver(alias="icd10-coding@canary"), now=NOW)
    assert "MMLU is kept is inconclusive" in refused(world)
    assert world.promote("r1", alias="icd10-coding@canary").grounds.promotion.run_id == "r1"


def test_a_rollback_points_at_the_run_before_with_its_reason(passed: World) -> None:
    for run_id in ("r1", "r2", "r3"):
        passed.promote(run_id)
    back = rollback(passed.home, ALIAS, reason="codes twice", by="R. Roe", now=NOW)
    said = json.loads(back.file.read_text())
    assert (said["run_id"], said["rollback"], said["reason"], said["by"]) == ("r2", True, "codes twice", "R. Roe")
    assert said["verdict"]["verdict_id"] == "verdict-r2"
    assert rollback(passed.home, ALIAS, reason="still", by="x", now=NOW).grounds.promotion.run_id == "r1"
    with pytest.raises(RegistryError, match=r"nothing was promoted to it before run r1\. Promote another run"):
        rollback(passed.home, ALIAS, reason="again", by="x")
    assert resolve(passed.home, ALIAS).grounds.promotion.run_id == "r1"
    assert [event.kind for event in history(passed.home, ALIAS)][-2:] == ["rollback", "rollback"]
    assert verify_registry(passed.home, rederive=unchanged).problems == ()


def test_a_rollback_to_a_run_whose_waiver_has_expired_says_so(world: World) -> None:
    world.verdict("r1", "inconclusive")
    waive(world.home, waiver(until=NOW + DAY), now=NOW)
    world.promote("r1")
    world.verdict("r2")
    world.promote("r2")
    back = rollback(world.home, ALIAS, reason="bad", by="x", now=NOW + 2 * DAY)
    assert back.notes[0].startswith(f"{ALIAS} is resting on an expired waiver")


def test_what_the_registry_says_of_a_run_is_told_in_sentences(world: World) -> None:
    world.verdict("r1", "inconclusive")
    waive(world.home, waiver(until=NOW + DAY), now=NOW)
    world.promote("r1")
    assert registry_notes(world.ledger, "r1", NOW) == [
        "verdict verdict-r1 of 2026-11-20 12:00 UTC: inconclusive by promote.",
        "gate MMLU is kept of verdict verdict-r1 is waived for icd10-coding@production by R. Roe until "
        "2026-11-22 12:00 UTC: It only codes.",
        "icd10-coding@production points at this run.",
    ]
    assert "was waived for" in registry_notes(world.ledger, "r1", NOW + 2 * DAY)[1]
    assert registry_notes(world.ledger, "r2", NOW) == []


def test_a_reason_that_is_no_text_is_refused(world: World) -> None:
    world.verdict("r1", "fail")
    with pytest.raises(StoreError, match=r"half of a surrogate pair.*Write the text in UTF-8"):
        waive(world.home, waiver(reason="because \udcff"), now=NOW)
    assert len(history(world.home)) == 1


def test_a_rollback_to_files_that_were_changed_is_refused(passed: World) -> None:
    passed.promote("r1")
    passed.promote("r2")
    (passed.home / "runs" / "r1" / "adapter" / "adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(RegistryError, match="cannot be rolled back to run r1: the adapter in"):
        rollback(passed.home, ALIAS, reason="bad", by="x")
    assert resolve(passed.home, ALIAS).grounds.promotion.run_id == "r2"


@pytest.mark.parametrize(
    ("alias", "reason", "said"),
    [
        ("icd10-coding@prod", "bad", f'did you mean "{ALIAS}"?'),
        (ALIAS, " ", "--reason is empty"),
    ],
)
def test_a_rollback_needs_a_known_alias_and_a_reason(passed: World, alias: str, reason: str, said: str) -> None:
    passed.promote("r1")
    with pytest.raises(RegistryError) as refusal:
        rollback(passed.home, alias, reason=reason, by="x")
    assert said in str(refusal.value)


def test_before_the_first_promotion_an_unknown_alias_says_how_to_make_one(world: World) -> None:
    for read in (resolve, list_aliases, history):
        with pytest.raises(RegistryError, match="nothing was promoted yet: `harness promote ALIAS RUN --verdict ID`"):
            read(world.home, ALIAS)
    assert list_aliases(world.home) == []


def test_an_alias_is_not_served_from_changed_files(passed: World) -> None:
    passed.promote("r1")
    assert resolve(passed.home, ALIAS).grounds.promotion.adapter_path == "runs/r1/adapter"
    (passed.home / "runs" / "r1" / "adapter" / "adapter_model.safetensors").unlink()
    with pytest.raises(RegistryError, match=rf"{ALIAS} cannot be served: the adapter in .* `harness rollback {ALIAS}`"):
        resolve(passed.home, ALIAS)


def test_verifying_all_looks_at_what_each_alias_rests_on_now(passed: World) -> None:
    passed.promote("r1")
    assert verify_registry(passed.home, rederive=unchanged).problems == ()
    changed = verify_registry(passed.home, rederive=lambda home, verdict: replace(verdict, outcome="fail"))
    [problem] = changed.problems
    assert f"{ALIAS}: verdict verdict-r1 no longer follows from the ledger (1 difference; outcome: " in problem
    (passed.home / "runs" / "r1" / "adapter" / "adapter_model.safetensors").write_bytes(b"other")
    [problem] = verify_registry(passed.home, rederive=unchanged).problems
    assert "was changed" in problem


ACTS: dict[str, Callable[[World], object]] = {
    "promote": lambda world: world.promote("r1"),
    "rollback": lambda world: rollback(world.home, ALIAS, reason="bad", by="x"),
    "waive": lambda world: waive(world.home, waiver(), now=NOW),
    "resolve": lambda world: resolve(world.home, ALIAS),
}


@pytest.mark.parametrize("act", ACTS)
def test_nothing_rests_on_a_registry_that_was_edited(passed: World, act: str) -> None:
    passed.promote("r1")
    passed.promote("r2")
    passed.tamper("UPDATE registry_events SET payload = replace(payload, 'fail', 'pass') WHERE sequence = 1")
    passed.tamper("UPDATE registry_events SET alias = 'a@b' WHERE sequence = 2")
    with pytest.raises(RegistryError, match=r"was changed by hand(?s:.*)event 2 \(verdict verdict-r2\) was edited"):
        ACTS[act](passed)
    assert len(history(passed.home)) == 5


def test_a_registry_that_was_edited_is_listed_with_that_said(passed: World) -> None:
    passed.promote("r1")
    passed.tamper("UPDATE registry_events SET payload = replace(payload, 'J. Doe', 'M. Moe') WHERE sequence = 4")
    (only,) = list_aliases(passed.home)
    assert only.grounds.promotion.by == "M. Moe"
    assert "was changed by hand" in only.notes[0]
    (passed.home / "key").unlink()
    assert "key is missing" in list_aliases(passed.home)[0].notes[0]


def test_a_registry_that_holds_is_reported_with_its_head(passed: World) -> None:
    passed.promote("r1")
    report = verify_registry(passed.home, rederive=unchanged)
    assert (report.events, report.head, report.problems, report.notes) == (4, history(passed.home)[-1].hash, (), ())


def test_a_registry_without_events_has_nothing_to_prove(world: World) -> None:
    report = verify_registry(world.home, rederive=unchanged)
    assert (report.events, report.head, report.problems) == (0, "0" * 64, ())


def test_events_cut_off_at_the_end_show_against_the_promotion_file(passed: World) -> None:
    passed.promote("r1")
    passed.promote("r2")
    passed.tamper("DELETE FROM registry_events WHERE sequence = 5")
    (problem,) = verify_registry(passed.home, rederive=unchanged).problems
    assert problem.endswith("it knows event 5, and the registry ends at event 4: events were cut off at the end")


def test_events_cut_off_at_the_end_show_against_a_head_that_was_kept(passed: World) -> None:
    head = history(passed.home)[-1].hash
    passed.tamper("DELETE FROM registry_events WHERE sequence = 3")
    assert verify_registry(passed.home, rederive=unchanged).problems == ()
    (problem,) = verify_registry(passed.home, rederive=unchanged, head=head).problems
    assert problem.startswith(f"no event has the hash {head[:12]} that was kept")
    passed.tamper("DELETE FROM registry_events")
    assert len(verify_registry(passed.home, rederive=unchanged, head=head).problems) == 1
    assert verify_registry(passed.home, rederive=unchanged, head="0" * 64).problems == ()


def test_the_beginning_of_a_head_is_enough_if_it_is_long(passed: World) -> None:
    head = history(passed.home)[-2].hash
    assert verify_registry(passed.home, rederive=unchanged, head=head[:12].upper()).problems == ()
    assert "too short to tell" in verify_registry(passed.home, rederive=unchanged, head=head[:11]).problems[0]


def test_a_registry_that_was_emptied_shows_against_the_promotion_file(passed: World) -> None:
    passed.promote("r1")
    passed.tamper("DELETE FROM registry_events")
    (problem,) = verify_registry(passed.home, rederive=unchanged).problems
    assert "it knows event 4, and the registry ends at event 0" in problem


def test_a_chain_made_anew_by_the_holder_of_the_key_shows_only_against_the_promotion_file(passed: World) -> None:
    passed.promote("r1")
    passed.tamper("DELETE FROM registry_events")
    for run_id in ("r1", "r2", "r3"):
        passed.verdict(run_id, seed=18)
    kept = promotion_path(passed.home, ALIAS).read_text()
    passed.promote("r1")
    assert verify_registry(passed.home, rederive=unchanged).problems == ()
    promotion_path(passed.home, ALIAS).write_text(kept)
    (problem,) = verify_registry(passed.home, rederive=unchanged).problems
    assert problem.endswith("it has another hash for event 4 than the registry: one of the two was replaced")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file: file.unlink(), f"missing, though something was promoted to {ALIAS}"),
        (lambda file: file.write_text("{"), "not a JSON object"),
        (lambda file: file.write_text("[]"), "not a JSON object"),
        (lambda file: file.write_text("{}"), "it names no head of the chain"),
        (
            lambda file: file.write_text(file.read_text().replace('"r1"', '"r9"')),
            "says otherwise than the registry of run",
        ),
        (lambda file: file.write_text(file.read_text().replace("J. Doe", "M. Moe")), "than the registry of by."),
    ],
)
def test_a_promotion_file_that_was_edited_or_lost_is_found(
    passed: World, spoil: Callable[[Path], object], said: str
) -> None:
    pointed = passed.promote("r1")
    spoil(pointed.file)
    (problem,) = verify_registry(passed.home, rederive=unchanged).problems
    assert said in problem
    passed.promote("r1")
    assert verify_registry(passed.home, rederive=unchanged).problems == ()


def test_a_promotion_file_for_an_alias_that_was_never_promoted_is_found(passed: World) -> None:
    pointed = passed.promote("r1")
    shutil.copytree(pointed.file.parent, passed.home / "promotions" / "other@stage")
    (problem,) = verify_registry(passed.home, rederive=unchanged).problems
    assert problem.endswith("the registry never promoted anything to other@stage")


def test_a_promotion_whose_file_cannot_be_written_says_that_it_is_recorded(passed: World) -> None:
    (passed.home / "promotions").write_text("in the way")
    with pytest.raises(StoreError, match=r"The promotion itself is recorded \(event 4\)"):
        passed.promote("r1")
    (passed.home / "promotions").unlink()
    assert "missing" in verify_registry(passed.home, rederive=unchanged).problems[0]


def test_a_key_that_others_may_read_is_noted(passed: World) -> None:
    (passed.home / "key").chmod(0o644)
    report = verify_registry(passed.home, rederive=unchanged)
    assert report.problems == ()
    assert report.notes == (f"{passed.home / 'key'} can be read by others: `chmod 600 {passed.home / 'key'}`.",)


def test_a_missing_key_is_an_error_of_its_own(passed: World) -> None:
    (passed.home / "key").unlink()
    with pytest.raises(StoreError, match="key is missing"):
        verify_registry(passed.home, rederive=unchanged)


def test_a_verdict_that_is_derived_again_agrees_to_the_last_digit(passed: World) -> None:
    report = verify_verdict(passed.home, "verdict-r1", rederive=unchanged)
    assert (report.verdict.verdict_id, report.differences, report.notes) == ("verdict-r1", (), ())


def test_the_last_digit_of_a_number_is_a_difference(passed: World) -> None:
    import math

    def one_ulp_off(home: Path, verdict: Verdict) -> Verdict:
        (first, gate) = verdict.gates
        (finding,) = gate.findings
        moved = replace(finding, low=math.nextafter(finding.low or 0.0, 1.0))
        return replace(verdict, gates=(first, replace(gate, findings=(moved,))), verdict_id="new", decided_at=NOW)

    report = verify_verdict(passed.home, "verdict-r1", rederive=one_ulp_off)
    assert report.differences == ("gates[1].findings[0].low: recorded -0.30000000000000004, now -0.3",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": "fail"}, ["outcome: recorded 'pass', now 'fail'"]),
        ({"gates": ()}, ["gates: recorded 2 entries, now 0 entries"]),
        ({"alias": None}, [f"alias: recorded '{ALIAS}', now None"]),
        ({"runs": {"lora": "r2"}}, ["runs.lora: recorded 'r1', now 'r2'"]),
        ({"runs": {"lora": "r1", "base": "r0"}}, ["runs.base: recorded None, now 'r0'"]),
        ({"seed": 18, "golden_version": "2"}, ["golden_version: recorded '1.0', now '2'", "seed: recorded 17, now 18"]),
        ({"versions": {"scipy": "1.18.0"}}, []),
        ({"confidence": 1}, ["confidence: recorded 0.95, now 1.0"]),
    ],
)
def test_every_field_is_compared_but_those_of_the_moment(
    passed: World, changes: dict[str, object], said: list[str]
) -> None:
    verdict = verify_verdict(passed.home, "verdict-r1", rederive=unchanged).verdict
    assert verdict_differences(verdict, replace(verdict, **changes)) == said


def test_libraries_that_differ_are_said_beside_the_differences(passed: World) -> None:
    def elsewhere(home: Path, verdict: Verdict) -> Verdict:
        return replace(verdict, versions={"scipy": "1.18.0"})

    report = verify_verdict(passed.home, "verdict-r1", rederive=elsewhere)
    assert report.notes == ("libraries differ: scipy 1.17.0 then, 1.18.0 now.",)
