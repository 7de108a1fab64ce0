"""Campaigns, assignments and judgements as rows of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.hashing import canonical_json
from harness.records.rating import Assignment, Campaign, CampaignEvent, Draft, Link, RatingEvent
from harness.store import bulk
from harness.store.ledger import Ledger
from harness.store.moments import to_utc
from harness.store.rating_lines import Revocation
from harness.store.rating_plans import campaign_text, read_campaign

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldedRows:
    """What is to be in the ledger, by table."""

    campaigns: Sequence[Campaign] = ()
    links: Sequence[Link] = ()
    revocations: Sequence[Revocation] = ()
    assignments: Sequence[Assignment] = ()
    events: Sequence[RatingEvent] = ()
    drafts: Sequence[Draft] = ()
    campaign_events: Sequence[CampaignEvent] = ()


def campaigns(ledger: Ledger) -> list[Campaign]:
    """Every campaign as opened, oldest first."""
    with ledger.read() as connection:
        rows = connection.execute("SELECT definition FROM campaigns ORDER BY opened_at, campaign_id").fetchall()
    return [read_campaign(str(row[0])) for row in rows]


def insert_rows(connection: "duckdb.DuckDBPyConnection", rows: FoldedRows) -> int:
    """Inserts what is not there yet; inside a unit of work.

    Returns:
        How many rows are new, links' events counted.
    """
    return sum(
        bulk.insert(connection, table, found)
        for table, found in (
            ("campaigns", [_campaign_row(campaign) for campaign in rows.campaigns]),
            ("rating_links", [_link_row(link) for link in rows.links]),
            ("rating_link_events", _link_events(rows)),
            ("rating_assignments", [_assignment_row(one) for one in rows.assignments]),
            ("rating_events", [_event_row(event) for event in rows.events]),
            ("rating_drafts", [_draft_row(draft) for draft in rows.drafts]),
            ("campaign_events", [_campaign_event_row(event) for event in rows.campaign_events]),
        )
    )


def _campaign_row(campaign: Campaign) -> dict[str, object]:
    return {
        "campaign_id": campaign.campaign_id,
        "experiment": campaign.experiment,
        "kind": campaign.kind,
        "golden_set": campaign.golden_set,
        "golden_version": campaign.golden_version,
        "golden_sha256": campaign.golden_sha256,
        "rubric_sha256": campaign.rubric_sha256,
        "opened_at": to_utc(campaign.opened_at),
        "opened_by": campaign.by,
        "definition": campaign_text(campaign),
    }


def _campaign_event_row(event: CampaignEvent) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "campaign_id": event.campaign_id,
        "kind": event.kind,
        "recorded_at": to_utc(event.at),
        "recorded_by": event.by,
        "payload": canonical_json(dict(event.payload)),
    }


def _link_row(link: Link) -> dict[str, object]:
    return {
        "link_id": link.link_id,
        "role": link.role,
        "rater": link.rater,
        "campaign_id": link.campaign_id,
        "issued_at": to_utc(link.issued_at),
        "expires_at": to_utc(link.expires_at),
    }


def _link_events(rows: FoldedRows) -> list[dict[str, object]]:
    issued = [(link.link_id, "issued", link.issued_at) for link in rows.links]
    revoked = [(one.link_id, "revoked", one.revoked_at) for one in rows.revocations]
    return [{"link_id": link_id, "kind": kind, "recorded_at": to_utc(at)} for link_id, kind, at in (*issued, *revoked)]


def _assignment_row(assignment: Assignment) -> dict[str, object]:
    return {
        "assignment_id": assignment.assignment_id,
        "campaign_id": assignment.campaign_id,
        "rater": assignment.rater,
        "item_id": assignment.item_id,
        "kind": assignment.kind,
        "purpose": assignment.purpose,
        "run_ids": list(assignment.run_ids),
        "position": assignment.position,
        "assigned_at": to_utc(assignment.assigned_at),
        "repeat_of": assignment.repeat_of,
    }


def _event_row(event: RatingEvent) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "campaign_id": event.campaign_id,
        "assignment_id": event.assignment_id,
        "rater": event.rater,
        "revision": event.revision,
        "stage": event.stage,
        "recorded_at": to_utc(event.at),
        "seconds": event.seconds,
        "rubric_sha256": event.rubric_sha256,
        "answer": canonical_json(dict(event.answer)),
    }


def _draft_row(draft: Draft) -> dict[str, object]:
    return {
        "assignment_id": draft.assignment_id,
        "revision": draft.revision,
        "campaign_id": draft.campaign_id,
        "rater": draft.rater,
        "recorded_at": to_utc(draft.at),
        "answer": canonical_json(dict(draft.answer)),
    }
