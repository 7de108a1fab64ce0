"""`harness rate open`: fixes runs, items, rubric and design of a campaign, before anybody is asked."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.config.experiment import BASE, load_experiment
from harness.config.rubric import RUBRIC_NAME, load_rubric
from harness.data.golden import load_golden_set
from harness.data.training import load_training_set
from harness.errors import RatingError, problems_message
from harness.pipeline.campaign_fold import fold_if_free
from harness.pipeline.campaign_plan import plan_golden, plan_items, plan_records
from harness.pipeline.campaigns import in_drawn_order
from harness.pipeline.evidence import find_system
from harness.pipeline.prepare import prepare
from harness.pipeline.rate_rubric import bare_rubric
from harness.records.rating import Campaign, CampaignEvent, CampaignKind, ReferenceShown
from harness.records.rating_plan import Plan, PlannedItem
from harness.records.rubric import Rubric
from harness.records.runs import Run
from harness.store.golden import golden_items
from harness.store.migrate import open_ledger
from harness.store.rating_live import live_campaign
from harness.store.rating_plans import write_plan

GOLDEN = "golden"

_MOST_REPEATS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignRequest:
    """What a person asks for.

    `runs` are systems of the experiment (each its latest finished run on the current inputs), `human`, or run ids.
    `items` and `calibration` are numbers of items (None: all that are left). `repeats` is a proportion in [0, 0.5].
    `seed` of None is the experiment's. `data` is what a campaign of kind `validate` looks at: `golden`, or a training
    set's path.
    """

    experiment: Path
    by: str
    kind: CampaignKind = "rubric"
    runs: tuple[str, ...] = ()
    raters_per_item: int = 2
    items: int | None = None
    calibration: int = 0
    repeats: float = 0.1
    reference: ReferenceShown = "hidden"
    seed: int | None = None
    lease_minutes: float = 30.0
    data: str = GOLDEN
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Subject:
    """What a campaign is about."""

    experiment: str
    seed: int
    runs: Mapping[str, Run]
    golden: tuple[str, str, str]  # name, version, sha256
    rubric: Rubric | None
    items: Mapping[str, PlannedItem]
    validated: tuple[str, str] | None = None  # what, sha256


def open_campaign(home: Path, asked: CampaignRequest, *, now: datetime | None = None) -> Campaign:
    """Opens a campaign. Its size is fixed from here on; `extend` is recorded.

    Sealed and retired golden items are never in one.

    Raises:
        RatingError: A number is out of range, the runs do not fit together, or there are too few items; all at once.
        ConfigError: The experiment or its rubric cannot be used.
        ComparisonError: A system has no finished run on the current inputs.
        StoreError: There is no ledger, or the campaign cannot be written.
    """
    if problems := _problems(asked):
        raise RatingError(problems_message("the campaign was not opened", problems))
    subject = _validated(asked) if asked.kind == "validate" else _rated(home, asked)
    now = now or datetime.now(UTC)
    calibration_ids, item_ids = _draw(asked, subject)
    rubric = subject.rubric or bare_rubric(asked.kind)
    name, version, sha256 = subject.golden
    what, what_sha256 = subject.validated or (None, None)
    campaign = Campaign(
        campaign_id=f"c-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
        experiment=subject.experiment,
        kind=asked.kind,
        runs={system: run.run_id for system, run in subject.runs.items()},
        golden_set=name,
        golden_version=version,
        golden_sha256=sha256,
        item_ids=item_ids,
        calibration_ids=calibration_ids,
        raters_per_item=asked.raters_per_item,
        repeats=asked.repeats,
        reference=asked.reference,
        rubric_text=subject.rubric.canonical if subject.rubric else "",
        rubric_sha256=rubric.sha256,
        seed=subject.seed if asked.seed is None else asked.seed,
        lease_s=60.0 * asked.lease_minutes,
        opened_at=now,
        by=asked.by,
        validated=what,
        validated_sha256=what_sha256,
    )
    write_plan(home, Plan(campaign=campaign, items=subject.items))
    opened = CampaignEvent(
        event_id=f"{campaign.campaign_id}/opened",
        campaign_id=campaign.campaign_id,
        kind="opened",
        at=now,
        by=asked.by,
        payload={},
    )
    live = live_campaign(home, campaign.campaign_id)
    with live.change():
        live.add([opened], "on disk")
    fold_if_free(home)  # else the ledger learns of it later; raters need not wait for that
    return campaign


def _problems(asked: CampaignRequest) -> list[str]:
    problems: list[str] = []
    if asked.kind == "validate":
        if asked.runs:
            problems.append("--runs: a campaign of kind validate looks at data, not at runs. Leave it out.")
    elif not asked.runs:
        problems.append("--runs is missing: name the systems whose answers are rated, such as --runs lora few_shot.")
    elif asked.kind in ("pairwise", "both") and len(asked.runs) < 2:
        problems.append(f"--runs names {len(asked.runs)} system; --kind {asked.kind} needs two or more.")
    if len(set(asked.runs)) < len(asked.runs):
        problems.append("--runs names a system twice. Name each once.")
    if BASE in asked.runs:
        problems.append(f"--runs: `{BASE}` answers no golden item, so there is nothing to rate. Leave it out.")
    ranges = (
        ("--raters-per-item", asked.raters_per_item, asked.raters_per_item >= 1, "1 or more"),
        ("--items", asked.items, asked.items is None or asked.items >= 1, "1 or more"),
        ("--calibration", asked.calibration, asked.calibration >= 0, "0 or more"),
        ("--repeats", asked.repeats, 0 <= asked.repeats <= _MOST_REPEATS, f"0 to {_MOST_REPEATS:g}, a proportion"),
        ("--lease-minutes", asked.lease_minutes, 1 <= asked.lease_minutes <= 24 * 60, "1 to 1440"),
    )
    problems += [f"{name} is {value}; allowed: {allowed}." for name, value, fits, allowed in ranges if not fits]
    return problems


def _rated(home: Path, asked: CampaignRequest) -> _Subject:
    prepared, ledger = prepare(asked.experiment, asked.overrides), open_ledger(home, create=False)
    found = [find_system(prepared, ledger, name, candidate=name).run for name in asked.runs]
    if len({run.run_id for run in found}) < len(found):
        raise RatingError("--runs names the same run twice. Name each once.")
    golden = {run.golden_sha256: run for run in found}
    if len(golden) > 1:
        versions = ", ".join(f"{run.system}: {run.golden_set} {run.golden_version}" for run in found)
        raise RatingError(
            f"the runs answered different golden sets ({versions}); raters compare answers to the same items. Run the "
            f"older systems again: `harness run {asked.experiment}`."
        )
    run = found[0]
    alike = {one.system for one in found if sum(other.system == one.system for other in found) > 1}
    named = {f"{one.system} ({one.run_id})" if one.system in alike else one.system: one for one in found}
    rubric = load_rubric(prepared.experiment.golden_set)
    if rubric is None and asked.kind != "pairwise":
        raise RatingError(
            f"{prepared.experiment.golden_set}: there is no {RUBRIC_NAME}, so there are no criteria to rate by. Write "
            "one (golden_sets/README.md shows how), or open a campaign with --kind pairwise."
        )
    return _Subject(
        experiment=prepared.experiment.name,
        seed=prepared.experiment.seed,
        runs=named,
        golden=(run.golden_set, run.golden_version, run.golden_sha256),
        rubric=rubric,
        items=plan_items(ledger, golden_items(ledger, run.golden_sha256), named),
    )


def _validated(asked: CampaignRequest) -> _Subject:
    experiment = load_experiment(asked.experiment, asked.overrides)
    golden = load_golden_set(experiment.golden_set)
    if asked.data == GOLDEN:
        items = plan_golden(item for item in golden.items if not item.sealed)
        validated = (GOLDEN, golden.sha256)
    else:
        training = load_training_set(Path(asked.data))
        items = plan_records(training.records)
        validated = (Path(asked.data).name, training.sha256)
    return _Subject(
        experiment=experiment.name,
        seed=experiment.seed,
        runs={},
        golden=(golden.name, golden.version, golden.sha256),
        rubric=None,
        items=items,
        validated=validated,
    )


def _draw(asked: CampaignRequest, subject: _Subject) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which items calibrate and which are rated: drawn by the seed, and by no order in the file."""
    wanted = asked.calibration + (asked.items or 1)
    if wanted > len(subject.items):
        raise RatingError(
            f"--calibration {asked.calibration} and --items {asked.items or 1} ask for {wanted} items; "
            f"{len(subject.items)} can be shown (sealed and retired ones never are). Ask for fewer."
        )
    drawn = in_drawn_order(subject.items, subject.seed if asked.seed is None else asked.seed)
    end = None if asked.items is None else asked.calibration + asked.items
    return tuple(drawn[: asked.calibration]), tuple(drawn[asked.calibration : end])
