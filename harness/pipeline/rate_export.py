"""`harness rate export`: what raters said, as a table, as preference pairs, and as candidate training records."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import RatingError
from harness.pipeline.campaigns import campaign_state
from harness.pipeline.rate_rubric import rubric_of
from harness.rating.current import current_judgements, ratings
from harness.rating.pairs import GOLDEN_WARNING, corrections, preference_pairs
from harness.records.rating import CampaignState
from harness.records.rating_plan import Plan, PlannedItem
from harness.store.export import export_ratings
from harness.store.generations import generations
from harness.store.migrate import open_ledger
from harness.store.rating_fold import fold_journals
from harness.store.rating_plans import read_plan

ExportKind = Literal["csv", "parquet", "preferences", "training"]

_CORRECTED_WARNING = (
    "These corrected answers are to golden items, which are evaluation data. A model trained on them has seen the "
    "examination, and the overlap guard refuses them while the items are in the golden set: retire those first."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was written. `notes` are sentences to show with it."""

    campaign_id: str
    file: Path
    rows: int
    notes: tuple[str, ...]


def export_campaign(
    home: Path, campaign_id: str, written: ExportKind, file: Path, *, golden_items: bool = False
) -> Exported:
    """Writes the ratings of a campaign, its preference pairs, or the corrected answers in it.

    While a campaign is open, `csv` and `parquet` leave runs and systems out, and the other two are refused, since they
    unblind.

    Args:
        home: Where the campaign is.
        campaign_id: The campaign.
        written: `csv` or `parquet` for one row an answer to a question; `preferences` for records with prompt, chosen
            and rejected; `training` for corrected answers as candidate training records, marked so.
        file: Written over if it is there.
        golden_items: Write records that ask golden items all the same.

    Raises:
        RatingError: The campaign is open, has nothing of the kind, the records ask golden items, or the file cannot be
            written.
        StoreError: The ledger cannot be read.
    """
    state = campaign_state(home, campaign_id)
    if written in ("csv", "parquet"):
        rows = _write_rows(home, state, file, "csv" if written == "csv" else "parquet")
        notes = () if state.closed else ("the campaign is open: runs and systems are left out until it is closed.",)
        return Exported(campaign_id=campaign_id, file=file, rows=rows, notes=notes)
    if state.closed is None:
        raise RatingError(
            f"campaign {campaign_id} is open, and --as {written} would unblind it. `harness rate close` first, or "
            "export --as csv."
        )
    plan = read_plan(home, campaign_id)
    records = _preferences(home, state, plan) if written == "preferences" else _training(state, plan)
    if not records:
        missing = "pair that raters agree on" if written == "preferences" else "corrected answer"
        raise RatingError(f"campaign {campaign_id} has no {missing}; nothing was written.")
    warning = GOLDEN_WARNING if written == "preferences" else _CORRECTED_WARNING
    about_golden = _asks_golden(state)
    if about_golden and not golden_items:
        raise RatingError(f"nothing was written. {warning} --golden-items writes them all the same, marked.")
    if about_golden:
        records = [{**record, "notes": warning} for record in records]
    try:
        file.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    except OSError as problem:
        raise _unwritable(file, problem) from problem
    return Exported(campaign_id=campaign_id, file=file, rows=len(records), notes=(warning,) if about_golden else ())


def _write_rows(home: Path, state: CampaignState, file: Path, written: Literal["csv", "parquet"]) -> int:
    fold_journals(home)
    systems = {run_id: system for system, run_id in state.campaign.runs.items()}
    try:
        return export_ratings(
            open_ledger(home, create=False), state.campaign.campaign_id, file, written, systems=systems
        )
    except OSError as problem:
        raise _unwritable(file, problem) from problem


def _asks_golden(state: CampaignState) -> bool:
    return state.campaign.validated_sha256 in (None, state.campaign.golden_sha256)


def _preferences(home: Path, state: CampaignState, plan: Plan) -> list[dict[str, object]]:
    campaign = state.campaign
    judgements = current_judgements(state)
    pairs = preference_pairs(judgements, ratings(judgements, rubric_of(campaign), purposes=("scored",)))
    ledger = open_ledger(home, create=False)
    # As the systems wrote them: what raters saw has names of models masked.
    texts: Mapping[tuple[str, str], str] = {
        (run_id, one.item_id): one.text
        for run_id in campaign.runs.values()
        for one in reversed(generations(ledger, run_id))
        if one.text is not None
    }
    systems = {run_id: system for system, run_id in campaign.runs.items()}
    return [
        {
            "prompt": _prompt(plan.items[pair.item_id]),
            "chosen": [{"role": "assistant", "content": texts[pair.chosen_run, pair.item_id]}],
            "rejected": [{"role": "assistant", "content": texts[pair.rejected_run, pair.item_id]}],
            "origin": "preferred",
            "record_id": f"{campaign.campaign_id}/{pair.item_id}/{pair.chosen_run}/{pair.rejected_run}",
            "group": pair.item_id,
            "source": {
                **_source(state, pair.item_id, plan),
                "chosen_run": pair.chosen_run,
                "chosen_system": systems[pair.chosen_run],
                "rejected_run": pair.rejected_run,
                "rejected_system": systems[pair.rejected_run],
                "votes": pair.votes,
                "from": pair.source,
                "margin": pair.margin,
            },
        }
        for pair in pairs
        # A pair with an answer that was never given teaches nothing.
        if (pair.chosen_run, pair.item_id) in texts and (pair.rejected_run, pair.item_id) in texts
    ]


def _training(state: CampaignState, plan: Plan) -> list[dict[str, object]]:
    campaign = state.campaign
    records: list[dict[str, object]] = []
    for number, one in enumerate(corrections(current_judgements(state)), start=1):
        item = plan.items[one.item_id]
        record: dict[str, object] = {
            "prompt": _prompt(item),
            "completion": [{"role": "assistant", "content": one.text}],
            "origin": "corrected",
            "record_id": f"{campaign.campaign_id}/corrected-{number}",
            "group": one.item_id,
            "source": {**_source(state, one.item_id, plan), "run": one.run_id, "rater": one.rater},
        }
        if not _asks_golden(state):
            record["parents"] = [item.item_hash]
        records.append(record)
    return records


def _prompt(item: PlannedItem) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in item.turns]


def _source(state: CampaignState, item_id: str, plan: Plan) -> dict[str, object]:
    campaign = state.campaign
    return {
        "campaign": campaign.campaign_id,
        "experiment": campaign.experiment,
        "golden_set": f"{campaign.golden_set} {campaign.golden_version}",
        "validated": campaign.validated,
        "item_id": item_id,
        "item_hash": plan.items[item_id].item_hash,
        "rubric_sha256": campaign.rubric_sha256,
    }


def _unwritable(file: Path, problem: OSError) -> RatingError:
    return RatingError(f"{file}: cannot be written: {problem.strerror or problem}. Name another file with --out.")
