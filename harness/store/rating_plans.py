"""A campaign's plan as a file of the home, so that showing a screen never waits for the ledger."""

import os
import secrets
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.errors import StoreError
from harness.records.rating import Campaign
from harness.records.rating_plan import Plan
from harness.store.rating_journal import sync_folder

_PLAN = TypeAdapter(Plan)
_CAMPAIGN = TypeAdapter(Campaign)


def ratings_folder(home: Path) -> Path:
    """Where a home keeps links and campaigns."""
    return home / "ratings"


def journal_path(home: Path, campaign_id: str) -> Path:
    """Where a campaign's journal is."""
    return ratings_folder(home) / campaign_id / "journal.jsonl"


def campaign_ids(home: Path) -> list[str]:
    """Campaigns that have a plan here, oldest first: an id begins with the time of opening."""
    return sorted(path.parent.name for path in ratings_folder(home).glob("*/plan.json"))


def write_plan(home: Path, plan: Plan) -> None:
    """Writes a plan, whole or not at all. It names systems: only the home's owner may read it.

    Raises:
        StoreError: It cannot be written.
    """
    path = _path(home, plan.campaign.campaign_id)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        ratings_folder(home).chmod(0o700)
        descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(_PLAN.dump_json(plan))
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
        for folder in (path.parent, ratings_folder(home)):
            sync_folder(folder)
    except OSError as problem:
        raise StoreError(
            f"{path}: the campaign's plan cannot be written: {problem.strerror}. See that the disk has room and that "
            "the folder is yours."
        ) from problem
    finally:
        unfinished.unlink(missing_ok=True)


def read_plan(home: Path, campaign_id: str) -> Plan:
    """The plan of a campaign. It never changes, so it is read from disk once in a process.

    Raises:
        StoreError: There is none, or the file is not one.
    """
    return _read(_path(home, campaign_id).resolve())


def campaign_text(campaign: Campaign) -> str:
    """A campaign as JSON."""
    return _CAMPAIGN.dump_json(campaign).decode()


def read_campaign(text: str) -> Campaign:
    """The campaign of `campaign_text`.

    Raises:
        StoreError: The text is none.
    """
    try:
        return _CAMPAIGN.validate_json(text)
    except ValidationError as problem:
        raise StoreError(f"the ledger holds a campaign that cannot be read: {problem}") from problem


@cache
def _read(path: Path) -> Plan:
    try:
        return _PLAN.validate_json(path.read_bytes())
    except FileNotFoundError as missing:
        raise StoreError(
            f"{path}: there is no plan of this campaign here. `harness rate status` lists the campaigns of the home."
        ) from missing
    except (OSError, ValidationError) as problem:
        raise StoreError(
            f"{path}: the campaign's plan cannot be read: {problem}. Put the file back from a copy of the home."
        ) from problem


def _path(home: Path, campaign_id: str) -> Path:
    return ratings_folder(home) / campaign_id / "plan.json"
