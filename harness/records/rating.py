"""Rating: campaigns, what a rater is shown, and what she answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from harness.records.evidence import Agreement
from harness.records.scores import Metric, Score

CampaignKind = Literal["rubric", "pairwise", "both", "validate"]
ReferenceShown = Literal["shown", "hidden", "after"]
AssignmentKind = Literal["rubric", "pairwise", "validate", "closing"]
Purpose = Literal["scored", "calibration", "repeat"]
Role = Literal["rater", "owner"]
JudgedAt = Literal["judge", "revise"]
CampaignEventKind = Literal["opened", "extended", "closed", "adjudicated", "imported"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """One round of rating over chosen runs, fixed when it is opened.

    `runs` maps a system's name to the run whose answers are rated; empty for a campaign of kind `validate`, whose
    `validated` says what is looked at (`golden` or a training set's path, with its sha256). `item_ids` are in no
    particular order: each rater's own order is drawn. `rubric_text` is the rubric as canonical JSON, `rubric_sha256`
    its hash. `raters_per_item` people rate each item. `repeats` is the share of hidden repeats, a proportion in [0, 1).
    `calibration_ids` are rated by everybody, first, and counted apart. `lease_s` is after how many seconds without a
    sign of life an item that was opened and left returns to the pool.
    """

    campaign_id: str
    experiment: str
    kind: CampaignKind
    runs: Mapping[str, str]
    golden_set: str
    golden_version: str
    golden_sha256: str
    item_ids: tuple[str, ...]
    calibration_ids: tuple[str, ...]
    raters_per_item: int
    repeats: float
    reference: ReferenceShown
    rubric_text: str
    rubric_sha256: str
    seed: int
    lease_s: float
    opened_at: datetime
    by: str
    validated: str | None = None
    validated_sha256: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """One screen for one rater: an item with the blinded answers to judge.

    `assignment_id` is random, and all that a browser learns. `run_ids` are those of the answers in the order they are
    shown (one for `rubric`, two for `pairwise`, all for `closing`, none for `validate`). `repeat_of` is the assignment
    that a hidden repeat shows again. `position` counts the rater's assignments from 0.
    """

    assignment_id: str
    campaign_id: str
    rater: str
    item_id: str
    kind: AssignmentKind
    purpose: Purpose
    run_ids: tuple[str, ...]
    position: int
    assigned_at: datetime
    repeat_of: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RatingEvent:
    """What a rater answered to one assignment; a change of mind is a new event with a higher revision.

    `event_id` is the client's, the same for every resend. `revision` grows with every change (milliseconds since 1970,
    by the client's clock, made to grow). `seconds` is the time the screen was in front, measured by the client.
    `stage` is `revise` for an answer given after the reference was revealed. `answer` is a JSON object, by kind of
    assignment:

    - rubric: `levels` (criterion -> level as int, or "pass"/"fail"), `cannot_judge` (criteria), `critical_error`
      (bool), `comment`, `corrected` (a better answer, as text)
    - pairwise: `choice` (left, right, tie, both_bad), `strength` (1 slightly, 2 clearly, 3 by far; None), `criteria`
      (criterion -> left, right, tie), `comment`
    - validate: `decision` (accept, reject, correct), `corrected`, `comment`
    - closing: `guess` (position of the answer thought to be fine-tuned, or None for "cannot tell"), `comment`
    """

    event_id: str
    campaign_id: str
    assignment_id: str
    rater: str
    revision: int
    at: datetime
    seconds: float
    rubric_sha256: str
    answer: Mapping[str, object]
    stage: JudgedAt = "judge"


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What a rater has half typed on a screen; a later one (higher `revision`) takes its place. `answer` as above."""

    campaign_id: str
    assignment_id: str
    rater: str
    revision: int
    at: datetime
    answer: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignEvent:
    """What happened to a campaign, when and by whom.

    `payload` is a JSON object, by kind:

    - opened: empty
    - imported: `file`, its `sha256`, and `judgements`, how many came out of it
    - extended: `item_ids` and `raters_per_item` as they are from then on, and the `reason`
    - closed: `judged`, the number of screens with a judgement. Closing is also unblinding
    - adjudicated: `item_id`, `run_id`, `criterion`, `value`, `method` (third_rater, consensus), `note`
    """

    event_id: str
    campaign_id: str
    kind: CampaignEventKind
    at: datetime
    by: str
    payload: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Adjudication:
    """What a disagreement was settled on: by a third rater, or by those who disagreed. Raw ratings stay as they are.

    `assignment_id` is any screen on which the answer was rated: it says which, and not whose. `value` is a level,
    `fail` or `pass`, or for the criterion `critical_error` true or false.
    """

    assignment_id: str
    criterion: str
    value: int | str | bool
    method: Literal["third_rater", "consensus"]
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignState:
    """Everything that is known of a campaign at a moment.

    `campaign` has its extensions applied. `events` are judgements in the order they were stored, all revisions of them;
    `drafts` and `last_sign` (the last sign of life) are by assignment id.
    """

    campaign: Campaign
    assignments: tuple[Assignment, ...]
    events: tuple[RatingEvent, ...]
    drafts: Mapping[str, Draft]
    last_sign: Mapping[str, datetime]
    campaign_events: tuple[CampaignEvent, ...]

    @property
    def judged(self) -> frozenset[str]:
        """Ids of the assignments with a judgement."""
        return frozenset(event.assignment_id for event in self.events)

    @property
    def closed(self) -> CampaignEvent | None:
        """The event that closed the campaign, None while it is open."""
        return next((event for event in self.campaign_events if event.kind == "closed"), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignResults:
    """What comes out of a campaign: metrics, scores by run id, agreement by metric, and sentences to show with them."""

    metrics: tuple[Metric, ...]
    scores: Mapping[str, tuple[Score, ...]]
    agreement: Mapping[str, Agreement]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What became of events that a browser sent.

    `acknowledged` are ids of events that are on disk, now or since before. `refused` says by id why an event is not
    kept, in a sentence for the rater. An event in neither is to be sent again.
    """

    acknowledged: tuple[str, ...]
    refused: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A personal way in. `link_id` is random; the signed token holds nothing else. An owner's link has no campaign."""

    link_id: str
    role: Role
    rater: str | None
    campaign_id: str | None
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownAnswer:
    """A blinded answer. `label` is A, B, ...; `text` has names of models masked; `masked` says that some were."""

    label: str
    text: str
    masked: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownCriterion:
    """A criterion as a form shows it. `levels` are (value, words) pairs, best last; pass/fail has "fail" and "pass"."""

    criterion_id: str
    question: str
    required: bool
    kind: Literal["levels", "pass_fail"]
    levels: tuple[tuple[int | str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """What a rater sees now: everything that her browser learns, and nothing that tells systems apart.

    `storage_key` names this rater's place in the browser's own storage. `turns` are (role, text) pairs. `reference` is
    None where it is not (yet) shown; `stage` is `revise` after a first judgement where the reference is revealed then.
    `draft` is the newest answer known, given or half typed, and `revision` its number: the next one must be higher.
    `acknowledged` are the rater's assignments with a stored judgement, in the order she had them.
    `done` and `total` count screens (`total` is None where it is not known); `minutes_left` is an estimate from the
    rater's own pace. A finished rater's screen has `assignment_id` None and says why in `message`.
    """

    storage_key: str
    campaign: str
    assignment_id: str | None
    kind: AssignmentKind | None
    stage: Literal["judge", "revise", "finished"]
    turns: tuple[tuple[str, str], ...]
    answers: tuple[ShownAnswer, ...]
    reference: str | None
    criteria: tuple[ShownCriterion, ...]
    critical_question: str | None
    question: str | None
    instructions: str | None
    draft: Mapping[str, object] | None
    acknowledged: tuple[str, ...]
    done: int
    total: int | None
    minutes_left: float | None
    can_go_back: bool
    message: str | None = None
    revision: int = 0
