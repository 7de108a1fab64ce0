"""Runs of two versions of one golden set, held against each other in every way there is."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.config.policy import Policy
from harness.decision.verdict import Derivation, derive_verdict
from harness.errors import ComparisonError
from harness.pipeline.board import leaderboard
from harness.pipeline.data_cards import data_cards
from harness.pipeline.decide import compare_systems
from harness.pipeline.evidence import read_evidence
from harness.pipeline.prepare import prepare
from harness.pipeline.run import run_experiment
from harness.pipeline.side_by_side import compare_runs
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message
from harness.records.protocols import Progress
from harness.records.verdicts import Finding
from harness.store.golden import record_golden_set
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import find_run, start_run
from harness.store.scores import record_metrics
from tests.reports.ledger import EXACT, OVERLAP, STARTED, answer, finish, golden_set, run_of

OLD, NEW = "20261121-090000-aaaaaa", "20261121-090100-bbbbbb"
MADE = Derivation(verdict_id="v-1", decided_at=STARTED, versions={})


def _newer(older: GoldenSet) -> GoldenSet:
    """Item 1 asks something else, item 2 is retired, item 3 is gone, and one is new."""
    first, second, _, *rest = older.items
    changed = replace(first, input=(Message(role="user", content="Which hue?"),))
    new = Item(item_id="item-new", input=(Message(role="user", content="New?"),), references=("Colour: new",))
    return replace(
        older,
        version="1.1.0",
        sha256="1" * 64,
        items=(changed, *rest, new),
        retired=(replace(second, retired="two answers are right"),),
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """`zero_shot` answered 1.0.0 (half right), `lora` 1.1.0 (all right)."""
    ledger = open_ledger(tmp_path, create=True)
    older = golden_set()
    newer = _newer(older)
    record_metrics(ledger, [EXACT, OVERLAP])
    for golden, system, run_id, marks in (
        (older, "zero_shot", OLD, "10" * 10),
        (newer, "lora", NEW, "1" * 19),
    ):
        record_golden_set(ledger, golden)
        run = run_of(system, run_id, minute=len(marks), golden=golden)
        start_run(ledger, run)
        answer(ledger, run, marks, golden)
        finish(ledger, run)
    return ledger


def _judged(ledger: Ledger) -> Finding:
    """What a gate finds of `lora` against `zero_shot`."""
    policy = Policy.model_validate(
        {"name": "mine", "gates": [{"metric": "golden/exact_match", "test": "superiority", "against": ["zero_shot"]}]}
    )
    ours, theirs = (
        read_evidence(ledger, find_run(ledger, run_id), name=name)
        for run_id, name in ((NEW, "lora"), (OLD, "zero_shot"))
    )
    (finding,) = derive_verdict(policy, ours, {"zero_shot": theirs}, MADE).gates[0].findings
    return finding


def test_a_comparison_uses_the_shared_unchanged_items_and_says_so(ledger: Ledger, tmp_path: Path) -> None:
    compared = compare_runs(tmp_path, NEW, OLD)
    exact = next(one for one in compared.comparisons if one.metric == "golden/exact_match")
    assert (exact.n, exact.n_missing) == (17, 4)  # of 21 ids: 1 changed, 1 retired, 1 on either side only
    assert exact.warnings[0] == (
        "zero_shot answered colours 1.0.0 and lora 1.1.0: the 17 items that are the same in both are compared. Left "
        "out: 1 changed (item-01), 1 retired (item-02: two answers are right), 1 only in 1.1.0 (item-new), 1 only in "
        "1.0.0 (item-03)."
    )
    assert not any("no score" in one for one in exact.warnings)
    assert any("The golden sets differ" in one for one in compared.set_apart)


def test_a_leaderboard_keeps_versions_apart_and_says_why(ledger: Ledger, tmp_path: Path) -> None:
    board = leaderboard(tmp_path, "colours", "zero_shot")
    (apart,) = board.apart
    assert apart.system == "lora"
    assert "answered colours 1.1.0" in apart.apart[0]


def test_a_verdict_counts_what_is_not_shared_as_missing_but_not_what_was_retired(ledger: Ledger) -> None:
    policy = Policy.model_validate(
        {"name": "mine", "gates": [{"metric": "golden/exact_match", "test": "superiority", "against": ["zero_shot"]}]}
    )
    ours, theirs = (
        read_evidence(ledger, find_run(ledger, run_id), name=name)
        for run_id, name in ((NEW, "lora"), (OLD, "zero_shot"))
    )
    verdict = derive_verdict(policy, ours, {"zero_shot": theirs}, MADE)
    (finding,) = verdict.gates[0].findings
    assert (finding.outcome, finding.n, finding.n_missing) == ("inconclusive", 17, 3)
    assert "3 items are missing (2 answered by one of the two only, 1 changed between the runs)" in finding.words
    assert finding.remedy is not None
    assert "run the older one again" in finding.remedy
    assert any("1 item is retired in colours 1.1.0 and left out of zero_shot" in note for note in verdict.notes)
    assert any("the 17 items that are the same in both are compared" in note for note in verdict.notes)
    read = {one.run_id: one.rows for one in verdict.evidence}
    assert read == {NEW: 19, OLD: 19}
    assert derive_verdict(policy, ours, {"zero_shot": theirs}, MADE) == verdict


def test_items_that_only_the_newer_version_has_ask_for_the_older_run_again(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, create=True)
    older = golden_set()
    new = Item(item_id="item-new", input=(Message(role="user", content="New?"),), references=("Colour: new",))
    newer = replace(older, version="1.1.0", sha256="3" * 64, items=(*older.items, new))
    record_metrics(ledger, [EXACT, OVERLAP])
    for golden, system, run_id in ((older, "zero_shot", OLD), (newer, "lora", NEW)):
        record_golden_set(ledger, golden)
        run = run_of(system, run_id, golden=golden)
        start_run(ledger, run)
        answer(ledger, run, "1" * len(golden.items), golden)
        finish(ledger, run)
    finding = _judged(ledger)
    assert finding.words.startswith("1 item is missing (1 answered by one of the two only).")
    assert finding.remedy is not None
    assert "run the older one again" in finding.remedy


def test_retiring_an_item_alone_leaves_nothing_missing(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, create=True)
    older = golden_set()
    last = replace(older.items[-1], retired="the colour was renamed")
    newer = replace(older, version="1.0.1", sha256="2" * 64, items=older.items[:-1], retired=(last,))
    record_metrics(ledger, [EXACT, OVERLAP])
    for golden, system, run_id in ((older, "zero_shot", OLD), (newer, "lora", NEW)):
        record_golden_set(ledger, golden)
        run = run_of(system, run_id, golden=golden)
        start_run(ledger, run)
        answer(ledger, run, "1" * len(golden.items) if system == "lora" else "0" * len(golden.items), golden)
        finish(ledger, run)
    finding = _judged(ledger)
    assert (finding.outcome, finding.n, finding.n_missing) == ("pass", 19, 0)


def test_runs_from_before_a_retirement_are_compared_without_the_item(
    experiment_folder: Path, tmp_path: Path, quiet: Progress
) -> None:
    home = tmp_path / "home"
    done = run_experiment(prepare(experiment_folder), home, quiet, only=["zero_shot", "rag"])
    ids = [done[name].state.run.run_id for name in ("zero_shot", "rag")]
    folder = experiment_folder / "golden_sets" / "colours"
    items = [json.loads(line) for line in (folder / "golden.jsonl").read_text().splitlines()]
    items[1]["retired"] = "nobody agrees on it"
    content = "".join(json.dumps(item) + "\n" for item in items).encode()
    (folder / "golden.jsonl").write_bytes(content)
    manifest = (folder / "manifest.yaml").read_text().replace('"1.0.0"', '"1.0.1"').splitlines()
    digest = hashlib.sha256(content).hexdigest()
    changed = [f"sha256: {digest}" if line.startswith("sha256:") else line for line in manifest]
    (folder / "manifest.yaml").write_text("\n".join(changed) + "\n")
    prepared = prepare(experiment_folder)
    report = compare_systems(prepared, home, candidate=ids[1], against=[ids[0]])
    assert {one.n for one in report.comparisons} == {len(items) - 1}
    said = report.comparisons[0].warnings
    assert any(
        "1 item is retired in colours 1.0.1 and left out" in one and "nobody agrees on it" in one for one in said
    )
    card = data_cards(prepared, done["rag"].state.run)[0]
    assert dict(card.facts)["the candidate answered"].startswith("another version: 1.0.0 (sha256 ")
    with pytest.raises(
        ComparisonError, match=r"on colours 1\.0\.0, now 1\.0\.1; `harness golden diff` shows what changed"
    ):
        compare_systems(prepared, home, candidate="rag", against=["zero_shot"])
