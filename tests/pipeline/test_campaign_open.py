"""Opening a campaign fixes what is rated, by which rubric and design; what does not fit is said, all at once."""

import dataclasses
import json
from pathlib import Path

import pytest

from harness.errors import ComparisonError, ConfigError, RatingError, StoreError
from harness.pipeline.campaign_open import CampaignRequest, open_campaign
from harness.pipeline.campaigns import campaign_list, campaign_state
from harness.pipeline.prepare import prepare
from harness.records.runs import RunEvent
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.rating_ledger import campaigns
from harness.store.rating_plans import read_plan
from harness.store.runs import append_event, find_run, start_run
from tests.pipeline.rated import rate_all, token_of
from tests.pipeline.rated_campaign import Project
from tests.pipeline.rated_project import FAILED, GUILTY, RETIRED, SEALED, SYSTEMS


def test_a_campaign_fixes_runs_items_rubric_and_design(project: Project) -> None:
    campaign = project.open("sentinel_tuned", "sentinel_plain", items=4, calibration=2, raters_per_item=3)
    assert dict(campaign.runs) == {
        "sentinel_tuned": "20261121-090002-aaaaaa",
        "sentinel_plain": "20261121-090000-aaaaaa",
    }
    assert (len(campaign.item_ids), len(campaign.calibration_ids), campaign.raters_per_item) == (4, 2, 3)
    assert not set(campaign.item_ids) & set(campaign.calibration_ids)
    assert (campaign.golden_set, campaign.golden_version, campaign.seed) == ("colours", "1.0.0", 17)
    assert json.loads(campaign.rubric_text)["name"] == "colours"
    assert campaigns(open_ledger(project.home, create=False)) == [campaign]
    assert [event.kind for event in campaign_state(project.home, campaign.campaign_id).campaign_events] == ["opened"]


def test_sealed_and_retired_items_are_in_no_campaign(project: Project) -> None:
    campaign = project.open()
    plan = read_plan(project.home, campaign.campaign_id)
    assert len(campaign.item_ids) == 8
    assert not {SEALED, RETIRED} & {*campaign.item_ids, *plan.items}


def test_a_system_that_gave_no_answer_is_shown_with_none(project: Project) -> None:
    plan = read_plan(project.home, project.open().campaign_id)
    texts = {run_id: answer.text for run_id, answer in plan.items[FAILED].answers.items()}
    assert texts == {
        "20261121-090000-aaaaaa": "(no answer)",
        "20261121-090001-aaaaaa": f"{FAILED} answered 1",
        "20261121-090002-aaaaaa": f"{FAILED} answered 2",
    }


def test_names_of_systems_and_models_in_an_answer_are_masked_and_the_answer_is_marked(project: Project) -> None:
    answer = read_plan(project.home, project.open().campaign_id).items["item-01"].answers["20261121-090000-aaaaaa"]
    assert "sentinel" not in answer.text
    assert "tiny" not in answer.text
    assert answer.text.count("[model]") == 2 < len(GUILTY)
    assert answer.masked


def test_no_screen_names_a_system_a_run_or_a_model(project: Project) -> None:
    campaign_id = project.open(kind="both").campaign_id
    seen = rate_all(project.home, token_of(project.home, campaign_id))
    text = json.dumps([dataclasses.asdict(shown) for shown in seen], default=str)
    assert not any(name in text for name in ("sentinel", "tiny-model", "20261121-09"))
    assert "[model]" in text


def test_the_same_seed_draws_the_same_items_and_another_one_others(project: Project) -> None:
    first, again = (project.open(items=4).item_ids for _ in range(2))
    assert first == again
    assert len({project.open(items=4, seed=seed).item_ids for seed in range(5)}) > 1


def test_a_run_may_be_named_by_its_id_and_two_of_one_system_are_told_apart(project: Project) -> None:
    ledger = open_ledger(project.home, create=False)
    assert set(project.open("20261121-090001", "sentinel_plain").runs) == {"sentinel_shots", "sentinel_plain"}
    twin = dataclasses.replace(find_run(ledger, "20261121-090001").run, run_id="20261121-100000-bbbbbb")
    start_run(ledger, twin)
    append_event(ledger, RunEvent(run_id=twin.run_id, status="finished", at=twin.started_at, reason=None, facts={}))
    named = project.open("20261121-090001", "20261121-100000").runs
    assert set(named) == {
        "sentinel_shots (20261121-090001-aaaaaa)",
        "sentinel_shots (20261121-100000-bbbbbb)",
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"runs": ()}, "--runs is missing"),
        ({"runs": ("sentinel_plain",), "kind": "pairwise"}, "--kind pairwise needs two or more"),
        ({"runs": ("sentinel_plain", "sentinel_plain")}, "names a system twice"),
        ({"runs": ("sentinel_plain", "20261121-090000")}, "names the same run twice"),
        ({"runs": ("base",)}, "`base` answers no golden item"),
        ({"raters_per_item": 0}, "--raters-per-item is 0; allowed: 1 or more"),
        ({"items": 0}, "--items is 0"),
        ({"calibration": -1}, "--calibration is -1"),
        ({"repeats": 0.6}, "--repeats is 0.6; allowed: 0 to 0.5"),
        ({"repeats": float("nan")}, "--repeats is nan"),
        ({"lease_minutes": 0}, "--lease-minutes is 0"),
        ({"items": 8, "calibration": 1}, "ask for 9 items; 8 can be shown"),
        ({"kind": "validate"}, "looks at data, not at runs"),
    ],
)
def test_what_cannot_be_opened_is_refused_and_leaves_nothing(
    project: Project, asked: dict[str, object], said: str
) -> None:
    with pytest.raises(RatingError, match=said):
        open_campaign(
            project.home,
            CampaignRequest(experiment=project.folder, by="owner", **{"runs": SYSTEMS, **asked}),  # type: ignore[arg-type]
        )
    assert campaign_list(project.home) == ()


def test_all_that_is_wrong_is_said_at_once(project: Project) -> None:
    with pytest.raises(RatingError, match=r"3 problems\n.*raters-per-item.*\n.*items.*\n.*repeats"):
        project.open(raters_per_item=0, items=-1, repeats=7)


def test_a_system_without_a_finished_run_is_named_with_the_next_step(project: Project) -> None:
    with pytest.raises(ComparisonError, match="sentinal_plain"):
        project.open("sentinal_plain", "sentinel_tuned")
    with pytest.raises(ComparisonError, match="--only human"):
        project.open("sentinel_plain", "human")


def test_a_persons_answers_are_a_run_like_any_other(project: Project) -> None:
    ledger = open_ledger(project.home, create=False)
    human = dataclasses.replace(find_run(ledger, "20261121-090001").run, run_id="h-1", system="human")
    human = dataclasses.replace(human, inputs_hash=prepare(project.folder).human_hash())
    start_run(ledger, human)
    append_event(ledger, RunEvent(run_id="h-1", status="finished", at=human.started_at, reason=None, facts={}))
    assert dict(project.open("sentinel_plain", "human").runs)["human"] == "h-1"


def test_a_golden_set_without_a_rubric_can_only_be_compared_in_pairs(project: Project) -> None:
    (project.folder / "golden_sets" / "colours" / "rubric.yaml").unlink()
    with pytest.raises(RatingError, match=r"there is no rubric\.yaml"):
        project.open()
    campaign = project.open(kind="pairwise")
    assert campaign.rubric_text == ""
    seen = rate_all(project.home, token_of(project.home, campaign.campaign_id))
    assert {shown.question for shown in seen if shown.kind == "pairwise"} == {"Which answer is better?"}


def test_a_rubric_that_is_wrong_is_said_before_anything_is_written(project: Project) -> None:
    (project.folder / "golden_sets" / "colours" / "rubric.yaml").write_text("name: colours\n")
    with pytest.raises(ConfigError, match=r"rubric\.yaml"):
        project.open()
    assert campaign_list(project.home) == ()


def test_without_a_ledger_nothing_can_be_rated(project: Project, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no ledger here"):
        Project(project.folder, tmp_path / "empty").open()


@pytest.mark.parametrize("data", ["golden", "train.jsonl"])
def test_data_can_be_validated_with_the_version_that_was_looked_at(project: Project, data: str) -> None:
    place = data if data == "golden" else str(project.folder / data)
    request = CampaignRequest(experiment=project.folder, by="owner", kind="validate", data=place, raters_per_item=1)
    campaign = open_campaign(project.home, request)
    assert (campaign.validated, campaign.runs) == (data, {})
    assert len(str(campaign.validated_sha256)) == 64
    seen = rate_all(project.home, token_of(project.home, campaign.campaign_id))
    judged = [shown for shown in seen if shown.kind == "validate"]
    assert {shown.turns[0][1] for shown in judged} >= {
        "Name colour 3." if data == "golden" else "What is shade 3?",
    }
    assert {shown.answers[0].text for shown in judged} >= {"Colour: 3" if data == "golden" else "Shade: 3"}
    assert len(campaign.item_ids) == (8 if data == "golden" else 6)


def test_the_ledger_shows_nobody_the_runs_of_an_open_campaign(project: Project) -> None:
    project.open()
    with Ledger(project.home / "harness.duckdb").read() as connection:
        assert connection.execute("SELECT status, definition FROM v_campaigns").fetchall() == [("open", None)]
