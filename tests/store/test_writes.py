"""What stays when something is written twice, anew, or wrongly."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.records.generations import Generation, Passage
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message
from harness.records.runs import Artifact, TrainingMetric
from harness.records.scores import Metric, Score
from harness.store.artifacts import artifacts, record_artifact
from harness.store.generations import generations, record_generations
from harness.store.golden import golden_items, golden_set, golden_versions, record_golden_set, version_problem
from harness.store.ledger import Ledger
from harness.store.runs import start_run
from harness.store.scores import metrics, record_metrics, record_scores, scores
from harness.store.training_metrics import record_training_metrics, training_metrics


def test_a_loss_that_is_no_number_is_kept(ledger: Ledger, fresh_run):
    run_id = fresh_run()
    diverged = TrainingMetric(name="loss", value=math.nan, step=1, epoch=0.1, at=datetime.now(UTC))
    record_training_metrics(ledger, run_id, [diverged])
    assert math.isnan(training_metrics(ledger, run_id)[0].value)


def test_going_back_to_an_earlier_definition_of_a_metric_counts_too(ledger: Ledger):
    one, two = (Metric(name="golden/f1", kind="graded", description=text) for text in ("one", "two"))
    for metric in (one, two, two, one):
        record_metrics(ledger, [metric])
        assert metrics(ledger) == {"golden/f1": metric}
    with ledger.read() as connection:
        assert connection.execute("SELECT count(*) FROM metrics").fetchone() == (3,)
        assert connection.execute("SELECT description FROM v_metrics").fetchall() == [("one",)]


def test_golden_items_keep_the_order_of_the_file_and_a_new_manifest_is_a_revision(ledger: Ledger):
    asked = (Message(role="user", content="?"),)
    record = GoldenSet(
        name="n",
        version="1",
        sha256="s",
        licence="CC0",
        items=tuple(Item(item_id=name, input=asked, references=("!",)) for name in "cab"),
        scorers=("exact_match",),
    )
    renamed = replace(record, version="2", scorers=("exact_match", "f1"), known_codes=frozenset({"A00"}))
    for golden in (record, renamed):
        record_golden_set(ledger, golden)
        assert golden_set(ledger, "s") == golden
    assert [item.item_id for item in golden_items(ledger, "s")] == ["c", "a", "b"]
    with ledger.read() as connection:
        rows = connection.execute("SELECT item_id, golden_version FROM v_golden_items ORDER BY position").fetchall()
    assert rows == [("c", "2"), ("a", "2"), ("b", "2")]


def test_a_golden_set_that_no_run_used_is_a_clear_error(ledger: Ledger):
    with pytest.raises(StoreError, match="no run has used it here"):
        golden_set(ledger, "s" * 64)
    assert golden_items(ledger, "s" * 64) == []


def test_an_artifact_is_kept_once_and_new_contents_replace_it_in_sight(ledger: Ledger, fresh_run):
    run_id = fresh_run()
    first = Artifact(kind="adapter", path=f"runs/{run_id}/adapter", sha256="a" * 64, size_bytes=2**40)
    second = replace(first, sha256="b" * 64)
    other = replace(first, path="runs/it's/«ü»")
    for artifact in (first, first, second, other):
        record_artifact(ledger, run_id, artifact)
    assert artifacts(ledger, run_id) == sorted([second, other], key=lambda artifact: artifact.path)
    with ledger.read() as connection:
        assert connection.execute("SELECT count(*) FROM artifacts").fetchone() == (3,)


def test_the_first_score_of_a_key_stays(ledger: Ledger, fresh_run):
    run_id = fresh_run()
    first = Score(task="golden", item_id="i", item_hash="h", scorer="exact_match", value=1.0)
    assert record_scores(ledger, run_id, [first, replace(first, value=0.0)]) == 1
    assert record_scores(ledger, run_id, [replace(first, value=0.5), replace(first, item_id="j")]) == 1
    assert [score.value for score in scores(ledger, run_id)] == [1.0, 1.0]


def test_a_whole_benchmark_of_scores_goes_in_at_once(ledger: Ledger, fresh_run):
    run_id = fresh_run()
    records = [
        Score(task="mmlu", item_id=f"mmlu:{number:05}", item_hash=f"{number:064x}", scorer="acc", value=number % 2)
        for number in range(24_084)
    ]
    assert record_scores(ledger, run_id, records) == 24_084
    assert record_scores(ledger, run_id, records) == 0
    assert scores(ledger, run_id) == records
    with ledger.read() as connection:
        assert connection.execute("SELECT count(*), avg(value) FROM v_scores").fetchone() == (24_084, 0.5)


def test_nothing_is_written_for_a_run_that_was_never_started(ledger: Ledger):
    score = Score(task="golden", item_id="i", item_hash="h", scorer="s", value=1.0)
    artifact = Artifact(kind="adapter", path="p", sha256="a", size_bytes=1)
    metric = TrainingMetric(name="loss", value=1.0, step=1, epoch=1.0, at=datetime.now(UTC))
    for write in (
        lambda: record_generations(ledger, "nobody", [Generation(item_id="i", item_hash="h", text="t")]),
        lambda: record_scores(ledger, "nobody", [score]),
        lambda: record_artifact(ledger, "nobody", artifact),
        lambda: record_training_metrics(ledger, "nobody", [metric]),
    ):
        with pytest.raises(StoreError, match="run nobody is not in the ledger"):
            write()
    assert generations(ledger, "nobody") == scores(ledger, "nobody") == artifacts(ledger, "nobody") == []


def test_half_a_surrogate_pair_is_refused_with_its_place_and_nothing_of_its_batch_stays(ledger: Ledger, fresh_run):
    run_id = fresh_run()
    good = Generation(item_id="good", item_hash="h", text="fine")
    broken = Generation(item_id="cut", item_hash="h", text="cut off in an emoji: \ud83d")
    nested = replace(good, passages=(Passage(passage_id="p", text="\ud83d", score=1.0),))
    for bad, place in ((broken, "'cut', column text"), (nested, "'good', column passages")):
        with pytest.raises(StoreError, match=f"generations, {place}: the text holds half of a surrogate pair"):
            record_generations(ledger, run_id, [good, bad])
    assert generations(ledger, run_id) == []


def test_other_items_under_a_version_that_is_recorded_are_refused_with_the_next_step(ledger: Ledger):
    item = Item(item_id="i", input=(Message(role="user", content="?"),), references=("!",))
    golden = GoldenSet(name="n", version="1", sha256="s", licence="CC0", items=(item,), scorers=())
    record_golden_set(ledger, golden)
    changed = replace(golden, sha256="t", items=(replace(item, references=("other",)),))
    assert version_problem(ledger, golden) is None
    with pytest.raises(StoreError, match=r"n: the ledger holds version 1 with other items .* Raise `version`"):
        record_golden_set(ledger, changed)
    assert golden_items(ledger, "t") == []
    record_golden_set(ledger, replace(changed, version="2"))
    assert golden_versions(ledger, "n") == {"1": "s", "2": "t"}
    assert golden_versions(ledger, "other") == {}


def test_retired_items_are_kept_apart_from_those_that_are_asked(ledger: Ledger):
    asked = Item(item_id="i", input=(Message(role="user", content="?"),), references=("!",))
    retired = replace(asked, item_id="old", retired="the rule was withdrawn")
    golden = GoldenSet(name="n", version="1", sha256="s", licence="CC0", items=(asked,), scorers=(), retired=(retired,))
    record_golden_set(ledger, golden)
    assert golden_set(ledger, "s") == golden
    assert golden_items(ledger, "s") == [asked]


def test_a_generation_is_shown_with_its_question_only_if_it_answers_that_very_item(
    ledger: Ledger, make_run, tmp_path: Path
):
    item = Item(
        item_id="i",
        input=(Message(role="system", content="sys"), Message(role="user", content="Why?")),
        references=("Because.", "So."),
    )
    golden = GoldenSet(name="n", version="1", sha256="s", licence="CC0", items=(item,), scorers=())
    record_golden_set(ledger, golden)
    record_golden_set(ledger, replace(golden, version="2"))
    start_run(ledger, make_run("r", golden_sha256="s"))
    record_generations(
        ledger,
        "r",
        [
            Generation(item_id="i", item_hash=item.item_hash, text="t"),
            Generation(item_id="i", item_hash="another question", sample_index=1, error="e"),
        ],
    )
    with ledger.read() as connection:
        rows = connection.execute(
            "SELECT sample_index, question, reference, item_references FROM v_generations ORDER BY sample_index"
        ).fetchall()
    assert rows == [(0, "Why?", "Because.", ["Because.", "So."]), (1, None, None, None)]
