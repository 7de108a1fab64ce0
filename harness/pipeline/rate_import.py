"""`harness rate import`: ratings made elsewhere, from a CSV, added to an open campaign as if given on the page."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import DataError, as_sentence, nearest, problems_message
from harness.hashing import content_hash, file_hash
from harness.pipeline.campaigns import refuse_closed
from harness.pipeline.rate_events import storable
from harness.pipeline.rate_links import LONGEST_NAME, rater_name
from harness.pipeline.rate_rubric import rubric_of
from harness.rating.answers import check_answer
from harness.records.rating import Assignment, CampaignEvent, RatingEvent
from harness.records.rubric import Rubric
from harness.store.rating_lines import Entry
from harness.store.rating_live import LiveCampaign, live_campaign

COLUMNS = ("rater", "item", "system", "criterion", "value")
CRITICAL = "critical_error"
COMMENT = "comment"

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What came out of a file: judgements of answers, how many of them were new, and by whom."""

    campaign_id: str
    judgements: int
    new: int
    raters: tuple[str, ...]


@dataclass(slots=True)
class _Judgement:
    """One rater's answers about one system's answer to one item, from several lines."""

    line: int
    answer: dict[str, object]


def import_ratings(home: Path, campaign_id: str, file: Path, *, by: str, now: datetime | None = None) -> Imported:
    """Adds the ratings of a CSV with the columns rater, item, system, criterion and value; all or none.

    Importing a file twice changes nothing; a changed value is a change of mind, as on the page. Whether the raters were
    blind is not known here: the import is recorded, with the file's hash.

    Args:
        home: Where the campaign is.
        campaign_id: The campaign, of kind rubric or both.
        file: The CSV. `critical_error` (true, false) and `comment` may stand for a criterion.
        by: Who imports.
        now: The moment to record.

    Raises:
        DataError: The file cannot be read or has problems, each named with its line.
        RatingError: The campaign is closed.
        DiskFullError: There is no room. Nothing was added.
    """
    now = now or datetime.now(UTC)
    live = live_campaign(home, campaign_id)
    with live.change():
        refuse_closed(live.state())
        judgements = _read(file, live)
        new = _new_entries(live, judgements, now)
        if new:
            payload = {"file": file.name, "sha256": file_hash(file), "judgements": len(judgements)}
            event_id = content_hash([campaign_id, "imported", payload["sha256"]])[:24]
            event = CampaignEvent(
                event_id=event_id, campaign_id=campaign_id, kind="imported", at=now, by=by, payload=payload
            )
            live.add([*new, event], "on disk")
    return Imported(
        campaign_id=campaign_id,
        judgements=len(judgements),
        new=sum(isinstance(entry, RatingEvent) for entry in new),
        raters=tuple(sorted({rater for rater, _, _ in judgements})),
    )


def _read(file: Path, live: LiveCampaign) -> dict[tuple[str, str, str], _Judgement]:
    """Judgements by rater, item and run."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise DataError(f"{file}: cannot be read: {problem}. Save it as CSV in UTF-8.") from problem
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found: dict[tuple[str, str, str], _Judgement] = {}
    problems: list[str] = []
    try:
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise DataError(
                f"{file}: the columns are {', '.join(reader.fieldnames or ['none'])}; {', '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} missing. Needed: {', '.join(COLUMNS)}."
            )
        for row in reader:
            problems += _take(found, row, reader.line_num, live)
    except csv.Error as problem:
        raise DataError(f"{file}:{reader.line_num}: not CSV: {problem}. Save it as CSV in UTF-8.") from problem
    rubric = rubric_of(live.campaign)
    for (rater, item_id, run_id), judgement in found.items():
        wrong = check_answer("rubric", judgement.answer, rubric, answers=1)
        problems += [f"line {judgement.line}, {rater} on {item_id}: {one}" for one in wrong]
        if _rated_on_page(live, rater, item_id, run_id):
            problems.append(f"line {judgement.line}: {rater} rated {item_id} on the page. Leave it out of the file.")
    if not found and not problems:
        problems.append("there is no line below the heading. Add ratings.")
    if problems:
        raise DataError(problems_message(f"{file}: nothing was imported", problems))
    return found


def _take(
    found: dict[tuple[str, str, str], _Judgement], row: Mapping[str, str | None], line: int, live: LiveCampaign
) -> list[str]:
    rater, item_id, system, criterion, value = ((row[name] or "").strip() for name in COLUMNS)
    campaign, rater = live.campaign, rater_name(rater)
    problems: list[str] = []
    known = (*campaign.item_ids, *campaign.calibration_ids)
    if not rater or not rater.isprintable():
        problems.append("rater is empty" if not rater else "rater has a character that cannot be printed")
    if len(rater) > LONGEST_NAME:
        problems.append(f"rater has {len(rater)} characters; allowed: up to {LONGEST_NAME}")
    if item_id not in known:
        problems.append(f'"{item_id}" is no item of the campaign; {nearest(item_id, known)}')
    if system not in campaign.runs:
        problems.append(f'"{system}" is no system of the campaign; {nearest(system, campaign.runs)}')
    read = _value(rubric_of(campaign), criterion, value)
    if isinstance(read, str):
        problems.append(read)
    if problems:
        return [f"line {line}: {as_sentence(problem)}" for problem in problems]
    key = (rater, item_id, campaign.runs[system])
    judgement = found.setdefault(key, _Judgement(line=line, answer={"levels": {}}))
    levels = judgement.answer["levels"]
    place = judgement.answer if criterion in (CRITICAL, COMMENT) else levels
    if not isinstance(place, dict) or isinstance(read, str):
        raise TypeError(f"{criterion} has no place in an answer")
    if criterion in place:
        return [f"line {line}: {criterion} of {rater} on {item_id}, {system}, stands twice. Keep one."]
    place[criterion] = read[0]
    return []


def _value(rubric: Rubric, criterion_id: str, value: str) -> tuple[int | str | bool] | str:
    """The value as an answer has it, in a tuple; or what is wrong with it."""
    if criterion_id == COMMENT:
        return (str(storable(value)),)
    if criterion_id == CRITICAL:
        if value.lower() in (*_TRUE, *_FALSE):
            return (value.lower() in _TRUE,)
        return f'critical_error is "{value}"; allowed: true, false'
    for criterion in rubric.criteria:
        if criterion.criterion_id == criterion_id:
            levels = {str(level.value): level.value for level in criterion.levels}
            whole = value[:-2] if value.endswith(".0") else value  # spreadsheets write 4.0
            if whole in levels:
                return (levels[whole],)
            return f'{criterion_id} is "{value}"; allowed: {", ".join(levels)}'
    names = [*(criterion.criterion_id for criterion in rubric.criteria), CRITICAL, COMMENT]
    return f'"{criterion_id}" is no criterion of the rubric; {nearest(criterion_id, names)}'


def _rated_on_page(live: LiveCampaign, rater: str, item_id: str, run_id: str) -> bool:
    ours = _assignment_id(live, rater, item_id, run_id)
    return any(
        one.item_id == item_id and one.run_ids == (run_id,) and one.assignment_id != ours
        for one in live.of_rater(rater)
    )


def _assignment_id(live: LiveCampaign, rater: str, item_id: str, run_id: str) -> str:
    return content_hash([live.campaign.campaign_id, "imported", rater, item_id, run_id])[:24]


def _new_entries(
    live: LiveCampaign, judgements: Mapping[tuple[str, str, str], _Judgement], now: datetime
) -> list[Entry]:
    campaign = live.campaign
    positions: dict[str, int] = {}
    entries: list[Entry] = []
    for (rater, item_id, run_id), judgement in judgements.items():
        assignment_id = _assignment_id(live, rater, item_id, run_id)
        if assignment_id not in live.assignments:
            position = positions.setdefault(rater, len(live.of_rater(rater)))
            positions[rater] += 1
            entries.append(
                Assignment(
                    assignment_id=assignment_id,
                    campaign_id=campaign.campaign_id,
                    rater=rater,
                    item_id=item_id,
                    kind="rubric",
                    purpose="calibration" if item_id in campaign.calibration_ids else "scored",
                    run_ids=(run_id,),
                    position=position,
                    assigned_at=now,
                )
            )
        latest = live.latest.get(assignment_id)
        if latest is not None and json.dumps(latest.answer, sort_keys=True) == json.dumps(
            judgement.answer, sort_keys=True
        ):
            continue
        revision = max(int(1000 * now.timestamp()), latest.revision + 1 if latest else 0)
        entries.append(
            RatingEvent(
                event_id=content_hash([assignment_id, revision, judgement.answer])[:24],
                campaign_id=campaign.campaign_id,
                assignment_id=assignment_id,
                rater=rater,
                revision=revision,
                at=now,
                seconds=0.0,
                rubric_sha256=campaign.rubric_sha256,
                answer=judgement.answer,
            )
        )
    return entries
