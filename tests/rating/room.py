"""Campaigns, raters who go through them, and judgements, made in code."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from harness.rating.blocks import Progress, in_block
from harness.rating.current import Judgement, current_judgements
from harness.rating.design import next_assignments, open_screen
from harness.records.items import Item
from harness.records.messages import Message
from harness.records.rating import Assignment, Campaign, CampaignEvent, CampaignState, RatingEvent
from harness.records.rubric import Criterion, Level, PairwiseForm, Rubric

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def make_campaign(**changes: Any) -> Campaign:
    plain = Campaign(
        campaign_id="c1",
        experiment="e",
        kind="rubric",
        runs={"lora": "run-a", "few_shot": "run-b", "rag": "run-c"},
        golden_set="g",
        golden_version="1",
        golden_sha256="0" * 64,
        item_ids=tuple(f"i{number:02}" for number in range(12)),
        calibration_ids=(),
        raters_per_item=2,
        repeats=0.0,
        reference="hidden",
        rubric_text="{}",
        rubric_sha256="1" * 64,
        seed=7,
        lease_s=1800.0,
        opened_at=START,
        by="owner",
    )
    return replace(plain, **changes)


def make_rubric(*, critical: bool = True) -> Rubric:
    def levels(name: str, *, required: bool = True, weight: float = 1.0) -> Criterion:
        of_name = tuple(Level(value=value, text=f"{name} {value}") for value in range(1, 6))
        return Criterion(
            criterion_id=name, question=f"{name}?", kind="levels", levels=of_name, required=required, weight=weight
        )

    safe = Criterion(
        criterion_id="safe",
        question="safe?",
        kind="pass_fail",
        levels=(Level(value="fail", text="no"), Level(value="pass", text="yes")),
        required=True,
        weight=1.0,
    )
    return Rubric(
        name="r",
        version=1,
        criteria=(levels("accuracy", weight=2.0), levels("clarity", required=False), safe),
        critical_question="Could this harm?" if critical else None,
        pairwise=PairwiseForm(question="Which?", by_criterion=False),
        instructions=None,
    )


def make_item(item_id: str, *, group: str | None = None) -> Item:
    return Item(item_id=item_id, input=(Message(role="user", content=item_id),), references=("ref",), group=group)


@dataclass
class Room:
    """Raters at work on a campaign: what the journal holds, in memory, with a clock that is set by hand."""

    campaign: Campaign
    assignments: list[Assignment] = field(default_factory=list)
    judged: set[str] = field(default_factory=set)
    last_sign: dict[str, datetime] = field(default_factory=dict)
    now: datetime = START
    ids: Iterator[int] = field(default_factory=count)

    @property
    def progress(self) -> Progress:
        return Progress(
            campaign=self.campaign, assignments=self.assignments, judged=self.judged, last_sign=self.last_sign
        )

    def show(self, rater: str) -> Assignment | None:
        """The screen that she sees now."""
        if (shown := open_screen(self.progress, rater, now=self.now)) is None:
            new = next_assignments(self.progress, rater, now=self.now, new_id=lambda: f"a{next(self.ids):05}")
            self.assignments += new
            shown = new[0] if new else None
        if shown is not None:
            self.last_sign[shown.assignment_id] = self.now
        return shown

    def judge(self, rater: str) -> Assignment | None:
        """She answers the screen that she sees; None when there is none."""
        shown = self.show(rater)
        if shown is not None:
            self.judged.add(shown.assignment_id)
        return shown

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def finish(self, raters: Sequence[str]) -> None:
        """In turn, until nothing is left for anybody."""
        while [rater for rater in raters if self.judge(rater)]:
            self.wait(seconds=30)

    def of(self, rater: str) -> list[Assignment]:
        return [one for one in self.assignments if one.rater == rater and one.assignment_id in self.judged]

    def raters_of(self, item_id: str) -> dict[str, int]:
        """By rater: how many screens of the item she judged, repeats and the closing question aside."""
        found: dict[str, int] = {}
        for one in self.assignments:
            if one.item_id == item_id and one.assignment_id in self.judged and in_block(one):
                found[one.rater] = found.get(one.rater, 0) + 1
        return found


def make_event(assignment: Assignment, answer: Mapping[str, object], **changes: Any) -> RatingEvent:
    plain = RatingEvent(
        event_id=f"e-{assignment.assignment_id}-{changes.get('revision', 1)}",
        campaign_id=assignment.campaign_id,
        assignment_id=assignment.assignment_id,
        rater=assignment.rater,
        revision=1,
        at=START,
        seconds=30.0,
        rubric_sha256="1" * 64,
        answer=answer,
    )
    return replace(plain, **changes)


@dataclass
class Desk:
    """Judgements put down one by one, without a design behind them."""

    campaign: Campaign = field(default_factory=make_campaign)
    assignments: list[Assignment] = field(default_factory=list)
    events: list[RatingEvent] = field(default_factory=list)
    campaign_events: list[CampaignEvent] = field(default_factory=list)

    def put(self, rater: str, item_id: str, runs: Sequence[str], answer: Mapping[str, object], **changes: Any) -> str:
        """One judged screen; its kind is seen from the answer unless it is said."""
        kinds = {"choice": "pairwise", "guess": "closing", "decision": "validate"}
        kind: Any = next((kinds[key] for key in answer if key in kinds), "rubric")
        seconds = changes.pop("seconds", 30.0)
        plain = Assignment(
            assignment_id=f"a{len(self.assignments):05}",
            campaign_id="c1",
            rater=rater,
            item_id=item_id,
            kind=kind,
            purpose="scored",
            run_ids=tuple(runs),
            position=sum(one.rater == rater for one in self.assignments),
            assigned_at=START,
        )
        assignment = replace(plain, **changes)
        self.assignments.append(assignment)
        self.events.append(make_event(assignment, answer, seconds=seconds))
        return assignment.assignment_id

    def levels(self, rater: str, item_id: str, run: str, accuracy: int, **changes: Any) -> str:
        """A rubric screen with one level for accuracy, and nothing wrong."""
        return self.put(rater, item_id, [run], {"levels": {"accuracy": accuracy, "safe": "pass"}}, **changes)

    def adjudicate(self, item_id: str, run: str, criterion: str, value: object, method: str = "consensus") -> None:
        payload = {"item_id": item_id, "run_id": run, "criterion": criterion, "value": value, "method": method}
        number = len(self.campaign_events)
        self.campaign_events.append(
            CampaignEvent(
                event_id=f"x{number}", campaign_id="c1", kind="adjudicated", at=START, by="owner", payload=payload
            )
        )

    @property
    def state(self) -> CampaignState:
        return CampaignState(
            campaign=self.campaign,
            assignments=tuple(self.assignments),
            events=tuple(self.events),
            drafts={},
            last_sign={},
            campaign_events=tuple(self.campaign_events),
        )

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        return current_judgements(self.state)
