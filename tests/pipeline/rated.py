"""Small campaigns without any model: a plan written as `harness rate open` writes it, over runs that need not exist."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.pipeline.rate import record, screen
from harness.pipeline.rate_links import invite
from harness.records.rating import Campaign, CampaignEvent, Screen
from harness.records.rating_plan import Plan, PlannedAnswer, PlannedItem
from harness.records.rubric import Criterion, Level, PairwiseForm, Rubric
from harness.store.rating_live import live_campaign
from harness.store.rating_plans import write_plan

OPENED = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CAMPAIGN = "c-20261121-090000-aaaaaa"
RUNS = {"sentinel_one": "run-sentinel-1", "sentinel_two": "run-sentinel-2"}

RUBRIC = Rubric(
    name="colours",
    version=1,
    criteria=(
        Criterion(
            criterion_id="accuracy",
            question="Is the colour right?",
            kind="levels",
            levels=tuple(Level(value=value, text=f"level {value}") for value in range(1, 6)),
            required=True,
            weight=2.0,
        ),
        Criterion(
            criterion_id="form",
            question="Is it one word?",
            kind="pass_fail",
            levels=(Level(value="fail", text="no"), Level(value="pass", text="yes")),
            required=False,
            weight=1.0,
        ),
    ),
    critical_question="Would this answer harm somebody?",
    pairwise=PairwiseForm(question="Which colour is nearer?", by_criterion=True),
    instructions="Colours as people see them by day.",
)


def plan(*, n_items: int = 4, campaign_id: str = CAMPAIGN, **changes: object) -> Plan:
    """A campaign over two runs and some items; two further items are there for an extension."""
    items = {
        f"item-{number}": PlannedItem(
            item_hash=f"hash-{number}",
            turns=(("user", f"Name colour {number}."),),
            reference=f"Colour: {number}",
            answers={
                run: PlannedAnswer(text=f"answer {number} of {place}", masked=False)
                for place, run in enumerate(RUNS.values())
            },
        )
        for number in range(n_items + 2)
    }
    fields: dict[str, object] = {
        "experiment": "colours",
        "kind": "rubric",
        "runs": RUNS,
        "golden_set": "colours",
        "golden_version": "1.0.0",
        "golden_sha256": "g" * 64,
        "item_ids": tuple(items)[:n_items],
        "calibration_ids": (),
        "raters_per_item": 2,
        "repeats": 0.0,
        "reference": "hidden",
        "rubric_text": RUBRIC.canonical,
        "rubric_sha256": RUBRIC.sha256,
        "seed": 17,
        "lease_s": 1800.0,
        "opened_at": OPENED,
        "by": "owner",
    }
    return Plan(campaign=Campaign(campaign_id=campaign_id, **{**fields, **changes}), items=items)  # type: ignore[arg-type]


def open_plan(home: Path, made: Plan) -> str:
    """Opens a campaign with a plan, and gives its id."""
    write_plan(home, made)
    campaign = made.campaign
    opened = CampaignEvent(
        event_id=f"{campaign.campaign_id}/opened",
        campaign_id=campaign.campaign_id,
        kind="opened",
        at=campaign.opened_at,
        by=campaign.by,
        payload={},
    )
    live = live_campaign(home, campaign.campaign_id)
    with live.change():
        live.add([opened], "on disk")
    return campaign.campaign_id


def token_of(home: Path, campaign_id: str = CAMPAIGN, rater: str = "Ada", *, days: float = 14) -> str:
    """A fresh link for a rater."""
    return invite(home, campaign_id, [rater], days=days)[0].token


def answer_to(shown: Screen, level: int = 4) -> dict[str, object]:
    """A complete answer to a screen, whatever it asks."""
    match shown.kind:
        case "rubric":
            return {"levels": {"accuracy": level, "form": "pass"}, "critical_error": False, "comment": "ok"}
        case "pairwise":
            return {"choice": "left", "strength": 2}
        case "validate":
            return {"decision": "accept"}
        case _:
            return {"guess": None}


def judgement(
    shown: Screen, *, event_id: str | None = None, rev: int | None = None, **answer: object
) -> dict[str, object]:
    """The event that a browser sends when a screen was answered."""
    rev = shown.revision + 1 if rev is None else rev
    return {
        "id": event_id or f"{shown.assignment_id}-{rev}",
        "aid": shown.assignment_id,
        "type": "judgement",
        "rev": rev,
        "seconds": 12.5,
        "stage": shown.stage,
        "answer": {**answer_to(shown), **answer},
    }


def rate_all(home: Path, token: str, *, level: int = 4, now: datetime | None = None) -> list[Screen]:
    """A rater goes through everything she gets."""
    moment, seen = now or datetime.now(UTC), []
    while (shown := screen(home, token, now=moment)).assignment_id is not None:
        seen.append(shown)
        assert record(home, token, [judgement(shown, **_levelled(shown, level))], now=moment).refused == {}
        moment += timedelta(seconds=20)
    return seen


def _levelled(shown: Screen, level: int) -> dict[str, object]:
    return {"levels": {"accuracy": level, "form": "pass"}} if shown.kind == "rubric" else {}
