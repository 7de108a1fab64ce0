"""What the steps of an augmentation make: candidates for new records, and what was dropped, with the reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from harness.config.augment import Origin, Plan, Step
from harness.data.augment_source import Original

Reason = Literal[
    "failed",
    "empty",
    "cut_off",
    "same_as_parent",
    "hardly_changed",
    "not_translated",
    "echoes_request",
    "talks_about_task",
    "answers",
    "asks_differently",
    "length",
    "facts",
    "off_topic",
    "language",
    "right_answer",
    "no_other_answer",
    "unchanged",
    "already_refused",
    "nothing_to_cut",
    "too_little_left",
    "duplicate",
    "near_duplicate",
    "golden_overlap",
]
REASONS: tuple[Reason, ...] = get_args(Reason)

SAID: Mapping[Reason, str] = {
    "failed": "the model could not be asked, or gave an error",
    "empty": "no text",
    "cut_off": "the text did not end before the limit of tokens",
    "same_as_parent": "the parent's text, but for case, punctuation or white space",
    "hardly_changed": "too few words are others than the parent's",
    "not_translated": "the text between is still in the parent's language",
    "echoes_request": "the words of the request stand in it",
    "talks_about_task": "it talks about the task, or declines it, instead of doing it",
    "answers": "the parent's answer, or a text of an answer's form, stands in it",
    "asks_differently": "a question where the parent has none, or none where it has one",
    "length": "too short or too long beside its parent",
    "facts": "a fact of the parent is lost, or one is added",
    "off_topic": "too few of the parent's words stand in it",
    "language": "in another language than its parent",
    "right_answer": "the model answered rightly",
    "no_other_answer": "no record has another answer",
    "unchanged": "the rule changes nothing in this answer",
    "already_refused": "the record is answered with the refusal already",
    "nothing_to_cut": "no part of the input is the deciding one",
    "too_little_left": "too few words are left of the input",
    "duplicate": "the question, or the preference, is in the set already",
    "near_duplicate": "nearly the same question is in the set already",
    "golden_overlap": "it stands in a golden set, or nearly",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A new record, before it is held against the set.

    `value` is the record as it will be written, marks included. `besides` are numbers of originals that its question
    may be similar to, and so to what else was made beside them.
    """

    step: str
    value: dict[str, object]
    besides: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """What was made and not kept. `text` is what was made, `detail` what exactly was wrong with it."""

    step: str
    reason: Reason
    text: str
    detail: str = ""
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Maker:
    """Makes candidates and drops for one step of a plan, with its marks on them.

    `seed` is the one in use, which may not be the plan's.
    """

    plan: Plan
    step: Step
    seed: int
    origin: Origin

    @property
    def lot(self) -> object:
        """What decides the draws of this step."""
        return [self.seed, self.step.name]

    def keep(
        self,
        value: Mapping[str, object],
        parents: Sequence[Original] = (),
        *,
        said: Mapping[str, object],
        besides: Iterable[int] = (),
    ) -> Candidate:
        """A candidate, marked with its origin, its parents' hashes, and how it was made."""
        how = {"plan": self.plan.name, "step": self.step.name, "seed": self.seed, **said}
        hashes = list(dict.fromkeys(parent.record.record_hash for parent in parents))
        marked = {**value, "origin": self.origin, "parents": hashes, "augmentation": how}
        return Candidate(step=self.step.name, value=marked, besides=frozenset(besides))

    def drop(self, reason: Reason, text: str, parents: Iterable[Original] = (), detail: str = "") -> Dropped:
        """What is not kept, and why."""
        hashes = tuple(parent.record.record_hash for parent in parents)
        return Dropped(step=self.step.name, reason=reason, text=text, detail=detail, parents=hashes)


Made = Candidate | Dropped
