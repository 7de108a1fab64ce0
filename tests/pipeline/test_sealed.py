"""Sealed items: answered only by `run --sealed`, read only by a gate, and each look counted."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.config.policy import Policy
from harness.errors import ConfigError, DataError, ModelError, RegistryError
from harness.pipeline.decide import compare_systems
from harness.pipeline.gate import GateRequest, gate, rederive
from harness.pipeline.prepare import Prepared, prepare
from harness.pipeline.report import gather_report
from harness.pipeline.run import run_experiment
from harness.pipeline.run_items import run_items, run_progress
from harness.pipeline.sealed import answer_sealed
from harness.pipeline.show import run_details
from harness.pipeline.side_by_side import side_by_side
from harness.pipeline.verify import verdict_differences, verify_registry
from harness.pipeline.wear import wear_in, wear_lines
from harness.records.verdicts import Verdict
from harness.store.chain import events
from harness.store.generations import generations
from harness.store.golden import golden_items
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.registry import record_verdict, verdicts
from harness.store.runs import find_run, runs
from harness.store.scores import own_scores, scores
from harness.store.sealed import sealed_stage
from harness.store.user_sql import query

EXACT = "golden/exact_match"
SEALED = ("item-5", "item-6")
BETTER = {"metric": EXACT, "test": "superiority", "against": ["zero_shot"]}
AT_LEAST = {"metric": EXACT, "at_least": 0.5}


class Interrupted:
    """Progress of a user who presses Ctrl-C as soon as a batch of answers is stored."""

    def say(self, text: str) -> None:
        pass

    @contextmanager
    def phase(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        def advance(units: int) -> None:
            raise KeyboardInterrupt

        yield advance


def seal(folder: Path, *item_ids: str, version: str = "1.0.0") -> None:
    """Marks items of the experiment's golden set as sealed, as its version says."""
    golden = folder / "golden_sets" / "colours"
    items = [json.loads(line) for line in (golden / "golden.jsonl").read_text().splitlines()]
    text = "".join(json.dumps({**item, "sealed": item["item_id"] in item_ids}) + "\n" for item in items)
    (golden / "golden.jsonl").write_text(text)
    (golden / "manifest.yaml").write_text(
        f'name: colours\nversion: "{version}"\nsha256: {hashlib.sha256(text.encode()).hexdigest()}\n'
        "licence: Apache-2.0\nauthors: [the tests]\nscorers: [exact_match]\n"
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, experiment_writer: Callable[[Path], Path], quiet) -> Path:
    """A folder with the experiment, of which two items are sealed, and the home in which two systems have finished."""
    folder = experiment_writer(tmp_path_factory.mktemp("sealed") / "experiment")
    seal(folder, *SEALED)
    written = (folder / "experiment.yaml").read_text()
    (folder / "experiment.yaml").write_text(written.replace("max_new_tokens: 8", "max_new_tokens: 8, batch_tokens: 1"))
    run_experiment(prepare(folder), folder.parent / "home", quiet, only=["zero_shot", "lora"])
    return folder.parent


@pytest.fixture(scope="module")
def answered(finished: Path, tmp_path_factory: pytest.TempPathFactory, quiet) -> Path:
    """The same once the sealed items are answered."""
    home = tmp_path_factory.mktemp("answered") / "home"
    shutil.copytree(finished / "home", home)
    answer_sealed(prepare(finished / "experiment"), home, quiet, by="ann", only=["zero_shot", "lora"])
    return home


@pytest.fixture
def prepared(finished: Path) -> Prepared:
    return prepare(finished / "experiment")


@pytest.fixture
def home(finished: Path, tmp_path: Path) -> Path:
    """A home of the test's own in which no sealed item is answered."""
    return Path(shutil.copytree(finished / "home", tmp_path / "home"))


@pytest.fixture
def looked_into(answered: Path, tmp_path: Path) -> Path:
    """A home of the test's own in which the sealed items are answered."""
    return Path(shutil.copytree(answered, tmp_path / "answered"))


def policy_of(*gates: dict[str, object], **said: object) -> Policy:
    return Policy.model_validate({"name": "mine", "gates": list(gates or (BETTER, AT_LEAST)), **said})


def judge(prepared: Prepared, home: Path, *gates: dict[str, object], by: str = "ann", **said: object) -> Verdict:
    return gate(prepared, home, GateRequest(candidate="lora", policy=policy_of(*gates, **said), by=by))


def run_id_of(ledger: Ledger, system: str) -> str:
    [state] = runs(ledger, system=system)
    return state.run.run_id


def test_a_plain_run_answers_and_scores_development_items_only(prepared: Prepared, home: Path) -> None:
    ledger = open_ledger(home, create=False)
    development = {f"item-{number}" for number in range(1, 5)}
    for system in ("zero_shot", "lora"):
        run_id = run_id_of(ledger, system)
        assert {one.item_id for one in generations(ledger, run_id)} == development
        assert {one.item_id for one in scores(ledger, run_id, task="golden")} == development
        assert generations(ledger, run_id, part="sealed") == []
        assert own_scores(ledger, run_id, part="sealed") == []
        assert [(one.task, one.n_done, one.n_items) for one in run_progress(home, run_id)] == [("golden", 4, 4)]
    sha256 = prepared.golden_set.sha256
    assert {item.item_id for item in golden_items(ledger, sha256)} == development
    assert {item.item_id for item in golden_items(ledger, sha256, part="sealed")} == set(SEALED)


def test_sealed_answers_belong_to_the_finished_run_which_stays_as_it_was(prepared: Prepared, home: Path, quiet) -> None:
    ledger = open_ledger(home, create=False)
    before = {system: find_run(ledger, run_id_of(ledger, system)) for system in ("zero_shot", "lora")}
    outcomes = answer_sealed(prepared, home, quiet, by="ann", only=["zero_shot", "lora"])
    for system, outcome in outcomes.items():
        run_id = before[system].run.run_id
        assert (outcome.run_id, outcome.status, outcome.answered, outcome.items) == (run_id, "finished", 2, 2)
        assert find_run(ledger, run_id) == before[system]
        assert {one.item_id for one in generations(ledger, run_id, part="sealed")} == set(SEALED)
        assert {(one.item_id, one.metric) for one in own_scores(ledger, run_id, part="sealed")} == {
            (i, EXACT) for i in SEALED
        }
        stage = sealed_stage(ledger, run_id)
        assert stage is not None
        assert (stage.status, stage.by, stage.facts["device"]) == ("finished", "ann", "cpu")
    again = answer_sealed(prepared, home, quiet, by="bob", only=["lora"])
    assert again["lora"].reused
    stage = sealed_stage(ledger, before["lora"].run.run_id)
    assert stage is not None
    assert stage.by == "ann"


def test_nothing_but_a_gate_shows_sealed_answers_or_scores(prepared: Prepared, looked_into: Path) -> None:
    ledger = open_ledger(looked_into, create=False)
    lora, zero_shot = (run_id_of(ledger, system) for system in ("lora", "zero_shot"))
    compared = compare_systems(prepared, looked_into, candidate="lora", against=["zero_shot"])
    assert [one.n for one in compared.comparisons] == [4]
    shown = {pair.item_id for pair in side_by_side(looked_into, lora, zero_shot, EXACT)}
    shown |= {one.item_id for one in run_items(looked_into, lora)}
    shown |= {item.item_id for item in gather_report(prepared, looked_into, candidate="lora").lost_items}
    for sql in ("SELECT item_id FROM v_scores", "SELECT item_id FROM v_generations"):
        shown |= {str(row[0]) for row in query(ledger, sql)[1]}
    assert not shown & set(SEALED)
    assert [one.n for one in run_details(looked_into, lora).estimates.values()] == [4]
    asked = query(ledger, "SELECT question, reference, input FROM v_golden_items WHERE sealed")[1]
    assert asked == [[None, None, None]] * 2
    assert query(ledger, "SELECT system, status, n_answered, n_items, answered_by FROM v_sealed ORDER BY system")[
        1
    ] == [
        ["lora", "finished", 2, 2, "ann"],
        ["zero_shot", "finished", 2, 2, "ann"],
    ]


def test_a_gate_asks_for_sealed_answers_first_and_reads_none_before_all_are_there(
    prepared: Prepared, home: Path, quiet
) -> None:
    verdict = judge(prepared, home)
    first, second = (result.findings[0] for result in verdict.gates)
    assert (verdict.outcome, verdict.look) == ("inconclusive", None)
    assert first.words == "lora has not answered the 2 sealed items of colours yet."
    assert "harness run EXPERIMENT --sealed" in (second.remedy or "")
    answer_sealed(prepared, home, quiet, by="ann", only=["lora"])
    half = judge(prepared, home)
    assert (half.outcome, half.look) == ("inconclusive", None)
    assert "were not read, since zero_shot has none yet: no look is spent" in half.gates[1].findings[0].words
    assert not [read for read in half.evidence if read.metric == EXACT]
    # Derived again once they are there, these verdicts still read none: verifying is no way to look.
    answer_sealed(prepared, home, quiet, by="ann", only=["zero_shot"])
    for stored in (verdict, half):
        assert verdict_differences(stored, rederive(home, stored)) == []
    assert wear_lines(wear_in(home, prepared.golden_set)) == ["wear: 2 sealed items, which no gate has looked at yet"]


def test_items_that_were_answered_before_they_were_sealed_are_told(finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished / "experiment", tmp_path / "experiment"))
    home = Path(shutil.copytree(finished / "home", tmp_path / "home"))
    seal(folder, "item-1", "item-5", version="1.1.0")  # the runs there are have answered item-1, and not item-5
    wear = wear_in(home, prepare(folder).golden_set)
    assert wear is not None
    assert (wear.opened, wear.looks) == (1, 0)
    assert wear_lines(wear)[1] == (
        "warning: 1 of 2 sealed items has been answered unsealed, and the scores could be chosen by. Seal items that "
        "no run has answered."
    )


def test_a_gate_judges_on_sealed_items_alone_and_is_recorded_as_a_look(prepared: Prepared, looked_into: Path) -> None:
    verdict = judge(prepared, looked_into)
    ledger = open_ledger(looked_into, create=False)
    finding = verdict.gates[0].findings[0]
    assert (finding.n, finding.n_missing) == (2, 0)
    assert finding.words.startswith("On 2 sealed items: lora")
    assert {read.rows for read in verdict.evidence} == {2}
    assert verdict.look is not None
    assert (verdict.look.number, verdict.look.by, verdict.look.items, verdict.look.risk) == (1, "ann", 2, 0.025)
    assert any(note.startswith("Look 1 at these 2 sealed items; asked for by ann.") for note in verdict.notes)
    assert rederive(looked_into, verdict) == replace(verdict, versions=rederive(looked_into, verdict).versions)
    assert verify_registry(looked_into).problems == ()
    columns = "verdict_id, look, repeats, looked_by, candidate, n_items, risk, outcome"
    assert query(ledger, f"SELECT {columns} FROM v_looks")[1] == [
        [verdict.verdict_id, 1, None, "ann", "lora", 2, 0.025, verdict.outcome]
    ]


def test_looks_are_counted_once_for_the_same_evidence_and_warned_of(prepared: Prepared, looked_into: Path) -> None:
    first = judge(prepared, looked_into)
    again = judge(prepared, looked_into, by="bob")
    assert again.look is not None
    assert (again.look.number, again.look.repeats) == (1, first.verdict_id)
    others = [judge(prepared, looked_into, AT_LEAST, sealed_risk=0.06, seed=seed) for seed in (1, 2)]
    assert [one.look and one.look.number for one in others] == [2, 3]
    assert not any("worn" in note for note in others[0].notes)
    assert any("The sealed items are worn: 3 looks, and a chance of up to 7.5 %" in note for note in others[1].notes)
    for verdict in (first, again, *others):
        assert verdict_differences(verdict, rederive(looked_into, verdict)) == []
    wear = wear_in(looked_into, prepared.golden_set, policy=policy_of(sealed_risk=0.06))
    assert wear is not None
    assert (wear.looks, wear.looked_at, wear.judged, wear.risk) == (3, 1, 0, 0.075)
    assert [line.partition(":")[0] for line in wear_lines(wear)] == ["wear", "warning"]
    assert wear_lines(wear_in(looked_into, prepared.golden_set))[1:] == []


def test_a_new_version_that_keeps_a_sealed_item_is_as_worn_as_the_old_one(
    prepared: Prepared, looked_into: Path, finished: Path, tmp_path: Path
) -> None:
    judge(prepared, looked_into)
    folder = Path(shutil.copytree(finished / "experiment", tmp_path / "experiment"))
    seal(folder, "item-4", "item-6", version="1.1.0")
    kept = wear_in(looked_into, prepare(folder).golden_set)
    seal(folder, "item-3", "item-4", version="1.2.0")
    fresh = wear_in(looked_into, prepare(folder).golden_set)
    assert [one and one.looks for one in (kept, fresh)] == [1, 0]


def test_a_policy_without_golden_gates_is_no_look(prepared: Prepared, looked_into: Path) -> None:
    verdict = judge(prepared, looked_into, {"metric": "cost/wall_s", "at_most": 1e6})
    assert (verdict.outcome, verdict.look) == ("pass", None)


def test_a_verdict_says_among_how_many_candidates_it_was_selected(prepared: Prepared, looked_into: Path, quiet) -> None:
    assert not any("Selected among" in note for note in judge(prepared, looked_into).notes)
    run_experiment(prepared, looked_into, quiet, only=["rag"])
    again = judge(prepared, looked_into)
    assert any(note.startswith("Selected among 2 candidates of colours") for note in again.notes)
    assert verdict_differences(again, rederive(looked_into, again)) == []


def test_a_look_is_refused_where_the_registry_went_on_meanwhile(prepared: Prepared, looked_into: Path) -> None:
    ledger = open_ledger(looked_into, create=False)
    first = judge(prepared, looked_into)
    head = events(ledger)[-1].hash
    second = judge(prepared, looked_into, AT_LEAST)
    # As if a third had counted the looks before the second was recorded.
    with pytest.raises(RegistryError, match="went on while this was being checked"):
        record_verdict(ledger, looked_into, replace(second, verdict_id="v-late"), after=head)
    assert [one.verdict_id for one in verdicts(ledger)] == [first.verdict_id, second.verdict_id]


def test_an_interrupted_stage_keeps_what_it_has_and_goes_on_to_the_same_answers(
    prepared: Prepared, home: Path, answered: Path, quiet
) -> None:
    ledger = open_ledger(home, create=False)
    run_id = run_id_of(ledger, "lora")
    with pytest.raises(KeyboardInterrupt):
        answer_sealed(prepared, home, Interrupted(), by="ann", only=["lora"])
    stage = sealed_stage(ledger, run_id)
    assert stage is not None
    assert stage.status == "interrupted"
    kept = generations(ledger, run_id, part="sealed")
    assert len(kept) == 1
    assert judge(prepared, home, AT_LEAST).look is None
    outcome = answer_sealed(prepared, home, quiet, by="bob", only=["lora"])["lora"]
    assert (outcome.status, outcome.answered) == ("finished", 2)
    whole = open_ledger(answered, create=False)
    now, then = (
        [(one.item_id, one.text, one.prompt_hash) for one in generations(each, run_id, part="sealed")]
        for each in (ledger, whole)
    )
    assert now == then
    assert own_scores(ledger, run_id, part="sealed") == own_scores(whole, run_id, part="sealed")
    assert [one for one in generations(ledger, run_id, part="sealed") if one in kept] == kept


def test_an_adapter_that_was_changed_answers_nothing(prepared: Prepared, home: Path, quiet) -> None:
    ledger = open_ledger(home, create=False)
    run_id = run_id_of(ledger, "lora")
    config = home / "runs" / run_id / "adapter" / "adapter_config.json"
    config.write_text(config.read_text().replace('"lora_alpha": 8', '"lora_alpha": 9'))
    outcome = answer_sealed(prepared, home, quiet, by="ann", only=["lora"])["lora"]
    assert isinstance(outcome.problem, ModelError)
    assert "was changed" in str(outcome.problem)
    assert sealed_stage(ledger, run_id) is None


def test_a_system_without_a_run_keeps_no_other_from_answering(prepared: Prepared, home: Path, quiet) -> None:
    outcomes = answer_sealed(prepared, home, quiet, by="ann", only=["rag", "zero_shot"])
    assert "has no finished run on the current inputs" in str(outcomes["rag"].problem)
    assert outcomes["zero_shot"].answered == 2


def test_a_set_without_sealed_items_has_none_to_answer_and_one_without_others_cannot_be_run(
    experiment_folder: Path, tmp_path: Path, quiet
) -> None:
    with pytest.raises(ConfigError, match="has no sealed items"):
        answer_sealed(prepare(experiment_folder), tmp_path, quiet, by="ann")
    seal(experiment_folder, *(f"item-{number}" for number in range(1, 7)))
    with pytest.raises(DataError, match="every item is sealed"):
        prepare(experiment_folder)


def test_wear_of_a_set_without_sealed_items_counts_candidates_and_verdicts(
    experiment_folder: Path, tmp_path: Path, quiet
) -> None:
    prepared, home = prepare(experiment_folder), tmp_path / "home"
    assert wear_in(home, prepared.golden_set) is None
    run_experiment(prepared, home, quiet, only=["zero_shot", "rag"])
    for system in ("zero_shot", "rag", "rag"):
        gate(prepared, home, GateRequest(candidate=system, policy=policy_of(AT_LEAST)))
    [line] = wear_lines(wear_in(home, prepared.golden_set))
    assert line == "wear: 2 candidates judged on this set (3 verdicts); the same items every time, as none is sealed"


def test_moments_are_what_a_stage_is_asked_by(looked_into: Path) -> None:
    ledger = open_ledger(looked_into, create=False)
    run_id = run_id_of(ledger, "lora")
    assert sealed_stage(ledger, run_id, until=datetime(2020, 1, 1, tzinfo=UTC)) is None
    now = sealed_stage(ledger, run_id)
    assert now is not None
    assert sealed_stage(ledger, run_id, until=now.at) == now
