"""Exports: ratings as tables, pairs that TRL reads, and corrected answers as marked candidates for training."""

import csv
import json
from pathlib import Path

import pyarrow.parquet
import pytest

from harness.data.training import load_training_set
from harness.errors import RatingError
from harness.pipeline.campaign_close import close_campaign
from harness.pipeline.campaigns import campaign_state
from harness.pipeline.rate_export import export_campaign
from harness.records.rating import Campaign
from tests.pipeline.rated_campaign import PLAIN, TUNED, Project
from tests.pipeline.rated_project import FAILED, GUILTY


def closed(project: Project, **asked: object) -> Campaign:
    campaign = project.open(PLAIN, TUNED, raters_per_item=1, **asked)
    project.rate(campaign, "Ada", {PLAIN: 2, TUNED: 5}, corrected="a better answer")
    close_campaign(project.home, campaign.campaign_id, by="owner")
    return campaign


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_an_open_campaign_is_exported_without_systems(project: Project, tmp_path: Path) -> None:
    campaign = project.open(PLAIN, TUNED, items=2, kind="both")
    project.rate(campaign, "Ada", {PLAIN: 2, TUNED: 5})
    done = export_campaign(project.home, campaign.campaign_id, "csv", tmp_path / "r.csv")
    assert "sentinel" not in (tmp_path / "r.csv").read_text()
    assert "20261121-0900" not in (tmp_path / "r.csv").read_text()
    assert "left out until it is closed" in done.notes[0]
    for written in ("preferences", "training"):
        with pytest.raises(RatingError, match="would unblind it"):
            export_campaign(project.home, campaign.campaign_id, written, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_closed_campaign_is_exported_with_systems_in_the_order_shown(project: Project, tmp_path: Path) -> None:
    campaign = closed(project, items=3, kind="both")
    done = export_campaign(project.home, campaign.campaign_id, "csv", tmp_path / "r.csv")
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == done.rows
    levels = {(row["systems"], row["value"]) for row in rows if row["criterion"] == "accuracy"}
    assert levels == {(PLAIN, "2"), (TUNED, "5")}
    sides = {"left": f"{TUNED} {PLAIN}", "right": f"{PLAIN} {TUNED}"}
    choices = [(row["systems"], row["value"]) for row in rows if row["criterion"] == "preference"]
    assert len(choices) == 3
    assert all(sides[value] == systems for systems, value in choices)
    assert {row["corrected"] for row in rows if row["kind"] == "rubric"} == {"a better answer"}
    table = export_campaign(project.home, campaign.campaign_id, "parquet", tmp_path / "r.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "r.parquet").num_rows == table.rows == done.rows


def test_pairs_are_what_the_systems_wrote_and_load_as_a_training_set(project: Project, tmp_path: Path) -> None:
    campaign = closed(project, kind="pairwise")
    done = export_campaign(
        project.home, campaign.campaign_id, "preferences", tmp_path / "pairs.jsonl", golden_items=True
    )
    found = lines(tmp_path / "pairs.jsonl")
    # An answer that was never given is no text to learn against.
    assert done.rows == len(found) == len(campaign.item_ids) - 1
    assert FAILED not in {str(one["group"]) for one in found}
    one = next(one for one in found if one["group"] == "item-01")
    assert one["prompt"] == [{"role": "user", "content": "Name colour 1."}]
    assert one["chosen"] == [{"role": "assistant", "content": "item-01 answered 2"}]
    assert one["rejected"] == [{"role": "assistant", "content": GUILTY}]  # not masked
    source = one["source"]
    assert isinstance(source, dict)
    assert (source["chosen_system"], source["rejected_system"], source["votes"]) == (TUNED, PLAIN, 1)
    assert (source["campaign"], source["item_id"]) == (campaign.campaign_id, "item-01")
    assert "evaluation data" in str(one["notes"])
    loaded = load_training_set(tmp_path / "pairs.jsonl")
    assert (loaded.format, loaded.records[0].origin) == ("preference", "preferred")


def test_records_that_ask_golden_items_are_written_only_when_that_is_said(project: Project, tmp_path: Path) -> None:
    campaign = closed(project, items=2)
    for written in ("preferences", "training"):
        with pytest.raises(RatingError, match="--golden-items writes them all the same"):
            export_campaign(project.home, campaign.campaign_id, written, tmp_path / "x.jsonl")
    assert not (tmp_path / "x.jsonl").exists()


def test_corrected_answers_are_candidates_marked_as_such(project: Project, tmp_path: Path) -> None:
    campaign = closed(project, items=2)
    done = export_campaign(project.home, campaign.campaign_id, "training", tmp_path / "t.jsonl", golden_items=True)
    assert done.rows == 4
    records = load_training_set(tmp_path / "t.jsonl").records
    assert {(record.completion, record.origin) for record in records} == {("a better answer", "corrected")}
    assert "overlap guard" in done.notes[0]


def test_corrected_training_records_name_the_record_they_came_from(project: Project, tmp_path: Path) -> None:
    data = str(project.folder / "train.jsonl")
    campaign = project.open(kind="validate", runs=(), data=data, raters_per_item=1)
    project.rate(campaign, "Ada", {}, decision="correct", corrected="Shade: mauve")
    close_campaign(project.home, campaign.campaign_id, by="owner")
    done = export_campaign(project.home, campaign.campaign_id, "training", tmp_path / "t.jsonl")
    assert (done.rows, done.notes) == (6, ())
    originals = {record.record_hash for record in load_training_set(Path(data)).records}
    records = load_training_set(tmp_path / "t.jsonl").records
    assert {record.completion for record in records} == {"Shade: mauve"}
    assert {parent for record in records for parent in record.parents} == originals


def test_nothing_to_export_is_said(project: Project, tmp_path: Path) -> None:
    campaign = project.open(PLAIN, TUNED, items=1, raters_per_item=1)
    project.rate(campaign, "Ada", {PLAIN: 4, TUNED: 4})
    close_campaign(project.home, campaign.campaign_id, by="owner")
    assert campaign_state(project.home, campaign.campaign_id).closed is not None
    with pytest.raises(RatingError, match="no pair that raters agree on"):
        export_campaign(project.home, campaign.campaign_id, "preferences", tmp_path / "x", golden_items=True)
    with pytest.raises(RatingError, match="no corrected answer"):
        export_campaign(project.home, campaign.campaign_id, "training", tmp_path / "x", golden_items=True)


@pytest.mark.parametrize("written", ["csv", "parquet", "training"])
def test_a_file_that_cannot_be_written_is_named(project: Project, tmp_path: Path, written) -> None:
    campaign = closed(project, items=1)
    with pytest.raises(RatingError, match="Name another file with --out"):
        export_campaign(project.home, campaign.campaign_id, written, tmp_path / "no" / "x", golden_items=True)


def test_text_that_a_spreadsheet_would_run_is_defused_in_csv_and_kept_in_parquet(
    project: Project, tmp_path: Path
) -> None:
    campaign = project.open(PLAIN, TUNED, items=1, raters_per_item=1)
    typed = '=HYPERLINK("http://example.org";"x")'
    project.rate(campaign, "@Ada", {PLAIN: 2}, comment=typed, corrected="-1+1")
    export_campaign(project.home, campaign.campaign_id, "csv", tmp_path / "r.csv")
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()))
    rows = [row for row in rows if row["kind"] == "rubric"]
    assert {(row["rater"], row["comment"], row["corrected"]) for row in rows} == {("'@Ada", f"'{typed}", "'-1+1")}
    export_campaign(project.home, campaign.campaign_id, "parquet", tmp_path / "r.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "r.parquet").to_pylist()
    assert {(row["rater"], row["comment"]) for row in table if row["kind"] == "rubric"} == {("@Ada", typed)}
