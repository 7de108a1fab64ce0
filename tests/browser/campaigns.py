"""Campaigns for tests: their plan is written as `harness rate open` writes it, with names that nothing else says."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.pipeline import rate_links
from harness.records.rating import Campaign, CampaignEvent, CampaignKind, CampaignState, RatingEvent, ReferenceShown
from harness.records.rating_plan import Plan, PlannedAnswer, PlannedItem
from harness.records.rubric import Criterion, Level, PairwiseForm, Rubric
from harness.store.rating_live import live_campaign
from harness.store.rating_plans import write_plan
from tests.reports.ledger import FEW, LORA, ZERO, build, golden_set

# Told apart from everything that Streamlit says by itself.
SYSTEMS = {"qzxsystemone": "qzxrunone", "qzxsystemtwo": "qzxruntwo", "qzxsystemthree": "qzxrunthree"}
RUNS = {"lora": LORA, "zero_shot": ZERO, "few_shot": FEW}
RUBRIC = Rubric(
    name="qzxrubric",
    version=1,
    criteria=(
        Criterion(
            criterion_id="accuracy",
            question="Is it right?",
            kind="levels",
            levels=tuple(Level(value=value, text=f"Right to degree {value}.") for value in range(1, 6)),
            required=True,
            weight=2.0,
        ),
        Criterion(
            criterion_id="completeness",
            question="Is anything missing?",
            kind="levels",
            levels=tuple(Level(value=value, text=f"Complete to degree {value}.") for value in range(1, 6)),
            required=True,
            weight=1.0,
        ),
        Criterion(
            criterion_id="form",
            question="Is it in the form asked for?",
            kind="pass_fail",
            levels=(Level(value="fail", text="It is not."), Level(value="pass", text="It is.")),
            required=True,
            weight=1.0,
        ),
    ),
    critical_question="Would it harm somebody?",
    pairwise=PairwiseForm(question="Which one would you sign?", by_criterion=False),
    instructions="Judge what is there.",
)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A campaign in a home, and how to get in and see what is stored."""

    home: Path
    campaign: Campaign

    def link(self, url: str, rater: str = "Ada", *, days: float = 1.0) -> str:
        """A rater's link, signed as for real."""
        return f"{url}/r/{self.token(rater, days=days)}"

    def token(self, rater: str = "Ada", *, days: float = 1.0, now: datetime | None = None) -> str:
        [invitation] = rate_links.invite(self.home, self.campaign.campaign_id, [rater], days=days, now=now)
        return invitation.token

    def state(self) -> CampaignState:
        """What is on disk, as another process than the server reads it."""
        live = live_campaign(self.home, self.campaign.campaign_id)
        with live.turn():
            return live.state()

    def judgements(self, rater: str | None = None) -> list[RatingEvent]:
        return [event for event in self.state().events if rater in (None, event.rater)]


def open_campaign(
    home: Path,
    *,
    kind: CampaignKind = "rubric",
    items: int = 20,
    systems: Iterable[str] = ("qzxsystemone",),
    raters_per_item: int = 2,
    reference: ReferenceShown = "hidden",
    repeats: float = 0.0,
    text: Callable[[int, str], str] = lambda number, system: f"Answer to question {number}.",
    name: str = "c-20261121-100000-aaaaaa",
) -> Opened:
    """A campaign over items that are numbered from 1; `text` says what a system answered to one."""
    if not (home / "harness.duckdb").exists():
        build(home)
    runs = {system: {**SYSTEMS, **RUNS}[system] for system in systems} if kind != "validate" else {}
    golden = golden_set()
    planned = {
        f"item-{number:02d}": PlannedItem(
            item_hash=golden.items[(number - 1) % len(golden.items)].item_hash,
            turns=(("user", f"Question {number}"),),
            reference=f"Reference {number}",
            answers={
                run_id: PlannedAnswer(text=text(number, system), masked=False)
                for system, run_id in (runs or {"": ""}).items()
            },
        )
        for number in range(1, items + 1)
    }
    campaign = Campaign(
        campaign_id=name,
        experiment="colours",
        kind=kind,
        runs=runs,
        golden_set=golden.name,
        golden_version=golden.version,
        golden_sha256=golden.sha256,
        item_ids=tuple(planned),
        calibration_ids=(),
        raters_per_item=raters_per_item,
        repeats=repeats,
        reference=reference,
        rubric_text=RUBRIC.canonical,
        rubric_sha256=RUBRIC.sha256,
        seed=7,
        lease_s=1800.0,
        opened_at=datetime.now(UTC),
        by="the test",
        validated="golden" if kind == "validate" else None,
        validated_sha256=golden.sha256 if kind == "validate" else None,
    )
    write_plan(home, Plan(campaign=campaign, items=planned))
    live = live_campaign(home, name)
    opened = CampaignEvent(
        event_id=f"{name}/opened", campaign_id=name, kind="opened", at=campaign.opened_at, by="the test", payload={}
    )
    with live.change():
        live.add([opened], "on disk")
    return Opened(home=home, campaign=campaign)


def answers_of(events: Iterable[RatingEvent]) -> list[str]:
    """Answers as sorted text, to compare what was typed with what is stored."""
    return sorted(json.dumps(dict(event.answer), sort_keys=True) for event in events)
