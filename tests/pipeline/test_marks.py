"""Overlaps that somebody allowed: who and why is recorded, and every figure stands with and without the items."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.config.policy import Policy
from harness.errors import OverlapError
from harness.hashing import new_run_id
from harness.pipeline.board import leaderboard
from harness.pipeline.data_cards import data_cards
from harness.pipeline.decide import compare_systems
from harness.pipeline.gate import GateRequest, gate, rederive
from harness.pipeline.marks import learned_overlaps
from harness.pipeline.overlap import guard
from harness.pipeline.prepare import Prepared, prepare
from harness.pipeline.report import gather_report
from harness.pipeline.run import run_experiment
from harness.pipeline.show import run_details
from harness.pipeline.verify import verdict_differences
from harness.records.overlaps import Allowance
from harness.records.runs import Run, RunEvent
from harness.records.scores import Metric, Score
from harness.report.page import render_html, render_markdown
from harness.store.golden import record_golden_set
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.overlaps import record_overlaps, run_overlaps
from harness.store.runs import append_event, start_run
from harness.store.scores import record_metrics, record_scores
from harness.store.user_sql import query

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
ALLOWED = Allowance(reason="two notes are kept on purpose", by="ann", at=NOW)
EXACT = "golden/exact_match"


@pytest.fixture
def overlapping(experiment_folder: Path) -> Path:
    """The experiment with two golden questions among the 24 training records, in lines 25 and 26."""
    with (experiment_folder / "train.jsonl").open("a", encoding="utf-8") as file:
        for asked in ("Which hue has fresh milk?", "NAME the hue of a raven's feathers!"):
            file.write(json.dumps({"prompt": asked, "completion": "Colour: x"}) + "\n")
    return experiment_folder


def answer(prepared: Prepared, ledger: Ledger, name: str, right: str) -> str:
    """A finished run of a system, by hand; `right` has a digit for each golden item. Its id."""
    system = prepared.experiment.systems[name]
    golden_set = prepared.golden_set
    run = Run(
        run_id=f"{new_run_id()}-{name}",
        experiment=prepared.experiment.name,
        experiment_id=prepared.experiment.experiment_id,
        system=name,
        inputs_hash=prepared.inputs_hash(system),
        golden_set=golden_set.name,
        golden_version=golden_set.version,
        golden_sha256=golden_set.sha256,
        system_config=system.model_dump(mode="json"),
        provenance={},
        started_at=NOW,
    )
    start_run(ledger, run)
    found = [
        Score(task="golden", item_id=i.item_id, item_hash=i.item_hash, scorer="exact_match", value=float(mark))
        for i, mark in zip(golden_set.items, right, strict=True)
    ]
    record_scores(ledger, run.run_id, found)
    append_event(ledger, RunEvent(run_id=run.run_id, status="finished", at=NOW, reason=None, facts={}))
    return run.run_id


@pytest.fixture
def stored(overlapping: Path, tmp_path: Path) -> Callable[..., tuple[Prepared, Path, dict[str, str]]]:
    """A home with runs by hand, those named in `allowed` with their overlaps recorded."""

    def build(*, allowed: tuple[str, ...] = ("lora",), **right: str) -> tuple[Prepared, Path, dict[str, str]]:
        prepared, home = prepare(overlapping), tmp_path / "home"
        ledger = open_ledger(home, create=True)
        record_golden_set(ledger, prepared.golden_set)
        record_metrics(ledger, [Metric(name=EXACT, kind="binary")])
        run_ids = {name: answer(prepared, ledger, name, marks) for name, marks in right.items()}
        guarded = guard(prepared, [], allowance=ALLOWED)
        for name in allowed:
            guarded.record(ledger, prepared, prepared.experiment.systems[name], run_ids[name])
        return prepared, home, run_ids

    return build


def test_nothing_is_run_and_the_option_is_named_where_nobody_allows_an_overlap(
    overlapping: Path, tmp_path: Path, quiet
) -> None:
    with pytest.raises(OverlapError) as caught:
        run_experiment(prepare(overlapping), tmp_path / "home", quiet)
    said = str(caught.value)
    assert 'train.jsonl:25: item "item-2": the same text' in said
    assert 'train.jsonl:26: item "item-3": the same text but for case' in said
    assert "--allow-overlap REASON" in said
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_reason_must_say_something(overlapping: Path, reason: str) -> None:
    with pytest.raises(OverlapError, match="--allow-overlap is empty; say in words why"):
        guard(prepare(overlapping), [], allowance=Allowance(reason=reason, by="ann", at=NOW))


def test_who_allowed_it_and_why_is_recorded_for_each_run_that_learns(overlapping: Path, tmp_path: Path, quiet) -> None:
    home = tmp_path / "home"
    run_experiment(prepare(overlapping), home, quiet, only=["zero_shot", "lora"], allowance=ALLOWED)
    ledger = open_ledger(home, create=False)
    columns = "system, scored, line, item_id, kind, share, reason, allowed_by"
    assert query(ledger, f"SELECT {columns} FROM v_overlaps ORDER BY line")[1] == [
        ["lora", "golden", 25, "item-2", "exact", 1.0, "two notes are kept on purpose", "ann"],
        ["lora", "golden", 26, "item-3", "normalised", 1.0, "two notes are kept on purpose", "ann"],
    ]
    # A second permission changes nothing of the first.
    later = Allowance(reason="again", by="bob", at=NOW)
    outcomes = run_experiment(prepare(overlapping), home, quiet, only=["lora"], allowance=later)
    details = run_details(home, outcomes["lora"].state.run.run_id)
    assert {one.allowance for one in details.overlaps} == {ALLOWED}
    assert any("ann allowed it on 2026-11-21: two notes are kept on purpose" in note for note in details.notes)


def test_a_report_says_where_the_candidate_learned_other_records_than_there_are_now(
    overlapping: Path, tmp_path: Path, quiet
) -> None:
    home = tmp_path / "home"
    done = run_experiment(prepare(overlapping), home, quiet, only=["lora"], allowance=ALLOWED)
    run = done["lora"].state.run
    prepared = prepare(overlapping)
    said = dict(data_cards(prepared, run)[1].facts)
    assert said["overlap with the golden set"].startswith("2 pairs of a record and an item, as allowed")
    assert "the candidate learned" not in said
    train = overlapping / "train.jsonl"
    kept = train.read_text().splitlines(keepends=True)[:-2]
    train.write_text("".join(kept))
    said = dict(data_cards(prepare(overlapping), run)[1].facts)
    assert said["overlap with the golden set"] == "none: refused before training"
    assert said["the candidate learned"] == f"other records (sha256 {prepared.training_sets[0].sha256})"


def test_a_system_that_only_shows_examples_is_concerned_by_those_it_shows(overlapping: Path) -> None:
    path = prepare(overlapping).training_sets[0].path
    lines: set[int] = set()
    for seed in range(40):
        prepared = prepare(overlapping, (f"systems.few_shot.seed={seed}",))
        found = learned_overlaps(prepared, prepared.experiment.systems["few_shot"], prepared.overlaps)
        assert len(found.get(path, ())) <= 2
        lines |= {one.line for one in found.get(path, ())}
    assert lines == {25, 26}
    everything = prepare(overlapping, ("systems.few_shot.prompt.shots=26",))
    systems = everything.experiment.systems
    assert [one.line for one in learned_overlaps(everything, systems["few_shot"], everything.overlaps)[path]] == [
        25,
        26,
    ]
    assert learned_overlaps(everything, systems["zero_shot"], everything.overlaps) == {}
    assert learned_overlaps(everything, systems["rag"], everything.overlaps) == {}


def test_every_comparison_has_the_figure_with_and_without_the_items(stored) -> None:
    # lora is right on items 2 and 3, which it learned, and on 4; zero_shot on none: +3 of 6 with, +1 of 4 without.
    prepared, home, run_ids = stored(lora="011100", zero_shot="000000")
    [found] = compare_systems(prepared, home, candidate="lora", against=["zero_shot"]).comparisons
    assert (found.n, found.difference, found.overlapping) == (6, 0.5, 2)
    assert found.without is not None
    assert (found.without.n, found.without.difference, found.without.candidate_value) == (4, 0.25, 0.25)
    assert (found.without.better, found.without.worse, found.without.without) == (1, 0, None)
    who = f"ann allowed it on 2026-11-21: {ALLOWED.reason}"
    said = f"{EXACT}: 2 of 6 items share their text with what lora learned ({who})."
    assert said in found.warnings
    report = gather_report(prepared, home, candidate="lora")
    for page in (render_html(report), render_markdown(report)):
        assert "without the 2 also learned" in page
        assert "+25.0 points" in page
    [note] = [note for note in leaderboard(home, "colours").notes if "also stand" in note]
    assert note.startswith("lora - zero_shot on golden/exact_match: +50.0 points on all 6 items; +25.0 points (")
    assert run_overlaps(open_ledger(home, create=False), run_ids["zero_shot"]) == []


def test_what_either_side_learned_is_left_out_and_none_left_is_said(stored) -> None:
    prepared, home, run_ids = stored(lora="011100", zero_shot="000000")
    ledger = open_ledger(home, create=False)
    [first, *_] = run_overlaps(ledger, run_ids["lora"])
    rest = [replace(first, item_id=f"item-{number}") for number in (1, 4, 5, 6)]
    record_overlaps(ledger, run_ids["zero_shot"], rest)
    [found] = compare_systems(prepared, home, candidate="lora", against=["zero_shot"]).comparisons
    assert (found.overlapping, found.without) == (6, None)
    assert f"{EXACT}: no item is left without those that also stand in a training set." in found.warnings


def test_a_verdict_is_judged_without_the_items_and_follows_from_the_ledger_again(stored) -> None:
    prepared, home, run_ids = stored(lora="111111", zero_shot="000000")
    policy = Policy.model_validate(
        {"name": "p", "gates": [{"metric": EXACT, "test": "superiority", "against": ["zero_shot"]}]}
    )
    verdict = gate(prepared, home, GateRequest(candidate="lora", policy=policy))
    finding = verdict.gates[0].findings[0]
    assert (finding.n, finding.n_missing, finding.value) == (4, 0, 1.0)
    assert finding.words.startswith(
        "Without the 2 items that also stand in a training set: lora is 100.0 points better"
    )
    assert ", n 6)." in finding.words
    assert any("2 of 6 items share their text" in note for note in verdict.notes)
    assert verdict_differences(verdict, rederive(home, verdict)) == []
    # What is learned of later than the verdict changes what follows from the ledger.
    ledger = open_ledger(home, create=False)
    [first, *_] = run_overlaps(ledger, run_ids["lora"])
    record_overlaps(ledger, run_ids["lora"], [replace(first, item_id="item-1")])
    assert any(
        "findings[0].n: recorded 4, now 3" in one for one in verdict_differences(verdict, rederive(home, verdict))
    )


def test_a_run_that_learned_items_without_permission_is_neither_compared_nor_judged(stored) -> None:
    prepared, home, run_ids = stored(allowed=(), lora="111111", zero_shot="000000")
    policy = Policy.model_validate({"name": "p", "gates": [{"metric": EXACT, "at_least": 0.1}]})
    said = r"2 training records share text with golden items, and nobody has allowed it(.|\n)*--allow-overlap REASON"
    with pytest.raises(OverlapError, match=said) as caught:
        compare_systems(prepared, home, candidate="lora", against=["zero_shot"])
    assert run_ids["lora"] in str(caught.value)
    with pytest.raises(OverlapError, match=said):
        gate(prepared, home, GateRequest(candidate="lora", policy=policy))
