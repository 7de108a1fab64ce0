"""A campaign as its owner sees it while raters are at work: how it stands, how raters agree, whether they were blind.

Nothing here says which system is behind what before the campaign is closed; only then `results` is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.pipeline.campaign_leaks import leak_sentences
from harness.pipeline.campaigns import CampaignProgress, campaign_progress, campaign_state
from harness.pipeline.rate_rubric import rubric_of
from harness.pipeline.rating_section import rating_section
from harness.rating.agreement import CriterionAgreement, preference_agreement, rubric_agreement
from harness.rating.consistency import SelfConsistency, SideChoices, self_consistency, side_choices
from harness.rating.current import CRITICAL, OVERALL, Judgement, Rating, adjudications, current_judgements, ratings
from harness.rating.enough import Enough, enough
from harness.rating.severity import Severity, severities
from harness.rating.speed import Pace, paces
from harness.rating.validation import RecordOutcome, record_outcomes
from harness.records.items import Item
from harness.records.rating import CampaignState
from harness.records.rating_plan import PlannedItem
from harness.records.rubric import Rubric
from harness.report.content import RatingSection
from harness.store.golden import golden_items
from harness.store.ledger import WAIT_S, Ledger
from harness.store.migrate import open_ledger
from harness.store.rating_live import live_campaign

WIDE = 2.0  # levels apart, from which ratings of one answer count as a disagreement


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignView:
    """Everything for the owner's page.

    `agreement` is on raw ratings, pooled over all systems. `severity`, `consistency`, `sides` and `paces` are by rater;
    `leaks` and `enough` name no system. `disagreements` counts those not adjudicated yet. `changed` counts judgements
    that were changed later. `outcomes` is there for campaigns that validate data, `results` for closed ones.
    """

    progress: CampaignProgress
    rubric: Rubric
    agreement: tuple[CriterionAgreement, ...]
    severity: tuple[Severity, ...]
    consistency: tuple[SelfConsistency, ...]
    sides: tuple[SideChoices, ...]
    paces: tuple[Pace, ...]
    leaks: tuple[str, ...]
    enough: tuple[Enough, ...]
    disagreements: int
    changed: int
    outcomes: tuple[RecordOutcome, ...]
    results: RatingSection | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What one rater said of an answer by one criterion: a level, or 0 and 1 for fail and pass, no and yes."""

    rater: str
    value: float
    comment: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """An answer on which raters differ by a criterion.

    `assignment_id` names the answer without saying whose it is; adjudicating takes it. `turns`, `answer` and
    `reference` are as raters see them. `gap` is the widest difference. `settled` is what was adjudicated, if anything.
    """

    assignment_id: str
    criterion_id: str
    turns: tuple[tuple[str, str], ...]
    answer: str
    reference: str | None
    said: tuple[Said, ...]
    gap: float
    settled: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    state: CampaignState
    rubric: Rubric
    planned: Mapping[str, PlannedItem]
    judgements: tuple[Judgement, ...]
    ratings: tuple[Rating, ...]


def campaign_view(home: Path, campaign_id: str, *, wait_s: float = WAIT_S) -> CampaignView:
    """How a campaign stands at this moment.

    Raises:
        StoreError: There is no such campaign, or no ledger.
        StoreBusyError: Others held the ledger for longer than `wait_s` seconds.
    """
    read = _read(home, campaign_id)
    campaign, judgements, rubric = read.state.campaign, read.judgements, read.rubric
    ledger = open_ledger(home, create=False, wait_s=wait_s)
    rates = campaign.kind != "validate"
    items = _items(ledger, read) if rates else {}
    criteria = [one.criterion_id for one in rubric.criteria] + ([CRITICAL] if rubric.critical_question else [])
    groups = {item_id: item.group for item_id, item in items.items()}
    found = [
        enough(read.ratings, criterion, groups=groups, planned=len(campaign.item_ids))
        for criterion in [*criteria, OVERALL]
    ]
    return CampaignView(
        progress=campaign_progress(home, campaign_id),
        rubric=rubric,
        agreement=_agreement(read, items),
        severity=tuple(one for criterion in criteria for one in severities(read.ratings, criterion)),
        consistency=self_consistency(judgements, rubric),
        sides=side_choices(judgements),
        paces=paces(judgements),
        leaks=leak_sentences(ledger, read.state, read.planned) if rates else (),
        enough=tuple(one for one in found if one is not None),
        disagreements=sum(one.settled is None for one in _disagreements(read)),
        changed=sum(one.changes > 0 for one in judgements),
        outcomes=record_outcomes(judgements),
        results=rating_section(ledger, campaign_id) if read.state.closed else None,
    )


def disagreements(home: Path, campaign_id: str) -> tuple[Disagreement, ...]:
    """Where raters differ by two levels or more, or say pass and fail, or yes and no: the widest first.

    Raises:
        StoreError: There is no such campaign.
    """
    return tuple(_disagreements(_read(home, campaign_id)))


def _read(home: Path, campaign_id: str) -> _Read:
    state = campaign_state(home, campaign_id)
    rubric, judgements = rubric_of(state.campaign), current_judgements(state)
    return _Read(
        state=state,
        rubric=rubric,
        planned=live_campaign(home, campaign_id).plan.items,
        judgements=judgements,
        ratings=ratings(judgements, rubric, purposes=("scored",)),
    )


def _items(ledger: Ledger, read: _Read) -> dict[str, Item]:
    return {item.item_id: item for item in golden_items(ledger, read.state.campaign.golden_sha256)}


def _agreement(read: _Read, items: Mapping[str, Item]) -> tuple[CriterionAgreement, ...]:
    seed = read.state.campaign.seed
    found = rubric_agreement(read.ratings, read.rubric, items, seed=seed) if read.ratings else ()
    preferred = preference_agreement(read.judgements, items, seed=seed)
    return (*found, preferred) if preferred else found


def _disagreements(read: _Read) -> list[Disagreement]:
    wide = {one.criterion_id: WIDE if one.kind == "levels" else 1.0 for one in read.rubric.criteria} | {CRITICAL: 1.0}
    by_answer: dict[tuple[str, str, str], list[Rating]] = {}
    for one in read.ratings:
        if one.criterion_id in wide:
            by_answer.setdefault((one.item_id, one.run_id, one.criterion_id), []).append(one)
    comments = {one.assignment.assignment_id: str(one.event.answer.get("comment") or "") for one in read.judgements}
    settled = {(one.item_id, one.run_id, one.criterion_id): one.value for one in adjudications(read.state)}
    found: list[Disagreement] = []
    for (item_id, run_id, criterion), given in by_answer.items():
        gap = max(one.value for one in given) - min(one.value for one in given)
        if gap < wide[criterion]:
            continue
        item = read.planned[item_id]
        found.append(
            Disagreement(
                assignment_id=given[0].assignment_id,
                criterion_id=criterion,
                turns=item.turns,
                answer=item.answers[run_id].text,
                reference=item.reference,
                said=tuple(
                    Said(rater=one.rater, value=one.value, comment=comments[one.assignment_id]) for one in given
                ),
                gap=gap,
                settled=settled.get((item_id, run_id, criterion)),
            )
        )
    return sorted(found, key=lambda one: (one.settled is not None, -one.gap, one.assignment_id))
