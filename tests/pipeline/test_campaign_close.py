"""Closing: once and for good, logged, with results in the ledger for comparisons and gates."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import RatingError, StoreError
from harness.pipeline.campaign_close import close_campaign
from harness.pipeline.campaigns import campaign_state, extend_campaign
from harness.pipeline.rate import record, screen
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.rating_results import campaign_agreement, campaign_notes, campaign_scores, rated_by
from harness.store.scores import metrics, scores
from tests.pipeline.rated import judgement, token_of
from tests.pipeline.rated_campaign import PLAIN, TUNED, Project

TOP = Path(__file__).parents[2]


def count(home: Path, table: str) -> int:
    with Ledger(home / "harness.duckdb").read() as connection:
        found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(found[0]) if found else 0


def test_what_raters_gave_becomes_scores_of_each_run(project: Project) -> None:
    campaign = project.open(PLAIN, TUNED, items=3)
    project.rate(campaign, "Ada", {PLAIN: 2, TUNED: 5})
    project.rate(campaign, "Bob", {PLAIN: 3, TUNED: 4})
    done = close_campaign(project.home, campaign.campaign_id, by="owner")
    ledger = open_ledger(project.home, create=False)
    by_system = {
        system: sorted(
            (score.item_id, score.sample_index, score.value)
            for score in scores(ledger, run_id, task="rating")
            if score.scorer == "accuracy"
        )
        for system, run_id in campaign.runs.items()
    }
    items = sorted(campaign.item_ids)
    assert by_system == {
        PLAIN: [(item, rater, value) for item in items for rater, value in ((0, 2.0), (1, 3.0))],
        TUNED: [(item, rater, value) for item in items for rater, value in ((0, 5.0), (1, 4.0))],
    }
    assert metrics(ledger)["rating/accuracy"].maximum == 5
    assert done.lacking == 0
    assert campaign_agreement(ledger, campaign.campaign_id)["rating/accuracy"].raters == 2
    assert rated_by(ledger, campaign.runs[PLAIN]) == [campaign.campaign_id]


def test_closing_is_logged_with_who_when_and_what_was_unblinded(project: Project) -> None:
    campaign = project.open(PLAIN, TUNED, items=1)
    for rater in ("Ada", "Bob"):
        project.rate(campaign, rater, {})
    close_campaign(project.home, campaign.campaign_id, by="Grace")
    with Ledger(project.home / "harness.duckdb").read() as connection:
        row = connection.execute(
            "SELECT recorded_by, payload ->> 'judged', payload ->> '$.unblinded.sentinel_plain' FROM campaign_events "
            "WHERE kind = 'closed'"
        ).fetchall()
        views = connection.execute("SELECT closed_by, status FROM v_campaigns").fetchall()
    assert row == [("Grace", "6", campaign.runs[PLAIN])]
    assert views == [("Grace", "closed")]


def test_closing_again_gives_the_same_and_adds_nothing(project: Project) -> None:
    campaign = project.open(PLAIN, TUNED, items=2)
    for rater in ("Ada", "Bob"):
        project.rate(campaign, rater, {PLAIN: 2, TUNED: 5})
    first = close_campaign(project.home, campaign.campaign_id, by="owner")
    tables = ("rating_scores", "rating_agreement", "rating_notes", "campaign_events", "metrics")
    before = [count(project.home, table) for table in tables]
    again = close_campaign(project.home, campaign.campaign_id, by="somebody else")
    assert (again.closed, again.results) == (first.closed, first.results)
    assert [count(project.home, table) for table in tables] == before


def test_nothing_judged_is_nothing_to_close(project: Project) -> None:
    campaign = project.open(PLAIN, TUNED)
    screen(project.home, token_of(project.home, campaign.campaign_id))
    with pytest.raises(RatingError, match="has no judgement yet"):
        close_campaign(project.home, campaign.campaign_id, by="owner", anyway=True)
    assert campaign_state(project.home, campaign.campaign_id).closed is None


def test_an_incomplete_campaign_is_closed_only_anyway_and_says_so(project: Project) -> None:
    campaign = project.open(PLAIN, TUNED, items=3)
    project.rate(campaign, "Ada", {})
    with pytest.raises(RatingError, match="is not complete: 3 of 6 ratings of items are missing"):
        close_campaign(project.home, campaign.campaign_id, by="owner")
    assert campaign_state(project.home, campaign.campaign_id).closed is None
    done = close_campaign(project.home, campaign.campaign_id, by="owner", anyway=True)
    assert done.lacking == 3
    assert any("fewer than the 2 raters" in note for note in done.results.notes)
    assert campaign_notes(open_ledger(project.home, create=False), campaign.campaign_id) == done.results.notes


def test_an_extension_is_said_with_the_results(project: Project) -> None:
    campaign = project.open(PLAIN, TUNED, items=1, raters_per_item=1)
    extend_campaign(project.home, campaign.campaign_id, items=1, raters_per_item=None, reason="more", by="owner")
    project.rate(campaign, "Ada", {})
    done = close_campaign(project.home, campaign.campaign_id, by="owner")
    assert any("extended once" in note for note in done.results.notes)


def test_a_close_that_was_interrupted_goes_on_when_closed_again(project: Project) -> None:
    campaign = project.open(PLAIN, TUNED, items=1, raters_per_item=1)
    project.rate(campaign, "Ada", {PLAIN: 2, TUNED: 5})
    holding = """
import sys
from pathlib import Path
from harness.store.ledger import Ledger
with Ledger(Path(sys.argv[1]) / "harness.duckdb").write():
    print("holding", flush=True)
    sys.stdin.readline()
"""
    closing = """
import os, signal, sys, threading
from pathlib import Path
from harness.pipeline.campaign_close import close_campaign
threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGKILL)).start()
close_campaign(Path(sys.argv[1]), sys.argv[2], by="first")
"""
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(project.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holding\n"
        killed = subprocess.run(
            [sys.executable, "-c", closing, str(project.home), campaign.campaign_id], cwd=TOP, timeout=60, check=False
        )
        assert killed.returncode == -9
        holder.kill()
    assert count(project.home, "rating_scores") == 0
    done = close_campaign(project.home, campaign.campaign_id, by="second")
    assert done.closed.by == "first"
    assert count(project.home, "rating_scores") > 0


def test_of_two_campaigns_over_one_run_the_one_closed_last_is_read_and_both_are_kept(project: Project) -> None:
    values = {}
    for level in (2, 5):
        campaign = project.open(PLAIN, TUNED, items=2, raters_per_item=1, seed=level)
        project.rate(campaign, "Ada", {PLAIN: level, TUNED: level})
        close_campaign(project.home, campaign.campaign_id, by="owner")
        values[campaign.campaign_id] = level
    ledger = open_ledger(project.home, create=False)
    run_id = campaign.runs[PLAIN]
    read = [score for score in scores(ledger, run_id, task="rating") if score.scorer == "accuracy"]
    assert [score.value for score in read] == [5.0, 5.0]
    assert rated_by(ledger, run_id) == list(reversed(values))
    for campaign_id, level in values.items():
        kept = campaign_scores(ledger, campaign_id)[run_id]
        assert {score.value for score in kept if score.scorer == "accuracy"} == {float(level)}


def test_an_open_campaign_has_no_results(project: Project) -> None:
    campaign = project.open(PLAIN, TUNED, items=1)
    project.rate(campaign, "Ada", {})
    ledger = open_ledger(project.home, create=False)
    assert scores(ledger, campaign.runs[PLAIN], task="rating") == []
    assert (rated_by(ledger, campaign.runs[PLAIN]), campaign_scores(ledger, campaign.campaign_id)) == ([], {})


def test_validated_data_have_no_scores_and_keep_their_outcome(project: Project) -> None:
    campaign = project.open(kind="validate", runs=(), items=2, raters_per_item=1)
    project.rate(campaign, "Ada", {}, decision="reject")
    done = close_campaign(project.home, campaign.campaign_id, by="owner")
    assert done.results.scores == {}
    with Ledger(project.home / "harness.duckdb").read() as connection:
        rows = connection.execute("SELECT criterion, value, count(*) FROM v_ratings GROUP BY ALL").fetchall()
        about = connection.execute("SELECT definition ->> 'validated_sha256' FROM v_campaigns").fetchall()
    assert rows == [("decision", "reject", 2)]
    assert about == [(campaign.golden_sha256,)]


def test_no_judgement_after_closing_counts(project: Project) -> None:
    campaign = project.open(PLAIN, TUNED, items=2, raters_per_item=1)
    token = token_of(project.home, campaign.campaign_id)
    shown = screen(project.home, token)
    record(project.home, token, [judgement(shown)])
    close_campaign(project.home, campaign.campaign_id, by="owner", anyway=True)
    assert record(project.home, token, [judgement(shown, rev=99)]).acknowledged == ()
    assert count(project.home, "rating_events") == 1


def test_a_home_without_its_journal_says_what_is_missing(project: Project) -> None:
    with pytest.raises(StoreError, match="no plan of this campaign"):
        close_campaign(project.home, "c-none", by="owner")


def test_the_command_closes_a_campaign_under_a_servers_hands_and_both_agree(project: Project) -> None:
    campaign = project.open(PLAIN, TUNED, items=7, raters_per_item=2)
    tokens = [token_of(project.home, campaign.campaign_id, name) for name in ("Ada", "Bob")]
    serving = """
import sys, time
from pathlib import Path
from harness.errors import LinkError
from harness.pipeline.rate import record, screen, start, stop
from tests.pipeline.rated import judgement
home, tokens = Path(sys.argv[1]), sys.argv[2:]
start(home)
print("ready", flush=True)
try:
    while True:
        for token in tokens:
            shown = screen(home, token)
            print(*record(home, token, [judgement(shown)]).acknowledged, flush=True)
            time.sleep(0.3)
except LinkError as over:
    print(over.why, flush=True)
stop(home)
"""
    with subprocess.Popen(
        [sys.executable, "-c", serving, str(project.home), *tokens], stdout=subprocess.PIPE, text=True, cwd=TOP
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        first = server.stdout.readline().strip()
        command = [sys.executable, "-m", "harness", "rate", "close", "--anyway", "--json", "--by", "owner"]
        done = subprocess.run(
            [*command, "--home", str(project.home)], cwd=TOP, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        *acknowledged, why = server.stdout.read().split()
        assert (server.wait(timeout=60), why) == (0, "closed")
    acknowledged = sorted([first, *acknowledged])
    with Ledger(project.home / "harness.duckdb").read() as connection:
        stored = [row[0] for row in connection.execute("SELECT event_id FROM rating_events ORDER BY 1").fetchall()]
        judged = connection.execute("SELECT payload ->> 'judged' FROM campaign_events WHERE kind = 'closed'").fetchall()
    assert stored == acknowledged
    assert judged == [(str(len(acknowledged)),)]
    scored = campaign_scores(open_ledger(project.home, create=False), campaign.campaign_id)
    assert sum(score.scorer == "accuracy" for of_run in scored.values() for score in of_run) == len(acknowledged)
