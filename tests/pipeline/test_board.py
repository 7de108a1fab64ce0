import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import ComparisonError, StoreBusyError, StoreError
from harness.pipeline.board import all_runs, experiments, in_order, leaderboard
from harness.pipeline.describe import describe_system, has_own_weights, model_identity, model_name
from harness.pipeline.run_items import run_items, run_progress
from harness.pipeline.side_by_side import compare_runs, side_by_side
from harness.records.generations import Generation
from harness.records.runs import RunEvent
from harness.records.scores import Metric, Score
from harness.store.generations import record_generations
from harness.store.migrate import open_ledger
from harness.store.runs import append_event, start_run
from harness.store.scores import record_metrics, record_scores
from tests.reports.ledger import (
    BASE,
    CONFIG,
    FAILED,
    FEW,
    LORA,
    STOPPED,
    ZERO,
    answer,
    build,
    finish,
    golden_set,
    run_of,
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the small ledger. Do not write there."""
    home = tmp_path_factory.mktemp("board") / "home"
    build(home)
    return home


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    """A home of the test's own with the small ledger."""
    return Path(shutil.copytree(built, tmp_path / "home"))


def test_every_experiment_with_runs_is_there_with_its_question(built: Path) -> None:
    [summary] = experiments(built)
    assert (summary.name, summary.n_runs, summary.n_finished) == ("colours", 5, 4)
    assert summary.question.startswith("Does an adapter name colours better?")
    assert [state.run.run_id for state in all_runs(built)] == [FAILED, BASE, LORA, FEW, ZERO]


def test_a_board_has_each_system_on_its_latest_finished_run(built: Path) -> None:
    board = leaderboard(built, "colours")
    assert [row.system for row in board.rows] == ["zero_shot", "few_shot", "lora", "base"]
    assert board.n_items == 20
    estimate = board.rows[2].estimates["golden/exact_match"]
    assert (estimate.value, estimate.n) == (0.75, 20)
    assert "probe/adapter_active" not in board.rows[2].estimates
    assert [metric.name for metric in board.metrics] == ["golden/exact_match", "golden/overlap", "regression/mmlu/acc"]


def test_golden_metrics_are_held_against_the_baseline_and_regression_against_base(built: Path) -> None:
    rows = {row.system: row for row in leaderboard(built, "colours").rows}
    found = {name: one.baseline for name, one in rows["lora"].differences.items()}
    assert found == {
        "golden/exact_match": "zero_shot",
        "golden/overlap": "zero_shot",
        "regression/mmlu/acc": "base",
    }
    difference = rows["lora"].differences["golden/exact_match"]
    assert (difference.difference, difference.better, difference.worse, difference.same) == (0.25, 10, 5, 5)
    assert rows["zero_shot"].differences == {}
    assert rows["base"].differences == {}


def test_the_first_prompted_system_is_the_baseline_unless_another_is_named(built: Path) -> None:
    assert leaderboard(built, "colours").baseline == "zero_shot"
    board = leaderboard(built, "colours", "lora")
    assert board.baseline == "lora"
    zero_shot = next(row for row in board.rows if row.system == "zero_shot")
    assert zero_shot.differences["golden/exact_match"].difference == -0.25


@pytest.mark.parametrize("baseline", ["rag", "base", "lra"])
def test_a_baseline_without_a_finished_run_is_refused(built: Path, baseline: str) -> None:
    with pytest.raises(ComparisonError, match="has no finished run to hold others against"):
        leaderboard(built, "colours", baseline)


def test_an_experiment_that_is_not_there_is_an_error_with_the_nearest_name(built: Path) -> None:
    with pytest.raises(ComparisonError, match='did you mean "colours"'):
        leaderboard(built, "colour")


def test_a_home_without_a_ledger_is_an_error_and_none_is_made(tmp_path: Path) -> None:
    for read in (experiments, all_runs):
        with pytest.raises(StoreError, match="no ledger here"):
            read(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_busy_ledger_is_waited_for_no_longer_than_asked(home: Path) -> None:
    ledger = open_ledger(home, create=False)
    with ThreadPoolExecutor(1) as other, ledger.write(), pytest.raises(StoreBusyError, match="longer than 0 s"):
        other.submit(leaderboard, home, "colours", wait_s=0.0).result(timeout=30)


def test_what_failed_is_unfinished_and_a_run_in_progress_too(home: Path) -> None:
    assert [state.run.run_id for state in leaderboard(home, "colours").unfinished] == [FAILED]
    ledger = open_ledger(home, create=False)
    start_run(ledger, run_of("lora", STOPPED, minute=6))
    board = leaderboard(home, "colours")
    assert [state.run.run_id for state in board.unfinished] == [STOPPED, FAILED]
    assert next(row for row in board.rows if row.system == "lora").state.run.run_id == LORA


def test_a_later_finished_run_takes_its_systems_place_and_earlier_ones_are_counted(home: Path) -> None:
    ledger = open_ledger(home, create=False)
    run = run_of("lora", STOPPED, minute=6, experiment_id="f" * 16)
    start_run(ledger, run)
    answer(ledger, run, "1" * 20)
    finish(ledger, run)
    board = leaderboard(home, "colours")
    lora = next(row for row in board.rows if row.system == "lora")
    assert (lora.state.run.run_id, lora.n_earlier) == (STOPPED, 1)
    assert any("The experiment was changed between these runs" in note for note in board.notes)


def test_a_system_on_another_golden_set_is_set_apart_with_both_hashes(home: Path) -> None:
    ledger, other = open_ledger(home, create=False), golden_set(changed="Now.")
    run = run_of("few_shot", STOPPED, minute=6, golden=other)
    start_run(ledger, run)
    answer(ledger, run, "1" * 20, other)
    finish(ledger, run)
    board = leaderboard(home, "colours")
    [apart] = board.apart
    assert apart.system == "few_shot"
    assert apart.differences == {}
    assert other.sha256[:12] in apart.apart[0]
    assert "few_shot" not in [row.system for row in board.rows]


def test_a_base_model_of_other_weights_is_not_held_against(home: Path) -> None:
    ledger = open_ledger(home, create=False)
    run = run_of("lora", STOPPED, minute=6, provenance={"base_model": {"identity": "other"}})
    start_run(ledger, run)
    answer(ledger, run, "1" * 20)
    finish(ledger, run)
    lora = next(row for row in leaderboard(home, "colours").rows if row.system == "lora")
    assert "regression/mmlu/acc" not in lora.differences


def test_pass_fail_comes_before_graded_and_golden_before_regression() -> None:
    names = {"regression/a/acc": "binary", "golden/z": "binary", "golden/a": "graded", "probe/x": "binary"}
    ordered = in_order(Metric(name=name, kind=kind) for name, kind in names.items())
    assert [metric.name for metric in ordered] == ["golden/z", "golden/a", "regression/a/acc"]


def test_two_runs_are_compared_in_the_order_to_show_with_flips(built: Path) -> None:
    compared = compare_runs(built, LORA, BASE)
    assert [one.metric for one in compared.comparisons] == ["regression/mmlu/acc"]
    [anatomy, law] = compared.flips["regression/mmlu/acc"]
    assert (anatomy.stratum, anatomy.lost, anatomy.gained) == ("anatomy", ("mmlu/anatomy/0",), ())
    assert law.gained == ("mmlu/law/3",)
    assert compared.set_apart == ("Only lora has golden/exact_match, golden/overlap: base was not measured on it.",)


def test_two_runs_of_one_system_are_told_apart_by_their_ids(home: Path) -> None:
    ledger = open_ledger(home, create=False)
    run = run_of("lora", STOPPED, minute=6, provenance={"base_model": {"identity": "o", "name": "other"}})
    start_run(ledger, run)
    answer(ledger, run, "1" * 20)
    finish(ledger, run)
    compared = compare_runs(home, STOPPED, LORA)
    assert (compared.candidate_name, compared.baseline_name) == (f"lora ({STOPPED})", f"lora ({LORA})")
    assert "The base models differ: other and tiny." in compared.set_apart


@pytest.mark.parametrize(
    ("candidate", "why"), [(ZERO, "is on both sides"), (FAILED, r"\(rag\) is failed; only finished")]
)
def test_what_cannot_be_compared_is_an_error_that_says_why(built: Path, candidate: str, why: str) -> None:
    with pytest.raises(ComparisonError, match=why):
        compare_runs(built, candidate, ZERO)


def test_items_stand_side_by_side_with_the_worst_regression_first(built: Path) -> None:
    pairs = side_by_side(built, LORA, ZERO, "golden/exact_match")
    assert len(pairs) == 20
    assert [pair.outcome for pair in pairs] == ["worse"] * 5 + ["same"] * 5 + ["better"] * 10
    worst = pairs[0]
    assert (worst.item_id, worst.difference, worst.candidate.value, worst.baseline.value) == ("item-01", -1.0, 0.0, 1.0)
    assert worst.item is not None
    assert worst.item.references == ("Colour: 1",)
    assert worst.candidate.generations[0].passages[0].passage_id == "about-<b>colours</b>"
    assert pairs[-1].baseline.generations[0].text == "zero_shot says 0"


def test_regression_items_are_paired_without_text(built: Path) -> None:
    pairs = side_by_side(built, LORA, BASE, "regression/mmlu/acc")
    assert [(pair.item_id, pair.outcome, pair.stratum) for pair in (pairs[0], pairs[-1])] == [
        ("mmlu/anatomy/0", "worse", "anatomy"),
        ("mmlu/law/3", "better", "law"),
    ]
    assert pairs[0].item is None
    assert pairs[0].candidate.detail == "chose A, right B"


def test_items_that_cannot_be_paired_come_last_with_the_reason(home: Path) -> None:
    ledger, changed = open_ledger(home, create=False), golden_set(changed="Now.")
    run = run_of("rag", STOPPED, minute=6)
    start_run(ledger, run)
    answer(ledger, run, "11")
    other = changed.items[2]
    failed = golden_set().items[3]
    record_scores(
        ledger,
        STOPPED,
        [
            Score(task="golden", item_id="item-03", item_hash=other.item_hash, scorer="exact_match", value=1.0),
            Score(
                task="golden",
                item_id="item-04",
                item_hash=failed.item_hash,
                scorer="exact_match",
                value=None,
                status="failed",
            ),
        ],
    )
    finish(ledger, run)
    pairs = {pair.item_id: pair for pair in side_by_side(home, STOPPED, ZERO, "golden/exact_match")}
    assert "was changed between the runs" in (pairs["item-03"].reason or "")
    assert pairs["item-04"].reason == "rag never answered it."
    assert pairs["item-05"].reason == "rag has no score on it."
    assert {pairs[name].outcome for name in ("item-03", "item-04", "item-05")} == {"apart"}
    assert list(pairs)[:2] == ["item-01", "item-02"]


def test_a_lower_value_is_better_where_the_metric_says_so(home: Path) -> None:
    ledger = open_ledger(home, create=False)
    record_metrics(ledger, [Metric(name="golden/overlap", kind="graded", direction="lower_is_better")])
    pairs = side_by_side(home, LORA, ZERO, "golden/overlap")
    assert pairs[0].outcome == "worse"
    assert (pairs[0].candidate.value, pairs[0].baseline.value) == (0.5, 0.0)


def test_a_metric_that_one_run_lacks_is_an_error_with_the_nearest(built: Path) -> None:
    with pytest.raises(ComparisonError, match='did you mean "golden/overlap"'):
        side_by_side(built, LORA, ZERO, "golden/overlapp")


def test_a_run_is_read_item_by_item_golden_ones_first(built: Path) -> None:
    items = run_items(built, LORA)
    assert [one.item_id for one in items[:2]] == ["item-01", "item-02"]
    assert [one.item_id for one in items[20:]] == ["mmlu/anatomy/0", "mmlu/anatomy/1", "mmlu/law/2", "mmlu/law/3"]
    assert items[1].scores["golden/overlap"].value == 0.5
    assert items[1].generations[0].text == "lora says 1"
    assert items[20].item is None


def test_progress_counts_what_is_stored_of_each_task(home: Path) -> None:
    assert [(one.task, one.n_done, one.n_items) for one in run_progress(home, LORA)] == [
        ("golden", 20, 20),
        ("mmlu", 4, 4),
    ]
    assert [one.task for one in run_progress(home, BASE)] == ["mmlu"]
    ledger = open_ledger(home, create=False)
    run = run_of("lora", STOPPED, minute=6)
    start_run(ledger, run)
    item = golden_set().items[0]
    record_generations(ledger, STOPPED, [Generation(item_id=item.item_id, item_hash=item.item_hash, error="no memory")])
    [golden] = run_progress(home, STOPPED)
    assert (golden.n_done, golden.n_items) == (1, 20)
    [only] = run_items(home, STOPPED)
    assert only.generations[0].error == "no memory"
    assert only.scores == {}


def test_an_interrupted_run_is_not_compared_and_its_reason_is_kept(home: Path) -> None:
    ledger = open_ledger(home, create=False)
    run = run_of("few_shot", STOPPED, minute=6)
    start_run(ledger, run)
    at = run.started_at + timedelta(seconds=1)
    append_event(ledger, RunEvent(run_id=STOPPED, status="interrupted", at=at, reason="stopped by Ctrl-C", facts={}))
    board = leaderboard(home, "colours")
    assert [(state.run.system, state.reason) for state in board.unfinished if state.status == "interrupted"] == [
        ("few_shot", "stopped by Ctrl-C")
    ]
    assert next(row for row in board.rows if row.system == "few_shot").state.run.run_id == FEW


def test_a_system_is_described_from_what_its_run_recorded() -> None:
    rag = {**CONFIG, "prompt": {"shots": 4}, "retriever": {"kind": "bm25", "top_k": 5}}
    assert describe_system(run_of("rag", "r", system_config=rag)) == (
        "4 examples in the prompt",
        "5 retrieved passages (bm25)",
    )
    tuned = {**CONFIG, "finetune": {"epochs": 3, "learning_rate": 1e-3, "adapter": {"r": 16}}}
    run = run_of("lora", "l", system_config=tuned)
    assert describe_system(run)[1] == "lora adapter (r 16), 3 epochs, learning rate 0.001"
    assert has_own_weights(run)
    theirs = run_of("theirs", "t", system_config={**CONFIG, "adapter": "folder/adapter-a"})
    assert describe_system(theirs)[1] == "adapter adapter-a, trained elsewhere"
    assert describe_system(run_of("base", "b"))[0] == "the base model itself"


def test_a_configuration_of_another_version_is_not_guessed_at() -> None:
    odd = run_of("odd", "o", system_config={"unknown": 1}, provenance={"base_model": "a name"})
    assert describe_system(odd) == ()
    assert not has_own_weights(odd)
    assert model_identity(odd) is None
    assert model_name(odd) == ""
