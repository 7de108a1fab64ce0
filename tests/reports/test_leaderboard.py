from datetime import timedelta
from pathlib import Path

from harness.records.runs import RunEvent
from harness.records.scores import Metric
from harness.store.claims import claimed
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import append_event, start_run
from harness.store.scores import record_metrics
from tests.reports.ledger import BASE, LORA, STOPPED, ZERO, answer, finish, golden_set, run_of


def test_the_board_shows_question_systems_and_numbers_with_interval_and_n(show, said, built: Path) -> None:
    text = said(show(built))
    assert "Does an adapter name colours better?" in text
    assert "colours 1.0.0, 20 items" in text
    # lora answered 15 of 20: Wilson's interval, and 5 better and 5 worse than zero_shot's 10.
    assert "75.0 %" in text
    assert "53.1 to 88.8; n 20" in text
    assert "10 better, 5 worse, 5 same" in text


def test_the_baseline_is_marked_and_the_others_are_held_against_it(show, said, built: Path) -> None:
    app = show(built)
    assert "<b>zero_shot</b> <span" in said(app)
    assert "difference from zero_shot" in said(app)
    other = show(built, baseline="few_shot")
    assert "difference from few_shot" in said(other)
    assert [box.value for box in other.selectbox] == ["colours", "few_shot", "golden/exact_match"]


def test_choosing_a_baseline_puts_it_into_the_url(show, said, built: Path) -> None:
    app = show(built)
    app.selectbox[1].set_value("lora").run()
    assert app.query_params["baseline"] == "lora"
    assert "difference from lora" in said(app)


def test_the_best_system_comes_first_by_the_metric_asked_for(show, copied: Path) -> None:
    def systems(**query: str) -> list[str]:
        cards = [element.proto.body for element in show(copied, **query).get("html")]
        return [card.split("</b>")[0].removeprefix("<div><b>") for card in cards if card.startswith("<div><b>")][:4]

    assert systems() == ["few_shot", "lora", "zero_shot", "base"]
    record_metrics(
        open_ledger(copied, create=False),
        [Metric(name="golden/overlap", kind="graded", direction="lower_is_better")],
    )
    assert systems(order="golden/overlap") == ["zero_shot", "few_shot", "lora", "base"]


def test_links_lead_to_the_run_and_to_its_comparison_with_the_baseline(show, built: Path) -> None:
    links = {link.proto.query_string for link in show(built).get("page_link")}
    assert {f"run={LORA}", f"run={BASE}", f"candidate={LORA}&baseline={ZERO}"} <= links


def test_a_subset_and_what_cannot_be_concluded_are_said_with_the_numbers(show, said, built: Path) -> None:
    text = said(show(built))
    assert "regression/mmlu is a subset: 4 of 1,000 items." in text
    assert "so this task cannot show forgetting" in text
    assert "One training seed a run" in text


def test_a_failed_run_is_said_with_its_reason(show, said, built: Path) -> None:
    assert "The newest run of rag failed" in said(show(built))
    assert "ProbeError: the corpus is empty" in said(show(built))


def test_a_system_that_answered_other_items_is_set_apart_with_the_reason(show, said, copied: Path) -> None:
    ledger = open_ledger(copied, create=False)
    other = golden_set(changed="Now.")
    run = run_of("zero_shot", STOPPED, minute=6, golden=other)
    start_run(ledger, run)
    answer(ledger, run, "1" * 20, other)
    finish(ledger, run)
    text = said(show(copied, baseline="few_shot"))
    assert "Set apart" in text
    assert f"zero_shot answered colours 1.0.0 ({other.sha256[:12]}), and few_shot answered" in text


def test_a_run_in_progress_is_said_and_one_whose_process_is_gone_too(show, said, copied: Path) -> None:
    start_run(open_ledger(copied, create=False), run_of("lora", STOPPED, minute=6))
    assert "A run of lora stopped" in said(show(copied))
    with claimed(copied, STOPPED):
        assert "lora is running" in said(show(copied))


def test_a_home_without_a_ledger_says_what_to_do(show, said, tmp_path: Path) -> None:
    for page in ("leaderboard", "run", "comparison"):
        text = said(show(tmp_path / "nowhere", page))
        assert "There is no ledger in this home" in text
        assert "harness run icd10_coding --home" in text
    assert not (tmp_path / "nowhere").exists()


def test_a_ledger_without_runs_says_what_to_do(show, said, tmp_path: Path) -> None:
    open_ledger(tmp_path / "home", create=True)
    assert "no run has been started" in said(show(tmp_path / "home"))
    assert "no run has been started" in said(show(tmp_path / "home", "run"))
    assert "Nothing to compare yet" in said(show(tmp_path / "home", "comparison"))


def test_an_experiment_with_only_failed_runs_shows_them(show, said, tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "home", create=True)
    run = run_of("lora", LORA)
    start_run(ledger, run)
    at = run.started_at + timedelta(seconds=1)
    append_event(ledger, RunEvent(run_id=LORA, status="failed", at=at, reason="it broke", facts={}))
    text = said(show(tmp_path / "home"))
    assert "it broke" in text
    assert "Nothing to compare yet" in text


def test_a_link_to_what_is_not_there_says_so_and_shows_what_is(show, said, built: Path) -> None:
    text = said(show(built, experiment="<b>no</b>", baseline="none"))
    assert "&lt;b&gt;no&lt;/b&gt;" in text
    assert "&quot;none&quot; is not one of the choices" in text
    assert "75.0 %" in text


def test_a_ledger_of_another_version_is_explained(show, said, copied: Path) -> None:
    with Ledger(copied / "harness.duckdb").write() as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (9999, 'later', 'x', now())")
    assert "Upgrade harness" in said(show(copied))
