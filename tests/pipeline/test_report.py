from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.config.experiment import BASE
from harness.config.policy import Policy
from harness.errors import ComparisonError, HarnessError
from harness.hashing import new_run_id
from harness.pipeline.gate import GateRequest, gate
from harness.pipeline.prepare import Prepared, prepare
from harness.pipeline.report import gather_report, write_report
from harness.records.generations import Generation
from harness.records.runs import Run, RunEvent
from harness.records.scores import Metric, Score
from harness.report.page import markdown_cell, render_html, render_markdown
from harness.store.generations import record_generations
from harness.store.golden import record_golden_set
from harness.store.migrate import open_ledger
from harness.store.runs import append_event, start_run
from harness.store.scores import record_metrics, record_scores

STARTED = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
EXACT = Metric(name="golden/exact_match", kind="binary")
ACC = Metric(name="regression/mmlu/acc", kind="binary", chance=0.25)
HOSTILE = "<script>alert(1)</script>![x](http://evil.invalid/x.png)<img src=http://evil.invalid/y>"
# By system: what it answered right, of six items.
RIGHT = {"lora": "110100", "zero_shot": "000010", "few_shot": "100000"}

Store = Callable[..., tuple[Prepared, Path]]


@pytest.fixture
def stored(experiment_folder: Path, tmp_path: Path) -> Store:
    """An experiment whose systems answered as the test says, without any model."""

    def build(right: Mapping[str, str] = RIGHT, text: str = "Colour: grey") -> tuple[Prepared, Path]:
        prepared, home = prepare(experiment_folder), tmp_path / "home"
        ledger = open_ledger(home, create=True)
        record_golden_set(ledger, prepared.golden_set)
        record_metrics(ledger, [EXACT, ACC])
        for number, (name, marks) in enumerate(right.items()):
            run = run_of(prepared, name, STARTED + timedelta(minutes=number))
            start_run(ledger, run)
            items = prepared.golden_set.items
            answers = [Generation(item_id=item.item_id, item_hash=item.item_hash, text=text) for item in items]
            record_generations(ledger, run.run_id, answers)
            record_scores(
                ledger,
                run.run_id,
                [
                    Score(
                        task="golden",
                        item_id=item.item_id,
                        item_hash=item.item_hash,
                        scorer="exact_match",
                        value=float(mark),
                    )
                    for item, mark in zip(items, marks, strict=True)
                ],
            )
            append_event(
                ledger,
                RunEvent(run_id=run.run_id, status="finished", at=run.started_at, reason=None, facts={"wall_s": 1.0}),
            )
        return prepared, home

    return build


def run_of(prepared: Prepared, name: str, at: datetime) -> Run:
    system = prepared.experiment.systems[name]
    golden_set = prepared.golden_set
    return Run(
        run_id=new_run_id(),
        experiment=prepared.experiment.name,
        experiment_id=prepared.experiment.experiment_id,
        system=name,
        inputs_hash=prepared.inputs_hash(system),
        golden_set=golden_set.name,
        golden_version=golden_set.version,
        golden_sha256=golden_set.sha256,
        system_config=system.model_dump(mode="json"),
        provenance={"base_model": {"name": "tiny"}},
        started_at=at,
    )


def test_the_last_system_with_weights_of_its_own_is_the_candidate(stored: Store) -> None:
    report = gather_report(*stored())
    assert report.candidate == "lora"
    assert [system.name for system in report.systems] == ["lora", "zero_shot", "few_shot"]
    assert [(one.baseline, one.better, one.worse) for one in report.comparisons] == [
        ("zero_shot", 3, 1),
        ("few_shot", 2, 0),
    ]


def test_a_system_without_a_finished_run_is_set_apart_with_its_reason(stored: Store) -> None:
    report = gather_report(*stored())
    [reason] = report.set_apart
    assert '"rag" has no finished run' in reason
    assert "it has never been run" in reason


def test_what_the_candidate_lost_is_shown_with_both_answers(stored: Store) -> None:
    [lost] = gather_report(*stored(text=HOSTILE)).lost_items
    assert (lost.item_id, lost.baseline, lost.candidate_value, lost.baseline_value) == ("item-5", "zero_shot", 0.0, 1.0)
    assert lost.candidate_answer == HOSTILE
    assert lost.reference == "Colour: green"


def test_limits_say_what_the_evidence_cannot_show(stored: Store) -> None:
    limits = " ".join(gather_report(*stored()).limits)
    for said in ("6 golden items", "seed noise", "No expert has rated", "what it forgot is not known"):
        assert said in limits


def test_a_candidate_that_was_never_run_is_an_error_that_says_so(stored: Store) -> None:
    with pytest.raises(ComparisonError, match='"rag" has no finished run'):
        gather_report(*stored(), candidate="rag")


def test_the_base_without_a_regression_suite_is_not_looked_for(stored: Store) -> None:
    report = gather_report(*stored())
    assert not any(f'"{BASE}" has no' in reason for reason in report.set_apart)


def test_the_page_is_whole_and_reaches_for_nothing(stored: Store) -> None:
    html = render_html(gather_report(*stored(text=HOSTILE)))
    assert "default-src 'none'" in html
    for forbidden in ("<script", "<img src=http", "http://evil.invalid/y>", "<link", "@import", "url("):
        assert forbidden not in html
    assert "&lt;script&gt;" in html
    assert html.count('src="data:image/svg+xml;base64,') >= 3
    assert html.rstrip().endswith("</html>")


def test_the_page_says_the_numbers_with_interval_and_n(stored: Store) -> None:
    html = " ".join(render_html(gather_report(*stored())).split())
    assert "+33.3 points" in html
    assert "3 / 1 / 2" in html
    assert "No verdict yet" in html


def test_markdown_has_no_live_link_image_or_tag_of_a_model(stored: Store) -> None:
    prepared, home = stored()
    folder = prepared.experiment.folder
    experiment = folder / "experiment.yaml"
    written = experiment.read_text().replace("question: Does", f"question: '{HOSTILE}' # Does")
    experiment.write_text(written)
    text = render_markdown(gather_report(prepare(folder), home))
    assert "<script" not in text
    assert "![x]" not in text
    assert "| zero\\_shot | golden/exact\\_match |" in text


def test_files_are_written_whole_by_the_format_of_their_name(stored: Store, tmp_path: Path) -> None:
    prepared, home = stored()
    page = write_report(prepared, home, tmp_path / "new" / "evidence.html", "html")
    assert page.read_text().startswith("<!doctype html>")
    table = write_report(prepared, home, tmp_path / "new" / "scores.csv", "csv").read_text().splitlines()
    assert len(table) == 1 + 3 * 6
    assert '"golden/exact_match"' in table[1]
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["evidence.html", "scores.csv"]


def test_parquet_holds_one_row_for_each_score(stored: Store, tmp_path: Path) -> None:
    import pyarrow.parquet

    prepared, home = stored()
    file = write_report(prepared, home, tmp_path / "scores.parquet", "parquet")
    rows = pyarrow.parquet.read_table(file).to_pylist()
    assert len(rows) == 18
    assert sum(row["value"] for row in rows if row["system"] == "lora") == 3.0


def test_junit_without_a_verdict_says_what_to_run(stored: Store, tmp_path: Path) -> None:
    prepared, home = stored()
    with pytest.raises(HarnessError, match="harness gate"):
        write_report(prepared, home, tmp_path / "gates.xml", "junit")
    assert not (tmp_path / "gates.xml").exists()


def test_a_place_that_cannot_be_written_is_said(stored: Store, tmp_path: Path) -> None:
    prepared, home = stored()
    (tmp_path / "file").write_text("")
    with pytest.raises(HarnessError, match="Name another file with --out"):
        write_report(prepared, home, tmp_path / "file" / "evidence.html", "html")


def test_provenance_in_the_page_is_that_of_the_runs(stored: Store) -> None:
    report = gather_report(*stored())
    html = render_html(report)
    for system in report.systems:
        assert system.state.run.run_id in html
        assert system.state.run.inputs_hash[:16] in html


def test_a_run_id_is_described_by_its_system_and_not_held_against_itself(stored: Store) -> None:
    prepared, home = stored()
    run_id = gather_report(prepared, home).systems[0].state.run.run_id
    report = gather_report(prepared, home, candidate=run_id)
    assert [system.name for system in report.systems] == [run_id, "zero_shot", "few_shot"]
    assert ("shots" in dict(report.systems[2].how), "fine-tuned" in dict(report.systems[0].how)) == (True, True)
    assert any("seed noise" in limit for limit in report.limits)


def test_the_headline_is_the_verdict_by_the_experiments_policy(stored: Store) -> None:
    prepared, home = stored()
    folder = prepared.experiment.folder
    (folder / "strict.yaml").write_text("gates:\n  - {metric: golden/exact_match, at_least: 0.99}\n")
    file = folder / "experiment.yaml"
    file.write_text(file.read_text().replace("seed: 17\n", "seed: 17\npolicy: strict.yaml\n"))
    prepared = prepare(folder)
    strict = gate(prepared, home, GateRequest(candidate="lora"))
    lax = Policy.model_validate({"name": "lax", "gates": [{"metric": "golden/exact_match", "at_least": 0.01}]})
    gate(prepared, home, GateRequest(candidate="lora", policy=lax))
    report = gather_report(prepared, home)
    assert report.verdict is not None
    assert report.verdict.verdict_id == strict.verdict_id


def test_a_verdict_by_another_policy_is_called_that(stored: Store) -> None:
    prepared, home = stored()
    lax = Policy.model_validate({"name": "lax", "gates": [{"metric": "golden/exact_match", "at_least": 0.01}]})
    gate(prepared, home, GateRequest(candidate="lora", policy=lax))
    assert any("by policy lax; the experiment names no policy" in one for one in gather_report(prepared, home).limits)


@pytest.mark.parametrize("text", ["https://evil.invalid/x", "www.evil.invalid", "@somebody", "a@b.invalid", "see #12"])
def test_what_github_would_link_by_itself_stays_text(text: str) -> None:
    written = markdown_cell(text)
    assert text not in written
    assert written.replace("\u200b", "").replace("\\", "") == text
