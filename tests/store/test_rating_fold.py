"""Journals are folded into the ledger: any number of times, by any number of processes, and never at a rater's cost."""

import json
import signal
import subprocess
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import StoreBusyError
from harness.records.rating import CampaignEvent
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.rating_fold import Fold, FoldingThread, fold_journals
from harness.store.rating_ledger import campaigns
from harness.store.rating_lines import Revocation
from harness.store.rating_links import LiveLinks
from harness.store.rating_live import LiveCampaign
from tests.pipeline.rated import CAMPAIGN, open_plan, plan
from tests.store.test_rating_live import AT, assignment, drafted, judged, link

_TABLES = (
    "campaigns", "campaign_events", "rating_links", "rating_link_events", "rating_assignments", "rating_events",
    "rating_drafts",
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    open_plan(tmp_path, plan())
    return tmp_path


def add(home: Path, *entries) -> None:
    live = LiveCampaign(home, CAMPAIGN)
    with live.change():
        live.add(entries, "on disk")


def counts(home: Path) -> dict[str, int]:
    with Ledger(home / "harness.duckdb").read() as connection:
        found = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in _TABLES}
    return {table: int(row[0]) for table, row in found.items() if row}


def rows(home: Path, sql: str) -> list[tuple[object, ...]]:
    with Ledger(home / "harness.duckdb").read() as connection:
        return connection.execute(sql).fetchall()


def test_everything_in_the_journals_gets_to_the_ledger(home: Path):
    LiveLinks(home).add([link(), Revocation(link_id="l-1", revoked_at=AT)])
    add(home, assignment(), drafted(1, "half"), drafted(2, "more"), judged())
    fold_journals(home)
    assert list(counts(home).values()) == [1, 1, 1, 2, 1, 1, 1]
    assert campaigns(open_ledger(home, create=False)) == [plan().campaign]
    [event] = rows(home, "SELECT rater, revision, stage, seconds, epoch_us(recorded_at), answer FROM rating_events")
    assert event[:4] == ("Ada", 1, "judge", 3.0)
    assert event[4] == round(1e6 * (AT + timedelta(seconds=1)).timestamp())
    assert json.loads(str(event[5])) == {"levels": {"accuracy": 4}}
    assert rows(home, "SELECT revision, answer ->> 'comment' FROM rating_drafts") == [(2, "more")]


def test_folding_twice_or_from_another_process_changes_nothing(home: Path, python: str):
    add(home, assignment(), judged())
    fold = Fold(home)
    assert fold.fold() > 0
    before = counts(home)
    assert fold.fold() == 0
    assert fold_journals(home) == 0
    script = "import sys; from pathlib import Path; from harness.store.rating_fold import fold_journals\n"
    script += "print(fold_journals(Path(sys.argv[1])))"
    done = subprocess.run([python, "-c", script, str(home)], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "0\n"
    assert counts(home) == before


def test_only_what_is_new_is_read_again(home: Path):
    fold = Fold(home)
    add(home, assignment())
    fold.fold()
    add(home, judged())
    assert fold.fold() == 1


def test_what_could_not_be_folded_is_folded_the_next_time(home: Path):
    ledger = open_ledger(home, create=True)
    fold = Fold(home)
    add(home, assignment(), judged())
    held = threading.Event()
    release = threading.Event()

    def hold() -> None:
        with ledger.write():
            held.set()
            release.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    with pytest.raises(StoreBusyError):
        fold.fold(wait_s=0.05)
    release.set()
    holder.join()
    fold.fold()
    assert counts(home)["rating_events"] == 1


def test_an_open_campaign_shows_no_run_in_its_views_and_a_closed_one_does(home: Path):
    add(home, assignment(), judged())
    fold_journals(home)
    views = "SELECT value, run_id, run_ids FROM v_ratings WHERE criterion = 'accuracy'"
    assert rows(home, views) == [("4", None, None)]
    assert rows(home, "SELECT run_ids FROM v_rating_events") == [(None,)]
    assert rows(home, "SELECT status, judgements, definition FROM v_campaigns") == [("open", 1, None)]
    add(home, CampaignEvent(event_id="c", campaign_id=CAMPAIGN, kind="closed", at=AT, by="me", payload={}))
    fold_journals(home)
    assert rows(home, views) == [("4", "run-sentinel-1", ["run-sentinel-1"])]
    assert rows(home, "SELECT run_ids FROM v_rating_events") == [(["run-sentinel-1"],)]
    [(status, by, definition)] = rows(home, "SELECT status, closed_by, definition FROM v_campaigns")
    assert (status, by) == ("closed", "me")
    assert json.loads(str(definition))["runs"] == dict(plan().campaign.runs)


def test_the_view_of_ratings_has_the_newest_answer(home: Path):
    add(home, assignment(), judged("e-2", revision=2, level=2), judged("e-1", revision=1, level=5))
    fold_journals(home)
    assert rows(home, "SELECT value FROM v_ratings") == [("2",)]
    assert rows(home, "SELECT count(*) FROM v_rating_events") == [(2,)]


def test_a_thread_folds_what_comes_and_ends_when_told(home: Path):
    thread = FoldingThread(home)
    add(home, assignment())
    thread.start()
    add(home, judged())
    thread.wake()
    deadline = time.monotonic() + 20
    while not (home / "harness.duckdb").exists() or counts(home)["rating_events"] < 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    add(home, judged("e-2", revision=2))
    thread.stop()
    assert counts(home)["rating_events"] == 2
    assert thread.problem is None


def test_a_thread_goes_on_after_the_ledger_could_not_be_used(home: Path):
    (home / "harness.duckdb").mkdir()  # in the ledger's place
    thread = FoldingThread(home)
    add(home, assignment(), judged())
    thread.start()
    deadline = time.monotonic() + 20
    while thread.problem is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (home / "harness.duckdb").rmdir()
    thread.stop()
    assert counts(home)["rating_events"] == 1


def test_a_process_killed_between_acknowledging_and_folding_lost_nothing(home: Path, python: str):
    script = """
import os, signal, sys
from pathlib import Path
from tests.pipeline.rated import token_of, judgement
from harness.pipeline.rate import record, screen
home = Path(sys.argv[1])
token = token_of(home)
shown = screen(home, token)
print(*record(home, token, [judgement(shown)]).acknowledged, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [python, "-c", script, str(home)], capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (home / "harness.duckdb").exists()
    fold_journals(home)
    assert rows(home, "SELECT event_id FROM rating_events") == [(done.stdout.strip(),)]
