"""What the ledger keeps of sealed items, of allowed overlaps and of looks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from harness.errors import StoreError
from harness.records.generations import Generation
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message
from harness.records.overlaps import Allowance, RunOverlap
from harness.records.scores import Score
from harness.store.answers import record_answers
from harness.store.generations import generations
from harness.store.golden import golden_items, golden_set, record_golden_set
from harness.store.ledger import Ledger
from harness.store.overlaps import record_overlaps, run_overlaps
from harness.store.scores import own_scores, scores
from harness.store.sealed import SealedEvent, append_sealed_event, sealed_stage

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
GENERATION = Generation(item_id="i", item_hash="h", text="four", finish_reason="stop")
SCORE = Score(task="golden", item_id="i", item_hash="h", scorer="exact_match", value=1.0)


def item(item_id: str, **more: object) -> Item:
    return Item(item_id=item_id, input=(Message(role="user", content=item_id),), references=("!",), **more)


def test_sealed_answers_and_scores_are_kept_apart(ledger: Ledger, fresh_run: Callable[[], str]) -> None:
    run_id = fresh_run()
    assert [record_answers(ledger, run_id, [GENERATION], [SCORE], part="sealed") for _ in range(2)] == [1, 0]
    assert generations(ledger, run_id, part="sealed") == [GENERATION]
    assert own_scores(ledger, run_id, part="sealed") == [SCORE]
    assert generations(ledger, run_id) == []
    assert scores(ledger, run_id) == []


def test_items_are_read_by_part_and_retired_ones_by_neither(ledger: Ledger) -> None:
    every = (item("a"), item("b", sealed=True), item("c"))
    retired = (item("d", retired="withdrawn"), item("e", sealed=True, retired="leaked"))
    record = GoldenSet(name="n", version="1", sha256="s", licence="CC0", items=every, scorers=(), retired=retired)
    record_golden_set(ledger, record)
    assert [one.item_id for one in golden_items(ledger, "s")] == ["a", "c"]
    assert [one.item_id for one in golden_items(ledger, "s", part="sealed")] == ["b"]
    assert golden_set(ledger, "s") == record


def test_a_stage_has_a_history_of_its_own_that_is_read_as_of_a_moment(
    ledger: Ledger, fresh_run: Callable[[], str]
) -> None:
    run_id = fresh_run()
    assert sealed_stage(ledger, run_id) is None
    events = [
        SealedEvent(run_id=run_id, status=status, at=NOW + timedelta(minutes=n), reason=why, by="ann", facts={"n": n})
        for n, (status, why) in enumerate([("running", None), ("interrupted", "Ctrl-C"), ("finished", None)])
    ]
    for event in events:
        append_sealed_event(ledger, event)
    assert sealed_stage(ledger, run_id) == events[2]
    assert sealed_stage(ledger, run_id, until=NOW + timedelta(seconds=90)) == events[1]
    assert sealed_stage(ledger, run_id, until=NOW - timedelta(seconds=1)) is None
    with pytest.raises(StoreError, match="not in the ledger"):
        append_sealed_event(ledger, SealedEvent(run_id="?", status="running", at=NOW, reason=None, by="a", facts={}))


def test_a_pair_stays_as_it_was_first_allowed(ledger: Ledger, fresh_run: Callable[[], str]) -> None:
    run_id = fresh_run()

    def pair(line: int, reason: str) -> RunOverlap:
        return RunOverlap(
            scored="golden",
            training_sha256="t",
            line=line,
            item_id="i",
            kind="similar",
            share=0.75,
            allowance=Allowance(reason=reason, by="ann", at=NOW),
        )

    assert record_overlaps(ledger, run_id, [pair(1, "first")]) == 1
    assert record_overlaps(ledger, run_id, [pair(1, "second"), pair(2, "second")]) == 1
    assert run_overlaps(ledger, run_id) == [pair(1, "first"), pair(2, "second")]
    assert run_overlaps(ledger, "another") == []
    with pytest.raises(StoreError, match="not in the ledger"):
        record_overlaps(ledger, "another", [pair(1, "first")])
