"""What experts said reaches comparisons, gates and reports: a campaign is rated, closed, and decided upon."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.config.policy import Gate, Policy
from harness.errors import ComparisonError, ConfigError
from harness.pipeline.board import leaderboard
from harness.pipeline.campaign_close import close_campaign
from harness.pipeline.campaign_open import CampaignRequest, open_campaign
from harness.pipeline.campaign_view import campaign_view, disagreements
from harness.pipeline.campaigns import adjudicate, extend_campaign
from harness.pipeline.decide import compare_systems
from harness.pipeline.gate import GateRequest, gate, rederive
from harness.pipeline.human import record_human
from harness.pipeline.prepare import Prepared, prepare
from harness.pipeline.rate import record, screen
from harness.pipeline.report import gather_report
from harness.pipeline.side_by_side import compare_runs
from harness.pipeline.verify import verdict_differences
from harness.records.rating import Adjudication, Screen
from harness.report.page import render_html, render_markdown
from tests.pipeline.rated import judgement, token_of
from tests.pipeline.rated_project import run_project, write_project

PLAIN, SHOTS, TUNED, HUMAN = "sentinel_plain", "sentinel_shots", "sentinel_tuned", "human"


class Quiet:
    """Says nothing; nothing here takes long."""

    def say(self, text: str) -> None:
        assert text


def worth(text: str, rater: str) -> int:
    """What a rater thinks of an answer: experts' are best, then tuned, shots, plain; raters differ a little."""
    luck = hashlib.sha256(f"{rater} {text}".encode()).digest()[0]
    best = 5 if text.startswith("Colour") else 4 if text.endswith("2") else 3 if text.endswith("1") else 2
    return max(1, best - (luck < 60))


def answer_of(shown: Screen, rater: str) -> Mapping[str, object]:
    values = [worth(one.text, rater) for one in shown.answers]
    match shown.kind:
        case "rubric":
            return {"levels": {"accuracy": values[0], "form": "pass"}, "critical_error": values[0] == 1}
        case "pairwise":
            left, right = values
            return {"choice": "tie" if left == right else "left" if left > right else "right", "strength": None}
        case _:
            return {"guess": values.index(max(values))}


def rate(home: Path, campaign_id: str, rater: str, *, screens: int = 10_000) -> None:
    token = token_of(home, campaign_id, rater)
    for _ in range(screens):
        shown = screen(home, token)
        if shown.assignment_id is None:
            return
        sent = judgement(shown)
        sent["answer"] = answer_of(shown, rater)
        assert record(home, token, [sent]).refused == {}


def opened(folder: Path, home: Path, raters: int = 2, **changes: object) -> str:
    asked = CampaignRequest(
        experiment=folder,
        by="owner",
        raters_per_item=raters,
        **{"runs": (TUNED, PLAIN, SHOTS), "kind": "both", **changes},  # type: ignore[arg-type]
    )
    return open_campaign(home, asked).campaign_id


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return rated_project(tmp_path_factory.mktemp("rated"))


def rated_project(place: Path) -> tuple[Path, Path]:
    """An experiment whose answers two raters have rated, and its home."""
    folder, home = write_project(place / "colours"), place / "home"
    run_project(folder, home)
    campaign_id = opened(folder, home)
    for rater in ("Ada", "Bea"):
        rate(home, campaign_id, rater)
    close_campaign(home, campaign_id, by="owner")
    return folder, home


@pytest.fixture
def prepared(project: tuple[Path, Path]) -> Prepared:
    return prepare(project[0])


@pytest.fixture
def home(project: tuple[Path, Path]) -> Path:
    return project[1]


def policy(**changes: object) -> Policy:
    rule = {"metric": "rating/accuracy", "test": "superiority", "against": PLAIN, **changes}
    return Policy(name="p", gates=(Gate(**rule),))  # type: ignore[arg-type]


def test_ratings_and_preference_are_compared_like_any_other_metric(prepared: Prepared, home: Path) -> None:
    report = compare_systems(prepared, home, candidate=TUNED, against=[PLAIN, SHOTS])
    found = {(one.metric, one.baseline): one for one in report.comparisons}
    accuracy = found["rating/accuracy", PLAIN]
    assert 1.5 < accuracy.difference < 2.5
    assert accuracy.n == 8
    assert accuracy.ci_low is not None
    assert accuracy.ci_low > 0
    assert any("Only 2 raters: they are taken as fixed" in one for one in accuracy.warnings)
    assert 0 < found["rating/accuracy", SHOTS].difference < accuracy.difference
    preferred = found["rating/preference", PLAIN]
    assert preferred.difference == 1.0
    assert preferred.candidate_value == 1.0
    assert found["rating/preference", SHOTS].difference > 0
    assert report.strengths is not None
    assert [one.name for one in report.strengths.strengths] == [TUNED, SHOTS, PLAIN]
    assert not any(":" in metric for metric, _ in found)


@pytest.mark.parametrize(
    ("changes", "outcome", "said"),
    [
        ({"min_raters": 2, "min_agreement": 0.2}, "pass", "raters agree at alpha"),
        ({"min_raters": 3}, "inconclusive", "2 raters have rated, and 3 are asked for"),
        ({"min_agreement": 0.99}, "inconclusive", "under 0.99, so these ratings cannot carry a verdict"),
        ({"at_least": 4.9, "test": None, "against": ()}, "fail", "even the upper end is under 4.900"),
        ({"metric": "rating/preference"}, "pass", "the whole interval lies above 0"),
        ({"metric": "rating/preference", "min_agreement": -0.9}, "pass", "raters agree"),
    ],
)
def test_a_gate_on_ratings_asks_for_raters_who_agree(
    prepared: Prepared, home: Path, changes: Mapping[str, object], outcome: str, said: str
) -> None:
    verdict = gate(prepared, home, GateRequest(candidate=TUNED, policy=policy(**changes)))
    words = " ".join(finding.words for finding in verdict.gates[0].findings)
    assert (verdict.outcome, said in words or said in str(verdict.notes)) == (outcome, True), words


def test_a_verdict_on_ratings_is_derived_again_even_after_another_campaign(tmp_path: Path) -> None:
    folder, home = rated_project(tmp_path)
    prepared = prepare(folder)
    both = Policy(name="p", gates=(policy().gates[0], policy(metric="rating/preference").gates[0]))
    verdict = gate(prepared, home, GateRequest(candidate=TUNED, policy=both))
    read = {one.metric.partition(":")[0] for one in verdict.evidence}
    assert read == {"rating/accuracy", "rating/preference"}
    assert len(verdict.evidence) == 4
    assert verdict_differences(verdict, rederive(home, verdict)) == []
    later = opened(folder, home, raters=1, items=3, kind="rubric")
    rate(home, later, "Cleo")
    close_campaign(home, later, by="owner", anyway=True)
    assert verdict_differences(verdict, rederive(home, verdict)) == []
    again = gate(prepared, home, GateRequest(candidate=TUNED, policy=both))
    assert {one.evaluation == later for one in again.evidence if one.metric == "rating/accuracy"} == {True}
    assert {one.evaluation == later for one in again.evidence if one.metric != "rating/accuracy"} == {False}


def test_preference_alone_is_no_value_to_hold_to_a_limit() -> None:
    with pytest.raises(ValueError, match="rating/preference is about two systems"):
        Gate(metric="rating/preference", at_least=0.6)


def test_the_report_shows_what_experts_said_and_whether_they_were_blind(prepared: Prepared, home: Path) -> None:
    report = gather_report(prepared, home, candidate=TUNED)
    section = report.ratings[-1]
    by_system = {(one.metric, one.system): one for one in section.systems}
    assert by_system["rating/accuracy", TUNED].estimate.value > by_system["rating/accuracy", PLAIN].estimate.value
    assert by_system["rating/accuracy", PLAIN].adjusted is not None
    assert section.strengths is not None
    assert [one.name for one in section.strengths.strengths] == [TUNED, SHOTS, PLAIN]
    won = {(one.winner, one.loser): one.share for one in section.wins}
    assert won[PLAIN, TUNED] == 0.0 if (PLAIN, TUNED) in won else won[TUNED, PLAIN] == 1.0
    assert len(won) == 3
    assert any("a model's name was masked" in note for note in section.notes)
    for page in (render_html(report), render_markdown(report)):
        assert "What experts said" in page
        assert "Bradley-Terry" in page
    assert not any("No expert has rated" in limit for limit in report.limits)


def test_boards_and_comparison_pages_show_ratings_and_no_choice_against_a_third(home: Path) -> None:
    board = leaderboard(home, "colours")
    names = [metric.name for metric in board.metrics]
    assert "rating/accuracy" in names
    assert not any(":" in name for name in names)
    runs = {row.system: row.state.run.run_id for row in (*board.rows, *board.apart)}
    pages = compare_runs(home, runs[TUNED], runs[PLAIN])
    assert "rating/preference" in [one.metric for one in pages.comparisons]


def test_an_expert_is_a_system_like_any_other_and_her_references_are_right_by_construction(tmp_path: Path) -> None:
    folder, home = write_project(tmp_path / "p"), tmp_path / "home"
    run_project(folder, home)
    prepared = prepare(folder)
    record_human(prepared, home, Quiet())  # type: ignore[arg-type]
    campaign_id = opened(folder, home, raters=1, runs=(TUNED, HUMAN), kind="rubric")
    rate(home, campaign_id, "Ada")
    close_campaign(home, campaign_id, by="owner")
    rows = compare_systems(prepared, home, candidate=TUNED, against=[HUMAN]).comparisons
    accuracy = next(one for one in rows if one.metric == "rating/accuracy")
    assert accuracy.baseline_value > accuracy.candidate_value
    report = gather_report(prepared, home, candidate=TUNED)
    human = next(one for one in report.systems if one.name == HUMAN)
    assert human.estimates["golden/exact_match"].value == 1.0
    assert any("by construction" in note for note in human.notes)
    assert human.how == (("answers", "an expert's, from the golden references"),)
    board = leaderboard(home, "colours")
    assert HUMAN in [row.system for row in (*board.rows, *board.apart)]
    assert board.baseline == PLAIN


def test_the_owner_sees_how_raters_agree_and_nothing_of_which_system_is_which(tmp_path: Path) -> None:
    folder, home = write_project(tmp_path / "p"), tmp_path / "home"
    runs = run_project(folder, home)
    record_human(prepare(folder), home, Quiet())  # type: ignore[arg-type]
    campaign_id = opened(folder, home, repeats=0.3)
    for rater in ("Ada", "Bea"):
        rate(home, campaign_id, rater, screens=26)
    view = campaign_view(home, campaign_id)
    assert view.results is None
    accuracy = next(one for one in view.agreement if one.metric == "rating/accuracy")
    assert accuracy.alpha.alpha is not None
    assert accuracy.exact is not None
    assert {one.rater for one in view.severity} == {"Ada", "Bea"}
    assert all(one.same == one.answers for one in view.consistency)
    assert {one.rater for one in view.paces} == {"Ada", "Bea"}
    shown = repr((view.agreement, view.severity, view.consistency, view.sides, view.paces, view.leaks, view.enough))
    for hidden in (*runs, *runs.values(), HUMAN):
        assert hidden not in shown
    rate(home, campaign_id, "Ada")
    rate(home, campaign_id, "Bea")
    closed = close_campaign(home, campaign_id, by="owner")
    assert closed.lacking == 0
    assert campaign_view(home, campaign_id).results is not None


def test_what_was_adjudicated_stands_beside_the_raw_ratings(tmp_path: Path) -> None:
    folder, home = write_project(tmp_path / "p"), tmp_path / "home"
    run_project(folder, home)
    asked = CampaignRequest(experiment=folder, by="owner", runs=(TUNED, PLAIN), raters_per_item=2, repeats=0.0)
    campaign_id = open_campaign(home, asked).campaign_id
    for rater, level in (("Ada", 1), ("Bea", 5)):
        token = token_of(home, campaign_id, rater)
        while (shown := screen(home, token)).assignment_id is not None:
            sent = judgement(shown)
            levels = {"levels": {"accuracy": level, "form": "pass"}}
            sent["answer"] = levels if shown.kind == "rubric" else {"guess": None}
            record(home, token, [sent])
    found = disagreements(home, campaign_id)
    assert len(found) == 16  # 8 items, 2 systems
    assert {one.gap for one in found} == {4.0}
    assert {(said.rater, said.value) for said in found[0].said} == {("Ada", 1.0), ("Bea", 5.0)}
    one = Adjudication(
        assignment_id=found[0].assignment_id, criterion="accuracy", value=2, method="consensus", note="as agreed"
    )
    adjudicate(home, campaign_id, one, by="owner")
    assert campaign_view(home, campaign_id).disagreements == 15
    assert disagreements(home, campaign_id)[-1].settled == 2.0
    close_campaign(home, campaign_id, by="owner")
    prepared = prepare(folder)
    by_metric = {
        row.metric: row for row in compare_systems(prepared, home, candidate=TUNED, against=[PLAIN]).comparisons
    }
    raw, settled = by_metric["rating/accuracy"], by_metric["rating/accuracy:adjudicated"]
    assert raw.candidate_value == raw.baseline_value == 3.0
    assert {settled.candidate_value, settled.baseline_value} == {3.0, 3.0 - 1 / 8}
    assert any("adjudicated; raw ones stay" in warning for warning in raw.warnings)


def test_systems_that_were_rated_in_different_campaigns_are_not_held_against_each_other_silently(
    tmp_path: Path,
) -> None:
    folder, home = write_project(tmp_path / "p"), tmp_path / "home"
    run_project(folder, home)
    for run in (TUNED, PLAIN):
        asked = CampaignRequest(experiment=folder, by="owner", runs=(run,), raters_per_item=1, repeats=0.0)
        campaign_id = open_campaign(home, asked).campaign_id
        rate(home, campaign_id, "Ada")
        close_campaign(home, campaign_id, by="owner")
    prepared = prepare(folder)
    row = next(
        one
        for one in compare_systems(prepared, home, candidate=TUNED, against=[PLAIN]).comparisons
        if one.metric == "rating/accuracy"
    )
    assert any("Have both rated in one campaign" in warning for warning in row.warnings)
    verdict = gate(prepared, home, GateRequest(candidate=TUNED, policy=policy()))
    assert verdict.outcome == "inconclusive"
    assert "harness rate open" in str(verdict.gates[0].findings[0].remedy)


def test_human_is_found_only_once_it_was_recorded(tmp_path: Path) -> None:
    folder, home = write_project(tmp_path / "p"), tmp_path / "home"
    run_project(folder, home)
    with pytest.raises(ComparisonError, match="never been run"):
        compare_systems(prepare(folder), home, candidate=TUNED, against=[HUMAN])


def test_human_is_no_name_for_a_system_of_the_experiment(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "p")
    file = folder / "experiment.yaml"
    file.write_text(file.read_text().replace("sentinel_plain", HUMAN))
    with pytest.raises(ConfigError, match="choose another name"):
        prepare(folder)


def test_items_that_nobody_came_to_before_the_close_are_missing_to_a_gate(tmp_path: Path) -> None:
    folder, home = write_project(tmp_path / "p"), tmp_path / "home"
    run_project(folder, home)
    campaign_id = opened(folder, home, raters=1, runs=(TUNED, PLAIN), items=5, repeats=0.0)
    rate(home, campaign_id, "Ada", screens=9)  # three items of five
    extend_campaign(home, campaign_id, items=1, raters_per_item=None, reason="more is better", by="owner")
    close_campaign(home, campaign_id, by="owner", anyway=True)
    prepared = prepare(folder)
    gates = (policy().gates[0], policy(metric="rating/preference").gates[0])
    verdict = gate(prepared, home, GateRequest(candidate=TUNED, policy=Policy(name="p", gates=gates)))
    for judged in verdict.gates:
        [finding] = judged.findings
        assert (finding.outcome, finding.n, finding.n_missing) == ("inconclusive", 3, 3)
        assert "3 items are missing (3 never rated)" in finding.words
        assert "open another with `harness rate open" in str(finding.remedy)
    assert verdict_differences(verdict, rederive(home, verdict)) == []
    failing = policy(on_missing="fail")
    assert gate(prepared, home, GateRequest(candidate=TUNED, policy=failing)).outcome == "fail"


def test_a_pair_of_several_systems_is_missing_where_no_pair_was_judged(tmp_path: Path) -> None:
    folder, home = write_project(tmp_path / "p"), tmp_path / "home"
    run_project(folder, home)
    campaign_id = opened(folder, home, raters=1, kind="pairwise", items=7, repeats=0.0)
    rate(home, campaign_id, "Ada", screens=6)  # six of seven items, each with one of three pairs
    close_campaign(home, campaign_id, by="owner", anyway=True)
    prepared, one = prepare(folder), Policy(name="p", gates=policy(metric="rating/preference").gates)
    [finding] = gate(prepared, home, GateRequest(candidate=TUNED, policy=one)).gates[0].findings
    assert (finding.n, finding.n_missing) == (2, 1)
