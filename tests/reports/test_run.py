from pathlib import Path

from harness.records.runs import TrainingMetric
from harness.store.claims import claimed
from harness.store.migrate import open_ledger
from harness.store.runs import start_run
from harness.store.training_metrics import record_training_metrics
from tests.reports.ledger import FAILED, LORA, STARTED, STOPPED, ZERO, answer, finish, run_of

STAGED = "20261121-090007-5742ed"


def test_a_run_shows_measures_probes_training_items_and_provenance(show, said, built: Path) -> None:
    app = show(built, "run", run=LORA)
    text = said(app)
    for shown in ("75.0 %", "53.1 to 88.8", "KL 3.4 nats", "passed", "epoch 2: validation loss 0.7000", "m" * 64):
        assert shown in text
    assert len(app.get("vega_lite_chart")) == 1
    assert len(app.dataframe[0].value) == 20
    assert '"seed": 17' in text


def test_a_training_in_stages_is_drawn_and_told_stage_by_stage(show, said, copied: Path) -> None:
    ledger = open_ledger(copied, create=False)
    run = run_of("lora", STAGED, minute=7)
    start_run(ledger, run)
    losses = {
        ("train_loss", 10): 1.2,
        ("validation_loss", 10): 1.1,
        ("train_loss", 20): 0.5,
        ("validation_loss", 20): 0.7,
    }
    curve = [
        TrainingMetric(name=name, value=loss, step=step, epoch=step / 10, at=STARTED)
        for (name, step), loss in losses.items()
    ]
    record_training_metrics(ledger, STAGED, curve)
    stage = {"train_records": 8, "replayed_records": 0, "epochs_planned": 1, "learning_rate": 5e-4, "best_epoch": 1.0}
    stage |= {"steps": 10, "epochs": 1}
    stages = [
        {"path": "general.jsonl", "best_validation_loss": 1.1, **stage},
        {"path": "train.jsonl", "best_validation_loss": 0.7, **stage, "replayed_records": 2},
    ]
    finish(ledger, run, best_epoch=2.0, stages=stages)
    app = show(copied, "run", run=STAGED)
    text = said(app)
    assert "The dotted line is the best epoch (stage 2, epoch 1)" in text
    assert "stage 1, epoch 1: validation loss 1.1000; stage 2, epoch 1: validation loss 0.7000" in text
    assert "stage 2: train.jsonl, 8 records and 2 replayed, 1 of 1 epochs at learning rate 0.0005, 10 steps" in text
    (chart,) = app.get("vega_lite_chart")
    assert '"detail": {"field": "stage"' in chart.proto.spec  # lines are broken between stages


def test_the_url_names_the_run_the_task_and_the_item(show, said, built: Path) -> None:
    app = show(built, "run", run=ZERO, item="item-03")
    assert app.selectbox[0].value == ZERO
    assert "<b>item-03</b>" in said(app)
    app = show(built, "run", run=LORA, task="regression/mmlu", item="mmlu/law/2")
    assert "<b>mmlu/law/2</b>" in said(app)
    assert "chose A, right B" in said(app)


def test_choosing_a_run_puts_it_into_the_url_and_forgets_the_item(show, built: Path) -> None:
    app = show(built, "run", run=ZERO, item="item-03")
    app.selectbox[0].set_value(LORA).run()
    assert app.query_params["run"] == LORA
    assert "item" not in app.query_params


def test_an_item_that_is_not_there_is_said(show, said, built: Path) -> None:
    text = said(show(built, "run", run=ZERO, item="nothing"))
    assert "The link&#x27;s item is not in this list" in text
    assert "<b>item-01</b>" in text


def test_a_failed_run_shows_its_reason_and_the_next_step(show, said, built: Path) -> None:
    text = said(show(built, "run", run=FAILED))
    assert "This run failed" in text
    assert "ProbeError: the corpus is empty" in text
    assert "--resume" in text
    assert "Nothing has been scored yet." in text


def test_a_run_in_progress_shows_how_far_it_is(show, said, copied: Path) -> None:
    ledger = open_ledger(copied, create=False)
    run = run_of("lora", STOPPED, minute=6)
    start_run(ledger, run)
    answer(ledger, run, "110")
    with claimed(copied, STOPPED):
        text = said(show(copied, "run", run=STOPPED))
    assert "This run is in progress" in text
    assert "3 of 20 items" in text
    assert "66.7 %" in text
    text = said(show(copied, "run", run=STOPPED))
    assert "This run stopped" in text
