"""What somebody with an SQL prompt may do to the registry, and what is seen of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import RegistryError, StoreError
from harness.records.registry import RegistryEvent
from harness.store.chain import NewEvent, append, broken_links, events, link_hash
from harness.store.keys import read_key
from harness.store.ledger import Ledger
from harness.store.payloads import read_promotion, read_verdict, read_waiver

AT = datetime(2026, 11, 21, 6, 49, 12, 345678, tzinfo=UTC)


def _new(number: int) -> NewEvent:
    return NewEvent(kind="verdict", event_id=f"v{number}", alias="a@b", at=AT, payload=json.dumps({"outcome": "fail"}))


@pytest.fixture
def home(ledger: Ledger) -> Path:
    return ledger.path.parent


@pytest.fixture
def chained(ledger: Ledger, home: Path) -> Ledger:
    """Five events."""
    for number in range(1, 6):
        append(ledger, home, _new(number))
    return ledger


def _tamper(ledger: Ledger, *statements: str) -> None:
    with ledger.write() as connection:
        for statement in statements:
            connection.execute(statement)


def _problems(ledger: Ledger, home: Path) -> list[str]:
    return broken_links(events(ledger), read_key(home))


def test_an_untouched_chain_holds(chained: Ledger, home: Path):
    assert _problems(chained, home) == []


@pytest.mark.parametrize(
    "edit",
    [
        """payload = '{"outcome": "pass"}'""",
        'payload = \'{"outcome":"fail"}\'',  # the same JSON, written otherwise
        "kind = 'waiver'",
        "event_id = 'v9'",
        "alias = 'a@c'",
        "alias = NULL",
        "recorded_at = recorded_at + INTERVAL 1 MICROSECOND",
    ],
)
def test_any_edited_column_is_found_and_named(chained: Ledger, home: Path, edit: str):
    _tamper(chained, f"UPDATE registry_events SET {edit} WHERE sequence = 3")
    (problem,) = _problems(chained, home)
    assert problem.startswith("event 3 (")
    assert problem.endswith("was edited after it was recorded: its contents do not give its hash")


def test_an_edit_with_its_hash_made_anew_breaks_the_link_and_the_signature(chained: Ledger, home: Path):
    third = replace(events(chained)[2], payload='{"outcome":"pass"}')
    _tamper(
        chained,
        f"UPDATE registry_events SET payload = '{third.payload}', hash = '{link_hash(third)}' WHERE sequence = 3",
    )
    assert _problems(chained, home) == [
        "event 3 (verdict v3) was not signed with this home's key",
        "event 4 (verdict v4) does not follow the event before it: one of the two was edited, moved or put in",
    ]


def test_a_chain_made_anew_without_the_key_fails_at_every_signature_from_there_on(chained: Ledger, home: Path):
    before, rest = events(chained)[1].hash, events(chained)[2:]
    for event in rest:
        forged = replace(event, previous_hash=before, payload='{"outcome":"pass"}')
        before = link_hash(forged)
        _tamper(
            chained,
            f"UPDATE registry_events SET payload = '{forged.payload}', hash = '{before}', "
            f"previous_hash = '{forged.previous_hash}' WHERE sequence = {event.sequence}",
        )
    assert _problems(chained, home) == [
        f"event {number} (verdict v{number}) was not signed with this home's key" for number in (3, 4, 5)
    ]


@pytest.mark.parametrize(
    ("which", "missing"),
    [("= 3", "event 3 is missing"), ("IN (2, 3)", "events 2 to 3 are missing"), ("= 1", "event 1 is missing")],
)
def test_a_deleted_row_is_found(chained: Ledger, home: Path, which: str, missing: str):
    _tamper(chained, f"DELETE FROM registry_events WHERE sequence {which}")
    assert _problems(chained, home) == [missing]


def test_a_deleted_row_is_found_though_the_rest_is_numbered_anew(chained: Ledger, home: Path):
    _tamper(
        chained,
        "DELETE FROM registry_events WHERE sequence = 3",
        "UPDATE registry_events SET sequence = 3 WHERE sequence = 4",
        "UPDATE registry_events SET sequence = 4 WHERE sequence = 5",
    )
    problems = _problems(chained, home)
    assert "event 3 (verdict v4) does not follow" in problems[0]
    assert [problem.split(" was ")[0] for problem in problems[1:]] == ["event 3 (verdict v4)", "event 4 (verdict v5)"]


def test_rows_that_change_places_are_found(chained: Ledger, home: Path):
    _tamper(
        chained,
        "UPDATE registry_events SET sequence = 30 WHERE sequence = 3",
        "UPDATE registry_events SET sequence = 3 WHERE sequence = 4",
        "UPDATE registry_events SET sequence = 4 WHERE sequence = 30",
    )
    problems = _problems(chained, home)
    assert {problem.split(" (")[0] for problem in problems} == {"event 3", "event 4", "event 5"}
    assert sum("edited after" in problem for problem in problems) == 2


def test_a_row_put_in_at_the_end_is_not_signed(chained: Ledger, home: Path):
    last = events(chained)[-1]
    forged = replace(last, sequence=6, event_id="v6", previous_hash=last.hash)
    _tamper(
        chained,
        f"INSERT INTO registry_events SELECT 6, kind, 'v6', alias, recorded_at, payload, '{last.hash}', "
        f"'{link_hash(forged)}', signature FROM registry_events WHERE sequence = 5",
    )
    assert _problems(chained, home) == ["event 6 (verdict v6) was not signed with this home's key"]


def test_rows_cut_off_at_the_end_cannot_be_seen_from_inside(chained: Ledger, home: Path):
    _tamper(chained, "DELETE FROM registry_events WHERE sequence > 3")
    assert _problems(chained, home) == []  # why promotion.json and `verify --head` carry a head outside the ledger


def test_whoever_holds_the_key_can_make_it_all_anew(chained: Ledger, home: Path):
    with chained.write() as connection:
        connection.execute("DELETE FROM registry_events")
    append(chained, home, replace(_new(1), payload='{"outcome":"pass"}'))
    assert _problems(chained, home) == []  # said wherever the chain is shown


def test_another_homes_key_signs_nothing_here(chained: Ledger, home: Path, tmp_path: Path):
    (home / "key").write_text("0" * 64)
    assert _problems(chained, home) == [
        f"event {number} (verdict v{number}) was not signed with this home's key" for number in range(1, 6)
    ]
    with pytest.raises(RegistryError, match="signed with another key"):
        append(chained, home, _new(6))
    assert len(events(chained)) == 5


def test_a_chain_without_its_key_takes_no_event_and_makes_no_key(chained: Ledger, home: Path):
    (home / "key").unlink()
    with pytest.raises(StoreError, match="key is missing"):
        append(chained, home, _new(6))
    assert not (home / "key").exists()
    assert len(events(chained)) == 5


def test_nothing_is_added_to_an_event_that_was_edited(chained: Ledger, home: Path):
    _tamper(chained, "UPDATE registry_events SET payload = '{}' WHERE sequence = 5")
    with pytest.raises(RegistryError, match=r"event 5 of the registry, the last one, was edited.*`harness verify`"):
        append(chained, home, _new(6))


@pytest.mark.parametrize("read", [read_verdict, read_waiver, read_promotion])
def test_a_payload_of_another_shape_names_the_event_and_the_field(chained: Ledger, read):
    with pytest.raises(StoreError, match=r"event 1 of the registry is not a readable verdict: \w+: Field required"):
        read(events(chained)[0])


def test_an_event_is_read_whole(chained: Ledger):
    first = events(chained)[0]
    assert isinstance(first, RegistryEvent)
    assert (first.event_id, first.alias, first.at) == ("v1", "a@b", AT)
